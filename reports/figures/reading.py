"""Read figures: days that are added up from the roll-up, days that were touched since then from the ledger.

So what is read is always what the raw query says now, and costs what the roll-up costs plus the few days of the last
minutes. Three statements at most, whatever the period: which days were touched, their facts, the rolled-up rest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from orders.models import EventCursor
from parts.sql import Statement
from reports.actions.rollups import CURSOR
from reports.figures.facts import MEASURES, PENDING
from reports.models import Grain

#: What figures can be told apart by and narrowed to: name → column.
DIMENSIONS = {"region": "region_id", "warehouse": "warehouse_id", "criticality": "criticality", "tier": "tier"}
_GRAINS = {
    "region": Grain.REGION,
    "warehouse": Grain.WAREHOUSE,
    "criticality": Grain.CRITICALITY,
    "tier": Grain.TIER,
}
BUCKETS = ("day", "week", "month")

#: A narrowing: dimension → its value; None is "none" (no warehouse yet, no customer).
Where = Mapping[str, UUID | str | None]


@dataclass(frozen=True, slots=True)
class Period:
    """Days of UTC, the last one included."""

    since: date
    until: date

    def __post_init__(self) -> None:
        if self.since > self.until:
            raise ValueError("A period begins before it ends.")

    @property
    def days(self) -> int:
        return (self.until - self.since).days + 1

    @property
    def before(self) -> Period:
        """The period of the same length before this one."""
        return Period(self.since - timedelta(days=self.days), self.since - timedelta(days=1))


@dataclass(frozen=True, slots=True)
class Sum:
    """Facts added up: how many, how many fully achieved, their weight and what of it was achieved."""

    facts: int = 0
    met: int = 0
    weight: Decimal = field(default_factory=Decimal)
    value: Decimal = field(default_factory=Decimal)

    def __add__(self, other: Sum) -> Sum:
        return Sum(self.facts + other.facts, self.met + other.met, self.weight + other.weight, self.value + other.value)

    @property
    def ratio(self) -> Decimal | None:
        """Return the share, or the mean; None where there is nothing to compute it from."""
        return self.value / self.weight if self.weight else None


@dataclass(frozen=True, slots=True)
class Key:
    """What a sum is of: a measure, and as far as was asked a bucket's first day, a dimension's value and an edge."""

    measure: str
    bucket: date | None = None
    of: UUID | str | None = None
    edge: str = ""


@dataclass(frozen=True, slots=True)
class _Fact:
    """The facts of one day and one combination of all dimensions, added up raw."""

    measure: str
    day: date
    dimensions: dict[str, UUID | str | None]
    edge: str
    sum: Sum


class Reading:
    """Figures of a period and of some measures, as they are now; may be asked as often as a page needs."""

    def __init__(self, measures: Collection[str], period: Period, where: Where | None = None) -> None:
        self.measures, self.period, self.where = list(measures), period, dict(where or {})
        self.pending = _pending(self.measures, period)
        self.fresh = [fact for fact in _facts(self.pending) if self._fits(fact)]

    def _fits(self, fact: _Fact) -> bool:
        return all(fact.dimensions[name] == value for name, value in self.where.items())

    def sums(
        self,
        *,
        measures: Collection[str] | None = None,
        period: Period | None = None,
        bucket: str | None = None,
        by: str | None = None,
        edges: bool = False,
    ) -> dict[Key, Sum]:
        """Return the sums, told apart as asked, over the period or a part of it. One statement."""
        names, period = list(measures or self.measures), period or self.period
        found: defaultdict[Key, Sum] = defaultdict(Sum)
        for key, total in self._rolled(names, period, bucket, by, edges):
            found[key] += total
        for fact in self.fresh:
            if fact.measure in names and period.since <= fact.day <= period.until:
                of = fact.dimensions[by] if by else None
                start = first_day(fact.day, bucket) if bucket else None
                found[Key(fact.measure, start, of, fact.edge if edges else "")] += fact.sum
        return dict(found)

    def total(self, measure: str, period: Period | None = None) -> Sum:
        """Return the one sum of a measure."""
        return sum(self.sums(measures=[measure], period=period).values(), Sum())

    def _rolled(
        self, names: Sequence[str], period: Period, bucket: str | None, by: str | None, edges: bool
    ) -> Iterable[tuple[Key, Sum]]:
        wanted = {*self.where, *([by] if by else [])}
        grain = Grain.EACH
        if len(wanted) < 2:
            grain = _GRAINS[next(iter(wanted))] if wanted else Grain.ALL
        start = f"date_trunc('{bucket}', daily.day)::date" if bucket in BUCKETS else "NULL::date"
        of = f"daily.{DIMENSIONS[by]}" if by else "NULL::text"
        edge = "daily.edge" if edges else "''"
        narrowed = "".join(
            f" AND daily.{DIMENSIONS[name]} IS NOT DISTINCT FROM %({name})s{'::uuid' if name in _KEYS else ''}"
            for name in self.where
        )
        pending = [(measure, day) for measure, days in self.pending.items() for day in days]
        rows = Statement(
            "rolled-up figures",
            f"""
            SELECT daily.measure, {start}, {of}, {edge}, sum(facts), sum(met), sum(weight), sum(value)
            FROM reports_dailyfigure AS daily
            WHERE daily.measure = ANY(%(names)s) AND daily.grain = %(grain)s
                AND daily.day BETWEEN %(since)s AND %(until)s{narrowed}
                AND (daily.measure, daily.day) NOT IN (
                    SELECT * FROM unnest(%(pending_measures)s::text[], %(pending_days)s::date[])
                )
            GROUP BY 1, 2, 3, 4
            """,
        ).rows(
            names=names,
            grain=int(grain),
            since=period.since,
            until=period.until,
            pending_measures=[measure for measure, _day in pending],
            pending_days=[day for _measure, day in pending],
            **self.where,
        )
        for measure, first, value, edge_of, *sums in rows:
            yield Key(measure, first, value, edge_of), Sum(int(sums[0]), int(sums[1]), sums[2], sums[3])


_KEYS = ("region", "warehouse")


def first_day(day: date, bucket: str) -> date:
    """Return the first day of the day's bucket: itself, its Monday, or the first of its month."""
    if bucket == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if bucket == "month" else day


def buckets(period: Period, bucket: str) -> list[date]:
    """Return the first days of all buckets of a period, in order; the first one may begin before the period."""
    found, day = [], first_day(period.since, bucket)
    while day <= period.until:
        found.append(day)
        following = day + timedelta(days={"day": 1, "week": 7, "month": 31}[bucket])
        day = first_day(following, bucket)
    return found


def _pending(names: Sequence[str], period: Period) -> dict[str, list[date]]:
    """Return the days of the period that the roll-up does not know of yet, by measure. Two statements."""
    cursor = EventCursor.objects.filter(name=CURSOR).first() or EventCursor(name=CURSOR)
    found: defaultdict[str, list[date]] = defaultdict(list)
    for measure, day in PENDING.rows(transaction_id=cursor.transaction_id, event_id=cursor.event_id):
        if measure in names and period.since <= day <= period.until:
            found[measure].append(day)
    return dict(found)


_RAW = """
SELECT
    '{name}', day, region_id, warehouse_id, coalesce(criticality, ''), coalesce(tier, ''), edge,
    count(*), count(*) FILTER (WHERE value >= weight), sum(weight), sum(value)
FROM ({facts}) AS fact
WHERE day = ANY(%({name})s::date[])
GROUP BY day, region_id, warehouse_id, coalesce(criticality, ''), coalesce(tier, ''), edge
"""


def _facts(days: Mapping[str, Sequence[date]]) -> Iterable[_Fact]:
    """Add up days raw; one statement, none where there is no day."""
    if not days:
        return []
    text = " UNION ALL ".join(_RAW.format(name=name, facts=MEASURES[name].sql) for name in days)
    rows = Statement("figures of touched days", text).rows(**{name: list(found) for name, found in days.items()})
    return [_Fact(row[0], row[1], dict(zip(DIMENSIONS, row[2:6], strict=True)), row[6], Sum(*row[7:])) for row in rows]


def raw(names: Collection[str], period: Period, where: Where | None = None) -> Reading:
    """Return a reading that knows no roll-up: every day straight from the ledger. Slow; what the others must equal."""
    reading = Reading.__new__(Reading)
    days = [period.since + timedelta(days=number) for number in range(period.days)]
    reading.measures, reading.period, reading.where = list(names), period, dict(where or {})
    reading.pending = dict.fromkeys(names, days)
    reading.fresh = [fact for fact in _facts(reading.pending) if reading._fits(fact)]
    return reading
