"""manage.py verify_ledger"""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from tqdm import tqdm

from orders import chains
from orders.verifier import Finding
from orders.verifying import Verification


class Command(BaseCommand):
    help = (
        "Recompute every chain of the ledger and compare it with its subject, its notes and the daily anchors. Names"
        " each finding; exit status 1 if there is any."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--limit", type=int, default=1000, help="how many findings to name (default 1000)")

    def handle(self, *, limit: int, **options: Any) -> None:
        as_json: bool = options["json"]
        named: list[Finding] = []
        total, started = 0, time.perf_counter()
        with chains.one_snapshot(), _progress() as bar:
            verification = Verification(bar.update)
            for finding in verification.findings():
                total += 1
                if total <= limit:
                    named.append(finding)
                    if not as_json:
                        bar.clear()
                        self.stdout.write(str(finding))
        seconds = time.perf_counter() - started
        rate = round(verification.chains.events / seconds)
        if as_json:
            self._as_json(verification, named, total, seconds, rate)
        else:
            self.stdout.write(
                f"{verification.chains.events:,} events of {verification.chains.subjects:,} subjects and"
                f" {verification.anchors:,} anchors in {seconds:.1f} s ({rate:,} events/s)"
            )
        if total:
            raise CommandError(f"The ledger has {total:,} findings.")
        if not as_json:
            self.stdout.write(self.style.SUCCESS("No findings."))

    def _as_json(self, verification: Verification, named: list[Finding], total: int, seconds: float, rate: int) -> None:
        document = {
            "events": verification.chains.events,
            "subjects": verification.chains.subjects,
            "anchors": verification.anchors,
            "seconds": round(seconds, 3),
            "events_per_second": rate,
            "total": total,
            "findings": [asdict(finding) for finding in named],
        }
        self.stdout.write(json.dumps(document, indent=2))


def _progress() -> tqdm[Any]:
    """Show progress on a terminal, and only there; the planner's estimate is good enough for it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE relname = 'orders_orderevent'")
        (about,) = cursor.fetchone()
    return tqdm(total=about or None, unit=" events", unit_scale=True, disable=None, leave=False)
