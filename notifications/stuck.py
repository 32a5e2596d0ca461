"""The orders that a digest speaks of: open ones that stay in one status for more than some days, found by its filters.

How long an order stays is the ledger's own dwell: an order keeps since when it really stands in its status
(`status_since`), which no step that it only passed through, no note and no late report moves, and an override does.
Several digests are read together, in a fixed number of statements.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import CharField, Count, Value
from django.http import QueryDict
from django.utils.translation import gettext as _

from notifications.statuses import Audience
from orders.filters import jobs_of_board
from orders.models import ServiceOrder
from orders.querysets import ServiceOrderQuerySet
from orders.statuses import SERVICE_ORDER_OPEN, ServiceOrderStatus

#: More orders than this are counted, not listed.
MOST_LINES = 50
#: Whoever holds these may be told of stuck orders.
SEES = ("orders.view_serviceorder", "notifications.add_digestsubscription")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a digest asks for: the filters of a board, more than how many days, whose eyes, and only of these regions
    (none: of all)."""

    filters: str
    days: int
    person: User
    regions: Sequence[UUID] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What is stuck: the orders that have been so the longest, and how many there are."""

    jobs: Sequence[ServiceOrder]
    count: int

    @property
    def more(self) -> int:
        """How many are not listed."""
        return max(self.count - len(self.jobs), 0)


NOTHING = Found((), 0)


def who_may_see(people: Collection[int]) -> set[int]:
    """Return those of the people who may be told of stuck orders now. Two statements."""
    held = [
        set(User.objects.with_perm(name).filter(pk__in=people, is_staff=True).values_list("pk", flat=True))
        for name in SEES
    ]
    return held[0].intersection(*held[1:])


def jobs_of(asked: Asked, at: datetime) -> ServiceOrderQuerySet:
    """Return the orders that a digest asks for."""
    query = QueryDict(asked.filters)
    given = {name: str(query[name]).strip() for name in query}
    given.pop("days_in_status", None)  # the digest's own days count
    statuses = [status for status in query.getlist("status") if status in SERVICE_ORDER_OPEN] or SERVICE_ORDER_OPEN
    rows: ServiceOrderQuerySet = ServiceOrder.objects.visible_to(asked.person).production()
    found = jobs_of_board(given, rows).filter(status__in=SERVICE_ORDER_OPEN)
    if len(statuses) < len(SERVICE_ORDER_OPEN):
        found = found.filter(status__in=statuses)
    if asked.regions:
        found = found.filter(region__in=asked.regions)
    return found.in_status_since(at - timedelta(days=asked.days)).order_by()


def counts(wanted: Mapping[UUID, Asked], at: datetime) -> dict[UUID, int]:
    """Return how many orders each digest speaks of. One statement."""
    rows = _together([_of(key, asked, at).values("digest").annotate(n=Count("pk")) for key, asked in wanted.items()])
    return {UUID(row["digest"]): row["n"] for row in rows}


def read(wanted: Mapping[UUID, Asked], at: datetime) -> dict[UUID, Found]:
    """Return what each digest speaks of. Three statements."""
    longest = [
        _of(key, asked, at).order_by("status_since", "pk").values("digest", "pk")[:MOST_LINES]
        for key, asked in wanted.items()
    ]
    keys: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for row in _together(longest):
        keys[UUID(row["digest"])].append(row["pk"])
    if not keys:
        return dict.fromkeys(wanted, NOTHING)
    jobs = ServiceOrder.objects.select_related("customer", "technician").in_bulk(
        {key for found in keys.values() for key in found}
    )
    known = counts(wanted, at)
    return {
        key: Found(
            sorted((jobs[pk] for pk in keys[key] if pk in jobs), key=lambda job: (job.status_since, job.pk)),
            max(known.get(key, 0), len(keys[key])),
        )
        for key in wanted
    }


def _of(key: UUID, asked: Asked, at: datetime) -> Any:
    return jobs_of(asked, at).annotate(digest=Value(str(key), CharField()))


def _together(parts: Sequence[Any]) -> Any:
    """Return what several questions find, in one statement."""
    if not parts:
        return ()
    return parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]


def days_in_status(job: ServiceOrder, at: datetime) -> int:
    """Return for how many whole days an order has been in its status."""
    return max((at - job.status_since).days, 0)


def who_acts(job: ServiceOrder) -> str:
    """Return who has the next step of an open order, in words: whoever has it, or the role that must find somebody."""
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
