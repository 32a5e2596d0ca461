"""The technician's phone in a cellar: the network goes, work goes on, nothing is lost, doubled or sent for others."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from PIL import Image
from playwright.sync_api import Route, expect

from config import roles
from orders.actions import service_orders
from orders.models import Attachment, LabourEntry, OrderEvent, OrderLine, ServiceOrder
from parts.actions import stock
from parts.models import StockCount
from tests.admin.world import World, cause
from tests.browser.conftest import ScreenOf
from tests.browser.phone import (
    KEPT,
    anew,
    cellar,
    entries,
    forgive,
    job_of,
    notes_of,
    page_of,
    picture,
    ready,
    shipped_for,
    sign_in,
    sign_out,
    too_small,
    unfold,
    unfold_steps_note,
    waiting,
)
from tests.browser.screen import PHONE
from tests.conftest import PASSWORD
from tests.factories.parts import PartFactory, WarehouseFactory


@pytest.fixture
def job(world: World, technician: User) -> ServiceOrder:
    """A job of the technician, at a customer with an address."""
    world.customer.address, world.customer.phone = "Steinbruch 7, gate 2", "+49 69 555"
    world.customer.latitude, world.customer.longitude = 50.5, 8.25
    world.customer.save()
    return job_of(world, technician)


# --- With a network --------------------------------------------------------------------------------------------------


def test_a_technician_takes_a_job_works_on_it_and_hands_it_over(
    world: World, technician: User, screen_of: ScreenOf
) -> None:
    job = job_of(world, None, "new")
    screen = screen_of(technician, PHONE)
    screen.go("/t/")
    page = screen.page
    page.get_by_role("link", name=job.reference).click()
    page.get_by_role("button", name="I take this job").click()
    expect(page.get_by_text(f"{job.reference} is yours.")).to_be_visible()
    page.get_by_role("button", name="Start work").click()
    expect(page.get_by_text(f"{job.reference} is In Progress now.")).to_be_visible()

    unfold(page, "Labour")
    page.get_by_label("Minutes worked").fill("45")
    page.get_by_label("What was done").fill("Changed the seal")
    page.get_by_role("button", name="Add the labour").click()
    expect(page.get_by_text("45 min of work are on")).to_be_visible()
    unfold(page, "Finding")
    page.get_by_label("Finding").fill("Seal worn")
    page.get_by_role("button", name="Add the finding").click()
    expect(page.get_by_text("The finding is on")).to_be_visible()
    page.get_by_role("button", name="Repair is done").click()
    expect(page.get_by_text("is Ready for Return now")).to_be_visible()
    page.get_by_role("button", name="The customer has it").click()
    expect(page.get_by_text("is Completed now")).to_be_visible()
    assert ServiceOrder.objects.get(pk=job.pk).status == "completed"
    assert waiting(page) == 0


def test_a_double_tap_has_one_effect(job: ServiceOrder, technician: User, screen_of: ScreenOf) -> None:
    screen = screen_of(technician, PHONE)
    screen.go(page_of(job))
    page = screen.page
    page.get_by_role("button", name="Parts are missing").dblclick()
    expect(page.get_by_text("is Awaiting Parts now")).to_be_visible()
    unfold(page, "Note")
    page.get_by_label("Note", exact=True).fill("Tapped twice")
    page.get_by_role("button", name="Add the note").dblclick()
    expect(page.get_by_text("The note is on")).to_be_visible()
    assert waiting(page) == 0
    assert notes_of(job) == ["Tapped twice"]
    assert OrderEvent.objects.filter(subject_id=job.pk, to_status="awaiting_parts").count() == 1


def test_a_photo_is_made_smaller_before_it_is_sent(job: ServiceOrder, technician: User, screen_of: ScreenOf) -> None:
    screen = screen_of(technician, PHONE)
    screen.go(page_of(job))
    page = screen.page
    unfold(page, "Photo")
    page.get_by_label("Photo", exact=True).set_input_files(
        {"name": "IMG_1.jpg", "mimeType": "image/jpeg", "buffer": picture(3000, 2000)}
    )
    page.get_by_label("What it shows").fill("The seal")
    page.get_by_role("button", name="Add the photo").click()
    expect(page.get_by_text("The photo is on")).to_be_visible()
    photo = Attachment.objects.get()
    assert photo.content_type == "image/jpeg"
    with photo.file.open() as file, Image.open(file) as kept:
        assert kept.size == (1600, 1067)


# --- Without ---------------------------------------------------------------------------------------------------------


def test_what_is_done_in_a_cellar_waits_survives_a_reload_and_is_sent_in_order(
    world: World, job: ServiceOrder, technician: User, screen_of: ScreenOf
) -> None:
    line = shipped_for(world, job)
    screen = ready(screen_of(technician, PHONE), job)
    page = screen.page
    with cellar(screen):
        page.get_by_role("button", name="Parts are missing").click()
        expect(entries(page)).to_have_count(1)
        expect(entries(page).first).to_contain_text("Waits for the network")
        page.get_by_role("button", name="Go on working").click()  # the page is ahead of the server
        unfold(page, "Note")
        page.get_by_label("Note", exact=True).fill("Found one in the van")
        page.get_by_role("button", name="Add the note").click()
        expect(entries(page)).to_have_count(3)
        page.get_by_role("button", name="It is here").click()
        expect(entries(page)).to_have_count(4)

        page.reload()
        expect(page.get_by_text("No network. This page is as it was at")).to_be_visible()
        expect(page.get_by_text("Steinbruch 7, gate 2")).to_be_visible()
        expect(entries(page)).to_have_count(4)
        expect(page.get_by_role("button", name="It is here")).to_be_hidden()
        page.get_by_role("link", name="To send").click()
        expect(page.get_by_role("heading", name="To send")).to_be_visible()
        expect(entries(page)).to_have_count(4)
        assert ServiceOrder.objects.get(pk=job.pk).version == job.version
    expect(entries(page)).to_have_count(0)
    happened = list(OrderEvent.objects.filter(subject_id=job.pk, version__gt=job.version).order_by("version"))
    assert [(one.kind, one.to_status) for one in happened] == [
        ("service_order.status_changed", "awaiting_parts"),
        ("service_order.status_changed", "in_progress"),
        ("note.added", ""),
    ]
    assert OrderLine.objects.get(pk=line.pk).status == "delivered"
    assert all(one.occurred_at <= one.recorded_at for one in happened)


def test_a_job_that_was_never_opened_is_there_because_it_was_on_the_list(
    job: ServiceOrder, technician: User, screen_of: ScreenOf
) -> None:
    screen = ready(screen_of(technician, PHONE))
    page = screen.page
    page.evaluate(KEPT, page_of(job))
    with cellar(screen):
        page.get_by_role("link", name=job.reference).click()
        expect(page.get_by_role("heading", name=job.title)).to_be_visible()
        expect(page.get_by_text("No network. This page is as it was at")).to_be_visible()
        page.goto(screen.address + "/t/?everywhere=1")
        expect(page.get_by_text("has not been opened on this phone before")).to_be_visible()
        page.get_by_role("link", name=re.compile(job.reference)).click()
        expect(page.get_by_role("heading", name=job.title)).to_be_visible()


def test_a_job_that_nobody_has_is_taken_in_a_cellar_without_ever_having_been_opened(
    world: World, technician: User, screen_of: ScreenOf
) -> None:
    free = job_of(world, None, "new")
    screen = ready(screen_of(technician, PHONE))
    page = screen.page
    page.evaluate(KEPT, page_of(free))
    with cellar(screen):
        page.get_by_role("link", name=free.reference).click()
        page.get_by_role("button", name="I take this job").click()
        expect(entries(page)).to_have_count(1)
    expect(page.get_by_text("Claimed")).to_be_visible()  # what stays: the word that it is sent goes with the old page
    free.refresh_from_db()
    assert free.technician == technician


def test_a_conflict_is_explained_and_the_person_decides(
    job: ServiceOrder, technician: User, dispatcher: User, screen_of: ScreenOf
) -> None:
    screen = ready(screen_of(technician, PHONE), job)
    page = screen.page
    with cellar(screen):
        unfold_steps_note(page, "Bearing is gone")
        page.get_by_role("button", name="Parts are missing").click()
        unfold(page, "Note")
        page.get_by_label("Note", exact=True).fill("Waits behind it")
        page.get_by_role("button", name="Add the note").click()
        expect(entries(page)).to_have_count(2)
        service_orders.add_note(service_order_id=job.pk, text="Customer called", **cause(dispatcher))
    first = entries(page).first
    expect(first).to_contain_text("Not done")
    expect(first).to_contain_text(f"{job.reference} has changed since you saw it; it is In Progress now.")
    expect(first).to_contain_text("Dispatcher: Note.")
    expect(entries(page).last).to_contain_text("Waits for the one above it")
    assert ServiceOrder.objects.get(pk=job.pk).status == "in_progress"
    anew(page)
    expect(entries(page).first).to_contain_text("has changed since you saw it")

    entries(page).first.get_by_role("button", name="Try again").click()
    expect(entries(page)).to_have_count(0)
    assert ServiceOrder.objects.get(pk=job.pk).status == "awaiting_parts"
    assert notes_of(job) == ["Customer called", "Waits behind it"]
    forgive(screen, "412")


def test_a_conflict_can_be_kept_as_a_note_or_discarded(
    job: ServiceOrder, technician: User, dispatcher: User, screen_of: ScreenOf
) -> None:
    screen = ready(screen_of(technician, PHONE), job)
    page = screen.page
    for ending in ("Keep as a note", "Discard"):
        job.refresh_from_db()
        with cellar(screen):
            unfold_steps_note(page, f"Bearing is gone, {ending}")
            page.get_by_role("button", name="Parts are missing").click()
            expect(entries(page)).to_have_count(1)
            service_orders.add_note(service_order_id=job.pk, text="Customer called", **cause(dispatcher))
        entry = entries(page).first
        expect(entry).to_contain_text("Not done")
        entry.get_by_role("button", name=ending).click()
        if ending == "Discard":
            expect(entries(page)).to_have_count(1)
            entry.get_by_role("button", name="Discard for good?").click()
        else:
            expect(page.get_by_text("The note is on")).to_be_visible()  # the page has loaded itself anew
        expect(entries(page)).to_have_count(0)
    assert ServiceOrder.objects.get(pk=job.pk).status == "in_progress"
    kept = [note for note in notes_of(job) if note != "Customer called"]
    assert kept == [f"Kept as a note: {job.reference}: Awaiting Parts: Bearing is gone, Keep as a note"]
    forgive(screen, "412")


def test_an_answer_that_was_lost_on_the_way_is_asked_for_again_with_the_same_key(
    job: ServiceOrder, technician: User, screen_of: ScreenOf
) -> None:
    screen = ready(screen_of(technician, PHONE), job)
    page = screen.page

    lost = []

    def lose_the_answer(route) -> None:  # the server does it, and the phone never hears
        lost.append(route.fetch())
        route.abort()

    page.route("**" + page_of(job), lambda r: lose_the_answer(r) if r.request.method == "POST" else r.fallback())
    unfold(page, "Labour")
    page.get_by_label("Minutes worked").fill("30")
    page.get_by_role("button", name="Add the labour").click()
    # The browser may say at once that there is a network, and the worker, which nobody is between, asks again.
    expect(page.get_by_text("Kept on this phone. It is sent").or_(page.get_by_text("30 min of work"))).to_be_visible()
    assert lost
    assert LabourEntry.objects.count() == 1
    page.unroute_all()
    anew(page)
    expect(entries(page)).to_have_count(0)
    assert LabourEntry.objects.count() == 1
    forgive(screen, "ERR_FAILED")


@pytest.mark.parametrize("status", [400, 413, 500])
def test_a_deed_that_the_server_cannot_take_holds_up_nothing_but_its_own_job(
    world: World, job: ServiceOrder, technician: User, screen_of: ScreenOf, status: int
) -> None:
    """What a gateway or a mistake of ours answers is no JSON; it is no dead network either."""
    other = job_of(world, technician)
    screen = ready(screen_of(technician, PHONE), job)
    page = screen.page
    # A browser without Background Sync: what the worker sends goes past `page.route`.
    page.add_init_script("delete ServiceWorkerRegistration.prototype.sync")

    def note(about: ServiceOrder) -> None:
        screen.go(page_of(about))
        unfold(page, "Note")
        page.get_by_label("Note", exact=True).fill(f"About {about.reference}")
        page.get_by_role("button", name="Add the note").click()

    def answer(route: Route) -> None:
        is_deed = route.request.method == "POST"
        route.fulfill(status=status, content_type="text/html", body="<h1>No</h1>") if is_deed else route.fallback()

    page.route("**" + page_of(job), answer)
    note(job)
    expect(entries(page)).to_have_count(1)
    note(other)
    expect(page.get_by_text(f"The note is on {other.reference}")).to_be_visible()
    note(job)
    expect(entries(page)).to_have_count(2)
    assert (notes_of(job), notes_of(other)) == ([], [f"About {other.reference}"])
    first = entries(page).first
    expect(first).to_contain_text(
        {400: "cannot take this as it is", 413: "larger than the server takes", 500: "The server fails at this"}[status]
    )
    expect(entries(page).last).to_contain_text("Waits for the one above it")
    assert screen.barriers() == []

    page.unroute_all()
    screen.go("/t/waiting/")  # what failed is tried again by itself, what was refused when its person says so
    if status < 500:
        entries(page).first.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Everything has been sent")).to_be_visible()
    assert notes_of(job) == [f"About {job.reference}"] * 2
    forgive(screen, str(status))


def test_the_queue_of_one_person_is_never_sent_by_another(
    job: ServiceOrder, technician: User, screen_of: ScreenOf
) -> None:
    colleague = User.objects.create_user("colleague", password=PASSWORD, first_name="Colleague")
    roles.give_role(colleague, roles.TECHNICIAN)
    screen = ready(screen_of(technician, PHONE), job)
    page = screen.page
    with cellar(screen):
        unfold(page, "Note")
        page.get_by_label("Note", exact=True).fill("Mine alone")
        page.get_by_role("button", name="Add the note").click()
        expect(entries(page)).to_have_count(1)
        page.context.clear_cookies()  # the session ends while there is no network

    expect(page.get_by_text("Sign in again: what waits here is sent then.")).to_be_visible()
    sign_in(screen, colleague)
    screen.go("/t/waiting/")
    expect(page.get_by_text("Something of another person waits on this phone")).to_be_visible()
    expect(page.get_by_text("Mine alone")).to_have_count(0)
    assert notes_of(job) == []
    cached = page.evaluate("async () => (await caches.keys()).filter((name) => name.includes('pages'))")
    assert cached == [f"backline-phone-pages-{colleague.pk}"]

    sign_out(page)
    sign_in(screen, technician)
    screen.go("/t/waiting/")
    expect(page.get_by_text("The note is on")).to_be_visible()
    expect(entries(page)).to_have_count(0)
    assert notes_of(job) == ["Mine alone"]
    event = OrderEvent.objects.get(subject_id=job.pk, kind="note.added")
    assert event.actor == f"user:{technician.pk}"
    forgive(screen, "401")


def test_signing_out_warns_of_what_waits_and_takes_the_pages_along(
    job: ServiceOrder, technician: User, dispatcher: User, screen_of: ScreenOf
) -> None:
    screen = ready(screen_of(technician, PHONE), job)
    page = screen.page
    service_orders.add_note(service_order_id=job.pk, text="Customer called", **cause(dispatcher))
    page.get_by_role("button", name="Parts are missing").click()
    expect(entries(page).first).to_contain_text("Not done")
    page.get_by_label("Your account").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("Press once more to sign out.")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()
    with cellar(screen):
        page.goto(screen.address + page_of(job))
        expect(page.get_by_text("has not been opened on this phone before")).to_be_visible()
        expect(page.get_by_text("Steinbruch 7")).to_have_count(0)
    expect(page).to_have_url(re.compile("/accounts/login/"))  # there is a network again, and nobody is signed in
    sign_in(screen, technician)
    screen.go("/t/waiting/")
    expect(entries(page).first).to_contain_text("has changed since you saw it")
    forgive(screen, "412", "401")


def test_a_photo_and_a_count_wait_too(world: World, job: ServiceOrder, technician: User, screen_of: ScreenOf) -> None:
    part, van = PartFactory.create(), WarehouseFactory.create(kind="van", technician=technician)
    stock.correct_stock(part_id=part.pk, warehouse_id=van.pk, on_hand_change=Decimal(4), reason="opening", **cause())
    screen = ready(screen_of(technician, PHONE), job)
    page = screen.page
    screen.go("/t/van/")
    with cellar(screen):
        page.get_by_label(re.compile(part.number)).fill("3")
        page.get_by_role("button", name="Send the count").click()
        expect(entries(page)).to_have_count(1)
        expect(entries(page)).to_contain_text(f"{part.number}: 3")
        page.goto(screen.address + page_of(job))
        unfold(page, "Photo")
        page.get_by_label("Photo", exact=True).set_input_files(
            {"name": "IMG_2.jpg", "mimeType": "image/jpeg", "buffer": picture(2000, 1000)}
        )
        page.get_by_role("button", name="Add the photo").click()
        expect(entries(page)).to_have_count(1)
        page.reload()
        expect(entries(page)).to_have_count(1)
    expect(entries(page)).to_have_count(0)
    assert Attachment.objects.get().name == "IMG_2.jpg"
    line = StockCount.objects.get().lines.get()
    assert (line.expected, line.counted) == (4, 3)


# --- Scanning, without scripts, for everybody ------------------------------------------------------------------------

#: A camera that sees one code, as `BarcodeDetector` would tell it.
CAMERA = """
window.BarcodeDetector = class {
  static async getSupportedFormats() { return ["code_128"]; }
  async detect() { return [{ rawValue: CODE }]; }
};
navigator.mediaDevices.getUserMedia = async () => document.createElement("canvas").captureStream();
HTMLMediaElement.prototype.play = async () => {};
"""


def test_a_code_is_scanned_and_confirmed_or_typed_where_there_is_no_camera(
    world: World, job: ServiceOrder, technician: User, screen_of: ScreenOf
) -> None:
    first, second = shipped_for(world, job), shipped_for(world, job)
    screen = screen_of(technician, PHONE)
    page = screen.page
    screen.go("/t/deliveries/")
    expect(page.get_by_role("button", name="Scan")).to_be_hidden()  # this browser has no detector
    page.get_by_label("Code on the box").fill(second.part.number.lower())
    page.get_by_role("button", name="Confirm", exact=True).click()
    expect(page.get_by_text(f"Delivered: {second.reference}.")).to_be_visible()

    page.add_init_script(CAMERA.replace("CODE", f'"{first.part.number}"'))
    screen.go("/t/deliveries/")
    page.get_by_role("button", name="Scan").click()
    expect(page.get_by_label("Code on the box")).to_have_value(first.part.number)
    expect(page.locator(".need.found")).to_contain_text(first.reference)
    expect(page.get_by_role("button", name="Confirm", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"Delivered: {first.reference}.")).to_be_visible()
    assert set(OrderLine.objects.values_list("status", flat=True)) == {"delivered"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_the_phones_pages_bar_nobody(
    world: World, job: ServiceOrder, technician: User, screen_of: ScreenOf, width: int, scheme: str
) -> None:
    van = WarehouseFactory.create(kind="van", technician=technician, region=world.near.region)
    part = PartFactory.create()
    stock.correct_stock(part_id=part.pk, warehouse_id=van.pk, on_hand_change=Decimal(4), reason="opening", **cause())
    shipped_for(world, job)
    job_of(world, None, "new")
    screen = screen_of(technician, (width, 740), scheme=scheme)
    for path in ("/t/", page_of(job), "/t/deliveries/", "/t/van/", "/t/waiting/", "/t/offline/"):
        screen.go(path)
        for folded in screen.page.locator("details.panel > summary").all():
            folded.click()
        assert screen.sideways() == [], path
        assert screen.barriers() == [], path
        if width < 600:
            assert too_small(screen.page) == [], path


def test_entries_that_wait_or_were_refused_bar_nobody(
    job: ServiceOrder, technician: User, dispatcher: User, screen_of: ScreenOf
) -> None:
    screen = ready(screen_of(technician, (320, 740), scheme="dark"), job)
    page = screen.page
    with cellar(screen):
        page.get_by_role("button", name="Parts are missing").click()
        expect(entries(page)).to_have_count(1)
        assert screen.barriers() == []
        service_orders.add_note(service_order_id=job.pk, text="Customer called", **cause(dispatcher))
    expect(entries(page).first).to_contain_text("Not done")
    assert screen.barriers() == []
    assert screen.sideways() == []
    assert too_small(page) == []
    forgive(screen, "412")
