"""manage.py export_ledger"""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from orders.exports import Filter, export_ledger
from parts.actors import Actor
from parts.errors import Refused


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is neither a day (2026-01-31) nor a time (2026-01-31T09:30Z)") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class Command(BaseCommand):
    help = (
        "Write the ledger to FILE: .jsonl can be proved offline with orders/verifier.py, .csv and .xlsx are for"
        " reading. A manifest with filter, row count and SHA-256 is put beside it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="where to; ends in .jsonl, .csv or .xlsx")
        parser.add_argument("--since", type=_moment, help="recorded at or after this day or time (UTC if no zone)")
        parser.add_argument("--until", type=_moment, help="recorded before this day or time")
        parser.add_argument(
            "--reference",
            action="append",
            default=[],
            help="only this order (with its lines and back orders), job, line or back order; several times for several",
        )
        parser.add_argument("--with-notes", action="store_true", help="also what people wrote; mind who will read it")

    def handle(self, *, file: Path, reference: list[str], **options: Any) -> None:
        wanted = Filter(options["since"], options["until"], tuple(reference))
        try:
            with tqdm(unit=" events", unit_scale=True, disable=None, leave=False) as bar:
                manifest = export_ledger(
                    path=file,
                    wanted=wanted,
                    by=Actor.system("export_ledger"),
                    at=timezone.now(),
                    with_notes=options["with_notes"],
                    progress=bar.update,
                )
        except Refused as refusal:
            raise CommandError(refusal.detail) from refusal
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from error
        self.stdout.write(
            f"{file}: {manifest.events:,} events of {manifest.subjects:,} subjects, {manifest.anchors:,} anchors,"
            f" SHA-256 {manifest.sha256}\nPublic key {manifest.public_key}"
        )
