"""`manage.py check_integrity`: prove that every law holds over the whole database, or name each row that breaks one."""

from __future__ import annotations

import json
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.integrity import Verdict, check_all


def _limit(text: str) -> int:
    if not text.isdecimal():
        raise ArgumentTypeError("must be a whole number, 0 or more")
    return int(text)


class Command(BaseCommand):
    """Looks through the database, changes nothing. Exits with 1 if a law is broken."""

    help = "Check every law of stock, orders and back orders over the whole database; names each row that breaks one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--limit", type=_limit, default=50, help="rows to name per law (50); all are counted")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *, limit: int, **options: Any) -> None:
        verdicts = []
        for verdict in check_all(limit):
            verdicts.append(verdict)
            if not options["json"]:
                self._print(verdict)
        broken = [verdict for verdict in verdicts if verdict.finding.total]
        rows = sum(verdict.finding.total for verdict in broken)
        if options["json"]:
            self.stdout.write(json.dumps([_as_json(verdict) for verdict in verdicts], indent=2))
        if broken:
            raise CommandError(f"{len(broken)} of {len(verdicts)} laws are broken, by {rows} rows.", returncode=1)
        if not options["json"]:
            self.stdout.write(self.style.SUCCESS(f"All {len(verdicts)} laws hold."))

    def _print(self, verdict: Verdict) -> None:
        law, finding = verdict.law, verdict.finding
        if not finding.total:
            self.stdout.write(f"holds   {law.name}")
            return
        self.stdout.write(self.style.ERROR(f"BROKEN  {law.name}: {finding.total} rows. {law.promise}"))
        for breach in finding.breaches:
            self.stdout.write(f"        {breach.subject}: is {breach.what_is}; should be {breach.what_should_be}")
        if more := finding.total - len(finding.breaches):
            self.stdout.write(f"        and {more} more")


def _as_json(verdict: Verdict) -> dict[str, Any]:
    return {
        "law": verdict.law.name,
        "promise": verdict.law.promise,
        "broken_by": verdict.finding.total,
        "rows": [
            {"subject": breach.subject, "is": breach.what_is, "should_be": breach.what_should_be}
            for breach in verdict.finding.breaches
        ],
    }
