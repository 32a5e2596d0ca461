"""The day and the job on the phone: what is shown, what each form does, and what it says where it cannot."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image
from pytest_django import Settings

from orders.actions import service_orders
from orders.models import Attachment, DiagnosticNote, LabourEntry, OrderEvent, ServiceOrder
from tests.admin.world import World, cause
from tests.factories.parts import PartFactory, RegionFactory
from tests.phone.conftest import Send, address, job_of, loaded, sent_to

pytestmark = pytest.mark.django_db


def text_of(phone: Client, where: str) -> str:
    answer = phone.get(where)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def plain_form(phone: Client, job: ServiceOrder, deed: str) -> dict[str, str]:
    """Return what a browser without scripts would send back untouched."""
    page = phone.get(address(job)).content.decode()
    form = next(part for part in page.split("<form")[1:] if f'name="deed" value="{deed}"' in part).split("</form>")[0]
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))


# --- The day -------------------------------------------


def test_the_day_is_sorted_by_what_jobs_ask_for(world: World, phone: Client, technician: User) -> None:
    now, today = timezone.now(), timezone.localdate()
    late = job_of(world, technician, repair_due_at=now - timedelta(hours=3))
    passed = job_of(world, technician, "new", scheduled_for=today - timedelta(days=1))
    near = job_of(world, technician, repair_due_at=now + timedelta(hours=2))
    paused = job_of(world, technician, "awaiting_parts")
    later = job_of(world, technician, "new", scheduled_for=today + timedelta(days=3))
    done = job_of(world, None, "completed", technician=technician)
    page = text_of(phone, "/t/")

    order = [page.index(job.reference) for job in (late, passed, near, paused, later)]
    assert order == sorted(order)
    assert done.reference not in page
    assert "1 job is past its deadline." in page
    assert "Deadline passed 3 h ago" in page
    assert "Deadline in 1 h" in page or "Deadline in 2 h" in page


def test_jobs_that_nobody_has_are_offered_those_of_the_vans_region_first(
    world: World, phone: Client, technician: User, van: object
) -> None:
    near = job_of(world, None, "new")
    down = job_of(world, None, "new", machine_down=True)
    far = job_of(world, None, "new", region=RegionFactory.create(code="FAR"))
    draft, theirs = job_of(world, None, "draft"), job_of(world, world.person)
    page = text_of(phone, "/t/")
    assert page.index(down.reference) < page.index(near.reference)
    assert far.reference not in page
    assert draft.reference not in page
    assert theirs.reference not in page
    assert far.reference in text_of(phone, "/t/?everywhere=1")


def test_free_jobs_come_in_pages_and_each_comes_once(world: World, phone: Client) -> None:
    expected = {job_of(world, None, "new", machine_down=number % 3 == 0).reference for number in range(25)}
    page = text_of(phone, "/t/")
    first = set(re.findall(r"SO-\d{6}", page))
    after = re.search(r'href="\?after=([^"#]+)', page)
    assert after
    second = set(re.findall(r"SO-\d{6}", text_of(phone, f"/t/?after={after[1]}")))
    assert (len(first), first | second, first & second) == (20, expected, set())
    for nonsense in ("x", "1.x", "9." + "0" * 32, "%00"):
        assert phone.get("/t/", {"after": nonsense}).status_code == 200


def test_the_number_of_queries_does_not_grow_with_the_day(world: World, phone: Client, technician: User) -> None:
    counts = []
    for size in (2, 18):
        for _ in range(size):
            job = job_of(world, technician)
            sent_to(world, world.part_in_stock(), kind="service", service_order_id=job.pk)
            job_of(world, None, "new")
        with CaptureQueriesContext(connection) as queries:
            phone.get("/t/")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 10


def test_the_number_of_queries_of_a_job_does_not_grow_with_its_parts(
    world: World, phone: Client, technician: User
) -> None:
    job, counts = job_of(world, technician), []
    for size in (2, 10):
        for _ in range(size):
            sent_to(world, world.part_in_stock(), kind="service", service_order_id=job.pk)
        with CaptureQueriesContext(connection) as queries:
            phone.get(address(job))
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 14


# --- One job -------------------------------------------


def test_what_is_to_be_confirmed_shows_the_serial_numbers_it_left_with(
    world: World, phone: Client, technician: User
) -> None:
    job = job_of(world, technician)
    sent_to(world, world.part_in_stock(), ("HP-1", "HP-2"), kind="service", service_order_id=job.pk)
    for where in (address(job), "/t/deliveries/"):
        assert "HP-1, HP-2" in text_of(phone, where)


def test_a_job_shows_who_where_what_and_the_parts_with_their_dates(
    world: World, phone: Client, technician: User
) -> None:
    world.customer.address, world.customer.phone = "Steinbruch 7, gate 2", "+49 69 555"
    world.customer.latitude, world.customer.longitude = 50.5, 8.25
    world.customer.save()
    job = job_of(world, technician, description="Ask for the key")
    line = sent_to(world, world.part_in_stock(), kind="service", service_order_id=job.pk)
    short = world.placed(PartFactory.create(), 3, service_order_id=job.pk).lines.get(is_split=False)
    page = text_of(phone, address(job))
    assert job.equipment is not None
    for text in (world.customer.name, job.equipment.serial_number, "Steinbruch 7, gate 2", "Ask for the key"):
        assert text in page
    assert 'href="tel:+4969555"' in page
    assert 'href="geo:50.5,8.25"' in page
    assert line.part.number in page
    assert line.reference in page
    assert "Shipped" in page
    assert "Nordfracht" in page
    assert short.part.number in page
    assert "no date yet" in page


def test_claiming_and_advancing_without_scripts(world: World, phone: Client, technician: User) -> None:
    job = job_of(world, None, "new")
    answer = phone.post(address(job), plain_form(phone, job, "claim"), follow=True)
    assert f"{job.reference} is yours." in answer.content.decode()
    answer = phone.post(
        address(job), {**plain_form(phone, job, "advance"), "to": "in_progress", "note": "Here"}, follow=True
    )
    assert f"{job.reference} is In Progress now." in answer.content.decode()
    after = ServiceOrder.objects.get(pk=job.pk)
    assert (after.status, after.technician) == ("in_progress", technician)
    event = OrderEvent.objects.get(subject_id=job.pk, version=after.version)
    assert (event.source, event.actor, event.text.text) == ("phone", f"user:{technician.pk}", "Here")


def test_a_repair_that_is_done_walks_every_step(world: World, phone: Client, technician: User, send: Send) -> None:
    job = job_of(world, technician)
    said = send(address(job), deed="advance", to="walk:ready_for_return", version=job.version)
    assert said.status == 200
    assert (said.document["before"], said.document["version"]) == (job.version, job.version + 3)
    assert ServiceOrder.objects.get(pk=job.pk).status == "ready_for_return"


def test_the_same_plain_form_sent_twice_has_one_effect(world: World, phone: Client, technician: User) -> None:
    job = job_of(world, technician)
    form = {**plain_form(phone, job, "note"), "text": "Valve is stuck"}
    pages = [phone.post(address(job), form, follow=True).content.decode() for _ in range(2)]
    assert all("The note is on" in page for page in pages)
    assert OrderEvent.objects.filter(subject_id=job.pk, kind="note.added").count() == 1


@pytest.mark.parametrize(
    ("deed", "fields"),
    [
        ("note", {"text": "Valve is stuck"}),
        ("labour", {"minutes": "45", "description": "Changed it"}),
        ("diagnosis", {"text": "Seal worn", "failure_code": "HYD-1"}),
        ("advance", {"to": "awaiting_parts"}),
    ],
)
def test_what_the_queue_sends_again_has_one_effect_and_the_same_answer(
    world: World, technician: User, send: Send, deed: str, fields: dict[str, str]
) -> None:
    job = job_of(world, technician)
    fields = {**fields, "deed": deed, "version": str(job.version)}
    first, second = (
        send(address(job), key="5e1c1b1e-0000-4000-8000-000000000001", waited=wait, **fields) for wait in (5, 90)
    )
    assert (first.status, first.document) == (second.status, second.document) == (200, first.document)
    assert first.document["before"] == job.version
    assert ServiceOrder.objects.get(pk=job.pk).version == job.version + 1 == first.document["version"]


def test_what_was_done_in_a_cellar_happened_then(world: World, technician: User, send: Send) -> None:
    job = job_of(world, technician)
    then = timezone.now() - timedelta(hours=2)
    ServiceOrder.objects.filter(pk=job.pk).update(status_since=then - timedelta(hours=1))
    send(address(job), deed="labour", minutes="30", waited=7200)
    send(address(job), deed="advance", to="awaiting_parts", version=job.version + 1, waited=7200)
    entry = LabourEntry.objects.get()
    assert abs(entry.started_at - (then - timedelta(minutes=30))) < timedelta(minutes=1)
    event = OrderEvent.objects.get(subject_id=job.pk, to_status="awaiting_parts")
    assert abs(event.occurred_at - then) < timedelta(minutes=1)
    assert event.recorded_at > event.occurred_at


@pytest.mark.parametrize("waited", [-50, 10**12])
def test_a_phones_clock_does_not_turn_time_back(world: World, technician: User, send: Send, waited: int) -> None:
    job = job_of(world, technician)
    since = ServiceOrder.objects.get(pk=job.pk).status_since
    assert send(address(job), deed="advance", to="awaiting_parts", version=job.version, waited=waited).status == 200
    assert since <= ServiceOrder.objects.get(pk=job.pk).status_since <= timezone.now()


def test_a_finding_and_labour_are_written_down(world: World, phone: Client, technician: User, send: Send) -> None:
    job = job_of(world, technician)
    assert send(address(job), deed="diagnosis", text="Seal worn", failure_code="HYD-1").status == 200
    assert send(address(job), deed="labour", minutes="45", description="Changed it").status == 200
    assert (DiagnosticNote.objects.get().author, LabourEntry.objects.get().minutes) == (technician, 45)


def test_a_photo_is_on_the_job_once_and_can_be_opened_from_it(
    world: World, phone: Client, technician: User, send: Send, settings: Settings, tmp_path: object
) -> None:
    settings.MEDIA_ROOT = tmp_path
    job, picture = job_of(world, technician), io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(picture, "JPEG")
    for _ in range(2):
        file = io.BytesIO(picture.getvalue())
        file.name = "seal.jpg"
        said = send(
            address(job), key="5e1c1b1e-0000-4000-8000-000000000002", deed="photo", photo=file, caption="The worn seal"
        )
        assert said.status == 200
    photo = Attachment.objects.get()
    assert (photo.name, photo.content_type, photo.added_by) == ("seal.jpg", "image/jpeg", technician)
    assert OrderEvent.objects.filter(subject_id=job.pk, kind="attachment.added").count() == 1
    link = re.search(r'href="([^"]+)">seal.jpg', phone.get(address(job)).content.decode())
    assert link
    opened = phone.get(link[1])
    assert opened.status_code == 200
    opened.close()


def test_a_file_that_is_no_photo_is_refused_in_words(world: World, technician: User, send: Send) -> None:
    job = job_of(world, technician)
    file = io.BytesIO(b"MZ\x90\x00")
    file.name = "setup.jpg"
    said = send(address(job), deed="photo", photo=file)
    assert (said.status, said.document["code"]) == (400, "file_refused")
    assert not Attachment.objects.exists()


def test_what_is_refused_is_said_in_the_readers_language(
    world: World, phone: Client, technician: User, send: Send
) -> None:
    job = job_of(world, technician)
    phone.cookies["django_language"] = "de"
    file = io.BytesIO(b"MZ\x90\x00")
    file.name = "setup.jpg"
    said = send(address(job), deed="photo", photo=file)
    assert said.document["says"].startswith("Diese Art von Datei ist nicht erlaubt. Erlaubt: ")


# --- What cannot be done -------------------------------------------


def test_a_conflict_tells_what_happened_meanwhile(world: World, technician: User, dispatcher: User, send: Send) -> None:
    job = job_of(world, technician)
    told = {**cause(dispatcher), "source": "desk"}
    service_orders.move(service_order_id=job.pk, to="awaiting_parts", **told)
    service_orders.add_note(service_order_id=job.pk, text="Call me", **told)
    said = send(address(job), deed="advance", to="new", version=job.version)

    assert (said.status, said.document["code"]) == (412, "version_conflict")
    assert said.document["says"] == f"{job.reference} has changed since you saw it; it is Awaiting Parts now."
    assert [change.split(": ", 1)[1] for change in said.document["changes"]] == ["Status: Awaiting Parts.", "Note."]
    assert "Dispatcher" in said.document["changes"][0]
    assert said.document["version"] == job.version + 2
    again = send(address(job), deed="advance", to="in_progress", version=said.document["version"])
    assert again.status == 200


def test_a_jump_says_where_one_can_go(world: World, technician: User, send: Send) -> None:
    job = job_of(world, technician)
    said = send(address(job), deed="advance", to="completed", version=job.version)
    assert (said.status, said.document["code"]) == (409, "transition_refused")
    assert "is In Progress. From there: Awaiting Parts, New, Cancelled." in said.document["says"]


def test_a_job_that_another_has_says_who(world: World, technician: User, send: Send) -> None:
    job = job_of(world, None, "new")
    service_orders.assign(service_order_id=job.pk, technician_id=world.person.pk, **cause())
    said = send(address(job), deed="claim", version=job.version)
    assert (said.status, said.document["says"]) == (409, f"Some Body has {job.reference} already.")


def test_a_refused_plain_form_comes_back_with_what_was_typed(world: World, phone: Client, technician: User) -> None:
    job = job_of(world, technician)
    form = {**plain_form(phone, job, "advance"), "to": "awaiting_parts", "note": "Ordered two"}
    service_orders.add_note(service_order_id=job.pk, text="Meanwhile", **cause())
    answer = phone.post(address(job), form)
    page = answer.content.decode()
    assert answer.status_code == 412
    assert "has changed since you saw it" in page
    assert "Ordered two" in page
    assert ServiceOrder.objects.get(pk=job.pk).status == "in_progress"


@pytest.mark.parametrize(
    ("deed", "fields"),
    [
        ("note", {"text": " "}),
        ("note", {"text": "x" * 2001}),
        ("labour", {"minutes": "0"}),
        ("labour", {"minutes": "1441"}),
        ("labour", {"minutes": "a lot"}),
        ("diagnosis", {"text": ""}),
        ("advance", {"to": "nowhere", "version": "1"}),
        ("advance", {"to": "awaiting_parts"}),
        ("photo", {}),
        ("code", {"code": ""}),
    ],
)
def test_a_form_that_makes_no_sense_changes_nothing(
    world: World, phone: Client, technician: User, send: Send, deed: str, fields: dict[str, str]
) -> None:
    job = job_of(world, technician)
    assert send(address(job), deed=deed, **fields).status == 400
    answer = phone.post(address(job), {"deed": deed, **fields})
    assert answer.status_code == 400
    assert "This cannot be done yet" in answer.content.decode()
    assert ServiceOrder.objects.get(pk=job.pk).version == job.version


def test_an_unknown_deed_and_a_foreign_key_change_nothing(world: World, technician: User, send: Send) -> None:
    job, key = job_of(world, technician), "5e1c1b1e-0000-4000-8000-000000000003"
    assert send(address(job), deed="explode").document["says"] == "Nothing was changed."
    send(address(job), key=key, deed="note", text="One")
    said = send(address(job), key=key, deed="note", text="Two")
    assert (said.status, said.document["code"]) == (422, "idempotency_key_reused")
    assert OrderEvent.objects.filter(subject_id=job.pk, kind="note.added").count() == 1


# --- Parts and the van -------------------------------------------


def test_parts_on_their_way_are_listed_by_job_and_confirmed_by_code(
    world: World, phone: Client, technician: User, van: object
) -> None:
    job = job_of(world, technician)
    line = sent_to(world, world.part_in_stock(), kind="service", service_order_id=job.pk)
    mine = sent_to(world, world.part_in_stock(), kind="transfer", destination_id=van.pk)  # type: ignore[attr-defined]
    theirs = sent_to(world, world.part_in_stock(), kind="service", service_order_id=job_of(world, world.person).pk)
    page = text_of(phone, "/t/deliveries/")
    assert job.reference in page
    assert "For my van" in page
    assert mine.reference in page
    assert theirs.reference not in page

    answer = phone.post("/t/deliveries/", {"code": line.part.number}, follow=True)
    assert f"Delivered: {line.reference}." in answer.content.decode()
    answer = phone.post("/t/deliveries/", {"code": line.part.number}, follow=True)
    assert f"{line.reference} had been confirmed before." in answer.content.decode()
    answer = phone.post("/t/deliveries/", {"code": "NEVER-HEARD-OF"})
    assert answer.status_code == 404
    assert "Nothing is known here by the code" in answer.content.decode()


def test_a_part_that_was_not_sent_says_how_it_stands(world: World, technician: User, send: Send) -> None:
    job = job_of(world, technician)
    line = world.placed(PartFactory.create(), 3, service_order_id=job.pk).lines.get(is_split=False)
    said = send(address(job), deed="code", code=line.part.number)
    assert (said.status, said.document["code"]) == (409, "not_on_its_way")
    assert said.document["changes"] == [f"{line.reference}: Back-ordered."]


def test_the_van_is_counted_and_says_what_differs(world: World, phone: Client, van: object) -> None:
    part, other = PartFactory.create(), PartFactory.create()
    loaded(van, part)  # type: ignore[arg-type]
    page = phone.get("/t/van/").content.decode()
    level = re.search(r'name="counted-([0-9a-f-]+)"', page)
    assert level
    form = {f"counted-{level[1]}": "3", f"expected-{level[1]}": "4", "extra_code": other.number, "extra_counted": "1"}
    page = phone.post("/t/van/", form, follow=True).content.decode()
    assert "Counted. 2 parts differ; the parts manager sees them." in page
    assert other.number in page
    assert re.search(r"Last counted.*2 parts differed", re.sub(r"\s+", " ", page))


def test_books_that_changed_are_explained_and_a_second_try_counts(
    world: World, phone: Client, send: Send, van: object
) -> None:
    part = PartFactory.create()
    loaded(van, part)  # type: ignore[arg-type]
    level = part.levels.get()
    form = {f"counted-{level.pk}": "3", f"expected-{level.pk}": "4", "anyway": ""}
    loaded(van, part, 1)  # type: ignore[arg-type]
    said = send("/t/van/", **form)
    assert (said.status, said.document["code"]) == (409, "count_outdated")
    assert said.document["changes"] == [f"{part.number}: 4 then, 5 now."]
    plain = phone.post("/t/van/", form)
    assert plain.status_code == 409
    assert 'value="3"' in plain.content.decode()
    assert send("/t/van/", **{**form, "anyway": "1"}).status == 200
    assert part.levels.get().on_hand == 3


@pytest.mark.parametrize("typed", ["-1", "a few", "1.5", "9" * 20])
def test_a_count_that_makes_no_sense_comes_back_as_typed(phone: Client, van: object, typed: str) -> None:
    part = PartFactory.create()
    loaded(van, part)  # type: ignore[arg-type]
    level = part.levels.get()
    answer = phone.post("/t/van/", {f"counted-{level.pk}": typed, f"expected-{level.pk}": "4"})
    assert answer.status_code == 400
    assert f'value="{typed}"' in answer.content.decode()
    assert part.levels.get().on_hand == 4


def test_nothing_counted_is_no_count(phone: Client, van: object) -> None:
    answer = phone.post("/t/van/", {"counted-nonsense": "1", "extra_code": ""})
    assert answer.status_code == 400


def test_who_has_no_van_is_told_so(phone: Client) -> None:
    assert "You have no van" in text_of(phone, "/t/van/")
    assert phone.post("/t/van/", {}).status_code == 404
