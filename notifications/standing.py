"""Where orders stand that notices speak of, and what happened to them: read for many notices at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count, F, Max, Q

from notifications.models import Message, Notice, TemplateVersion
from orders.models import OrderLine, PartsOrder, ServiceOrder
from orders.statuses import LINE_CLOSED, SERVICE_ORDER_OPEN, ServiceOrderStatus, SubjectKind

JOB, PARTS_ORDER = SubjectKind.SERVICE_ORDER.value, SubjectKind.PARTS_ORDER.value
#: More news than this are counted, not listed.
MOST_NEWS = 12
_OPEN_LEAF = Q(is_split=False) & ~Q(status__in=LINE_CLOSED)


class Promise(NamedTuple):
    """By when all parts of an order were promised that are still to come, and how many lines wait."""

    day: date | None
    waiting: int
    lines: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one order stands now. `day_kind` is planned, promised or estimated; empty without a day."""

    kind: str
    id: UUID
    reference: str
    status: str
    title: str
    theirs: str
    machine: str
    day: date | None
    day_kind: str
    waiting: int
    lines: int


class Item(NamedTuple):
    """What an event was about: a line, or that of its back order, and its part."""

    line: UUID
    number: str
    description: str
    status: str


def read(notices: Iterable[Notice]) -> dict[UUID, Standing]:
    """Return where the orders of notices stand, by key. Three statements at most."""
    wanted: defaultdict[str, set[UUID]] = defaultdict(set)
    for notice in notices:
        wanted[notice.thread_kind].add(notice.thread_id)
    return of_threads(wanted[JOB], wanted[PARTS_ORDER])


def of_threads(jobs: Collection[UUID], parts_orders: Collection[UUID]) -> dict[UUID, Standing]:
    """Return where jobs and parts orders stand, by key. Three statements at most."""
    promises = _promises(jobs, parts_orders)
    found: dict[UUID, Standing] = {}
    if jobs:
        for job in ServiceOrder.objects.filter(pk__in=jobs).select_related("equipment"):
            found[job.pk] = _of_job(job, promises.get(job.pk))
    if parts_orders:
        for order in PartsOrder.objects.filter(pk__in=parts_orders):
            promise = promises.get(order.pk, Promise(None, 0, 0))
            found[order.pk] = Standing(
                PARTS_ORDER,
                order.pk,
                order.reference,
                order.status,
                "",
                order.external_reference,
                "",
                promise.day,
                "promised" if promise.day else "",
                promise.waiting,
                promise.lines,
            )
    return found


def _of_job(job: ServiceOrder, promise: Promise | None) -> Standing:
    day, day_kind = None, ""
    if job.status in (ServiceOrderStatus.SCHEDULED, ServiceOrderStatus.NEW) and job.scheduled_for:
        day, day_kind = job.scheduled_for, "planned"
    elif job.status in SERVICE_ORDER_OPEN and promise and promise.day:
        day, day_kind = promise.day, "promised"
    elif job.status in SERVICE_ORDER_OPEN and job.estimated_completion_at:
        day, day_kind = job.estimated_completion_at.astimezone(UTC).date(), "estimated"
    return Standing(
        JOB,
        job.pk,
        job.reference,
        job.status,
        job.title,
        job.external_reference,
        str(job.equipment or ""),
        day,
        day_kind,
        promise.waiting if promise else 0,
        promise.lines if promise else 0,
    )


def _promises(jobs: Collection[UUID], parts_orders: Collection[UUID]) -> dict[UUID, Promise]:
    """Return the promises of jobs and of parts orders, by their key. One statement."""
    if not jobs and not parts_orders:
        return {}
    theirs = Q(order__service_order__in=jobs, order__customer=F("order__service_order__customer"))
    rows = (
        OrderLine.objects.filter(theirs | Q(order__in=parts_orders))
        .values("order_id", "order__service_order_id")
        .annotate(
            day=Max("promised_on", filter=_OPEN_LEAF),
            unpromised=Count("id", filter=_OPEN_LEAF & Q(promised_on=None)),
            waiting=Count("id", filter=Q(is_split=False, status="back_ordered")),
            lines=Count("id", filter=Q(parent=None)),
        )
        .order_by()
    )
    found: dict[UUID, Promise] = {}
    unpromised: set[UUID] = set()
    for row in rows:
        for key in {row["order_id"], row["order__service_order_id"]} - {None}:
            before = found.get(key, Promise(None, 0, 0))
            days = [day for day in (before.day, row["day"]) if day]
            found[key] = Promise(
                max(days) if days else None, before.waiting + row["waiting"], before.lines + row["lines"]
            )
            if row["unpromised"]:
                unpromised.add(key)
    return {key: promise if key not in unpromised else promise._replace(day=None) for key, promise in found.items()}


def items_of(messages: Iterable[Message]) -> dict[UUID, Item]:
    """Return the part that each event's line or back order is of, by the subject's key. Two statements at most."""
    wanted: defaultdict[str, set[UUID]] = defaultdict(set)
    for message in messages:
        wanted[message.event.subject_kind].add(message.event.subject_id)
    found: dict[UUID, Item] = {}
    if lines := wanted[SubjectKind.LINE.value]:
        rows = OrderLine.objects.filter(pk__in=lines).values_list(
            "pk", "pk", "part__number", "part__description", "status"
        )
        found.update({key: Item(*rest) for key, *rest in rows})
    if queued := wanted[SubjectKind.BACK_ORDER.value]:
        rows = OrderLine.objects.filter(back_order__in=queued).values_list(
            "back_order", "pk", "part__number", "part__description", "back_order__status"
        )
        found.update({key: Item(*rest) for key, *rest in rows})
    return found


def messages_of(notice_ids: Sequence[UUID]) -> dict[UUID, list[Message]]:
    """Return what each notice has to say, in the order in which it happened. One statement."""
    found: defaultdict[UUID, list[Message]] = defaultdict(list)
    rows = Message.objects.filter(notice_id__in=notice_ids).select_related(
        "event__text", "rule__template", "alert__rule"
    )
    for message in rows.order_by("event__occurred_at", "event__version", "id"):
        if message.notice_id is not None:
            found[message.notice_id].append(message)
    return dict(found)


def published(templates: Collection[UUID]) -> Mapping[tuple[UUID, str], TemplateVersion]:
    """Return the version that is used now of each wording, by (wording, language). One statement."""
    rows = (
        TemplateVersion.objects.filter(template__in=templates, published_at__isnull=False)
        .order_by("template_id", "language", "-number")
        .distinct("template_id", "language")
    )
    return {(version.template_id, version.language): version for version in rows}
