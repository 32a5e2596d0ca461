"""`manage.py compare_figures`: read every figure from the roll-up and from the ledger, and say if they differ."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from orders import chains
from reports.figures.facts import MEASURES
from reports.figures.reading import DIMENSIONS, Key, Period, Reading, Sum, raw


class Command(BaseCommand):
    """Compares as of one moment and changes nothing. Exits with 1 where a figure differs."""

    help = "Compare each figure from the daily roll-up with the raw query over the ledger, by every dimension."

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
                rolled, rolled_seconds = _timed(name, period, Reading)
                ledger, raw_seconds = _timed(name, period, raw)
            total = sum((rolled[key] for key in rolled if key.of == ""), Sum())
            ratio = "-" if total.ratio is None else f"{total.ratio:,.4f}"
            row = f"{name:<24}{total.facts:>12,}{ratio:>16}{rolled_seconds:>10.3f} s{raw_seconds:>10.3f} s"
            wrong = [key for key in {*rolled, *ledger} if rolled.get(key) != ledger.get(key)]
            differences += len(wrong)
            self.stdout.write(row if not wrong else self.style.ERROR(f"{row}  {len(wrong)} differ"))
            for key in wrong[:5]:
                self.stdout.write(f"    {key.bucket} {key.of} {key.edge}: {rolled.get(key)} and raw {ledger.get(key)}")
        if differences:
            raise CommandError(f"{differences} figures differ from the ledger.", returncode=1)
        self.stdout.write(self.style.SUCCESS("Every figure is what the ledger says."))


def _timed(name: str, period: Period, read: Any) -> tuple[dict[Key, Sum], float]:
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
