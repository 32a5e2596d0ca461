"""The orders that a digest speaks of: open ones that stay in one status for more than some days, found by its filters.

They are jobs, and parts orders without one: counter sales, replenishment, transfers, emergencies that nobody made a job
of. The parts orders of a job stand still with it. How long an order stays is the ledger's own dwell: an order keeps
since when it really stands in its status (`status_since`), which no step that it only passed through, no note and no
late report moves, and an override does. Several digests are read together, in a fixed number of statements.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import CharField, Count, Q, Value
from django.http import QueryDict
from django.utils.translation import gettext as _

from notifications.statuses import Audience
from orders.filters import jobs_of_board, parts_orders_of_board
from orders.models import PartsOrder, ServiceOrder
from orders.querysets import PartsOrderQuerySet, ServiceOrderQuerySet
from orders.statuses import LINE_OPEN, SERVICE_ORDER_OPEN, LineStatus, ServiceOrderStatus

#: More orders than this are counted, not listed.
MOST_LINES = 50
#: Whoever holds these may be told of stuck orders.
SEES = ("orders.view_serviceorder", "orders.view_partsorder", "notifications.add_digestsubscription")
#: What a digest may speak of only; nothing: of both.
JOBS, PARTS_ORDERS = "jobs", "parts_orders"
#: What a digest's filters say beside those of the board: of which orders, and in which statuses of parts orders.
ABOUT, PARTS_STATUS = "about", "parts_status"

Order = ServiceOrder | PartsOrder


@dataclass(frozen=True)
class Asked:
    """What a digest asks for: the filters of a board, more than how many days, whose eyes, and only of these regions
    (none: of all)."""

    filters: str
    days: int
    person: User
    regions: Sequence[UUID] = ()

    @cached_property
    def query(self) -> QueryDict:
        """Its filters."""
        return QueryDict(self.filters)

    @property
    def given(self) -> dict[str, str]:
        """The filters of the board but for statuses; the digest's own days count."""
        return {name: str(self.query[name]).strip() for name in self.query if name != "days_in_status"}

    def statuses(self, name: str, open_ones: Sequence[str]) -> Sequence[str]:
        """Return the statuses that are asked for; where some are ticked of the other kind of orders only, none."""
        ticked = [status for status in self.query.getlist(name) if status in open_ones]
        other = PARTS_STATUS if name == "status" else "status"
        others = [one for one in self.query.getlist(other) if one in (*LINE_OPEN, *SERVICE_ORDER_OPEN)]
        return ticked or ([] if others else open_ones)

    def speaks_of(self, kind: str) -> bool:
        """Tell whether it speaks of this kind of orders."""
        return self.query.get(ABOUT, "") in ("", kind)


@dataclass(frozen=True, slots=True)
class Found:
    """What is stuck: the orders that have been so the longest, and how many there are."""

    orders: Sequence[Order]
    count: int

    @property
    def more(self) -> int:
        """How many are not listed."""
        return max(self.count - len(self.orders), 0)


NOTHING = Found((), 0)


def who_may_see(people: Collection[int]) -> set[int]:
    """Return those of the people who may be told of stuck orders now. Three statements."""
    held = [
        set(User.objects.with_perm(name).filter(pk__in=people, is_staff=True).values_list("pk", flat=True))
        for name in SEES
    ]
    return held[0].intersection(*held[1:])


def jobs_of(asked: Asked, at: datetime) -> ServiceOrderQuerySet:
    """Return the jobs that a digest asks for."""
    rows: ServiceOrderQuerySet = ServiceOrder.objects.visible_to(asked.person).production()
    found = jobs_of_board(asked.given, rows).filter(status__in=SERVICE_ORDER_OPEN)
    return _narrowed(found, asked, asked.statuses("status", SERVICE_ORDER_OPEN), SERVICE_ORDER_OPEN, at)


def parts_orders_of(asked: Asked, at: datetime) -> PartsOrderQuerySet:
    """Return the parts orders without a job that a digest asks for."""
    rows: PartsOrderQuerySet = PartsOrder.objects.visible_to(asked.person).production()
    found = parts_orders_of_board(asked.given, rows).filter(status__in=LINE_OPEN)
    return _narrowed(found, asked, asked.statuses(PARTS_STATUS, LINE_OPEN), LINE_OPEN, at)


def _narrowed(found: Any, asked: Asked, statuses: Sequence[str], every: Sequence[str], at: datetime) -> Any:
    if len(statuses) < len(every):
        found = found.filter(status__in=statuses)
    if asked.regions:
        found = found.filter(region__in=asked.regions)
    return found.in_status_since(at - timedelta(days=asked.days)).order_by()


def counts(wanted: Mapping[UUID, Asked], at: datetime) -> dict[UUID, int]:
    """Return how many orders each digest speaks of. One statement."""
    parts = [rows.values("digest").annotate(n=Count("pk")) for rows in _of_all(wanted, at)]
    found: Counter[UUID] = Counter()
    for row in _together(parts):
        found[UUID(row["digest"])] += row["n"]
    return dict(found)


def read(wanted: Mapping[UUID, Asked], at: datetime) -> dict[UUID, Found]:
    """Return what each digest speaks of. Four statements."""
    longest = [rows.order_by("status_since", "pk").values("digest", "pk")[:MOST_LINES] for rows in _of_all(wanted, at)]
    keys: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for row in _together(longest):
        keys[UUID(row["digest"])].append(row["pk"])
    if not keys:
        return dict.fromkeys(wanted, NOTHING)
    orders = _fetched({key for found in keys.values() for key in found})
    known = counts(wanted, at)
    return {
        key: Found(
            sorted((orders[pk] for pk in keys[key] if pk in orders), key=place_of)[:MOST_LINES],
            max(known.get(key, 0), len(keys[key])),
        )
        for key in wanted
    }


def page(asked: Asked, at: datetime, after: tuple[datetime, UUID] | None, most: int) -> list[Order]:
    """Return the orders that a digest speaks of after a place, those that stand longest first, so many at most.

    Four statements at most, each an index's walk.
    """
    keys: list[tuple[datetime, UUID]] = []
    for rows in _of_one(asked, at):
        if after:
            later = Q(status_since__gt=after[0]) | Q(status_since=after[0], pk__gt=after[1])
            rows = rows.filter(later, status_since__gte=after[0])
        keys += rows.order_by("status_since", "pk").values_list("status_since", "pk")[:most]
    orders = _fetched({key for _since, key in sorted(keys)[:most]})
    return sorted(orders.values(), key=place_of)


def place_of(order: Order) -> tuple[datetime, UUID]:
    """Return where an order stands in the list: who has stood longest comes first."""
    return order.status_since, order.pk


def _fetched(keys: Collection[UUID]) -> dict[UUID, Order]:
    """Return jobs and parts orders by their keys. Two statements."""
    jobs = ServiceOrder.objects.select_related("customer", "technician").in_bulk(keys)
    parts_orders = PartsOrder.objects.select_related("customer", "destination").in_bulk(keys)
    return {**jobs, **parts_orders}


def _of_one(asked: Asked, at: datetime) -> list[Any]:
    found: list[Any] = [jobs_of(asked, at)] if asked.speaks_of(JOBS) else []
    return [*found, parts_orders_of(asked, at)] if asked.speaks_of(PARTS_ORDERS) else found


def _of_all(wanted: Mapping[UUID, Asked], at: datetime) -> list[Any]:
    return [
        rows.annotate(digest=Value(str(key), CharField()))
        for key, asked in wanted.items()
        for rows in _of_one(asked, at)
    ]


def _together(parts: Sequence[Any]) -> Any:
    """Return what several questions find, in one statement."""
    if not parts:
        return ()
    return parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]


def days_in_status(order: Order, at: datetime) -> int:
    """Return for how many whole days an order has been in its status."""
    return max((at - order.status_since).days, 0)


def whose(order: Order) -> str:
    """Return for whom an order is: its customer, or the warehouse that is to be filled."""
    if order.customer is not None:
        return str(order.customer.name)
    assert isinstance(order, PartsOrder)
    return str(order.destination.name) if order.destination else ""


def status_said(order: Order) -> str:
    """Return the status of an order in words."""
    words = dict(ServiceOrderStatus.choices) if isinstance(order, ServiceOrder) else dict(LineStatus.choices)
    return str(words[order.status])


def who_acts(order: Order) -> str:
    """Return who has the next step of an open order, in words: whoever has it, or the role that must find somebody."""
    return _who_acts_on_parts(order) if isinstance(order, PartsOrder) else _who_acts_on_job(order)


def _who_acts_on_parts(order: PartsOrder) -> str:
    if order.on_hold:
        return str(Audience.DISPATCHERS.label)
    if order.status in (LineStatus.OPEN, LineStatus.BACK_ORDERED):
        return str(Audience.PARTS_MANAGERS.label)
    return _("The carrier") if order.status == LineStatus.SHIPPED else _("The warehouse")


def _who_acts_on_job(job: ServiceOrder) -> str:
    dispatchers = str(Audience.DISPATCHERS.label)
    technician = (job.technician.get_full_name() or job.technician.get_username()) if job.technician else ""
    match job.status:
        case ServiceOrderStatus.DRAFT | ServiceOrderStatus.READY_FOR_RETURN:
            return dispatchers
        case ServiceOrderStatus.AWAITING_PARTS:
            return str(Audience.PARTS_MANAGERS.label)
        case ServiceOrderStatus.WITH_MANUFACTURER:
            return _("The manufacturer, asked by %(who)s") % {"who": dispatchers}
    return technician or dispatchers
