"""Photos as HEIC from before they were refused are found, wherever they are kept, and what to do is said."""

from __future__ import annotations

import hashlib
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from orders.actions import attachments, consents
from orders.models import Attachment, OverrideRequest, ServiceOrder
from parts.actors import Actor
from tests.orders.desk import TOLD, Desk
from tests.orders.files import picture

pytestmark = pytest.mark.django_db


def listed() -> str:
    out = StringIO()
    call_command("list_heic_files", stdout=out)
    return out.getvalue()


def attached(job: ServiceOrder, *, heic: bool, public: bool = False) -> Attachment:
    """A photo on a job; one that was kept as HEIC has the type that it was given then."""
    key = attachments.attach(service_order_id=job.pk, name="IMG_7.jpg", content=picture(), public=public, **TOLD).pk
    if heic:
        Attachment.objects.filter(pk=key).update(content_type="image/heic", name="IMG_7.HEIC")
    return Attachment.objects.get(pk=key)


def test_what_is_kept_as_heic_is_listed_with_what_to_do_and_nothing_is_changed(desk: Desk) -> None:
    job = desk.job("in_progress")
    kept, shown = attached(job, heic=True), attached(job, heic=True, public=True)
    gone, other = attached(job, heic=True), attached(job, heic=False)
    attachments.remove(attachment_id=gone.pk, reason="Wrong job", **TOLD)
    wish = consents.Wish(
        "service_order", job.pk, "new", "It was never begun", "C-1", consents.Evidence("seen.txt", b"Seen")
    )
    person = User.objects.create_user("person")
    by = Actor(f"user:{person.pk}", frozenset({"orders.override_serviceorder"}), person.pk)
    asked = consents.ask(wish=wish, **TOLD | {"by": by})
    OverrideRequest.objects.filter(pk=asked.pk).update(evidence_type="image/heif", evidence_name="IMG_8.HEIC")

    said = listed()

    assert f"{job.reference}  {kept.pk}  IMG_7.HEIC\n" in said
    assert f"{job.reference}  {shown.pk}  IMG_7.HEIC  (the customer sees it)\n" in said
    assert f"{job.reference}  {asked.pk}  IMG_8.HEIC  (evidence of an override)\n" in said
    assert "3 in all." in said
    assert "save it as JPEG" in said
    assert str(other.pk) not in said
    assert str(gone.pk) not in said
    with Attachment.objects.get(pk=kept.pk).file.open() as file:
        assert hashlib.sha256(file.read()).hexdigest() == kept.sha256


def test_where_nothing_is_kept_as_heic_that_is_said(desk: Desk) -> None:
    attached(desk.job("in_progress"), heic=False)
    assert listed() == "No photo is kept as HEIC.\n"
