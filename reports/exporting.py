"""Where the files of exports lie, and whether they may still be handed out."""

from __future__ import annotations

import shutil
from pathlib import Path

from django.conf import settings

from orders import verifier
from orders.actions.erasing import ERASED
from orders.models import OrderEvent
from reports.models.exports import ExportRun, ExportStatus

#: The verifier as it goes along with what it proves.
VERIFIER = "verifier.py"


def folder() -> Path:
    """Return where all exports lie; no web server serves it."""
    return Path(settings.MEDIA_ROOT) / "exports"


def folder_of(run: ExportRun) -> Path:
    """Return where the files of one export lie: apart for each attempt, so that two workers never meet in a file."""
    return folder() / str(run.pk) / str(run.attempts)


def files_of(run: ExportRun) -> dict[str, Path]:
    """Return the files that an export hands out: its events, what proves them, and the verifier."""
    if run.status != ExportStatus.DONE:
        return {}
    path = folder_of(run) / run.file_name
    paths = [path, path.with_suffix(".jsonl"), path.with_name(f"{path.name}.manifest.json")]
    return {found.name: found for found in paths if found.is_file()} | {VERIFIER: Path(verifier.__file__)}


def delete_files(run: ExportRun) -> None:
    """Delete the files of an export, of all its attempts; nothing where they are gone."""
    shutil.rmtree(folder_of(run).parent, ignore_errors=True)


def delete_attempt(run: ExportRun) -> None:
    """Delete the files of this attempt alone."""
    shutil.rmtree(folder_of(run), ignore_errors=True)


def erasures_since(horizon: int) -> list[int]:
    """Return the transactions from this one on that erased texts: an export that one of them is not in may hold one."""
    erased = OrderEvent.objects.filter(kind=ERASED, transaction_id__gte=horizon)
    return list(erased.order_by().values_list("transaction_id", flat=True).distinct())
