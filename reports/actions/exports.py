"""Ask for an export of the ledger, make it, stop it, hand it out, and clear it away."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django_q.tasks import async_task

from orders import chains
from orders.exports import XLSX, Filter, Manifest, export_ledger
from orders.sheets import MOST_ROWS
from parts.actors import Actor
from parts.errors import Forbidden, Invalid, NotFound, Refused
from parts.sentences import Figure, Says, Sentence, in_english, sentence
from reports.exporting import delete_attempt, delete_files, erasures_since, files_of, folder_of
from reports.models.exports import UNFINISHED, ExportDownload, ExportFormat, ExportRun, ExportStatus

logger = logging.getLogger(__name__)

EXPORT = "orders.export_orderevent"
READ_NOTES = "orders.view_eventtext"
#: How many exports of one person, and of all, may wait or be made at a time.
MOST_OF_ONE, MOST_OF_ALL = 3, 12
#: A worker that gives no sign of life for so long is dead; after so many of them the export is given up.
SILENCE, MOST_ATTEMPTS = timedelta(minutes=3), 3
#: How long making one may take, in seconds, and how often progress is written down.
LONGEST, STRIDE = 3 * 3600, 0.5


class TooManyExports(Refused):
    """So many exports are on their way that another one has to wait; `extra['most']` says how many may be."""

    code = "too_many_exports"


class TooLarge(Refused):
    """More events than the format holds; `extra['most']` says how many it does."""

    code = "export_too_large"


class ExportGone(Refused):
    """The files of an export are there no longer: their time was over, or a text in them was erased."""

    code = "export_gone"
    status = 410


class Stopped(Refused):
    """Somebody stopped the export while it was being made."""

    code = "export_stopped"


def request_export(
    *, format: str, wanted: Filter, words: Sequence[tuple[str, str]], with_notes: bool, by: Actor, at: datetime
) -> ExportRun:
    """Ask for an export; a worker makes it as soon as it can. `words` tell people what the filter is.

    Raises Forbidden (notes need a permission of their own), Invalid for an unknown format, TooLarge, TooManyExports.
    """
    by.require(EXPORT)
    if with_notes:
        by.require(READ_NOTES)
    if format not in ExportFormat.values:
        raise Invalid(sentence("There is no such format."), {"format": [sentence("Choose one of the list.")]})
    if format == XLSX and chains.has_more_than(MOST_ROWS, *wanted.conditions()):
        raise TooLarge(
            sentence(
                "These are more than {most} events, which an Excel file does not hold."
                " Take JSON Lines or CSV, or narrow the search.",
                most=Figure(MOST_ROWS),
            ),
            most=MOST_ROWS,
        )
    with transaction.atomic():
        with connection.cursor() as cursor:  # two at once would both be the last one that may
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('backline exports', 0))")
        live = list(ExportRun.objects.filter(status__in=UNFINISHED).values_list("made_by", flat=True))
        if live.count(by.reference) >= MOST_OF_ONE or len(live) >= MOST_OF_ALL:
            raise TooManyExports(
                sentence("Other exports are still on their way. Wait for one, or stop it."), most=MOST_OF_ONE
            )
        run = ExportRun.objects.create(
            person_id=by.user_id,
            made_by=by.reference,
            format=format,
            filter=wanted.as_json(),
            words=[[str(title), str(text)] for title, text in words],
            with_notes=with_notes,
            asked_at=at,
        )
        transaction.on_commit(lambda: enqueue(run.pk))
    return run


def enqueue(run_id: UUID) -> None:
    """Hand an export to the workers. Twice is harmless: each makes sure that nobody else has it."""
    async_task(
        "reports.tasks.make_export", str(run_id), q_options={"timeout": LONGEST, "task_name": f"export {run_id}"}
    )


def stop_export(*, run_id: UUID, by: Actor, at: datetime) -> ExportRun:
    """Stop one's own export: at once where it waits, after the next events where it is being made.

    A repeat, or one that has ended, changes nothing. Raises Forbidden and NotFound (also for somebody else's).
    """
    by.require(EXPORT)
    with transaction.atomic():
        run = _own(run_id, by, lock=True)
        if run.status == ExportStatus.WAITING:
            run.status, run.ended_at = ExportStatus.CANCELLED, at
        run.is_stopped = run.is_stopped or run.status in UNFINISHED
        run.save(update_fields=["status", "ended_at", "is_stopped"])
    return run


def _own(run_id: UUID, by: Actor, *, lock: bool = False) -> ExportRun:
    rows = ExportRun.objects.select_for_update(of=("self",), no_key=True) if lock else ExportRun.objects.all()
    run = rows.filter(pk=run_id, made_by=by.reference).first()
    if run is None:
        raise NotFound(sentence("There is no such export of yours."))
    return run


# --- Making one ------------------------------------------------------------------------------------------------------


def make_export(*, run_id: UUID, at: datetime) -> ExportRun | None:
    """Make an export that waits, or whose worker died; None where there is nothing to do.

    Whoever asked must still be allowed to. What goes wrong is said on the run, in words; its files appear whole or not
    at all. A worker that was silent for so long that another one took the export up leaves it alone when it wakes, and
    returns it as it is by then. Must not be inside a transaction.
    """
    run = _claim(run_id, at)
    if run is None:
        return None
    path = folder_of(run) / run.file_name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        manifest = _export(run, path, at)
    except Stopped:
        return _end(run, at, ExportStatus.CANCELLED)
    except Refused as refusal:
        return _end(run, at, ExportStatus.FAILED, refusal.says)
    except OSError as error:
        logger.exception("export failed", extra={"export": str(run.pk)})
        return _end(run, at, ExportStatus.FAILED, sentence("The file could not be written: {why}.", why=error.strerror))
    run.events, run.written, run.bytes, run.sha256 = (
        manifest.events,
        manifest.events,
        manifest.bytes,
        manifest.sha256,
    )
    run.public_key, run.horizon, run.snapshot = manifest.public_key, manifest.horizon, manifest.snapshot
    run.expires_at = at + timedelta(days=settings.EXPORT_KEEP_DAYS)
    return _end(run, at, ExportStatus.DONE)


def _claim(run_id: UUID, at: datetime) -> ExportRun | None:
    """Take an export that nobody makes; in one statement, so that only one worker gets it."""
    dead = Q(status=ExportStatus.RUNNING, beat_at__lt=at - SILENCE, attempts__lt=MOST_ATTEMPTS)
    free = ExportRun.objects.filter(Q(status=ExportStatus.WAITING) | dead, pk=run_id)
    taken = free.update(status=ExportStatus.RUNNING, started_at=at, beat_at=at, written=0, attempts=F("attempts") + 1)
    return ExportRun.objects.get(pk=run_id) if taken else None


def _export(run: ExportRun, path: Path, at: datetime) -> Manifest:
    person = run.person
    if not isinstance(person, User):
        raise Forbidden(sentence("Whoever asked for it is no longer here."))
    wanted = Filter.of_json(run.filter)
    expected = chains.count_events(*wanted.conditions())
    if run.format == XLSX and expected > MOST_ROWS:
        raise Invalid(
            sentence(
                "These are {expected} events; an Excel file is made for {most} at most."
                " Narrow the filter, or take CSV.",
                expected=Figure(expected),
                most=Figure(MOST_ROWS),
            )
        )
    # A sign of life as well: the first event may be long in coming.
    files = 1 if run.format == "jsonl" else 2
    if not _still_mine(run).update(expected=expected * files, beat_at=timezone.now()):
        raise Stopped(sentence("It was stopped."))
    with _Beside(run) as beside:
        return export_ledger(
            path=path,
            wanted=wanted,
            by=Actor.user(person),
            at=at,
            with_notes=run.with_notes,
            with_proof=True,
            progress=beside.tell,
        )


class _Beside:
    """Writes progress down beside the snapshot that is read, through a connection of its own, and hears of a stop."""

    def __init__(self, run: ExportRun) -> None:
        self._run = run
        self._written = 0
        self._told_at = 0.0
        self._connection = connection.copy()

    def __enter__(self) -> _Beside:
        return self

    def __exit__(self, *_error: object) -> None:
        self._connection.close()

    def tell(self, count: int) -> None:
        """Note that so many more events were written. Raises Stopped where somebody wants no more, or makes it now."""
        self._written += count
        if time.monotonic() - self._told_at < STRIDE:
            return
        self._told_at = time.monotonic()
        with self._connection.cursor() as cursor:
            cursor.execute(
                "UPDATE reports_exportrun SET written = %s, beat_at = clock_timestamp()"
                " WHERE id = %s AND status = 'running' AND attempts = %s RETURNING is_stopped",
                [self._written, self._run.pk, self._run.attempts],
            )
            found = cursor.fetchone()
        if found is None or found[0]:
            raise Stopped(sentence("It was stopped."))


def _still_mine(run: ExportRun) -> QuerySet[ExportRun]:
    """Return the run as long as this attempt is the one that makes it."""
    return ExportRun.objects.filter(pk=run.pk, status=ExportStatus.RUNNING, attempts=run.attempts)


def _end(run: ExportRun, at: datetime, status: ExportStatus, trouble: Says = "") -> ExportRun:
    run.status, run.ended_at = status, max(at, run.started_at or at)
    run.trouble = in_english(trouble)
    run.trouble_sentence = trouble.kept() if isinstance(trouble, Sentence) else None
    names = ("status", "ended_at", "trouble", "trouble_sentence", "events", "written", "bytes", "sha256")
    ended = {name: getattr(run, name) for name in (*names, "public_key", "horizon", "snapshot", "expires_at")}
    if not _still_mine(run).update(**ended):
        delete_attempt(run)
        return ExportRun.objects.get(pk=run.pk)
    if status != ExportStatus.DONE:
        delete_files(run)
    logger.info("export ended", extra={"export": str(run.pk), "status": str(status), "events": run.events})
    return run


# --- Handing out, and clearing away ----------------------------------------------------------------------------------


def hand_out(*, run_id: UUID, name: str, by: Actor, at: datetime) -> Path:
    """Return a file of one's own export, and record that it was taken.

    Raises Forbidden (the notes need a permission of their own), NotFound, and ExportGone where its time is over or a
    text that may be in it was erased since: then it is withdrawn on the spot.
    """
    by.require(EXPORT)
    run = _own(run_id, by)
    if run.with_notes:
        by.require(READ_NOTES)
    if run.status == ExportStatus.DONE:
        _clear_if_due(run, at, erasures_since(run.horizon or 0))
    if run.status in (ExportStatus.EXPIRED, ExportStatus.WITHDRAWN):
        raise ExportGone(sentence("{status}. Make it again.", status=ExportStatus(run.status).label))
    path = files_of(run).get(name)
    if path is None:
        raise NotFound(sentence("There is no such file."))
    ExportDownload.objects.create(run=run, file=name, by=by.reference, at=at)
    return path


def _clear_if_due(run: ExportRun, at: datetime, erasures: Sequence[int]) -> bool:
    """Delete the files of an export whose time is over, or in which an erased text may be; tell whether."""
    if run.expires_at is not None and run.expires_at <= at:
        run.status = ExportStatus.EXPIRED
    elif run.with_notes and any(_is_after(run, erasure) for erasure in erasures):
        run.status = ExportStatus.WITHDRAWN
    else:
        return False
    delete_files(run)
    run.save(update_fields=["status"])
    return True


def _is_after(run: ExportRun, erasure: int) -> bool:
    """Tell whether an erasure is not in an export. Of older ones the exact snapshot was not kept."""
    return not chains.is_in(run.snapshot, erasure) if run.snapshot else erasure >= (run.horizon or 0)


def clear_away(*, at: datetime) -> int:
    """Delete files whose time is over or that hold erased texts, hand forgotten exports to the workers again, and give
    up those that killed several. Return how many rows were touched. A repeat changes nothing.
    """
    done = list(ExportRun.objects.filter(status=ExportStatus.DONE))
    erasures = erasures_since(min((run.horizon or 0 for run in done), default=0)) if done else []
    cleared = [_clear_if_due(run, at, erasures) for run in done]
    silent = ExportRun.objects.filter(status=ExportStatus.RUNNING, beat_at__lt=at - SILENCE)
    gone = silent.filter(Q(attempts__gte=MOST_ATTEMPTS) | Q(is_stopped=True))
    given_up = [
        _end(
            run,
            at,
            ExportStatus.CANCELLED if run.is_stopped else ExportStatus.FAILED,
            "" if run.is_stopped else "Its worker stopped several times before it was done.",
        )
        for run in gone
    ]
    forgotten = ExportRun.objects.filter(status=ExportStatus.WAITING, asked_at__lt=at - SILENCE)
    again = list((silent | forgotten).values_list("pk", flat=True))
    for run_id in again:
        enqueue(run_id)
    return sum(cleared) + len(given_up) + len(again)
