"""manage.py load_snapshot FILE --system CODE --as-of TIME"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from integrations.actions import snapshots
from integrations.models import ExternalSystem, InventorySnapshot
from integrations.statuses import SnapshotStatus
from parts.actors import Actor
from parts.errors import Refused
from parts.sentences import in_english


class Command(BaseCommand):
    """Keeps the file and compares it with the books at once. docs/integrations/snapshots.md describes the columns."""

    help = "Compare a file of all stock of a warehouse's system with the books. Nothing is corrected by it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--system", required=True, help="code of the external system")
        parser.add_argument("--as-of", required=True, help="when it saw its stock so: 2026-11-22T02:00:00Z")
        parser.add_argument("--key", default="", help="how the sender calls this file; else its content is its key")
        parser.add_argument("--partial", action="store_true", help="what it does not list, it says nothing of")
        parser.add_argument(
            "--share", type=float, default=0.5, help="how much of the time to work: 1 never rests (0.5)"
        )

    def handle(
        self, *, file: Path, system: str, as_of: str, key: str, partial: bool, share: float, **_options: Any
    ) -> None:
        moment = _moment(as_of)
        if not 0.05 <= share <= 1:
            raise CommandError("--share is between 0.05 and 1.")
        found = ExternalSystem.objects.filter(code=system).first()
        if found is None:
            raise CommandError(f"There is no external system {system}.")
        try:
            with file.open("rb") as opened:
                snapshot, is_new = snapshots.receive(
                    system=found,
                    file=opened,
                    name=file.name,
                    as_of=moment,
                    by=Actor.system("load_snapshot"),
                    at=timezone.now(),
                    key=key,
                    is_complete=not partial,
                )
        except OSError as error:
            raise CommandError(f"{file} cannot be opened: {error.strerror}.") from error
        except Refused as refusal:
            raise CommandError(in_english(refusal.says)) from refusal
        if not is_new:
            self.stdout.write("It is known already.")
        while snapshot.status == SnapshotStatus.RECEIVED and snapshots.load_next(share=share):
            snapshot.refresh_from_db()
        self._say(snapshot)

    def _say(self, snapshot: InventorySnapshot) -> None:
        if snapshot.status == SnapshotStatus.REFUSED:
            raise CommandError(snapshot.refused_because)
        if snapshot.status != SnapshotStatus.COMPARED:
            self.stdout.write("Somebody else is comparing a snapshot of this system; this one follows.")
            return
        self.stdout.write(
            f"{snapshot.rows:,} rows, {snapshot.unreadable:,} of them unreadable; {snapshot.stock:,} stocks:"
            f" {snapshot.same:,} as in the books, {snapshot.different:,} different, {snapshot.unknown:,} unknown here."
            f" Only in the books: {snapshot.not_listed:,}."
            f" Beyond the tolerance: {snapshot.beyond:,}. Worth {snapshot.value:,}."
        )


def _moment(text: str) -> Any:
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None or moment.utcoffset() is None:
        raise CommandError("Say when, with its zone: --as-of 2026-11-22T02:00:00Z")
    return moment
