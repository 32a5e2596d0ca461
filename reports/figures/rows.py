"""The rows behind a figure, page by page: read from the very relation that the figure is added up from."""

from __future__ import annotations

import base64
import binascii
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from backorders.models import BackOrder
from orders.models import OrderLine, PartsOrder, ServiceOrder
from parts.sql import Statement
from reports.figures.facts import MEASURES, Measure
from reports.figures.reading import Period, Reading, Where
from reports.figures.standing import STANDING, Standing, narrowed

PAGE = 50

_SUBJECTS: dict[str, Any] = {
    "parts_order": PartsOrder.objects.select_related("customer", "region"),
    "line": OrderLine.objects.select_related("order__customer", "order__region", "part", "warehouse"),
    "back_order": BackOrder.objects.select_related("line__order__customer", "line__order__region", "part"),
    "service_order": ServiceOrder.objects.select_related("customer", "region", "equipment"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One thing counted: what it is, its day, its transition, what it counts for and what of it was achieved."""

    subject: Any
    kind: str
    day: date
    edge: str
    weight: Decimal
    value: Decimal

    @property
    def is_met(self) -> bool:
        return self.value >= self.weight

    @property
    def order(self) -> Any:
        """The order or job whose page shows it."""
        if self.kind == "line":
            return self.subject.order
        return self.subject.line.order if self.kind == "back_order" else self.subject

    @property
    def part(self) -> Any:
        return getattr(self.subject, "part", None)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rows: of a measure, in a period (none for what stands now), narrowed, of an edge, met or missed."""

    measure: str
    period: Period | None
    where: Where
    edge: str | None = None
    met: bool | None = None

    @property
    def relation(self) -> Measure:
        return MEASURES.get(self.measure) or STANDING[self.measure]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of rows, and the place after which the next one begins (None: this is the last)."""

    rows: list[Row]
    next: str | None


def page_of(
    asked: Asked,
    after: str = "",
    *,
    reading: Reading | None = None,
    standing: Standing | None = None,
    size: int = PAGE,
) -> Page:
    """Return a page: newest first over a period, oldest first of what stands now. Two statements, three for a period.

    Of a period, the figure's own `reading` says how many rows each day has, so that only the days of this page are
    looked through. `standing` is needed for what stands now. A place that cannot be read means the first page.
    """
    place = _read(after)
    forwards = asked.period is None
    conditions, some = ["TRUE"], "TRUE"
    parameters: dict[str, Any] = {**asked.where, "most": size + 1}
    if standing:
        parameters |= standing.parameters
    if asked.period:
        known = reading or Reading([asked.measure], asked.period, asked.where)
        some = "day = ANY(%(days)s::date[])"  # first of all: by it the index is used, whatever else is asked
        parameters["days"] = _days(asked, known, place, size)
    if asked.edge is not None:
        conditions.append("edge = %(edge)s")
        parameters["edge"] = asked.edge
    if asked.met is not None:
        conditions.append("value >= weight" if asked.met else "value < weight")
    if place:
        conditions.append(f"(day, event_id, id) {'>' if forwards else '<'} (%(day)s, %(event)s::uuid, %(id)s::uuid)")
        parameters |= place
    turn = "ASC" if forwards else "DESC"
    found = Statement(
        "rows behind a figure",
        f"""
        WITH fact AS {"NOT " if forwards else ""}MATERIALIZED (
            SELECT * FROM ({asked.relation.sql}) AS each_fact WHERE {some}
        )
        SELECT id, event_id, day, edge, weight, value
        FROM fact
        {narrowed(asked.where) or "WHERE TRUE"} AND {" AND ".join(conditions)}
        ORDER BY day {turn}, event_id {turn}, id {turn}
        LIMIT %(most)s
        """,
    ).rows(**parameters)
    kind = asked.relation.subject_kind
    subjects = _SUBJECTS[kind].in_bulk([row[0] for row in found[:size]])
    rows = [Row(subjects[row[0]], kind, *row[2:]) for row in found[:size]]
    last = found[size - 1] if len(found) > size else None
    return Page(rows, _written(last) if last else None)


def _days(asked: Asked, reading: Reading, place: Mapping[str, Any] | None, size: int) -> list[date]:
    """Return the days on which the next rows lie, newest first: as many as hold a page and one row more."""
    counts: defaultdict[date, int] = defaultdict(int)
    for key, total in reading.sums(measures=[asked.measure], period=asked.period, bucket="day", edges=True).items():
        if key.bucket and (asked.edge is None or key.edge == asked.edge):
            counts[key.bucket] += {None: total.facts, True: total.met, False: total.facts - total.met}[asked.met]
    days: list[date] = []
    rows = 0
    for day in sorted((day for day, count in counts.items() if count), reverse=True):
        if place and day > place["day"]:
            continue
        days.append(day)
        rows += 0 if place and day == place["day"] else counts[day]  # how many of the place's own day are left?
        if rows > size:
            break
    return days


def _written(row: tuple[Any, ...]) -> str:
    text = json.dumps([row[2].isoformat(), str(row[1]), str(row[0])])
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _read(text: str) -> Mapping[str, Any] | None:
    if not text or len(text) > 300:
        return None
    try:
        day, event, key = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return {"day": date.fromisoformat(day), "event": UUID(event), "id": UUID(key)}
    except (ValueError, TypeError, AttributeError, binascii.Error):
        return None
