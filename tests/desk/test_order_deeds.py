"""What can be done on an order's page: done, or refused in place with all that was typed; without JavaScript."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.utils import timezone

from backorders.models import BackOrder
from orders.actions import attachments, lines, service_orders
from orders.models import Attachment, OrderEvent, OrderLine, ServiceOrder, Shipment
from tests.admin.world import World, cause
from tests.desk.orders_words import at, desk_of, do, text
from tests.orders.files import PDF, picture


@pytest.fixture
def world(db: None) -> World:
    return World()


@pytest.fixture(autouse=True)
def _folder(settings: LazySettings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def last_event(job: ServiceOrder) -> str:
    """Return the kind of what happened last to a job."""
    return OrderEvent.objects.filter(subject_id=job.pk).order_by("-version")[0].kind


def test_a_button_moves_a_job_and_another_takes_it_back(world: World, dispatcher: User) -> None:
    client, job = desk_of(dispatcher), world.job("new")
    answer = do(client, job, "move", to="in_progress")
    assert answer.headers["Location"] == at(job)
    assert f"{job.reference} is In Progress now." in text(client.get(at(job)))
    quick = do(client, job, "move", to="new", quick=True)
    job.refresh_from_db()
    assert job.status == "new"
    assert f"{job.reference} is New now." in text(quick)
    assert "<html" not in quick.content.decode()


def test_a_step_from_an_old_page_is_refused_and_the_page_shows_what_stands_there(
    world: World, dispatcher: User
) -> None:
    client, job = desk_of(dispatcher), world.job("new")
    seen = job.version
    service_orders.move(service_order_id=job.pk, to="in_progress", **cause())
    answer = do(client, job, "move", to="scheduled", expected_version=seen)
    assert answer.status_code == 412
    assert "Somebody was quicker" in text(answer)
    assert "It is In Progress now." in text(answer)
    again = do(client, job, "move", to="scheduled")
    assert again.status_code == 409
    assert "Not possible" in text(again)
    job.refresh_from_db()
    assert job.status == "in_progress"


def test_an_htmx_refusal_is_shown_in_place(world: World, dispatcher: User) -> None:
    client, job = desk_of(dispatcher), world.job("new")
    answer = do(client, job, "move", to="completed", quick=True)
    assert answer.status_code == 200
    assert 'role="alert"' in answer.content.decode()
    assert "Not possible" in text(answer)


def test_a_job_is_cancelled_with_a_reason(world: World, dispatcher: User) -> None:
    client, job = desk_of(dispatcher), world.job("new")
    empty = do(client, job, "cancel", note="")
    assert empty.status_code == 422
    assert 'id="deed"' in empty.content.decode()
    do(client, job, "cancel", note="The machine was sold", public="on")
    job.refresh_from_db()
    assert job.status == "cancelled"
    assert "The machine was sold" in text(client.get(at(job)))


def test_a_technician_is_assigned_and_another_claims(world: World, dispatcher: User, technician: User) -> None:
    job = world.job("new")
    do(desk_of(dispatcher), job, "assign", technician=technician.pk)
    job.refresh_from_db()
    assert job.technician == technician
    do(desk_of(dispatcher), job, "assign", technician="")
    do(desk_of(technician), job, "claim")
    job.refresh_from_db()
    assert job.technician == technician
    assert do(desk_of(technician), job, "claim").status_code == 302  # one's own: harmless
    refused = do(desk_of(dispatcher), job, "assign", technician="999999")
    assert refused.status_code == 422


def test_everything_that_is_written_down_about_a_job(world: World, dispatcher: User, technician: User) -> None:
    job, client, bench = world.job("in_progress"), desk_of(dispatcher), desk_of(technician)
    day = timezone.localdate() + timedelta(days=3)
    now = timezone.now()
    for who, deed, kind, facts in (
        (client, "note", "note.added", {"text": "Called them", "public": "on"}),
        (client, "reschedule", "service_order.rescheduled", {"scheduled_for": day}),
        (client, "estimate", "service_order.completion_estimated", {"estimated_completion_at": f"{day}T10:00"}),
        (bench, "labour", "labour.logged", {"started_at": f"{now:%Y-%m-%dT%H:%M}", "minutes": 30}),
        (bench, "diagnosis", "diagnosis.added", {"text": "Seal worn", "failure_code": "HYD-2"}),
        (
            client,
            "send",
            "equipment.sent",
            {"direction": "to_manufacturer", "carrier": "DHL", "tracking_number": "T-1", "expected_on": day},
        ),
    ):
        assert do(who, job, deed, **facts).status_code == 302, deed
        assert last_event(job) == kind
    away = job.return_shipments.get()
    do(client, job, "arrived", about=away.pk)
    assert last_event(job) == "equipment.arrived"
    do(client, job, "fast-forward", to="ready_for_return")
    job.refresh_from_db()
    assert job.status == "ready_for_return"


def test_what_was_typed_stays_when_it_is_refused(world: World, dispatcher: User) -> None:
    job, client = world.job("in_progress"), desk_of(dispatcher)
    passed = timezone.localdate() - timedelta(days=3)
    answer = do(client, job, "reschedule", scheduled_for=passed, note="They asked for it")
    assert answer.status_code == 400
    assert "This day has passed." in text(answer)
    assert "They asked for it" in answer.content.decode()
    assert f'value="{passed}"' in answer.content.decode()


def test_a_refusal_is_said_in_the_readers_language(world: World, dispatcher: User) -> None:
    job, client = world.job("in_progress"), desk_of(dispatcher)
    client.cookies["django_language"] = "de"
    answer = do(client, job, "reschedule", scheduled_for=timezone.localdate() - timedelta(days=3))
    assert answer.status_code == 400
    assert "Dieser Tag ist vorbei." in text(answer)
    client.cookies["django_language"] = "es"
    evil = do(client, job, "attach", key=_key(client, job), file=[_upload("evil.exe", b"MZ\x90\x00\x03")])
    assert "evil.exe: Este tipo de archivo no está permitido." in text(evil)


def test_only_who_may_overrides_and_it_is_marked(world: World, dispatcher: User, manager: User) -> None:
    job = world.job("new")
    facts = {"to": "completed", "reason": "Done by phone", "reference": "INC-1"}
    assert do(desk_of(dispatcher), job, "override", **facts).status_code == 403
    client = desk_of(manager)
    assert do(client, job, "override", **facts | {"reference": ""}).status_code == 422
    do(client, job, "override", **facts)
    job.refresh_from_db()
    assert job.status == "completed"
    assert "Override, INC-1" in text(client.get(at(job)))


@pytest.mark.parametrize("deed", ["move", "note", "assign", "cancel", "attach", "override", "reschedule", "labour"])
def test_the_auditor_does_nothing(world: World, auditor: User, deed: str) -> None:
    job = world.job("new")
    before = job.version
    assert do(desk_of(auditor), job, deed, to="in_progress", text="x").status_code == 403
    job.refresh_from_db()
    assert job.version == before


def test_a_deed_that_does_not_exist_or_is_about_something_else_is_not_found(world: World, manager: User) -> None:
    client, job, other = desk_of(manager), world.job("new"), world.short()
    assert do(client, job, "fly").status_code == 404
    assert do(client, job, "line-cancel", about=other.line_id, reason="x").status_code == 404
    assert do(client, job, "arrived", about="x").status_code == 404


# --- Parts orders and lines ------------------------------------------------------------------------------------------


def test_an_order_is_held_and_let_go(world: World, dispatcher: User) -> None:
    order, client = world.placed(world.part_in_stock(), 1), desk_of(dispatcher)
    do(client, order, "hold", reason="Credit limit")
    assert "is on hold: Credit limit" in text(client.get(at(order)))
    assert 'value="released"' not in client.get(at(order)).content.decode()
    do(client, order, "let-go")
    order.refresh_from_db()
    assert not order.on_hold


def test_a_part_of_an_order_is_shipped(world: World, dispatcher: User) -> None:
    order, client = world.placed(world.part_in_stock(), 3), desk_of(dispatcher)
    line = order.lines.get()
    form = client.get(f"{at(order)}?do=ship").content.decode()
    assert line.pk.hex in form
    assert do(client, order, "ship", walk="on").status_code == 422  # nothing was entered
    too_much = do(client, order, "ship", walk="on", **{line.pk.hex: "4"})
    assert too_much.status_code == 422
    do(client, order, "ship", walk="on", carrier="DHL", tracking_number="T-9", **{line.pk.hex: "2"})
    assert Shipment.objects.get(order=order).tracking_number == "T-9"
    shown = text(client.get(at(order)))
    assert "T-9" in shown
    assert OrderLine.objects.filter(order=order, status="shipped", quantity=2).exists()


def test_all_that_is_put_aside_is_filled_in_to_be_shipped(world: World, dispatcher: User) -> None:
    order, client = world.placed(world.part_in_stock(Decimal(1500)), 1200), desk_of(dispatcher)
    line = order.lines.get()
    form = client.get(f"{at(order)}?do=ship").content.decode()
    filled = re.search(rf'name="{line.pk.hex}" value="([^"]*)"', form)
    assert filled
    do(client, order, "ship", walk="on", **{line.pk.hex: filled[1]})
    line.refresh_from_db()
    assert (line.status, line.quantity) == ("shipped", 1200)


def test_a_note_that_is_refused_is_told_where_it_stands(world: World, dispatcher: User) -> None:
    job, client = world.job("new"), desk_of(dispatcher)
    answer = do(client, job, "note", text=" ", public="on")
    assert answer.status_code == 422
    assert 'id="deed"' not in answer.content.decode()
    assert re.search(r'<textarea id="note-text"[^>]* aria-describedby="note-error"', answer.content.decode())
    assert 'name="public" checked' in answer.content.decode()


def test_the_form_that_stands_open_stays_when_another_is_sent(world: World, dispatcher: User) -> None:
    job, client = world.job("new"), desk_of(dispatcher)
    beside = {"open": "reschedule", "open_about": "", "quick": True}
    said = do(client, job, "note", text="Asked them", **beside).content.decode()
    assert 'name="deed" value="reschedule"' in said
    job.refresh_from_db()
    assert f'name="expected_version" value="{job.version}"' in said[said.index('id="deed"') :]
    refused = do(client, job, "move", to="completed", **beside).content.decode()
    assert 'name="deed" value="reschedule"' in refused
    day = timezone.localdate() + timedelta(days=3)
    done = do(client, job, "reschedule", scheduled_for=day, **beside).content.decode()
    assert 'id="deed"' not in done
    of_a_manager = do(client, job, "note", text="And again", quick=True, open="override", open_about="")
    assert 'id="deed"' not in of_a_manager.content.decode()


def test_a_line_is_moved_promised_and_cancelled_in_part(world: World, dispatcher: User) -> None:
    order, client = world.placed(world.part_in_stock(), 3), desk_of(dispatcher)
    line = order.lines.get()
    do(client, order, "line-move", about=line.pk, to="released", expected_version=line.version)
    line.refresh_from_db()
    assert line.status == "released"
    day = timezone.localdate() + timedelta(days=5)
    do(client, order, "line-promise", about=line.pk, promised_on=day, expected_version=line.version)
    line.refresh_from_db()
    assert line.promised_on == day
    later = do(
        client, order, "line-promise", about=line.pk, promised_on=day + timedelta(1), expected_version=line.version
    )
    assert later.status_code == 400
    assert "A reason is required." in text(later)
    do(client, order, "line-cancel", about=line.pk, quantity="1", reason="too many", expected_version=line.version)
    assert OrderLine.objects.filter(order=order, status="cancelled", quantity=1).exists()
    assert OrderLine.objects.filter(order=order, status="released", quantity=2).exists()


def test_a_back_order_is_worked_on_from_the_line(world: World, dispatcher: User) -> None:
    waiting, client = world.short(), desk_of(dispatcher)
    order, line = waiting.line.order, waiting.line_id
    do(client, order, "line-supply", about=line, to="sourcing", note="Asked two others")
    assert BackOrder.objects.get(pk=waiting.pk).status == "sourcing"
    do(client, order, "line-hold", about=line, reason="checks the number")
    assert BackOrder.objects.get(pk=waiting.pk).on_hold
    do(client, order, "line-serve", about=line)
    assert not BackOrder.objects.get(pk=waiting.pk).on_hold


def test_a_line_that_came_back_is_booked_and_another_is_overridden(world: World, manager: User) -> None:
    order, client = world.shipped(), desk_of(manager)
    line = order.lines.get()
    do(client, order, "line-return", about=line.pk, quantity="1", unfit="0", expected_version=line.version)
    line.refresh_from_db()
    assert line.status == "returned"
    other = world.placed(world.part_in_stock(), 1)
    line = other.lines.get()
    facts = {"to": "shipped", "reason": "by courier", "reference": "T-1", "expected_version": line.version}
    do(client, other, "line-override", about=line.pk, **facts)
    line.refresh_from_db()
    assert line.status == "shipped"


def test_a_whole_order_is_cancelled(world: World, dispatcher: User) -> None:
    order, client = world.placed(world.part_in_stock(), 3), desk_of(dispatcher)
    do(client, order, "cancel", reason="ordered twice")
    order.refresh_from_db()
    assert order.status == "cancelled"
    assert "Nothing: all of it is cancelled." in text(client.get(at(order)))


def test_a_quantity_is_read_in_the_readers_language(world: World, dispatcher: User) -> None:
    order, client = world.placed(world.part_in_stock(), 3), desk_of(dispatcher)
    line = order.lines.get()
    client.cookies["django_language"] = "de"
    answer = do(client, order, "line-cancel", about=line.pk, quantity="1,5", reason="x", expected_version=line.version)
    assert answer.status_code == 400  # understood as one and a half, of which there are no pieces
    assert "muss eine ganze Zahl sein" in text(answer)


# --- Files -----------------------------------------------------------------------------------------------------------


def _upload(name: str, content: bytes) -> io.BytesIO:
    file = io.BytesIO(content)
    file.name = name
    return file


def _key(client, job: ServiceOrder) -> str:
    form = client.get(f"{at(job)}?do=attach").content.decode()
    found = re.search(r'name="key" value="([0-9a-f-]{36})"', form)
    assert found is not None
    return found[1]


def test_files_are_added_and_sent_twice_added_once(world: World, dispatcher: User) -> None:
    job, client = world.job("new"), desk_of(dispatcher)
    key = _key(client, job)
    for _ in range(2):
        files = [_upload("a.pdf", PDF), _upload("photo.jpg", picture())]
        assert do(client, job, "attach", key=key, file=files, public="on").status_code == 302
    assert sorted(Attachment.objects.values_list("name", "visibility")) == [
        ("a.pdf", "public"),
        ("photo.jpg", "public"),
    ]
    shown = text(client.get(at(job)))
    assert "a.pdf" in shown
    assert "The customer sees it" in shown


def test_a_file_that_is_refused_says_why_and_the_others_are_kept(world: World, dispatcher: User) -> None:
    job, client = world.job("new"), desk_of(dispatcher)
    files = [_upload("evil.exe", b"MZ\x90\x00\x03"), _upload("a.pdf", PDF)]
    answer = do(client, job, "attach", key=_key(client, job), file=files)
    assert answer.status_code == 400
    assert "evil.exe: This is not a file of an allowed kind." in text(answer)
    assert "Added: a.pdf." in text(answer)
    assert [row.name for row in Attachment.objects.all()] == ["a.pdf"]


def test_a_file_is_removed_with_a_reason_by_who_may(world: World, dispatcher: User, technician: User) -> None:
    job = world.job("new")
    row = attachments.attach(service_order_id=job.pk, name="a.pdf", content=PDF, **cause(dispatcher))
    assert "Remove" not in text(desk_of(technician).get(at(job)))
    assert do(desk_of(technician), job, "remove-file", about=row.pk, reason="x").status_code == 403
    client = desk_of(dispatcher)
    do(client, job, "show-file", about=row.pk)
    row.refresh_from_db()
    assert row.visibility == "public"
    do(client, job, "hide-file", about=row.pk)
    do(client, job, "remove-file", about=row.pk, reason="wrong machine")
    row.refresh_from_db()
    assert row.removed_at is not None
    assert client.get(f"/desk/files/{row.pk}/").status_code == 404
    assert "wrong machine" in text(client.get(at(job)))


def test_a_file_is_sent_so_that_nothing_in_it_can_act(world: World, dispatcher: User, partner: User, client) -> None:
    job = world.job("new")
    photo = attachments.attach(service_order_id=job.pk, name="Bär.jpg", content=picture(), **cause())
    table = attachments.attach(service_order_id=job.pk, name="a.csv", content=b"a;b", **cause())
    desk = desk_of(dispatcher)
    for row, shown in ((photo, "inline"), (table, "attachment")):
        answer: Any = desk.get(f"/desk/files/{row.pk}/")
        assert answer.headers["Content-Disposition"].startswith(shown)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert answer.headers["Content-Type"] == row.content_type
        assert len(b"".join(answer.streaming_content)) == row.size
    saved: Any = desk.get(f"/desk/files/{photo.pk}/?save")
    assert saved.headers["Content-Disposition"].startswith("attachment")
    assert b"".join(saved.streaming_content)
    assert desk_of(partner).get(f"/desk/files/{photo.pk}/").status_code == 403
    assert client.get(f"/desk/files/{photo.pk}/").status_code == 302
    assert desk.get("/desk/files/01234567-89ab-7def-8123-456789abcdef/").status_code == 404
    Path(photo.file.path).unlink()
    assert desk.get(f"/desk/files/{photo.pk}/").status_code == 404


def test_a_shipped_line_cannot_be_cancelled_and_says_so(world: World, dispatcher: User) -> None:
    order, client = world.shipped(), desk_of(dispatcher)
    line = order.lines.get()
    assert "line-cancel" not in client.get(at(order)).content.decode()
    answer = do(client, order, "line-cancel", about=line.pk, reason="x", expected_version=line.version)
    assert answer.status_code == 409
    assert "Not possible" in text(answer)


def test_a_quantity_of_nothing_is_not_cancelled(world: World, dispatcher: User) -> None:
    order, client = world.placed(world.part_in_stock(), Decimal(3)), desk_of(dispatcher)  # type: ignore[arg-type]
    line = order.lines.get()
    answer = do(client, order, "line-cancel", about=line.pk, quantity="0", reason="x", expected_version=line.version)
    assert answer.status_code == 400
    lines.move(line_id=line.pk, to="released", **cause())
