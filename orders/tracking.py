"""What a customer's link shows: one order as its customer may know it, read in a fixed number of statements."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.db.models import Q

from orders.models import Customer, OrderEvent, OrderLine, PartsOrder, ServiceOrder, Shipment, TrackingLink
from orders.statuses import LINE_CLOSED, SERVICE_ORDER_PATH, ServiceOrderStatus
from orders.wording import LINE, SERVICE_ORDER, Wording
from parts.models import UnitOfMeasure

#: What a customer wrote is recorded as.
MESSAGE = "message.received"
#: How often a link's last opening is noted.
_SEEN_EVERY = timedelta(minutes=5)
#: More than this is not shown on one page.
MOST_LINES, MOST_EVENTS, MOST_HAPPENINGS, MOST_SHIPMENTS = 200, 400, 60, 50


# --- Links ------------------------------------------------------------------------------------------------------------


def digest(token: str) -> bytes:
    """Return what is kept of a token. It is random and long, so that a plain hash cannot be turned back."""
    return hashlib.sha256(b"backline tracking link\0" + token.encode("utf-8", "replace")).digest()


def reference_of(link_id: UUID) -> str:
    """Return how the ledger calls whoever acted by a link."""
    return f"link:{link_id}"


def find(token: str, at: datetime) -> TrackingLink | None:
    """Return the link that a token opens, None for one that opens nothing, whyever. Always the same one query."""
    links = TrackingLink.objects.working(at).select_related("customer", "service_order__equipment", "parts_order")
    return links.filter(token_hash=digest(token)).first()


def held_by(requester: str, order_id: UUID, created_by: str, at: datetime) -> TrackingLink | None:
    """Return the newest link to an order that still works of those that were made for one reader; None without any."""
    theirs = TrackingLink.objects.working(at).filter(requester=requester.strip(), created_by=created_by)
    return theirs.filter(Q(service_order=order_id) | Q(parts_order=order_id)).newest_first().first()


def note_opening(link: TrackingLink, at: datetime) -> None:
    """Note that a link was opened, once in a while."""
    if link.last_seen_at is None or link.last_seen_at < at - _SEEN_EVERY:
        TrackingLink.objects.filter(pk=link.pk).update(last_seen_at=at)


def zone_of(customer: Customer) -> ZoneInfo:
    """Return a customer's time zone; UTC where theirs does not exist."""
    try:
        return ZoneInfo(customer.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def reschedule_days(today: date) -> tuple[date, date]:
    """Return the first and the last day that a customer may choose."""
    return today + timedelta(days=1), today + timedelta(days=settings.TRACKING_RESCHEDULE_DAYS)


@dataclass(frozen=True, slots=True)
class LinkShown:
    """A link as staff sees it; `state` is working, expired or revoked."""

    link: TrackingLink
    state: str


def links_of(order: ServiceOrder | PartsOrder, at: datetime) -> list[LinkShown]:
    """Return all links to an order, the newest first. One query."""
    return [LinkShown(link, state_of(link, at)) for link in TrackingLink.objects.of(order).newest_first()[:50]]


def state_of(link: TrackingLink, at: datetime) -> str:
    """Return whether a link is working, expired or revoked."""
    if link.revoked_at is not None:
        return "revoked"
    return "working" if link.expires_at > at else "expired"


def newest_message(order: ServiceOrder | PartsOrder) -> OrderEvent | None:
    """Return what the customer wrote last by a link, with its text. One query."""
    written = OrderEvent.objects.of_subjects([order.pk]).filter(kind=MESSAGE).select_related("text")
    return written.order_by("-version").first()


# --- What is shown ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Step:
    """A step on the way: `state` is done, now or ahead; `since` is known of those that were reached."""

    status: str
    word: str
    state: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """A day that was named to the customer (`kind`: planned, estimated, promised), and by how much it has passed."""

    kind: str
    day: date
    days_late: int


@dataclass(frozen=True, slots=True)
class Portion:
    """A quantity of a line that stands somewhere. `due` is its promise; a supplier's date is none and is not here."""

    quantity: Decimal
    status: str
    word: str
    due: Due | None
    first_promised_on: date | None
    is_open: bool
    since: datetime | None


@dataclass(frozen=True, slots=True)
class LineShown:
    """A line as it was ordered, and in which portions it comes."""

    number: str
    description: str
    unit: UnitOfMeasure
    quantity: Decimal
    portions: Sequence[Portion]


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened, as the customer may know it. `theirs`: they did it themselves."""

    kind: str
    at: datetime
    theirs: bool
    status: str = ""
    word: str = ""
    about: str = ""
    day: date | None = None
    note: str = ""
    carrier: str = ""
    tracking_number: str = ""
    direction: str = ""


@dataclass(frozen=True, slots=True)
class OrderShown:
    """All that a link shows."""

    order: ServiceOrder | PartsOrder
    status: str
    word: str
    next_step: str
    steps: Sequence[Step]
    dues: Sequence[Due]
    lines: Sequence[LineShown]
    lines_cut: bool
    shipments: Sequence[Shipment]
    history: Sequence[Happening]
    history_cut: bool
    may_reschedule: bool
    choices: tuple[date, date]

    @property
    def is_late(self) -> bool:
        """Whether a day that was named has passed."""
        return any(due.days_late for due in self.dues)

    @property
    def lacks_day(self) -> bool:
        """Whether it is planned, and for no day yet."""
        return self.may_reschedule and not any(due.kind == "planned" for due in self.dues)


def shown(link: TrackingLink, wording: Wording, today: date) -> OrderShown:
    """Return what a link shows in these words on a day (in the customer's zone). Four statements at most."""
    order = link.order
    is_job = isinstance(order, ServiceOrder)
    subject = SERVICE_ORDER if is_job else LINE
    rows = _lines(order)
    parts_orders = {row.order_id for row in rows} | ({order.pk} if not is_job else set())
    lines = _lines_shown(rows, wording, today)
    shipments = list(
        Shipment.objects.filter(order__in=parts_orders).order_by("-shipped_at", "id")[:MOST_SHIPMENTS]
        if parts_orders
        else ()
    )
    events = _events(order.pk, [row.pk for row in rows])
    names = {row.pk: row.part.description or row.part.number for row in rows}
    history = _history(events, wording, names)
    steps = _steps_of_job(order.status, events, wording) if is_job else _steps_of_parts(order.status, wording)
    dues = [*(_dues_of_job(order, today) if isinstance(order, ServiceOrder) else ()), *_due_of_parts(lines)]
    return OrderShown(
        order=order,
        status=order.status,
        word=wording.word(subject, order.status),
        next_step=wording.next_step(subject, order.status),
        steps=steps,
        dues=dues,
        lines=lines,
        lines_cut=len(rows) >= MOST_LINES,
        shipments=shipments,
        history=history[:MOST_HAPPENINGS],
        history_cut=len(history) > MOST_HAPPENINGS or len(events) >= MOST_EVENTS,
        may_reschedule=is_job and order.status == ServiceOrderStatus.SCHEDULED,
        choices=reschedule_days(today),
    )


# --- Where it stands --------------------------------------------------------------------------------------------------

#: What every job comes by; the others are shown where they were taken.
_MAIN = ("scheduled", "new", "in_progress", "ready_for_return", "completed")
#: The way of parts, by what a customer tells apart.
_PARTS_WAY = ("open", "back_ordered", "reserved", "released", "packed", "shipped", "delivered")
_PARTS_PLACE = {"picking": "released", "awaiting_kitting": "released"}


def _steps_of_job(status: str, events: Iterable[OrderEvent], wording: Wording) -> list[Step]:
    """Return the way of a job: what was reached, where it stands, and what every job has still before it."""
    reached = {
        event.to_status: event.occurred_at
        for event in events
        if event.subject_kind == SERVICE_ORDER and event.to_status and not event.passed_through
    }
    path = SERVICE_ORDER_PATH[1:]
    place = path.index(status) if status in path else len(path)
    steps = []
    for position, name in enumerate(path):
        state = "now" if position == place else "done" if position < place else "ahead"
        if state == "now" or (state == "done" and name in reached) or (state == "ahead" and name in _MAIN):
            since = reached.get(name) if state != "ahead" else None
            steps.append(Step(name, wording.word(SERVICE_ORDER, name), state, since))
    if status not in path:
        steps.append(Step(status, wording.word(SERVICE_ORDER, status), "now", reached.get(status)))
    return steps


def _steps_of_parts(status: str, wording: Wording) -> list[Step]:
    """Return the way of a parts order, by its least advanced line."""
    name = _PARTS_PLACE.get(status, status)
    if name not in _PARTS_WAY:
        return [Step("open", wording.word(LINE, "open"), "done"), Step(status, wording.word(LINE, status), "now")]
    place = _PARTS_WAY.index(name)
    steps = []
    for position, each in enumerate(_PARTS_WAY):
        if each == "back_ordered" and name != "back_ordered":
            continue
        state = "now" if position == place else "done" if position < place else "ahead"
        steps.append(
            Step(status if state == "now" else each, wording.word(LINE, status if state == "now" else each), state)
        )
    return steps


def _dues_of_job(job: ServiceOrder, today: date) -> Iterable[Due]:
    """Return the days that were named for a job and that still mean something."""
    if job.status in ("scheduled", "new") and job.scheduled_for:
        yield Due("planned", job.scheduled_for, _days_late(job.scheduled_for, today))
    if job.status in SERVICE_ORDER_PATH[1:6] and job.estimated_completion_at:
        day = job.estimated_completion_at.astimezone(zone_of(job.customer)).date()
        yield Due("estimated", day, _days_late(day, today))


def _due_of_parts(lines: Iterable[LineShown]) -> Iterable[Due]:
    """Return the day by which all parts were promised that are still to come, if each of them was."""
    coming = [portion for line in lines for portion in line.portions if portion.is_open]
    if coming and all(portion.due for portion in coming):
        last = max((portion.due for portion in coming if portion.due), key=lambda due: due.day)
        worst = max(portion.due.days_late for portion in coming if portion.due)
        yield Due("promised", last.day, worst if worst else last.days_late)


def _days_late(day: date, today: date) -> int:
    return max((today - day).days, 0)


# --- Parts ------------------------------------------------------------------------------------------------------------


def _lines(order: ServiceOrder | PartsOrder) -> list[OrderLine]:
    """Return the lines of an order; of a job, those of the parts orders that are for its customer."""
    wanted = Q(order=order.pk)
    if isinstance(order, ServiceOrder):
        wanted = Q(order__service_order=order.pk, order__customer=order.customer_id)
    rows = OrderLine.objects.filter(wanted).select_related("part__unit")
    return list(rows.order_by("order_id", "position", "child_number", "id")[:MOST_LINES])


def _lines_shown(rows: Iterable[OrderLine], wording: Wording, today: date) -> list[LineShown]:
    roots: dict[UUID, OrderLine] = {}
    leaves: dict[UUID, list[OrderLine]] = {}
    for row in rows:
        if row.parent_id is None:
            roots[row.pk] = row
        if not row.is_split:
            leaves.setdefault(row.parent_id or row.pk, []).append(row)
    return [
        LineShown(
            number=root.part.number,
            description=root.part.description,
            unit=root.part.unit,
            quantity=root.quantity,
            portions=_portions(leaves.get(key, []), wording, today),
        )
        for key, root in roots.items()
    ]


def _portions(leaves: Iterable[OrderLine], wording: Wording, today: date) -> list[Portion]:
    """Return the leaves of a line, those put together of which a customer reads the same."""
    found: dict[tuple[Any, ...], Portion] = {}
    for leaf in leaves:
        portion = _portion(leaf, wording, today)
        key = (portion.word, portion.due, portion.first_promised_on, portion.since)
        quantity = portion.quantity + (found[key].quantity if key in found else 0)
        found[key] = Portion(quantity, *_rest(portion))
    return list(found.values())


def _rest(portion: Portion) -> tuple[str, str, Due | None, date | None, bool, datetime | None]:
    first = portion.first_promised_on
    return portion.status, portion.word, portion.due, first, portion.is_open, portion.since


def _portion(leaf: OrderLine, wording: Wording, today: date) -> Portion:
    is_open = leaf.status not in LINE_CLOSED
    promised = leaf.promised_on if is_open else None
    moved = leaf.first_promised_on if promised and leaf.first_promised_on != promised else None
    return Portion(
        quantity=leaf.quantity,
        status=leaf.status,
        word=wording.word(LINE, leaf.status),
        due=Due("promised", promised, _days_late(promised, today)) if promised else None,
        first_promised_on=moved,
        is_open=is_open,
        since=leaf.status_since if leaf.status in ("shipped", "delivered") else None,
    )


# --- History ----------------------------------------------------------------------------------------------------------

#: Statuses are a customer's to know as such; everything else only where somebody made it public.
_JOB_STEPS = ("service_order.created", "service_order.status_changed", "service_order.status_overridden")
_LINE_STEPS = ("line.status_changed", "line.status_overridden")
_PLACED = "parts_order.placed"
_LINE_TOLD = ("shipped", "delivered", "returned", "cancelled")
_PUBLIC = (
    "service_order.rescheduled",
    "service_order.completion_estimated",
    "note.added",
    MESSAGE,
    "messages.stopped",
    "messages.started",
    "equipment.sent",
    "equipment.arrived",
    "line.promise_changed",
)
#: Where the day stands that such an event is about.
_DAYS = {"service_order.rescheduled": "scheduled_for", "service_order.completion_estimated": "estimated_completion_at"}


def _events(order_id: UUID, line_ids: Collection[UUID]) -> list[OrderEvent]:
    """Return what a customer may know of, the latest last."""
    steps = Q(kind__in=_JOB_STEPS) | Q(kind=_PLACED) | Q(kind__in=_LINE_STEPS, to_status__in=_LINE_TOLD)
    told = steps | Q(kind__in=_PUBLIC, visibility="public")
    happened = OrderEvent.objects.of_subjects([order_id, *line_ids]).filter(told, passed_through=False)
    rows = happened.select_related("text")
    return list(rows.order_by("-occurred_at", "-recorded_at", "-id")[:MOST_EVENTS])[::-1]


def _history(events: Iterable[OrderEvent], wording: Wording, names: Mapping[UUID, str]) -> list[Happening]:
    """Return what happened in words, the latest first."""
    happened = [_happening(event, wording, names) for event in events if event.to_status != "draft"]
    return [one for one in happened if one][::-1]


def _happening(event: OrderEvent, wording: Wording, names: Mapping[UUID, str]) -> Happening | None:
    note = event.text.text if event.visibility == "public" and hasattr(event, "text") else ""
    if event.kind in ("note.added", MESSAGE) and not note:
        return None  # it has been erased
    is_line = event.subject_kind == LINE
    status = "open" if event.kind == _PLACED else event.to_status
    subject = SERVICE_ORDER if event.subject_kind == SERVICE_ORDER else LINE
    data = event.data if event.kind in _PUBLIC else {}
    return Happening(
        kind="status" if status else event.kind,
        at=event.occurred_at,
        theirs=event.actor.startswith("link:"),
        status=status,
        word=wording.word(subject, status) if status else "",
        about=names.get(event.subject_id, "") if is_line else "",
        day=_day(event.kind, data),
        note=note,
        carrier=str(data.get("carrier", "")),
        tracking_number=str(data.get("tracking_number", "")),
        direction=str(data.get("direction", "")),
    )


def _day(kind: str, data: Mapping[str, Any]) -> date | None:
    change = data.get(_DAYS[kind], {}) if kind in _DAYS else data
    named = change.get("to") if kind in _DAYS or kind == "line.promise_changed" else None
    return datetime.fromisoformat(named).date() if isinstance(named, str) else None
