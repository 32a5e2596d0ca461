"""The figures as a file: every sum that the pages show, in plain numbers, for a spreadsheet or a warehouse of data."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from orders.sheets import neutral
from reports.figures import contributed
from reports.figures.definitions import ALL, FIGURES, STEPS, Figure
from reports.figures.forms import Filters
from reports.figures.reading import Key, Reading, Sum

#: What each row says. `figure` is worked out from the sums before it: a share, a mean in days or seconds, or units.
COLUMNS = ("measure", "unit", "from", "by", "of", "step", "rows", "achieved_rows", "weight", "value", "figure")


def as_csv(filters: Filters) -> str:
    """Return the figures of a period as CSV: by bucket, then by the dimension of the page, then transitions by step.

    Numbers have a decimal point and no unit, days are ISO 8601 (UTC), whatever the reader's language. Five statements
    at most, and those of the figures that other rooms bring.
    """
    written = io.StringIO()
    sheet = csv.writer(written)
    sheet.writerow(COLUMNS)
    sheet.writerows(_rows(filters))
    return written.getvalue()


def _rows(filters: Filters) -> Iterator[list[str]]:
    reading = Reading([*FIGURES, *STEPS], filters.period, filters.where)
    yield from _said(reading.sums(measures=[*FIGURES], bucket=filters.bucket), filters, "")
    yield from _said(reading.sums(measures=[*FIGURES], by=filters.by), filters, filters.by)
    yield from _said(reading.sums(measures=[*STEPS], edges=True), filters, "")
    if not filters.where:
        for figure in contributed.every():
            yield from _said(figure.read(filters.period), filters, "")


def _said(sums: Mapping[Key, Sum], filters: Filters, by: str) -> Iterator[list[str]]:
    for key, total in sorted(sums.items(), key=lambda pair: tuple(str(part) for part in _place(pair[0]))):
        shown = ALL.get(key.measure)
        yield [
            key.measure,
            shown.unit if shown else "share",
            key.bucket.isoformat() if key.bucket else "",
            by,
            neutral(str(filters.name_of(by, key.of))) if by else "",
            key.edge,
            str(total.facts),
            str(total.met),
            _plain(total.weight),
            _plain(total.value),
            _plain(_figure(shown, total)),
        ]


def _place(key: Key) -> tuple[Any, ...]:
    return key.measure, key.bucket or "", key.of or "", key.edge


def _figure(shown: Figure | None, total: Sum) -> Decimal | None:
    return shown.of(total) if shown else total.ratio


def _plain(value: Decimal | None) -> str:
    return "" if value is None else format(round(value, 6).normalize(), "f")
