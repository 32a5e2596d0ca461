"""What a technician sees: their day, what nobody has, and what a job needs with the day it is expected.

A constant number of statements, however many jobs and lines there are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q

from backorders.statuses import BACK_ORDER_WAITING
from orders.boxes import Box, labels_of
from orders.models import OrderLine, ServiceOrder
from orders.statuses import LINE_CLOSED, ServiceOrderStatus

#: How many jobs of one technician, and how many that nobody has, a page shows.
MOST_JOBS, MOST_FREE = 100, 20
#: A deadline that is nearer than this is near.
SOON = timedelta(hours=8)

PAUSED = (ServiceOrderStatus.AWAITING_PARTS.value, ServiceOrderStatus.WITH_MANUFACTURER.value)
_BEFORE_WORK = (ServiceOrderStatus.DRAFT.value, ServiceOrderStatus.SCHEDULED.value, ServiceOrderStatus.NEW.value)


@dataclass(frozen=True, slots=True)
class Stop:
    """A job on a technician's day. `late` tells that its day or its contract's deadline has passed; `near` that the
    deadline is less than SOON away; `left` is what is left until it. `missing` and `coming` count lines of parts."""

    job: Any
    group: str
    late: bool
    near: bool
    left: timedelta | None = None
    missing: int = 0
    coming: int = 0


@dataclass(frozen=True, slots=True)
class Day:
    """A technician's open jobs by what they ask for now, and how many deadlines have passed or are near."""

    overdue: list[Stop]
    today: list[Stop]
    paused: list[Stop]
    later: list[Stop]
    missed: int
    near: int

    @property
    def stops(self) -> list[Stop]:
        """All of them, the most pressing first."""
        return [*self.overdue, *self.today, *self.paused, *self.later]


@dataclass(frozen=True, slots=True)
class Free:
    """Jobs that nobody has; `after` is where the next page begins, empty where this is the last."""

    stops: list[Stop]
    after: str


@dataclass(slots=True)
class Need:
    """A line of what a job needs: itself with its part, what it waits for, and the boxes it left in."""

    line: Any
    back_order: Any = None
    boxes: list[Box] = field(default_factory=list)

    @property
    def expected_on(self) -> date | None:
        """The day it can be expected: what supply says where it waits, else what was promised."""
        waits = self.back_order is not None and self.back_order.status in BACK_ORDER_WAITING
        return (self.back_order.expected_on if waits else None) or self.line.promised_on

    @property
    def serials(self) -> list[str]:
        """The serial numbers that were read off its units when they left."""
        return [serial for box in self.boxes for serial in box.serials]

    @property
    def codes(self) -> list[str]:
        """What may stand on its box."""
        found = [self.line.reference, self.line.part.number]
        for box in self.boxes:
            found += [box.shipment.reference, box.shipment.tracking_number]
        return [code for code in found if code]


def group_of(job: Any, *, today: date, now: datetime) -> tuple[str, bool, bool]:
    """Return what a job asks of its technician now (overdue, today, paused, later), and whether it is late or near."""
    missed = job.due_at is not None and job.due_at < now
    near = job.due_at is not None and not missed and job.due_at - now < SOON
    day_passed = job.status in _BEFORE_WORK and job.scheduled_for is not None and job.scheduled_for < today
    if missed or day_passed:
        return "overdue", True, near
    if job.status in PAUSED:
        return "paused", False, near
    if near or job.status == ServiceOrderStatus.IN_PROGRESS.value or job.scheduled_for == today:
        return "today", False, near
    if job.scheduled_for is None and job.status != ServiceOrderStatus.READY_FOR_RETURN.value:
        return "today", False, near
    return "later", False, near


def day_of(person_id: int, *, today: date, now: datetime) -> Day:
    """Return the open jobs of a technician, those with the nearest deadline first. Two queries."""
    jobs = ServiceOrder.objects.open_of(person_id).select_related("customer", "equipment")
    rows = list(
        jobs.order_by(F("due_at").asc(nulls_last=True), F("scheduled_for").asc(nulls_last=True), "id")[:MOST_JOBS]
    )
    stops = _stops(rows, today=today, now=now)
    groups: dict[str, list[Stop]] = {"overdue": [], "today": [], "paused": [], "later": []}
    for stop in stops:
        groups[stop.group].append(stop)
    missed = sum(1 for stop in stops if stop.job.due_at is not None and stop.job.due_at < now)
    return Day(**groups, missed=missed, near=sum(1 for stop in stops if stop.near))


def free_jobs(region_id: UUID | None, *, today: date, now: datetime, after: str = "", size: int = MOST_FREE) -> Free:
    """Return a page of the jobs that nobody has; None for all regions. Two queries. Nonsense begins at the first."""
    jobs = ServiceOrder.objects.claimable(region_id).select_related("customer", "equipment")
    if place := _read(after):
        jobs = jobs.after_claimable(*place)
    rows = list(jobs[: size + 1])
    shown = rows[:size]
    last = f"{int(shown[-1].machine_down)}.{shown[-1].pk}" if len(rows) > size else ""
    return Free(_stops(shown, today=today, now=now), last)


def _read(text: str) -> tuple[bool, UUID] | None:
    down, _, key = text.partition(".")
    try:
        return bool(int(down)), UUID(key)
    except ValueError:
        return None


def _stops(jobs: Iterable[Any], *, today: date, now: datetime) -> list[Stop]:
    jobs = list(jobs)
    counts = _counts([job.pk for job in jobs])
    stops = []
    for job in jobs:
        group, late, near = group_of(job, today=today, now=now)
        missing, coming = counts.get(job.pk, (0, 0))
        left = None if job.due_at is None else job.due_at - now
        stops.append(Stop(job, group, late, near, left, missing, coming))
    return stops


def _counts(job_ids: Collection[UUID]) -> dict[UUID, tuple[int, int]]:
    """Return by job how many lines wait for stock, and how many are on their way."""
    if not job_ids:
        return {}
    rows = (
        OrderLine.objects.leaves()
        .filter(order__service_order__in=job_ids)
        .order_by()
        .values_list("order__service_order")
        .annotate(
            missing=Count("pk", filter=Q(status__in=["open", "back_ordered"])),
            coming=Count("pk", filter=Q(status="shipped")),
        )
    )
    return {job: (missing, coming) for job, missing, coming in rows}


def needs_of(job_id: UUID) -> list[Need]:
    """Return what a job needs: the leaves of its orders, what is open before what is done. Two queries."""
    lines = list(
        OrderLine.objects.leaves()
        .filter(order__service_order=job_id)
        .select_related("part__unit", "back_order", "order")
        .order_by("order_id", "position", "child_number", "id")
    )
    boxes = labels_of(lines)
    needs = [Need(line, getattr(line, "back_order", None), boxes[line.pk]) for line in lines]
    return sorted(needs, key=lambda need: need.line.status in LINE_CLOSED)
