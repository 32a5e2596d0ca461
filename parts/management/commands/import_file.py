"""`manage.py import_file KIND FILE`: show what a file would change, and with --commit change it, all or nothing."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from parts.actions.imports import KINDS, apply_import, plan_import
from parts.actors import Actor
from parts.errors import Refused
from parts.importing import ImportPlan, RowChange

#: How many rows of each sort are printed; all are counted.
SHOWN = 20


class Command(BaseCommand):
    """Dry run unless told otherwise. docs/imports.md describes the columns."""

    help = (
        "Import catalogue, stock or purchase orders from a CSV or XLSX file. Without --commit it only shows the change."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=sorted(KINDS))
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--show", type=int, default=SHOWN, metavar="N", help=f"rows to print of each sort ({SHOWN})"
        )
        either = parser.add_mutually_exclusive_group()
        either.add_argument("--dry-run", action="store_true", help="show what would change (the default)")
        either.add_argument("--commit", action="store_true", help="apply it, all or nothing")

    def handle(self, *, kind: str, file: Path, show: int, commit: bool, **options: Any) -> None:
        by = Actor.system("import_file")
        try:
            with file.open("rb") as opened:
                plan = plan_import(kind=kind, file=opened, name=file.name, by=by, progress=self._progress)
            self._print(plan, max(0, show))
            if plan.difference.errors:
                raise CommandError(f"{len(plan.difference.errors)} errors; nothing was imported.")
            if not commit:
                self.stdout.write("Nothing was changed; say --commit to apply it.")
                return
            result = apply_import(plan=plan, by=by, source=f"import:{kind}", at=timezone.now(), progress=self._progress)
        except OSError as error:
            raise CommandError(f"{file} cannot be opened: {error.strerror}.") from error
        except Refused as refusal:
            for line in refusal.extra.get("errors", []):
                self.stderr.write(f"  {line}")
            raise CommandError(refusal.detail) from refusal
        self.stdout.write(
            self.style.SUCCESS(
                f"Imported: {result.created} created, {result.changed} changed, {result.unchanged} as they were."
            )
        )

    def _progress(self, stage: str, done: int, total: int | None) -> None:
        """Say on a terminal how far it is; a log would only fill up."""
        if self.stderr.isatty():
            of = f" of {total:,}" if total is not None else ""
            self.stderr.write(f"\r{stage} {done:,}{of} rows", ending="\n" if done == total else "")
            self.stderr.flush()

    def _print(self, plan: ImportPlan, show: int) -> None:
        difference = plan.difference
        self._print_some("along with it", difference.along, show)
        self._print_some("create", [_described(change) for change in difference.created], show)
        self._print_some("change", [_described(change) for change in difference.changed], show)
        self._print_some("error", [str(error) for error in difference.errors], show)
        self.stdout.write(
            f"{plan.name}: {len(difference.created)} to create, {len(difference.changed)} to change,"
            f" {difference.unchanged} as they are, {len(difference.errors)} errors."
        )

    def _print_some(self, word: str, rows: list[str], show: int) -> None:
        for row in rows[:show]:
            self.stdout.write(f"{word}: {row}")
        if len(rows) > show:
            self.stdout.write(f"{word}: and {len(rows) - show} more")


def _described(change: RowChange) -> str:
    fields = "; ".join(f"{field.field} {field.old!r} → {field.new!r}" for field in change.fields)
    return f"line {change.line}, {change.subject}{': ' if fields else ''}{fields}"
