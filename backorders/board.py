"""The open jobs by status, the most urgent first, with what each misses. A constant number of statements."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Count, Min, Q

from backorders.models import BackOrder
from orders.models import ServiceOrder
from orders.querysets import ServiceOrderQuerySet
from orders.statuses import SERVICE_ORDER_OPEN

#: Up to how many a column is counted, and how many it shows at once; how many rows a page of the table has.
COUNTED, CARDS, ROWS = 50, 10, 40


class Place(NamedTuple):
    """A place in a list of jobs, most urgent first: that of its last row."""

    urgency: datetime
    key: UUID

    def __str__(self) -> str:
        return f"{self.urgency.isoformat()}_{self.key}"

    @classmethod
    def read(cls, text: str) -> Place | None:
        """Read what `str` gave; None for anything else."""
        moment, _, key = text.partition("_")
        try:
            place = cls(datetime.fromisoformat(moment), UUID(key))
        except ValueError:
            return None
        return place if place.urgency.tzinfo else None


@dataclass(frozen=True, slots=True)
class Missing:
    """What a job waits for: how many lines, the first day on which one of them is expected, how many have no day."""

    lines: int
    soonest: date | None
    undated: int


@dataclass(frozen=True, slots=True)
class Card:
    """A job, and what it misses."""

    job: Any
    missing: Missing | None


@dataclass(frozen=True, slots=True)
class Column:
    """The jobs of one status. `count` is exact up to COUNTED; `after` is where the next ones begin (None: no more)."""

    status: str
    cards: list[Card]
    count: int
    after: Place | None

    @property
    def is_more(self) -> bool:
        """Whether there are more than were counted."""
        return self.count > COUNTED


def columns(jobs: ServiceOrderQuerySet, statuses: Sequence[str] = SERVICE_ORDER_OPEN) -> list[Column]:
    """Return the first jobs of each status. Three statements."""
    places: dict[str, list[Place]] = {status: [] for status in statuses}
    for status, place in _places(jobs, statuses, None, COUNTED + 1):
        places[status].append(place)
    shown = {status: sorted(found)[:CARDS] for status, found in places.items()}
    found = _cards([place.key for each in shown.values() for place in each])
    return [
        Column(
            status=status,
            cards=[found[place.key] for place in shown[status] if place.key in found],
            count=len(places[status]),
            after=shown[status][-1] if len(places[status]) > len(shown[status]) else None,
        )
        for status in statuses
    ]


def counts(jobs: ServiceOrderQuerySet, statuses: Sequence[str]) -> dict[str, int]:
    """Return how many jobs each status has, up to one more than COUNTED. One statement."""
    found = dict.fromkeys(statuses, 0)
    for status, _ in _places(jobs, statuses, None, COUNTED + 1):
        found[status] += 1
    return found


def rows(
    jobs: ServiceOrderQuerySet, statuses: Sequence[str], after: Place | None, most: int = ROWS
) -> tuple[list[Card], Place | None]:
    """Return the jobs of these statuses after a place, together, and where the next ones begin. Three statements."""
    places = sorted(place for _, place in _places(jobs, statuses, after, most + 1))
    shown = places[:most]
    found = _cards([place.key for place in shown])
    return [found[place.key] for place in shown if place.key in found], shown[-1] if len(places) > most else None


def card(job_id: UUID) -> Card | None:
    """Return the card of one job; None where it does not exist."""
    return _cards([job_id]).get(job_id)


def _places(
    jobs: ServiceOrderQuerySet, statuses: Sequence[str], after: Place | None, most: int
) -> list[tuple[str, Place]]:
    """Read where the first jobs of each status stand: one short index scan per status, in one statement."""
    ways = []
    for status in statuses:
        found = jobs.filter(status=status).most_urgent_first()
        if after:
            found = found.after_urgency(after.urgency, after.key)
        ways.append(found.values_list("status", "urgency", "pk")[:most])
    together = ways[0].union(*ways[1:], all=True) if len(ways) > 1 else ways[0]
    return [(status, Place(urgency, key)) for status, urgency, key in together]


def _cards(keys: Collection[UUID]) -> dict[UUID, Card]:
    jobs = ServiceOrder.objects.select_related("customer", "equipment", "technician", "region").in_bulk(list(keys))
    missing = missing_of(keys)
    return {key: Card(job, missing.get(key)) for key, job in jobs.items()}


def missing_of(job_ids: Collection[UUID]) -> dict[UUID, Missing]:
    """Return what jobs wait for; those that wait for nothing are left out. One statement."""
    waiting = BackOrder.objects.waiting().filter(line__order__service_order__in=list(job_ids)).order_by()
    found = waiting.values_list("line__order__service_order").annotate(
        lines=Count("id"), soonest=Min("expected_on"), undated=Count("id", filter=Q(expected_on__isnull=True))
    )
    return {job: Missing(lines, soonest, undated) for job, lines, soonest, undated in found}
