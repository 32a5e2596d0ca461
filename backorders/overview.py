"""The queue as a parts manager begins the day with it: how much waits how long, what it is worth, the lists to work.

The buckets are those that the trade's back-order reports use for the first two weeks (0-3, 4-7, 8-14 days, as in the
Backorder Summary Report of Oracle's order management, which cuts what follows finer); here it ends with 15-30 and more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.db import connection
from django.db.models import Case, Count, F, Q, QuerySet, Sum, When
from django.utils.dateparse import parse_date, parse_datetime

from backorders.models import BackOrder
from backorders.querysets import IN_DANGER
from backorders.sql import WAITING
from backorders.statuses import AGE_BUCKETS

#: How soon a promise without any expected day counts as in danger.
SOON = timedelta(days=7)

#: From how many back orders on the figures are not counted anew for each page, and for how many seconds they are kept.
LONG, KEPT_FOR = 20_000, 30
_KEPT = "back-order-figures"

#: Parameters: edges (times, the oldest first). One row per age, and of criticality A, held, bare, expected.
_FIGURES = f"""
SELECT
    width_bucket(waiting.opened_at, %(edges)s::timestamptz[]),
    part.criticality = 'A',
    waiting.on_hold,
    waiting.expected_on IS NULL
        AND NOT EXISTS (SELECT FROM backorders_peg AS peg WHERE peg.back_order_id = waiting.id),
    waiting.expected_on IS NOT NULL,
    count(*),
    sum(waiting.quantity * part.unit_cost),
    count(*) FILTER (WHERE part.unit_cost = 0)
FROM backorders_backorder AS waiting
JOIN parts_part AS part ON part.id = waiting.part_id
WHERE waiting.status IN {WAITING}
GROUP BY 1, 2, 3, 4, 5
"""


@dataclass(frozen=True, slots=True)
class Amount:
    """So many back orders, worth `money` at the unit cost of their parts; of `unpriced` of them no cost is known."""

    count: int = 0
    money: Decimal = Decimal(0)
    unpriced: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.count + other.count, self.money + other.money, self.unpriced + other.unpriced)


@dataclass(frozen=True, slots=True)
class Overview:
    """The figures of the queue. `ages` is by bucket, in the order of AGE_BUCKETS."""

    all: Amount
    ages: Mapping[str, Amount]
    no_supply: Amount
    held: Amount
    critical: Amount
    expected: Amount
    broken: Amount
    in_danger: Amount


def overview(now: datetime) -> Overview:
    """Return the figures of all back orders that wait. Two statements, however many there are."""
    today = now.date()
    # The oldest first; a bucket begins just after its edge, as BackOrderQuerySet.aged has it.
    lows = [low for _name, low, _high in reversed(AGE_BUCKETS) if low]
    edges = [now - timedelta(days=low) + timedelta(microseconds=1) for low in lows]
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, {"edges": edges})
        rows = [(*row[:5], Amount(*row[5:])) for row in cursor.fetchall()]
    promises = {row[0]: Amount(*row[1:]) for row in _promises(today)}
    names = [name for name, _low, _high in reversed(AGE_BUCKETS)]
    return Overview(
        all=_total(row[5] for row in rows),
        ages={name: _total(row[5] for row in rows if names[row[0]] == name) for name, _low, _high in AGE_BUCKETS},
        critical=_total(row[5] for row in rows if row[1]),
        held=_total(row[5] for row in rows if row[2]),
        no_supply=_total(row[5] for row in rows if row[3]),
        expected=_total(row[5] for row in rows if row[4]),
        broken=promises.get(True, Amount()),
        in_danger=promises.get(False, Amount()),
    )


def kept_overview(now: datetime) -> tuple[Overview, datetime]:
    """Return the figures and when they were counted: now, but for a long queue, whose figures are kept for a while."""
    kept: tuple[Overview, datetime] | None = cache.get(_KEPT)
    if kept is not None:
        return kept
    found = overview(now)
    if found.all.count > LONG:
        cache.set(_KEPT, (found, now), KEPT_FOR)
    return found, now


def _total(amounts: Any) -> Amount:
    return sum(amounts, Amount())


# --- The lists -------------------------------------------------------------------------------------------------------

#: What a list is sorted by before the key; each goes up.
LISTS = {
    "promise": "line__promised_on",
    "no-supply": "opened_at",
    "critical": "opened_at",
    "nearest": "expected_on",
    "held": "opened_at",
    "all": "opened_at",
}
#: How many rows a page of a list holds.
PAGE = 25


@dataclass(frozen=True, slots=True)
class Slice:
    """A page of a list, and where the next begins (empty: this was the last)."""

    rows: list[Any]
    after: str


def page_of(which: str, *, bucket: str = "", after: str = "", now: datetime, most: int = PAGE) -> Slice:
    """Return a page of a list (a name of LISTS), of an age where one is named, behind the row that `after` tells.

    One statement. Raises KeyError for a list or an age that does not exist; an `after` that means nothing is the start.
    """
    field = LISTS[which]
    rows = _listed(which, now.date())
    if bucket:
        rows = rows & BackOrder.objects.aged(bucket, now)
    if behind := _behind(field, after):
        rows = rows.filter(behind)
    found = list(
        rows.select_related("part__unit", "customer", "line__order__service_order").order_by(field, "id")[: most + 1]
    )
    return Slice(found[:most], _place(field, found[most - 1]) if len(found) > most else "")


def _listed(which: str, today: date) -> QuerySet[Any]:
    waiting = BackOrder.objects.waiting()
    match which:
        case "promise":
            return at_risk(today)
        case "no-supply":
            return BackOrder.objects.without_supply()
        case "critical":
            return waiting.filter(part__criticality="A")
        case "nearest":
            return waiting.filter(expected_on__isnull=False)
        case "held":
            return waiting.filter(on_hold=True)
    return waiting


def at_risk(today: date) -> QuerySet[Any]:
    """Return those whose promise is broken, or in danger: supply comes too late for it, or none is known of soon."""
    at_risk = Q(line__promised_on__lt=today) | IN_DANGER
    at_risk |= Q(expected_on__isnull=True, line__promised_on__lte=today + SOON)
    return BackOrder.objects.waiting().filter(at_risk, line__status="back_ordered", line__promised_on__isnull=False)


def _promises(today: date) -> QuerySet[Any]:
    """Return of those at risk whether the promise is broken already, how many, their money, how many are unpriced."""
    return (
        at_risk(today)
        .order_by()
        .values(is_broken=Case(When(line__promised_on__lt=today, then=True), default=False))
        .annotate(
            count=Count("pk"),
            money=Sum(F("quantity") * F("part__unit_cost")),
            unpriced=Count("pk", filter=Q(part__unit_cost=0)),
        )
        .values_list("is_broken", "count", "money", "unpriced")
    )


def _place(field: str, row: Any) -> str:
    value = row.line.promised_on if field == "line__promised_on" else getattr(row, field)
    return f"{value.isoformat()}_{row.pk}"


def _behind(field: str, after: str) -> Q | None:
    """Return the condition for what comes behind a row, None for nothing or nonsense."""
    text, _separator, key = after.partition("_")
    try:
        value = parse_datetime(text) if field == "opened_at" else parse_date(text)
        row_id = UUID(key)
    except ValueError:
        return None
    if value is None or (isinstance(value, datetime) and value.tzinfo is None):
        return None
    return Q(**{f"{field}__gte": value}) & (Q(**{f"{field}__gt": value}) | Q(id__gt=row_id))


def worth(row: BackOrder) -> Decimal | None:
    """Return what a back order is worth at its part's unit cost; None where no cost is known."""
    return (row.quantity * row.part.unit_cost).quantize(Decimal("0.01")) if row.part.unit_cost else None
