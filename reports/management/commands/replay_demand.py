"""`manage.py replay_demand FILE`: live through real monthly demand in simulated time, then prove the books."""

from __future__ import annotations

import json
import signal
import sys
from argparse import ArgumentParser, ArgumentTypeError, BooleanOptionalAction
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from types import FrameType
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from parts.errors import Refused
from reports.models import ReplayRun
from reports.replay.demand import Demand, read_demand
from reports.replay.live import Lived, Replay, begin
from reports.replay.summary import figures, table


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise ArgumentTypeError("must be a whole number above 0")
    return int(text)


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) < 2**63):
        raise ArgumentTypeError("must be a whole number, 0 or more")
    return int(text)


class Command(BaseCommand):
    """Needs a database of its own. Ctrl-C stops after the day; the same command goes on. See docs/replay.md."""

    help = "Live through the monthly demand of a file (part_number,month,units) and print what came of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="CSV with the columns part_number, month (1998-01) and units")
        parser.add_argument("--seed", type=_seed, default=1, help="what the invented world is made from (1)")
        parser.add_argument("--months", type=_positive, help="only the first so many months")
        parser.add_argument("--parts", type=_positive, help="only the first so many parts of the file")
        parser.add_argument(
            "--resume", action=BooleanOptionalAction, default=True, help="go on with a replay that was stopped"
        )
        parser.add_argument("--no-progress", action="store_true", help="say nothing until the end")
        parser.add_argument("--json", action="store_true", help="print the figures as JSON, all else to stderr")

    def handle(self, *, file: Path, seed: int, resume: bool, **options: Any) -> None:
        try:
            demand = read_demand(file).narrowed(months=options["months"], parts=options["parts"])
            run, is_known = begin(demand, seed)
            if is_known and not resume and run.finished_at is None:
                raise CommandError(f"This replay was stopped after {run.lived_until}; leave out --no-resume to go on.")
            if not run.finished_at:
                self._live(run, demand, options)
        except Refused as refusal:
            raise CommandError(refusal.detail) from refusal
        if run.finished_at:
            self._conclude(run, demand, as_json=options["json"])

    def _live(self, run: ReplayRun, demand: Demand, options: dict[str, Any]) -> None:
        goes_on = f", goes on after {run.lived_until}" if run.lived_until else ""
        with _stop_after_the_day() as stopping:
            if not options["no_progress"]:
                self._say(
                    f"{demand.name}: {demand.total:,} units of {len(demand.parts):,} parts "
                    f"in {len(demand.months)} months, seed {run.seed}{goes_on}"
                )
            days = Replay(run, demand).live()
            shown = days if options["no_progress"] else _bar(days, run) if sys.stderr.isatty() else self._monthly(days)
            for _lived in shown:
                if stopping:
                    raise CommandError(
                        f"Stopped after {run.lived_until}. The same command goes on from there.", returncode=130
                    )

    def _monthly(self, days: Iterator[Lived]) -> Iterator[Lived]:
        """Print one line per month, for a log, after yielding the days of it."""
        for month, members in groupby(days, key=lambda lived: lived.day.replace(day=1)):
            orders = lines = short = 0
            word = ""
            for lived in members:
                orders, lines = orders + lived.taken.orders, lines + lived.taken.lines
                short += lived.taken.short
                word = "  run-out" if lived.is_run_out else ""
                yield lived
            self._say(f"{month:%Y-%m}  {orders:>5} orders  {lines:>6} lines  {short:>5} back orders{word}")

    def _conclude(self, run: ReplayRun, demand: Demand, *, as_json: bool) -> None:
        """Count, prove the books, print. A broken law or ledger ends the command with its error."""
        if not run.figures:
            run.figures = figures()
            run.save(update_fields=["figures"])
        found = run.figures
        checks = self.stderr if as_json else self.stdout
        if as_json:
            about = {
                "file": run.name,
                "seed": run.seed,
                "checksum": run.checksum,
                "wall_seconds": round(run.seconds, 1),
            }
            self.stdout.write(json.dumps(about | {"units_in_file": demand.total} | found, indent=2))
        else:
            self.stdout.write("\n" + table(found, run.seconds) + "\n")
        if found["units"] != demand.total:
            raise CommandError(f"{found['units']} units were ordered, {demand.total} stand in the file.")
        call_command("check_integrity", stdout=checks, stderr=self.stderr)
        call_command("verify_ledger", stdout=checks, stderr=self.stderr)

    def _say(self, text: str) -> None:
        self.stderr.write(text, style_func=str)
        self.stderr.flush()


def _bar(days: Iterator[Lived], run: ReplayRun) -> Iterator[Lived]:
    """Show a bar over the simulated days; the run-out makes it longer day by day."""
    total = (run.last_day - run.first_day).days + 1
    done = (run.lived_until - run.first_day).days + 1 if run.lived_until else 0
    orders = short = 0
    with tqdm(total=max(total, done), initial=done, unit="day", dynamic_ncols=True, smoothing=0.05) as bar:
        for lived in days:
            orders, short = orders + lived.taken.orders, short + lived.taken.short
            elapsed = (lived.day - run.first_day).days + 1
            bar.total = max(bar.total, elapsed)
            bar.set_description(f"{lived.day}{' run-out' if lived.is_run_out else ''}", refresh=False)
            bar.set_postfix_str(f"{orders} orders, {short} back orders", refresh=False)
            bar.update(elapsed - bar.n)
            yield lived


@contextmanager
def _stop_after_the_day() -> Iterator[list[int]]:
    """Collect Ctrl-C and SIGTERM instead of breaking off in the middle of a day; a second Ctrl-C breaks off."""
    received: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        put_back()

    def put_back() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        put_back()
