"""Files on a job: what is taken, what is kept of it, who sees it, and what stays when it is removed."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.utils import translation
from PIL import Image

from orders import files
from orders.actions import attachments
from orders.errors import NothingToDo, ReasonRequired
from orders.files import FileRefused
from orders.models import Attachment
from parts.actors import Actor
from parts.errors import Forbidden, Invalid, NotFound, Refused
from parts.keys import new_key
from tests.orders.desk import NOBODY, TOLD, Desk, events, kinds, only
from tests.orders.files import DOCUMENT, GPS, HEIC, PAYLOAD, PDF, WORKBOOK, archive, picture


@pytest.fixture(autouse=True)
def _folder(settings: LazySettings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def stored() -> list[Path]:
    """Return the files that lie in the store."""
    return [path for path in Path(default_storage.path("")).rglob("*") if path.is_file()]


def test_a_file_is_kept_under_a_name_of_chance_and_is_an_event_of_the_job(desk: Desk, technician: User) -> None:
    job = desk.job("in_progress")
    by = Actor.user(technician)
    row = attachments.attach(
        service_order_id=job.pk, name="Report.pdf", content=PDF, note="From the maker", **TOLD | {"by": by}
    )

    assert (row.name, row.content_type, row.size, row.added_by) == (
        "Report.pdf",
        "application/pdf",
        len(PDF),
        technician,
    )
    assert row.sha256 == hashlib.sha256(PDF).hexdigest()
    assert row.file.name
    assert "Report" not in row.file.name
    assert not row.file.name.endswith(".pdf")
    assert stored()[0].read_bytes() == PDF
    event = events(job.pk)[-1]
    assert (event.kind, event.visibility, event.text.text) == ("attachment.added", "internal", "From the maker")
    assert event.data == {"attachment": str(row.pk), "name": "Report.pdf", "size": len(PDF), "sha256": row.sha256}


def test_a_job_that_is_done_still_takes_files(desk: Desk) -> None:
    job = desk.job("completed")
    attachments.attach(service_order_id=job.pk, name="a.pdf", content=PDF, **TOLD)
    assert kinds(job.pk)[-1] == "attachment.added"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_photo_tells_nobody_where_it_was_taken_and_carries_nothing_hidden(desk: Desk, form: str) -> None:
    content = picture(form)
    assert Image.open(io.BytesIO(content)).getexif().get_ifd(GPS)
    row = attachments.attach(service_order_id=desk.job().pk, name=f"p.{form.lower()}", content=content, **TOLD)

    kept = stored()[0].read_bytes()
    assert not Image.open(io.BytesIO(kept)).getexif()
    assert b"Spy camera" not in kept
    assert PAYLOAD not in kept
    assert row.sha256 == hashlib.sha256(kept).hexdigest()


def test_a_photo_taken_sideways_stands_upright() -> None:
    kept = files.judge(picture(turned=True), "p.jpg", allowed=["jpeg"], most_pixels=1000)
    assert Image.open(io.BytesIO(kept.content)).size == (20, 40)


def test_a_transparent_picture_stays_transparent() -> None:
    target = io.BytesIO()
    Image.new("RGBA", (3, 3), (1, 2, 3, 0)).save(target, "PNG")
    kept = files.judge(target.getvalue(), "p.png", allowed=["png"], most_pixels=1000)
    assert Image.open(io.BytesIO(kept.content)).getpixel((1, 1)) == (1, 2, 3, 0)


@pytest.mark.parametrize("name", ["IMG_1.HEIC", "IMG_1.jpg"])
def test_a_photo_that_would_keep_its_place_is_refused_with_what_to_do(
    desk: Desk, settings: LazySettings, name: str
) -> None:
    settings.ATTACHMENT_KINDS = [*settings.ATTACHMENT_KINDS, "heic"]  # as installations may still have it
    job = desk.job()
    with pytest.raises(FileRefused, match="Save or send it as JPEG") as refusal:
        attachments.attach(service_order_id=job.pk, name=name, content=HEIC, **TOLD)
    with translation.override("de"):
        assert "als JPEG" in refusal.value.detail
    assert not stored()
    assert kinds(job.pk) == ["service_order.created draft"]


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (picture(), "evil.html", "jpeg"),
        (picture("PNG"), "x", "png"),
        (picture("WEBP"), "x", "webp"),
        (PDF, "a.exe", "pdf"),
        (WORKBOOK, "a.zip", "xlsx"),
        (DOCUMENT, "a.zip", "docx"),
        (b"Teil;Menge\nHP-1;2,5", "a.csv", "csv"),
        ("Größe: 5".encode(), "a.txt", "txt"),
        ("Größe: 5".encode("cp1252"), "a.log", "txt"),
    ],
)
def test_what_a_file_is_is_told_from_its_bytes(content: bytes, name: str, kind: str) -> None:
    found = files.kind_of(content, name)
    assert found == files.KINDS[kind]
    assert files.safe_name(name, found).lower().endswith(found.endings)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "empty.txt"),
        (b"MZ\x90\x00\x03\x00\x00\x00", "setup.pdf"),
        (b"<!DOCTYPE html><script>alert(1)</script>", "a.txt"),
        (b"  \n<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "a.csv"),
        (b"GIF89a" + b"\x00" * 20, "a.png"),
        (archive("a.txt"), "a.docx"),
        (archive("[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin"), "macro.xlsx"),
        (b"PK\x03\x04 not an archive", "a.xlsx"),
        (b"\xff\xd8\xff\xe0 not a photo", "a.jpg"),
        (b"\x89PNG\r\n\x1a\n", "a.png"),
        (b"\x7fELF\x02\x01\x01\x00", "a.txt"),
    ],
)
def test_anything_else_is_refused_and_leaves_nothing(desk: Desk, content: bytes, name: str) -> None:
    job = desk.job()
    with pytest.raises(FileRefused):
        attachments.attach(service_order_id=job.pk, name=name, content=content, **TOLD)
    assert not Attachment.objects.exists()
    assert not stored()
    assert kinds(job.pk) == ["service_order.created draft"]


def test_a_kind_that_the_installation_does_not_want_is_refused(desk: Desk, settings: LazySettings) -> None:
    settings.ATTACHMENT_KINDS = ["jpeg"]
    with pytest.raises(FileRefused, match="Allowed: jpg"):
        attachments.attach(service_order_id=desk.job().pk, name="a.pdf", content=PDF, **TOLD)


def test_limits_hold(desk: Desk, settings: LazySettings) -> None:
    job = desk.job()
    settings.ATTACHMENT_MOST_BYTES = len(PDF) - 1
    with pytest.raises(FileRefused, match="larger"):
        attachments.attach(service_order_id=job.pk, name="a.pdf", content=PDF, **TOLD)
    settings.ATTACHMENT_MOST_BYTES = 10**6
    with pytest.raises(FileRefused, match="million pixels"):
        files.judge(picture(size=(2000, 1000)), "a.jpg", allowed=["jpeg"], most_pixels=1_000_000)
    settings.ATTACHMENT_MOST = 1
    attachments.attach(service_order_id=job.pk, name="a.pdf", content=PDF, **TOLD)
    with pytest.raises(FileRefused, match="remove one first"):
        attachments.attach(service_order_id=job.pk, name="b.pdf", content=PDF, **TOLD)
    assert len(stored()) == 1


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\temp\\Bericht.pdf", "Bericht.pdf"),
        ('a"; filename="b.html', "a_; filename=_b.html.pdf"),
        ("rechnung‮fdp.exe", "rechnungfdp.exe.pdf"),
        ("", "file.pdf"),
        (".pdf", "file.pdf"),
        ("x" * 300 + ".pdf", "x" * 196 + ".pdf"),
        ("nul\x00l.pdf", "null.pdf"),
    ],
)
def test_a_name_is_made_harmless(name: str, safe: str) -> None:
    assert files.safe_name(name, files.KINDS["pdf"]) == safe


def test_the_same_key_again_adds_nothing(desk: Desk) -> None:
    job, key = desk.job(), new_key()
    first = attachments.attach(service_order_id=job.pk, name="a.pdf", content=PDF, key=key, **TOLD)
    again = attachments.attach(service_order_id=job.pk, name="a.pdf", content=PDF, key=key, **TOLD)
    assert first == again
    assert len(stored()) == 1
    assert kinds(job.pk).count("attachment.added") == 1
    with pytest.raises(Refused, match="another job"):
        attachments.attach(service_order_id=desk.job().pk, name="a.pdf", content=PDF, key=key, **TOLD)


def test_nobody_adds_a_file_without_the_right_or_to_a_job_that_is_not_there(desk: Desk) -> None:
    job = desk.job()
    with pytest.raises(Forbidden):
        attachments.attach(service_order_id=job.pk, name="a.pdf", content=PDF, **TOLD | {"by": NOBODY})
    with pytest.raises(NotFound):
        attachments.attach(service_order_id=new_key(), name="a.pdf", content=PDF, **TOLD)
    with pytest.raises(Invalid):
        attachments.attach(service_order_id=job.pk, name="a.pdf", content=PDF, note="x" * 10_001, **TOLD)
    assert not stored()


def test_a_removed_file_is_gone_and_its_row_says_what_it_was(
    desk: Desk, django_capture_on_commit_callbacks: Any
) -> None:
    job = desk.job()
    row = attachments.attach(service_order_id=job.pk, name="a.pdf", content=PDF, public=True, **TOLD)
    with django_capture_on_commit_callbacks(execute=True):
        attachments.remove(attachment_id=row.pk, reason="Wrong machine", **TOLD)
        attachments.remove(attachment_id=row.pk, reason="Wrong machine", **TOLD)

    row.refresh_from_db()
    assert (bool(row.file), row.name, row.size) == (False, "a.pdf", len(PDF))
    assert row.removed_at is not None
    assert not stored()
    last = events(job.pk)[-1]
    assert (last.kind, last.text.text, last.visibility) == ("attachment.removed", "Wrong machine", "public")
    assert kinds(job.pk).count("attachment.removed") == 1


def test_a_removal_needs_a_reason_and_the_right_unless_the_file_is_ones_own(
    desk: Desk, technician: User, dispatcher: User, auditor: User
) -> None:
    job = desk.job()
    own, other = (
        attachments.attach(service_order_id=job.pk, name="a.pdf", content=PDF, **TOLD | {"by": Actor.user(person)})
        for person in (technician, dispatcher)
    )
    with pytest.raises(ReasonRequired):
        attachments.remove(attachment_id=own.pk, reason=" ", **TOLD)
    for person in (technician, auditor):
        with pytest.raises(Forbidden):
            attachments.remove(attachment_id=other.pk, reason="no", **TOLD | {"by": Actor.user(person)})
    attachments.remove(attachment_id=own.pk, reason="blurred", **TOLD | {"by": Actor.user(technician)})
    attachments.remove(attachment_id=other.pk, reason="blurred", **TOLD | {"by": Actor.user(dispatcher)})
    with pytest.raises(NotFound):
        attachments.remove(attachment_id=new_key(), reason="x", **TOLD)


def test_the_customer_is_shown_a_file_and_not_any_more(desk: Desk) -> None:
    job = desk.job()
    row = attachments.attach(service_order_id=job.pk, name="a.pdf", content=PDF, **TOLD)
    attachments.show_to(attachment_id=row.pk, public=True, **TOLD)
    row.refresh_from_db()
    assert row.visibility == "public"
    with pytest.raises(NothingToDo):
        attachments.show_to(attachment_id=row.pk, public=True, **TOLD)
    attachments.show_to(attachment_id=row.pk, public=False, **TOLD)
    assert kinds(job.pk)[-2:] == ["attachment.shown", "attachment.hidden"]
    with pytest.raises(Forbidden):
        attachments.show_to(attachment_id=row.pk, public=True, **TOLD | {"by": only("orders.add_attachment")})
