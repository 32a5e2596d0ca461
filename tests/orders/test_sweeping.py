"""Files that no row names go by themselves: whoever dies between a file and its row leaves nothing behind for good."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import connection
from pytest_django import Settings

from backorders.models import AllocationPolicy
from config import roles
from orders import tasks
from orders.actions import attachments, consents
from orders.actions.attachments import attach, remove
from orders.actions.consents import Evidence, Wish
from orders.actions.erasing import Erased, erase_texts
from orders.models import Attachment, OrderEvent, OrderLine, OverrideRequest
from parts.actors import Actor
from parts.models import UnitOfMeasure
from tests.orders.desk import TOLD, Desk, told
from tests.orders.files import PDF

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _folder(settings: Settings, tmp_path: Path, db: None) -> None:
    """A store of its own, and what a house begins with: a test that really commits is cleaned up after."""
    settings.MEDIA_ROOT = tmp_path
    UnitOfMeasure.objects.get_or_create(code="C62", defaults={"name": "Piece", "decimals": 0})
    AllocationPolicy.objects.get_or_create(name="default")


def stored() -> list[str]:
    return sorted(path.name for path in Path(default_storage.path("")).rglob("*") if path.is_file())


def later(**passed: float) -> datetime:
    return datetime.now(UTC) + timedelta(**passed)


def killed(work: Callable[[], object]) -> None:
    """Do something in a process of its own, which is killed where the work says so."""
    connection.close()
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def die(*_arguments: object) -> None:
    os._exit(9)


@pytest.mark.django_db(transaction=True)
def test_a_file_whose_process_died_before_its_row_is_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    job = Desk().job("new")
    with monkeypatch.context() as patched:
        patched.setattr(attachments, "write", die)
        killed(lambda: attach(service_order_id=job.pk, name="id-card.pdf", content=PDF, **TOLD))
    assert len(stored()) == 1
    assert not Attachment.objects.exists()
    assert tasks.sweep_files(later(hours=2)) == 1
    assert stored() == []


@pytest.mark.django_db(transaction=True)
def test_a_file_is_gone_for_good_where_the_process_died_after_its_removal(monkeypatch: pytest.MonkeyPatch) -> None:
    row = attach(service_order_id=Desk().job("new").pk, name="id-card.pdf", content=PDF, **TOLD)
    with monkeypatch.context() as patched:
        patched.setattr(FileSystemStorage, "delete", die)
        killed(lambda: remove(attachment_id=row.pk, reason="Privacy", **TOLD))
    row.refresh_from_db()
    assert row.removed_at is not None
    assert len(stored()) == 1
    assert tasks.sweep_files(later(hours=2)) == 1
    assert stored() == []


@pytest.mark.django_db(transaction=True)
def test_a_removal_holds_where_the_file_cannot_be_deleted_and_is_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_storage: FileSystemStorage, _name: str) -> None:
        raise PermissionError("read-only")

    row = attach(service_order_id=Desk().job("new").pk, name="id-card.pdf", content=PDF, **TOLD)
    with monkeypatch.context() as patched:
        patched.setattr(FileSystemStorage, "delete", refuse)
        remove(attachment_id=row.pk, reason="Privacy", **TOLD)
        assert tasks.sweep_files(later(hours=2)) == 0
    assert len(stored()) == 1
    assert tasks.sweep_files(later(hours=2)) == 1
    assert stored() == []


def test_what_a_row_names_what_is_new_and_what_others_keep_stays() -> None:
    row = attach(service_order_id=Desk().job("new").pk, name="a.pdf", content=PDF, **TOLD)
    request = asked(line(), "note.pdf")
    default_storage.save("imports/list.csv", ContentFile(b"a"))
    default_storage.save("attachments/ab/being-written", ContentFile(b"a"))
    assert tasks.sweep_files(later(minutes=59)) == 0
    assert tasks.sweep_files(later(minutes=61)) == 1
    kept = {Path(str(name)).name for name in (row.file.name, request.evidence.name)}
    assert set(stored()) == kept | {"list.csv"}


def test_a_store_in_which_nothing_was_ever_kept_is_swept_without_a_word() -> None:
    assert tasks.sweep_files(later(hours=2)) == 0


# --- What an override rested on --------------------------------------------------------------------------------------


def line() -> OrderLine:
    desk = Desk()
    desk.place(1)
    return OrderLine.objects.get(is_split=False)


def asked(about: OrderLine, name: str) -> OverrideRequest:
    person = User.objects.create_user(name)
    roles.give_role(person, roles.MANAGER)
    wish = Wish("line", about.pk, "cancelled", "Ms Miller has it", evidence=Evidence(name, PDF))
    return consents.ask(wish=wish, **told(by=Actor.user(User.objects.get(pk=person.pk))))


@pytest.mark.parametrize("whose", ["subject", "person", "event"])
def test_erasing_why_an_override_was_asked_for_takes_its_evidence_along(
    whose: str, django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[object]]
) -> None:
    about = line()
    row = asked(about, "passport of Ms Miller.pdf")
    named: dict[str, dict[str, Any]] = {
        "subject": {"subject_ids": [about.pk]},
        "person": {"actors": [f"user:{row.requested_by_id}"]},
        "event": {"event_ids": [row.asked_event]},
    }
    with django_capture_on_commit_callbacks(execute=True):
        assert erase_texts(reason="Asked for", **named[whose], **TOLD).files == 1
    row.refresh_from_db()
    assert (row.evidence.name, row.evidence_name, stored()) == ("", "", [])
    assert len(row.evidence_sha256) == 64
    kept = OrderEvent.objects.get(pk=row.asked_event)
    assert kept.data["evidence"] == row.evidence_sha256
    assert "Miller" not in f"{kept.override_reference} {kept.data} {row.reference}"
    assert erase_texts(reason="Again", **named[whose], **TOLD) == Erased(0, 0, 0)


def test_evidence_that_outlived_its_text_is_still_taken_away_and_that_is_on_record() -> None:
    about = line()
    row = asked(about, "passport.pdf")
    before = OverrideRequest.objects.filter(pk=row.pk).values("evidence", "evidence_name").get()
    erase_texts(reason="Asked for", subject_ids=[about.pk], **TOLD)
    OverrideRequest.objects.filter(pk=row.pk).update(**before)  # as an erasing of old left it
    assert erase_texts(reason="The file too", subject_ids=[about.pk], **TOLD) == Erased(0, 1, 1)
    last = OrderEvent.objects.filter(subject_id=about.pk).latest("version")
    assert (last.kind, last.data) == ("note.erased", {"events": [str(row.asked_event)]})
