"""`manage.py compare_figures`: read every figure from the roll-up and from the ledger, and say if they differ.

Of what stands now, the open back orders, which keep what their orders say, are compared with the orders themselves."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from orders import chains
from reports.figures import contributed
from reports.figures.facts import MEASURES, Measure
from reports.figures.reading import DIMENSIONS, Key, Period, Reading, Sum, raw
from reports.figures.standing import OPEN_BACK_ORDERS, OPEN_BACK_ORDERS_RAW, Standing

#: What was read, and in how many seconds.
Timed = tuple[dict[Key, Sum], float]


class Command(BaseCommand):
    """Compares as of one moment and changes nothing. Exits with 1 where a figure differs."""

    help = "Compare each figure as it is read with the raw query over the ledger or the orders, by every dimension."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--since", type=date.fromisoformat, help="first day, UTC (a year before the last)")
        parser.add_argument("--until", type=date.fromisoformat, help="last day, UTC (today)")

    def handle(self, *, since: date | None, until: date | None, **_options: Any) -> None:
        last = until or datetime.now(UTC).date()
        first = since or last - timedelta(days=364)
        if first > last:
            raise CommandError("--since lies after --until.")
        period, differences = Period(first, last), 0
        self.stdout.write(f"{'measure':<24}{'facts':>12}{'figure':>16}{'rolled up':>12}{'raw':>12}")
        for name in MEASURES:
            with chains.one_snapshot():
                differences += self._compare(name, _timed(name, period, Reading), _timed(name, period, raw))
        for figure in contributed.every():
            with chains.one_snapshot():
                differences += self._compare(figure.name, _clocked(figure.read, period), _clocked(figure.raw, period))
        with chains.one_snapshot():
            now = Standing(timezone.now())
            kept, orders = (_standing(now, of) for of in (OPEN_BACK_ORDERS, OPEN_BACK_ORDERS_RAW))
        differences += self._compare(OPEN_BACK_ORDERS.name, kept, orders)
        if differences:
            raise CommandError(f"{differences} figures differ from the ledger or the orders.", returncode=1)
        self.stdout.write(self.style.SUCCESS("Every figure is what the ledger and the orders say."))

    def _compare(self, name: str, read: Timed, again: Timed) -> int:
        """Write a row, and the first five that differ; return how many do."""
        (figures, seconds), (ledger, raw_seconds) = read, again
        total = sum((figures[key] for key in figures if key.of == ""), Sum())
        ratio = "-" if total.ratio is None else f"{total.ratio:,.4f}"
        row = f"{name:<24}{total.facts:>12,}{ratio:>16}{seconds:>10.3f} s{raw_seconds:>10.3f} s"
        wrong = [key for key in {*figures, *ledger} if figures.get(key) != ledger.get(key)]
        self.stdout.write(row if not wrong else self.style.ERROR(f"{row}  {len(wrong)} differ"))
        for key in wrong[:5]:
            self.stdout.write(f"    {key.bucket} {key.of} {key.edge}: {figures.get(key)} and raw {ledger.get(key)}")
        return len(wrong)


def _standing(now: Standing, of: Measure) -> Timed:
    """Return what a relation says of what stands now: by edge as a whole and by each dimension."""
    start = time.perf_counter()
    found = {Key(of.name, None, "", key.edge): total for key, total in now.sums([of.name], of={of.name: of}).items()}
    seconds = time.perf_counter() - start
    for by in DIMENSIONS:
        for key, total in now.sums([of.name], by=by, of={of.name: of}).items():
            found[Key(of.name, None, f"{by} {key.of}", key.edge)] = total
    return found, seconds


def _clocked(read: Callable[[Period], Mapping[Key, Sum]], period: Period) -> Timed:
    """Return what a contributed figure says, and how long it took."""
    start = time.perf_counter()
    return dict(read(period)), time.perf_counter() - start


def _timed(name: str, period: Period, read: Any) -> Timed:
    """Return all that can be read of a measure: by day and edge as a whole (`of` is "") and by each dimension."""
    start = time.perf_counter()
    reading = read([name], period)
    found = {
        Key(key.measure, key.bucket, "", key.edge): total
        for key, total in reading.sums(bucket="day", edges=True).items()
    }
    seconds = time.perf_counter() - start
    for by in DIMENSIONS:
        for key, total in reading.sums(bucket="day", by=by, edges=True).items():
            found[Key(key.measure, key.bucket, f"{by} {key.of}", key.edge)] = total
    return found, seconds
