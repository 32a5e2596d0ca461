"""An export is one moment of the ledger, whole or not at all, for whoever asked for it, as long as it may be kept."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from openpyxl import load_workbook

from config import roles
from orders import chains, sheets
from orders import exports as writing
from orders.actions import erasing, service_orders
from orders.exports import Filter
from orders.models import OrderEvent
from parts.actors import Actor
from parts.errors import Forbidden, Invalid, NotFound
from reports import tasks
from reports.actions import exports
from reports.exporting import folder_of
from reports.models import ExportDownload, ExportRun
from tests.ledger.conftest import committed_desk
from tests.ledger.tampering import a_life, verified_offline
from tests.orders.desk import TOLD, Desk, only, statements

__all__ = ["committed_desk"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _files_of_its_own(settings: LazySettings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def reading(client: Client, auditor: User) -> Client:
    client.force_login(auditor)
    return client


def asked(by: User, format: str = "jsonl", wanted: Filter | None = None, *, with_notes: bool = True) -> ExportRun:
    return exports.request_export(
        format=format, wanted=wanted or Filter(), words=[], with_notes=with_notes, by=Actor.user(by), at=timezone.now()
    )


def made(run: ExportRun) -> ExportRun:
    exports.make_export(run_id=run.pk, at=timezone.now())
    run.refresh_from_db()
    return run


def taken(run: ExportRun, by: User, name: str = "", *, days: int = 0) -> Path:
    at = timezone.now() + timedelta(days=days)
    return exports.hand_out(run_id=run.pk, name=name or run.file_name, by=Actor.user(by), at=at)


# --- From the page to the proof --------------------------------------------------------------------------------------


def test_what_was_searched_is_exported_taken_away_and_proved_offline(
    committed_desk: Desk, reading: Client, auditor: User, tmp_path: Path
) -> None:
    a_life(committed_desk)
    order = committed_desk.place(4).reference
    form = reading.get(f"/audit/exports/new/?order={order}").content.decode()
    assert order in form
    answer = reading.post(f"/audit/exports/new/?order={order}", {"format": "jsonl", "with_notes": "on"})
    run = ExportRun.objects.get()
    assert answer.headers["Location"] == f"/audit/exports/{run.pk}/"
    assert "Waits for a worker" in reading.get(answer.headers["Location"]).content.decode()

    assert tasks.make_export(str(run.pk)) == "done"
    run.refresh_from_db()
    page = reading.get(f"/audit/exports/{run.pk}/").content.decode()
    assert run.sha256 in page
    sent = reading.get(f"/audit/exports/{run.pk}/files/{run.file_name}")
    assert "attachment" in sent.headers["Content-Disposition"]
    content = sent.getvalue()
    sent.close()
    assert hashlib.sha256(content).hexdigest() == run.sha256
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(content)
    status, output = verified_offline(copy)
    assert status == 0, output
    copy.write_bytes(content.replace(b"placed", b"plaxed", 1))
    assert verified_offline(copy)[0] == 1
    assert list(ExportDownload.objects.values_list("run", "file", "by")) == [
        (run.pk, run.file_name, f"user:{auditor.pk}")
    ]
    assert run.file_name in reading.get(f"/audit/exports/{run.pk}/").content.decode()


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_a_table_has_what_fits_and_brings_the_proof_of_the_same_moment(
    committed_desk: Desk, auditor: User, format: str
) -> None:
    a_life(committed_desk)
    job = committed_desk.job()
    for text in ('=HYPERLINK("https://example.org")', "＝1+1", "plain\x0b"):
        service_orders.add_note(service_order_id=job.pk, text=text, **TOLD)
    run = made(asked(auditor, format, Filter(subjects=(job.pk,), kind="note.added")))
    assert (run.status, run.trouble, run.events) == ("done", "", 3)
    path = folder_of(run) / run.file_name
    notes = [row["note"] for row in table(path)]
    assert notes[:2] == ['\'=HYPERLINK("https://example.org")', "'＝1+1"]
    assert notes[2].startswith("plain")
    manifest = json.loads(path.with_name(f"{path.name}.manifest.json").read_text())
    assert manifest["sha256"] == run.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert manifest["filter"]["kind"] == "note.added"
    proof = path.with_suffix(".jsonl")
    assert manifest["proof"]["sha256"] == hashlib.sha256(proof.read_bytes()).hexdigest()
    assert verified_offline(proof)[0] == 0
    if format == "xlsx":
        book = load_workbook(path)
        assert all(cell.data_type != "f" for sheet in book for row in sheet.iter_rows() for cell in row)
        assert ("events", "3") in {(row[0].value, row[1].value) for row in book["About"].iter_rows()}


def table(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".csv":
        with path.open(newline="") as file:
            return list(csv.DictReader(file))
    head, *rest = load_workbook(path)["Events"].iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in rest]


def test_without_notes_nothing_that_people_wrote_is_in_it(committed_desk: Desk, auditor: User) -> None:
    a_life(committed_desk)
    run = made(asked(auditor, "csv", with_notes=False))
    for path in folder_of(run).iterdir():
        assert "Pumpe" not in path.read_text()


# --- One moment, while others write ----------------------------------------------------------------------------------


@contextmanager
def while_others_write(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let somebody place an order and write a note in the midst of the export, and commit it."""
    job = desk.job()
    real = chains.events

    def write() -> None:
        service_orders.add_note(service_order_id=job.pk, text="meanwhile", **TOLD)
        connection.close()

    def slow(*arguments: Any, **facts: Any) -> Iterator[dict[str, Any]]:
        writer = Thread(target=write)
        writer.start()
        writer.join(20)
        yield from real(*arguments, **facts)

    with monkeypatch.context() as patched:
        patched.setattr(chains, "events", slow)
        yield


def test_an_export_is_one_moment_however_much_is_written_meanwhile(
    committed_desk: Desk, auditor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_life(committed_desk)
    run = asked(auditor)
    with while_others_write(committed_desk, monkeypatch):
        before = OrderEvent.objects.count()
        made(run)
    assert OrderEvent.objects.count() == before + 1
    assert run.events == before
    path = folder_of(run) / run.file_name
    assert "meanwhile" not in path.read_text()
    assert verified_offline(path)[0] == 0


def test_without_one_snapshot_the_same_export_contradicts_itself(
    committed_desk: Desk, auditor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_life(committed_desk)
    run = asked(auditor)
    monkeypatch.setattr(chains, "one_snapshot", transaction.atomic)
    with while_others_write(committed_desk, monkeypatch):
        made(run)
    status, output = verified_offline(folder_of(run) / run.file_name)
    assert status == 1
    assert "head_version" in output


# --- Stopped, failed, repeated ---------------------------------------------------------------------------------------


def test_a_waiting_export_is_stopped_at_once_and_a_repeat_changes_nothing(
    committed_desk: Desk, reading: Client, auditor: User
) -> None:
    run = asked(auditor)
    for _ in range(2):
        assert reading.post(f"/audit/exports/{run.pk}/stop/").status_code == 302
    assert made(run).status == "cancelled"
    assert "It was stopped before it was done" in reading.get(f"/audit/exports/{run.pk}/").content.decode()


def test_a_running_export_stops_at_the_next_events_and_leaves_no_file(
    committed_desk: Desk, auditor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_life(committed_desk)
    run = asked(auditor)
    real = writing.export_ledger

    def stopped_on_the_way(*, progress: Any, **facts: Any) -> Any:
        stopper = Thread(target=stop)
        stopper.start()
        stopper.join(20)
        progress(1)
        return real(progress=progress, **facts)

    def stop() -> None:
        exports.stop_export(run_id=run.pk, by=Actor.user(auditor), at=timezone.now())
        connection.close()

    monkeypatch.setattr(exports, "export_ledger", stopped_on_the_way)
    assert made(run).status == "cancelled"
    assert not folder_of(run).exists()


def test_what_went_wrong_is_said_in_words(
    committed_desk: Desk, reading: Client, auditor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_life(committed_desk)
    run = asked(auditor, "xlsx")
    monkeypatch.setattr(exports, "MOST_ROWS", 3)
    run = made(run)
    assert run.status == "failed"
    assert "3 at most" in reading.get(f"/audit/exports/{run.pk}/").content.decode()
    assert not folder_of(run).exists()
    monkeypatch.setattr(sheets, "MOST_ROWS", 3)
    monkeypatch.setattr(exports, "MOST_ROWS", 10**9)
    assert "Narrow it" in made(asked(auditor, "xlsx")).trouble


def test_what_a_sheet_cannot_hold_goes_on_the_next_with_the_same_heading(
    committed_desk: Desk, auditor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_life(committed_desk)
    monkeypatch.setattr(sheets, "SHEET_ROWS", 4)
    run = made(asked(auditor, "xlsx"))
    assert (run.status, run.trouble) == ("done", "")
    book = load_workbook(folder_of(run) / run.file_name)
    assert run.events is not None
    *tables, about = book.sheetnames
    assert tables == ["Events", *(f"Events {number}" for number in range(2, -(-run.events // 4) + 1))]
    assert about == "About"
    rows = [list(book[name].iter_rows(values_only=True)) for name in tables]
    assert len({found[0] for found in rows}) == 1
    assert sum(len(found) - 1 for found in rows) == run.events
    assert {len(found) - 1 for found in rows[:-1]} == {4}
    at = rows[0][0].index("id")
    assert len({row[at] for found in rows for row in found[1:]}) == run.events


def test_a_sheet_of_ours_with_its_heading_is_one_that_spreadsheets_open() -> None:
    assert sheets.SHEET_ROWS + 1 <= 1_048_576


def test_more_than_excel_holds_is_said_before_the_job_is_begun_and_what_to_take_instead(
    committed_desk: Desk, reading: Client, auditor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_life(committed_desk)
    monkeypatch.setattr(exports, "MOST_ROWS", 3)
    with pytest.raises(exports.TooLarge):
        asked(auditor, "xlsx")
    answer = reading.post("/audit/exports/new/", {"format": "xlsx"})
    assert answer.status_code == 422
    assert "Take JSON Lines or CSV" in answer.content.decode()
    assert not ExportRun.objects.exists()
    assert asked(auditor, "csv").status == "waiting"
    few = Filter(since=timezone.now() + timedelta(days=1))
    assert asked(auditor, "xlsx", few).status == "waiting"


def test_only_one_worker_makes_an_export_and_a_dead_ones_work_is_taken_up(committed_desk: Desk, auditor: User) -> None:
    run = asked(auditor)
    now = timezone.now()
    ExportRun.objects.filter(pk=run.pk).update(status="running", beat_at=now, attempts=1)
    assert exports.make_export(run_id=run.pk, at=now) is None
    assert exports.make_export(run_id=run.pk, at=now + exports.SILENCE * 2) is not None
    assert exports.make_export(run_id=run.pk, at=now) is None
    run.refresh_from_db()
    assert (run.status, run.attempts) == ("done", 2)


def wakes_late(run: ExportRun, monkeypatch: pytest.MonkeyPatch) -> tuple[ExportRun | None, ExportRun]:
    """Let a worker write all of its draft and hang there, until another one has taken the export up and made it."""
    write, late = writing._write, timezone.now() + exports.SILENCE * 2
    others: list[ExportRun | None] = []

    def other() -> None:
        others.append(exports.make_export(run_id=run.pk, at=late))
        connection.close()

    def hang(path: Path, manifest: writing.Manifest, events: Any) -> None:
        write(path, manifest, events)
        monkeypatch.setattr(writing, "_write", write)
        thread = Thread(target=other)
        thread.start()
        thread.join()

    monkeypatch.setattr(writing, "_write", hang)
    woken = exports.make_export(run_id=run.pk, at=timezone.now())
    assert others[0] is not None
    assert others[0].status == "done"
    return woken, ExportRun.objects.get(pk=run.pk)


def test_a_silent_worker_that_wakes_leaves_alone_what_another_one_has_made(
    committed_desk: Desk, auditor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_life(committed_desk)
    woken, run = wakes_late(asked(auditor), monkeypatch)
    assert woken is not None
    assert (woken.status, run.status, run.attempts, run.trouble) == ("done", "done", 2, "")
    content = taken(run, auditor).read_bytes()
    assert hashlib.sha256(content).hexdigest() == run.sha256
    assert [folder.name for folder in folder_of(run).parent.iterdir()] == ["2"]


def test_without_its_fence_the_one_that_wakes_ends_the_other_ones_export(
    committed_desk: Desk, auditor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "_still_mine", lambda run: ExportRun.objects.filter(pk=run.pk))
    a_life(committed_desk)
    run = asked(auditor)
    woken, now = wakes_late(run, monkeypatch)
    assert woken is not None
    assert now.attempts == 2
    first = folder_of(woken) / run.file_name  # of the attempt that was given up
    assert hashlib.sha256(first.read_bytes()).hexdigest() == now.sha256


def test_an_export_that_kills_its_workers_is_given_up_and_a_forgotten_one_is_handed_on(
    committed_desk: Desk, auditor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadly, forgotten = asked(auditor), asked(auditor)
    now = timezone.now()
    ExportRun.objects.filter(pk=deadly.pk).update(status="running", beat_at=now, attempts=exports.MOST_ATTEMPTS)
    again: list[object] = []
    monkeypatch.setattr(exports, "enqueue", again.append)
    assert exports.clear_away(at=now) == 0
    assert exports.clear_away(at=now + exports.SILENCE * 2) == 2
    deadly.refresh_from_db()
    assert (deadly.status, again) == ("failed", [forgotten.pk])
    assert "stopped several times" in deadly.trouble


def test_somebody_who_may_no_longer_export_gets_nothing_made(committed_desk: Desk, auditor: User) -> None:
    run = asked(auditor)
    roles.give_role(auditor, roles.TECHNICIAN)
    assert made(run).status == "failed"
    assert run.trouble == "You are not allowed to do this."


def test_a_fourth_export_at_a_time_is_refused_in_place(committed_desk: Desk, reading: Client, auditor: User) -> None:
    for _ in range(exports.MOST_OF_ONE):
        asked(auditor)
    page = reading.post("/audit/exports/new/", {"format": "csv"})
    assert page.status_code == 422
    assert "Other exports are still on their way" in page.content.decode()
    assert ExportRun.objects.count() == exports.MOST_OF_ONE


# --- Kept no longer than it may --------------------------------------------------------------------------------------


def test_an_export_with_an_erased_text_is_withdrawn_before_anybody_gets_it(
    committed_desk: Desk, reading: Client, auditor: User
) -> None:
    a_life(committed_desk)
    with_notes, without = made(asked(auditor)), made(asked(auditor, with_notes=False))
    job = OrderEvent.objects.filter(kind="note.added").values_list("subject_id", flat=True)[0]
    erasing.erase_texts(reason="asked for it", subject_ids=[job], **TOLD)
    answer = reading.get(f"/audit/exports/{with_notes.pk}/files/{with_notes.file_name}", follow=True)
    page = answer.content.decode()
    assert "A text that may have been in it was erased" in page
    assert not folder_of(with_notes).exists()
    assert taken(without, auditor).exists()
    assert not ExportDownload.objects.filter(run=with_notes).exists()
    again = made(asked(auditor))
    assert "Seal" not in taken(again, auditor).read_text()
    assert exports.clear_away(at=timezone.now()) == 0


def test_an_export_after_an_erasure_stays_though_an_older_transaction_is_still_running(
    committed_desk: Desk, auditor: User
) -> None:
    a_life(committed_desk)
    job = OrderEvent.objects.filter(kind="note.added").values_list("subject_id", flat=True)[0]
    slow = connection.copy()
    try:
        slow.set_autocommit(False)
        with slow.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id()")  # it began before, and writes until after
        erasing.erase_texts(reason="asked for it", subject_ids=[job], **TOLD)
        run = made(asked(auditor))
        assert taken(run, auditor).exists()
        assert exports.clear_away(at=timezone.now()) == 0
    finally:
        slow.close()


def test_files_are_deleted_when_their_time_is_over_and_the_record_stays(
    committed_desk: Desk, auditor: User, settings: LazySettings
) -> None:
    run = made(asked(auditor))
    assert taken(run, auditor, days=settings.EXPORT_KEEP_DAYS - 1).exists()
    with pytest.raises(exports.ExportGone):
        taken(run, auditor, days=settings.EXPORT_KEEP_DAYS + 1)
    run.refresh_from_db()
    assert run.status == "expired"
    assert not folder_of(run).exists()
    assert run.sha256
    other = made(asked(auditor))
    assert exports.clear_away(at=timezone.now() + timedelta(days=settings.EXPORT_KEEP_DAYS)) == 1
    assert not folder_of(other).exists()


# --- Who may ---------------------------------------------------------------------------------------------------------


def test_an_export_is_for_whoever_asked_for_it(
    committed_desk: Desk, client: Client, auditor: User, technician: User, manager: User
) -> None:
    other = User.objects.create_user("other-auditor")
    roles.give_role(other, roles.AUDITOR)
    run = made(asked(auditor))
    with pytest.raises(NotFound):
        taken(run, other)
    with pytest.raises(NotFound):
        taken(run, auditor, "../../../etc/passwd")
    client.force_login(other)
    assert client.get(f"/audit/exports/{run.pk}/").status_code == 200
    assert client.get(f"/audit/exports/{run.pk}/files/{run.file_name}").status_code == 404
    assert client.post(f"/audit/exports/{run.pk}/stop/").status_code == 404
    for person in (technician, manager):
        client.force_login(person)
        assert client.get("/audit/exports/").status_code == 403
        assert client.post("/audit/exports/new/", {"format": "csv"}).status_code == 403
    assert ExportDownload.objects.count() == 0


def test_notes_and_formats_that_do_not_exist_are_refused(committed_desk: Desk) -> None:
    facts: dict[str, Any] = {"wanted": Filter(), "words": [], "at": timezone.now()}
    may_export = only("orders.export_orderevent")
    with pytest.raises(Forbidden):
        exports.request_export(format="csv", with_notes=True, by=may_export, **facts)
    with pytest.raises(Forbidden):
        exports.request_export(format="csv", with_notes=False, by=only("orders.view_orderevent"), **facts)
    with pytest.raises(Invalid):
        exports.request_export(format="pdf", with_notes=False, by=may_export, **facts)
    assert not ExportRun.objects.exists()


def test_a_filter_is_read_as_it_was_written(committed_desk: Desk) -> None:
    wanted = Filter(
        since=timezone.now(), references=("P-1", "P-2"), subjects=(committed_desk.job().pk,), kind="a.b", overrides=True
    )
    assert Filter.of_json(json.loads(json.dumps(wanted.as_json()))) == wanted


def test_the_list_costs_the_same_for_two_exports_and_for_twenty(
    committed_desk: Desk, reading: Client, auditor: User
) -> None:
    def cost() -> int:
        reading.get("/audit/exports/")
        with statements() as sent:
            assert reading.get("/audit/exports/").status_code == 200
        return len(sent)

    now = timezone.now()
    rows = [ExportRun(made_by=f"user:{auditor.pk}", format="csv", asked_at=now, status="expired") for _ in range(20)]
    ExportRun.objects.bulk_create(rows[:2])
    few = cost()
    ExportRun.objects.bulk_create(rows[2:])
    assert cost() == few
