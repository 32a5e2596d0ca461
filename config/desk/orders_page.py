"""What the page of an order shows, put together from what the floors below read. A constant number of queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property

from backorders.dossiers import Dossier, Row, dossier, parts_orders_of, subjects_of
from config.desk.orders_consents import REQUEST_DEEDS
from config.desk.orders_consents import shown as shown_requests
from config.desk.orders_deeds import Deed, deed_named, key_in
from config.desk.orders_job_deeds import JOB_DEEDS
from config.desk.orders_parts_deeds import LINE_DEEDS, PARTS_ORDER_DEEDS, line_steps
from config.desk.orders_timeline import Happening, happenings
from config.desk.orders_why import Said, Why, blocks_job, blocks_order, why_expected
from config.messages.watched import watched
from orders import timeline
from orders.consenting import asked_about
from orders.models import Attachment, OrderLine, OverrideRequest, PartsOrder, ReturnShipment, ServiceOrder
from orders.statuses import (
    LINE_CLOSED,
    LINE_HOLDS_STOCK,
    SERVICE_ORDER_PATH,
    SERVICE_ORDER_STEPS,
    LineStatus,
    ServiceOrderStatus,
)


@dataclass(frozen=True)
class Step:
    """A button that takes one step."""

    to: str
    word: Any
    is_back: bool


@dataclass(frozen=True)
class LineShown:
    """A line as its row shows it."""

    row: Row
    why: Why
    steps: list[Step]
    deeds: list[Deed]
    is_overdue: bool
    children: list[LineShown]

    @property
    def line(self) -> Any:
        """The line itself."""
        return self.row.line


class OrderPage:
    """What pages of orders share. `subject` is the order, as it stood when this was made."""

    deeds: tuple[Deed, ...] = ()
    template = ""

    def __init__(self, request: HttpRequest, subject: Any) -> None:
        self.request, self.subject = request, subject
        self.may = request.user.get_all_permissions()
        self.today: date = timezone.localdate()

    # --- For subclasses ---------------------------------------------------------------------------------------------

    def orders(self) -> list[Any]:
        """Return the parts orders that the page shows."""
        raise NotImplementedError

    def facts(self, found: Dossier) -> dict[str, Any]:
        """Return what this kind of page shows beside lines and timeline."""
        raise NotImplementedError

    def subjects(self, of_orders: dict[UUID, str]) -> dict[UUID, str]:
        """Return whose events the timeline shows, each with the number of its part, if it has one."""
        return of_orders

    def texts(self) -> dict[str, str]:
        """Return what was written down elsewhere than in the ledger, by its key."""
        return {}

    def files(self) -> Sequence[Attachment]:
        """Return the files of the page."""
        return ()

    # --- What is done -----------------------------------------------------------------------------------------------

    def deed(self, slug: str) -> Deed | None:
        """Return a deed of this page by its name."""
        return deed_named(slug, (*self.deeds, *LINE_DEEDS, *REQUEST_DEEDS))

    def about(self, deed: Deed, key: str) -> Any:
        """Return what a deed is done to: the order, or a line, file or shipment of it; None where it is not of it."""
        if not deed.about:
            return self.subject
        wanted = key_in(key)
        return self._belonging(deed.about).filter(pk=wanted).first() if wanted else None

    def _belonging(self, kind: str) -> QuerySet[Any]:
        if kind == "line":
            lines = OrderLine.objects.filter(order__in=[order.pk for order in self.orders()])
            return lines.select_related("part__unit", "order", "back_order")
        if kind == "request":
            of = Q(line__order__in=[order.pk for order in self.orders()])
            if isinstance(self.subject, ServiceOrder):
                of |= Q(service_order=self.subject.pk)
            asked = OverrideRequest.objects.filter(of)
            return asked.select_related("line__part", "service_order", "requested_by")
        rows: QuerySet[Any] = Attachment.objects.all() if kind == "file" else ReturnShipment.objects.all()
        return rows.filter(service_order=self.subject.pk)

    def is_offered(self, deed: Deed, subject: Any) -> bool:
        """Tell whether this person is offered a deed on a subject as it stands."""
        return deed.permission in self.may and deed.offered(subject)

    def offered(self, deeds: Sequence[Deed], subject: Any) -> list[Deed]:
        """Return what this person is offered on a subject, without what has a place of its own on the page."""
        return [deed for deed in deeds if not deed.is_hidden and self.is_offered(deed, subject)]

    # --- What is shown ----------------------------------------------------------------------------------------------

    def context(self) -> dict[str, Any]:
        """Return everything the template shows."""
        orders = self.orders()
        position = self.request.GET.get("from", "")
        found = dossier(orders, from_position=int(position) if position.isdecimal() and len(position) < 7 else 1)
        self.subject.holds_stock = any(row.line.status in LINE_HOLDS_STOCK for row in found.leaves())
        own = [deed for deed in self.deeds if not deed.about]
        job_id = self.subject.pk if isinstance(self.subject, ServiceOrder) else None
        asked = asked_about(job_id=job_id, order_ids=[order.pk for order in orders], at=timezone.now())
        return {
            "subject": self.subject,
            "today": self.today,
            "now": timezone.now(),
            "orders": [(order, [self._shown(row, order) for row in found.rows.get(order.pk, [])]) for order in orders],
            "next_position": found.next_position,
            "from_position": int(position) if position.isdecimal() else 1,
            "shipments": found.shipments,
            "main_deeds": [deed for deed in self.offered(own, self.subject) if deed.is_main],
            "more_deeds": [deed for deed in self.offered(own, self.subject) if not deed.is_main],
            "requests": shown_requests(asked, user_id=self.request.user.pk, offered=self.offered),
            **watched(self.request, self.subject),
            "may_note": self.is_offered_by_name("note"),
            **self.timeline(self.subjects(found.subjects)),
            **self.facts(found),
        }

    def is_offered_by_name(self, slug: str) -> bool:
        """Tell whether this person is offered a deed of the page's own order."""
        deed = deed_named(slug, self.deeds)
        return deed is not None and self.is_offered(deed, self.subject)

    def timeline(self, subjects: dict[UUID, str]) -> dict[str, Any]:
        """Return a page of what happened."""
        kind = self.request.GET.get("kind", "")
        kind = kind if kind in timeline.KINDS else ""
        events = timeline.events(subjects, kind=kind, before=self.request.GET.get("before", ""))
        kept = {str(file.pk) for file in self.files() if file.removed_at is None}
        shown: list[Happening] = happenings(
            events.rows, of=self.subject.pk, parts=subjects, texts=self.texts(), files=kept
        )
        return {
            "happenings": shown,
            "older": events.older,
            "kind": kind,
            "kinds": [("", None), *((name, title) for name, (title, _rows) in timeline.KINDS.items())],
            "is_further": bool(self.request.GET.get("before")),
        }

    def timeline_only(self) -> dict[str, Any]:
        """Return a page of what happened, and nothing else."""
        of_orders = subjects_of([order.pk for order in self.orders()])
        return {"subject": self.subject, **self.timeline(self.subjects(of_orders))}

    def _shown(self, row: Row, order: Any) -> LineShown:
        if len(row.children) == 1 and row.children[0].line.quantity == row.line.quantity:
            row = row.children[0]  # all of it is one part: the line says nothing that its part does not say
        line = row.line
        words: Mapping[str, Any] = dict(LineStatus.choices)
        may_move = "orders.move_orderline" in self.may
        steps = [Step(to, words[to], to == "reserved") for to in line_steps(line, order)] if may_move else []
        overdue = line.promised_on is not None and line.promised_on < self.today and line.status not in LINE_CLOSED
        return LineShown(
            row=row,
            why=why_expected(row, self.today),
            steps=steps,
            deeds=self.offered(LINE_DEEDS, line),
            is_overdue=overdue and line.status != "shipped",
            children=[self._shown(child, order) for child in row.children],
        )


class JobPage(OrderPage):
    """The page of a service order."""

    deeds = JOB_DEEDS
    template = "desk/service_order.html"
    _files: list[Attachment] | None = None

    def orders(self) -> list[Any]:
        """Return the parts orders of the job."""
        return list(parts_orders_of(self.subject))

    def subjects(self, of_orders: dict[UUID, str]) -> dict[UUID, str]:
        """The job's own events come with those of its parts orders."""
        return {self.subject.pk: "", **of_orders}

    @cached_property
    def labour(self) -> list[Any]:
        """Work done on it, the latest first."""
        return list(self.subject.labour.select_related("technician").order_by("-started_at", "-id"))

    @cached_property
    def diagnoses(self) -> list[Any]:
        """What was found wrong, the latest first."""
        return list(self.subject.diagnostics.select_related("author").order_by("-created_at", "-id"))

    def texts(self) -> dict[str, str]:
        """The findings and what was done."""
        said = {str(note.pk): note.text for note in self.diagnoses}
        return said | {str(entry.pk): entry.description for entry in self.labour}

    def files(self) -> Sequence[Attachment]:
        """Return the files of the job, the latest first."""
        if self._files is None:
            self._files = list(self.subject.attachments.select_related("added_by").order_by("-added_at", "-id"))
        return self._files

    def facts(self, found: Dossier) -> dict[str, Any]:
        """Return what blocks it, its steps, its files, and what was written down about it."""
        job: ServiceOrder = self.subject
        away = list(job.return_shipments.order_by("-shipped_at", "-id"))
        on_its_way = [shipment for shipment in away if shipment.arrived_at is None]
        blocked: Said = blocks_job(job, found.orders, found.leaves(), on_its_way, self.today)
        file_deeds = [deed for deed in self.deeds if deed.about == "file"]
        return {
            "blocked": blocked,
            "steps": job_steps(job.status) if "orders.move_serviceorder" in self.may else [],
            "clocks": clocks(job, timezone.now()),
            "away": away,
            "may_note_arrival": "orders.change_serviceorder" in self.may,
            "labour": self.labour,
            "labour_total": sum(entry.minutes for entry in self.labour),
            "diagnoses": self.diagnoses,
            "kept_files": [
                (file, self._file_deeds(file, file_deeds)) for file in self.files() if file.removed_at is None
            ],
            "may_attach": self.is_offered_by_name("attach"),
            "place_address": f"{reverse('desk:place')}?job={job.reference}",
            "may_order": "orders.place_partsorder" in self.may and job.status not in ("completed", "cancelled"),
        }

    def _file_deeds(self, file: Attachment, deeds: Sequence[Deed]) -> list[Deed]:
        offered = self.offered(deeds, file)
        is_own = file.added_by_id == self.request.user.pk
        may_remove = is_own or "orders.delete_attachment" in self.may
        return [deed for deed in offered if deed.slug != "remove-file" or may_remove]


class PartsOrderPage(OrderPage):
    """The page of a parts order."""

    deeds = PARTS_ORDER_DEEDS
    template = "desk/parts_order.html"

    def orders(self) -> list[Any]:
        """Return the order itself."""
        return [self.subject]

    def facts(self, found: Dossier) -> dict[str, Any]:
        """Return what blocks it."""
        order: PartsOrder = self.subject
        return {"blocked": blocks_order(order, found.leaves(), self.today), "progress": round(order.progress * 100)}


def job_steps(status: str) -> list[Step]:
    """Return the steps that a job may take now, the one forward first; cancelling has a form of its own."""
    words: Mapping[str, Any] = dict(ServiceOrderStatus.choices)
    allowed = [to for to in SERVICE_ORDER_STEPS[status] if to != "cancelled"]
    place = SERVICE_ORDER_PATH.index(status) if status in SERVICE_ORDER_PATH else 0
    return [Step(to, words[to], SERVICE_ORDER_PATH.index(to) < place) for to in allowed]


def clocks(job: ServiceOrder, now: datetime) -> list[dict[str, Any]]:
    """Return the clocks of the job's contract: until somebody works on it, and until it is repaired."""
    found = []
    for name in ("response_due_at", "repair_due_at"):
        due = getattr(job, name)
        if due is not None:
            runs = job.due_at is not None and (name == "repair_due_at" or job.status in ("draft", "scheduled", "new"))
            found.append({"name": name, "due": due, "runs": runs, "is_late": runs and due < now, "left": due - now})
    return found


def address_of(subject: Any) -> str:
    """Return the address of an order's page."""
    name = "desk:service-order" if isinstance(subject, ServiceOrder) else "desk:parts-order"
    return reverse(name, args=[subject.reference])
