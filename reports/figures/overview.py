"""The first page of figures, put together: tiles, ages, parts of the business, steps, and what is stuck."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils.formats import date_format

from backorders.statuses import AGE_BUCKETS, BackOrderStatus
from orders.statuses import LineStatus, ServiceOrderStatus
from reports.figures.charts import Column, Point, columns, nice_top, share_of
from reports.figures.definitions import FIGURES, STEPS, Figure
from reports.figures.forms import Filters
from reports.figures.reading import Key, Period, Reading, Sum, buckets
from reports.figures.saying import count_said, said, span_said
from reports.figures.standing import OPEN_BACK_ORDERS, Standing

#: The words of the statuses that steps lead between, by measure.
WORDS: dict[str, dict[str, Any]] = {
    "job_steps": dict(ServiceOrderStatus.choices),
    "stuck_jobs": dict(ServiceOrderStatus.choices),
    "line_steps": dict(LineStatus.choices),
    "stuck_lines": dict(LineStatus.choices),
    "back_order_steps": dict(BackOrderStatus.choices),
}
AGES = {name: name for name, _least, _most in AGE_BUCKETS}
#: How many transitions of each kind of subject the first page shows, the most frequent first.
MOST_STEPS = 8


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure of the period: its value, the one before, and its course."""

    figure: Figure
    value: str
    before: str
    facts: str
    course: list[Column]


@dataclass(frozen=True, slots=True)
class Bar:
    """A row of a table with a bar in it. `share` is of 100; `address` leads to the rows behind it."""

    word: Any
    value: str
    share: str
    address: str
    note: str = ""
    second: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure of a part of the business."""

    value: str
    name: str


@dataclass(frozen=True, slots=True)
class PartRow:
    """A part of the business (a region, a tier …) with its figures; `code` names it in addresses."""

    word: Any
    code: str
    cells: list[Cell]
    open: str


@dataclass(frozen=True, slots=True)
class Trend:
    """A chart of a figure over time and the table that says the same."""

    columns: list[Column]
    top: str
    middle: str
    first: str
    last: str
    rows: list[tuple[str, str, str, str]]


def bucket_word(first: date, bucket: str) -> str:
    """Return what a step of time is called: its day, the Monday of its week, or its month."""
    return date_format(first, "YEAR_MONTH_FORMAT" if bucket == "month" else "SHORT_DATE_FORMAT")


def trend(figure: Figure, sums: dict[Key, Sum], period: Period, bucket: str) -> Trend:
    """Return the chart of a figure over a period."""
    by_bucket: defaultdict[date | None, Sum] = defaultdict(Sum)
    for key, total in sums.items():
        if key.measure == figure.name:
            by_bucket[key.bucket] += total
    steps = [(bucket_word(first, bucket), by_bucket.get(first, Sum())) for first in buckets(period, bucket)]
    values = [figure.of(total) for _word, total in steps]
    top = Decimal(1) if figure.unit == "share" else nice_top(values)
    rows = [
        (word, said(value, figure.unit), count_said(total.facts), share_of(value, top))
        for (word, total), value in zip(steps, values, strict=True)
    ]
    points = [Point(value, f"{row[0]}: {row[1]}") for value, row in zip(values, rows, strict=True)]
    return Trend(
        columns(points, top), said(top, figure.unit), said(top / 2, figure.unit), steps[0][0], steps[-1][0], rows
    )


def tiles(reading: Reading, filters: Filters) -> list[Tile]:
    """Return the figures of the period, each with the one of the period before and its course. Two statements."""
    now = reading.sums(measures=list(FIGURES), period=filters.period, bucket=filters.bucket)
    before = reading.sums(measures=list(FIGURES), period=filters.period.before)
    found = []
    for figure in FIGURES.values():
        total = sum((each for key, each in now.items() if key.measure == figure.name), Sum())
        past = figure.of(before.get(Key(figure.name), Sum()))
        found.append(
            Tile(
                figure,
                said(figure.of(total), figure.unit),
                said(past, figure.unit) if past is not None else "",
                count_said(total.facts),
                trend(figure, now, filters.period, filters.bucket).columns,
            )
        )
    return found


def parts_of(reading: Reading, filters: Filters, stand: dict[Key, Sum]) -> list[PartRow]:
    """Return the figures told apart by a dimension, and what is open there now. One statement."""
    by = filters.by
    sums = reading.sums(measures=list(FIGURES), period=filters.period, by=by)
    waiting: defaultdict[str, Sum] = defaultdict(Sum)
    for key, total in stand.items():
        if key.measure == OPEN_BACK_ORDERS.name:
            waiting[str(key.of or "")] += total
    values = {str(key.of or ""): key.of for key in sums} | {text: _typed(text, by) for text in waiting}
    rows = []
    for text, value in values.items():
        cells = [
            Cell(said(figure.of(sums.get(Key(figure.name, None, value), Sum())), figure.unit), figure.name)
            for figure in FIGURES.values()
        ]
        open_now = waiting[text].facts if text in waiting else 0
        rows.append(PartRow(filters.name_of(by, value), filters.code_of(by, value), cells, count_said(open_now)))
    return sorted(rows, key=lambda row: (not row.code or row.code == "none", str(row.word)))


def _typed(text: str, by: str) -> UUID | str | None:
    """Return a dimension's value from its text: what stands is told apart in text, whatever the dimension."""
    if by in ("region", "warehouse"):
        return UUID(text) if text else None
    return text


def _by_edge(sums: dict[Key, Sum], name: str) -> dict[str, Sum]:
    found: defaultdict[str, Sum] = defaultdict(Sum)
    for key, total in sums.items():
        if key.measure == name:
            found[key.edge] += total
    return dict(found)


def ages(sums: dict[Key, Sum], address: str) -> list[Bar]:
    """Return the open back orders by age, youngest first."""
    found = _by_edge(sums, OPEN_BACK_ORDERS.name)
    top = max((total.weight for total in found.values()), default=Decimal(0))
    return [
        Bar(
            name,
            count_said(found.get(name, Sum()).facts),
            share_of(found.get(name, Sum()).weight, top),
            f"{address}{'&' if address else '?'}edge={name.replace('>', '%3E')}",
            second=count_said(found.get(name, Sum()).value),
        )
        for name in AGES
    ]


def ages_course(sums: dict[Key, Sum]) -> list[Column]:
    """Return the open back orders by age as columns, youngest first."""
    found = {edge: total.weight for edge, total in _by_edge(sums, OPEN_BACK_ORDERS.name).items()}
    points = [Point(found.get(name), name) for name in AGES]
    return columns(points, max(found.values(), default=Decimal(0)))


def stuck(still: Standing, sums: dict[Key, Sum], name: str) -> list[Bar]:
    """Return what is stuck, by status: how many, from when on, and what is usual there."""
    found = _by_edge(sums, name)
    top = max((total.weight for total in found.values()), default=Decimal(0))
    return [
        Bar(
            WORDS[name][status],
            count_said(found[status].facts),
            share_of(found[status].weight, top),
            f"edge={status}",
            note=span_said(limit.after),
            second=span_said(limit.usual),
        )
        for status, limit in still.limits[name].items()
        if status in found
    ]


def edge_words(measure: str, edge: str) -> tuple[Any, Any]:
    """Return a transition in words: where from, where to."""
    words = WORDS[measure]
    start, _sign, end = edge.partition(">")
    return words.get(start, start), words.get(end, end)


def steps(reading: Reading, filters: Filters) -> list[tuple[Figure, list[Bar]]]:
    """Return the mean time of each transition, by whose it is, the most frequent ones. One statement."""
    sums = reading.sums(measures=list(STEPS), period=filters.period, edges=True)
    found = []
    for figure in STEPS.values():
        mine = sorted(
            ((key.edge, total) for key, total in sums.items() if key.measure == figure.name),
            key=lambda pair: (-pair[1].facts, pair[0]),
        )[:MOST_STEPS]
        top = max((figure.of(total) or Decimal(0) for _edge, total in mine), default=Decimal(0))
        found.append(
            (
                figure,
                [
                    Bar(
                        edge_words(figure.name, edge),
                        said(figure.of(total), figure.unit),
                        share_of(figure.of(total), top),
                        f"edge={edge.replace('>', '%3E')}",
                        second=count_said(total.facts),
                    )
                    for edge, total in mine
                ],
            )
        )
    return found
