"""The pages of orders and the placing of one, with a real browser: by keys alone, on a phone, in the dark, for all."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from playwright.sync_api import Page, Route, expect

from backorders.models import BackOrder
from orders.actions import attachments, placing, service_orders
from orders.models import OrderEvent, PartsOrder, ServiceOrder
from parts.models import PartRelation
from tests.admin.world import World, cause
from tests.browser.conftest import ScreenOf
from tests.browser.phone import forgive, sign_in
from tests.browser.screen import DESKTOP, PHONE, Screen
from tests.conftest import PASSWORD
from tests.factories.parts import PartFactory
from tests.orders.files import picture


def job_page(world: World, person: User, screen_of: ScreenOf, query: str = "") -> tuple[ServiceOrder, Page]:
    """Return a new job and its page, as a person has it open."""
    job = world.job("new")
    screen = screen_of(person)
    screen.go(f"/desk/orders/{job.reference}/{query}")
    return job, screen.page


def told_much(world: World, person: User) -> tuple[ServiceOrder, PartsOrder]:
    """Return a job with something of everything, and its parts order."""
    job = world.job("in_progress")
    placed = placing.place(
        kind="service",
        service_order_id=job.pk,
        requested_on=cause()["at"].date(),
        lines=[
            placing.Wanted(quantity=Decimal(6), part_id=world.part_in_stock(Decimal(4)).pk),
            placing.Wanted(quantity=Decimal(2), part_id=PartFactory.create().pk),
        ],
        **cause(),
    )
    service_orders.add_note(service_order_id=job.pk, text="For us alone", **cause(person))
    service_orders.add_note(service_order_id=job.pk, text="For the customer", public=True, **cause(person))
    attachments.attach(service_order_id=job.pk, name="pump.jpg", content=picture(), **cause(person))
    return ServiceOrder.objects.get(pk=job.pk), PartsOrder.objects.get(pk=placed.id)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE, (320, 640)], ids=["wide", "phone", "narrow"])
def test_nothing_bars_people_and_nothing_lies_off_the_edge(
    world: World, manager: User, screen_of: ScreenOf, size: tuple[int, int], scheme: str
) -> None:
    job, order = told_much(world, manager)
    line = order.lines.filter(parent__isnull=False).first()
    assert line is not None
    part = world.part_in_stock()
    screen = screen_of(manager, size, scheme=scheme)
    for path in (
        f"/desk/orders/{job.reference}/",
        f"/desk/orders/{job.reference}/?do=override",
        f"/desk/orders/{job.reference}/?do=attach",
        f"/desk/parts-orders/{order.reference}/",
        f"/desk/parts-orders/{order.reference}/?do=ship",
        f"/desk/parts-orders/{order.reference}/?do=line-cancel&about={line.pk}",
        f"/desk/place/?job={job.reference}&part={part.number}&quantity=99&part=nonsense&quantity=1",
    ):
        screen.go(path)
        assert screen.sideways() == [], path
        assert screen.barriers() == [], path


def test_a_dispatcher_places_an_order_by_keys_alone(world: World, dispatcher: User, screen_of: ScreenOf) -> None:
    there, short = world.part_in_stock(Decimal(4)), PartFactory.create()
    stands_in = world.part_in_stock()
    PartRelation.objects.create(kind="substitutes", part=stands_in, other=short)
    screen = screen_of(dispatcher)
    screen.go("/desk/place/")
    page, keys = screen.page, screen.page.keyboard

    expect(page.get_by_label("For", exact=True)).to_be_focused()
    keys.type(world.customer.name[:6].lower())
    expect(page.get_by_role("option").first).to_be_visible()
    keys.press("ArrowDown")
    keys.press("Enter")
    expect(page.locator("#whose")).to_contain_text(world.customer.name)
    expect(page.get_by_label("Part, line 1")).to_be_focused()
    keys.type(there.number)
    keys.press("Enter")
    keys.type("6")
    keys.press("Enter")
    expect(page.locator("#info-0")).to_contain_text("2 short")
    keys.type(short.number.lower())
    keys.press("Enter")
    keys.type("1")
    keys.press("Enter")
    expect(page.locator("#info-1")).to_contain_text(stands_in.number)
    expect(page.get_by_label("Part, line 3")).to_be_focused()

    keys.press("Control+Enter")
    expect(page.get_by_role("heading", name="What would happen")).to_be_visible()
    expect(page.get_by_text("2 lines are short and go on back order.")).to_be_visible()
    assert not PartsOrder.objects.exists()
    expect(page.get_by_role("button", name="Place the order")).to_be_focused()
    keys.press("Enter")
    page.wait_for_url("**/desk/parts-orders/**")
    expect(page.get_by_text("2 lines are short and back-ordered")).to_be_visible()
    assert BackOrder.objects.count() == 2


def test_rows_that_are_pasted_into_a_part_become_lines(world: World, dispatcher: User, screen_of: ScreenOf) -> None:
    part = world.part_in_stock()
    screen = screen_of(dispatcher)
    screen.go("/desk/place/")
    page = screen.page
    page.get_by_label("Part, line 1").focus()
    page.evaluate(
        """(text) => {
            const data = new DataTransfer();
            data.setData("text", text);
            document.activeElement.dispatchEvent(
                new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }),
            );
        }""",
        f"{part.number}\t2\nnonsense\t1",
    )
    expect(page.locator("#info-0")).to_contain_text("All of it is there")
    expect(page.locator("#info-1")).to_contain_text("No part goes by this number.")
    expect(page.get_by_label("Quantity, line 1")).to_have_value("2")


def test_a_job_is_moved_and_moved_back_without_the_page_being_loaded_again(
    world: World, dispatcher: User, screen_of: ScreenOf
) -> None:
    job, page = job_page(world, dispatcher, screen_of)
    page.evaluate("window.stayed = true")
    page.get_by_role("button", name="Move to In Progress").click()
    expect(page.get_by_role("status").filter(has_text="is In Progress now.")).to_be_focused()
    page.get_by_role("button", name="Back to New").click()
    expect(page.get_by_text(f"{job.reference} is New now.")).to_be_visible()
    page.get_by_role("link", name="Reschedule").click()
    expect(page.get_by_role("heading", name="Reschedule")).to_be_visible()
    page.get_by_role("button", name="Reschedule").click()
    expect(page.get_by_text("This field is required.").first).to_be_visible()
    page.get_by_placeholder("Write a note…").fill("Asked them for a day")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator("#timeline")).to_contain_text("Asked them for a day")
    assert page.evaluate("window.stayed") is True


def test_what_is_being_typed_stays_when_another_form_is_answered(
    world: World, dispatcher: User, screen_of: ScreenOf
) -> None:
    job, page = job_page(world, dispatcher, screen_of, "?do=reschedule")
    note = page.get_by_placeholder("Write a note…")
    page.get_by_label("Scheduled for").fill("2030-05-06")
    page.get_by_label("Note", exact=False).first.fill("They are away until then")
    answers: list[Route] = []
    page.route(f"**/desk/orders/{job.reference}/", lambda route: answers.append(route))
    with page.expect_request(f"**/desk/orders/{job.reference}/"):
        page.get_by_role("button", name="Move to In Progress").click()
    note.fill("Rang twice")
    page.get_by_label("The customer may read it").last.check()
    note.focus()
    note.press("Home")
    [answer] = answers
    answer.continue_()

    expect(page.get_by_text(f"{job.reference} is In Progress now.")).to_be_visible()
    page.keyboard.type("We ")  # nobody who types is torn away from it
    expect(note).to_be_focused()
    expect(note).to_have_value("We Rang twice")
    expect(page.get_by_label("The customer may read it").last).to_be_checked()
    expect(page.get_by_label("Scheduled for")).to_have_value("2030-05-06")
    expect(page.locator("#deed textarea")).to_have_value("They are away until then")

    page.unroute_all()
    page.get_by_role("button", name="Add note").click()
    expect(page.locator("#timeline")).to_contain_text("We Rang twice")
    expect(note).to_have_value("")
    expect(page.locator("#deed textarea")).to_have_value("They are away until then")
    page.locator("#deed").get_by_role("button", name="Reschedule").click()
    expect(page.get_by_text("Planned for")).to_be_visible()
    expect(page.locator("#deed")).to_have_count(0)


def test_whose_session_has_ended_is_told_so_and_loses_nothing_typed(
    world: World, dispatcher: User, screen_of: ScreenOf
) -> None:
    _job, page = job_page(world, dispatcher, screen_of)
    note = page.get_by_placeholder("Write a note…")
    note.fill("Rang twice")
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    page.get_by_role("button", name="Move to In Progress").click()
    expect(page.get_by_role("alert").filter(has_text="You are no longer signed in")).to_be_focused()
    expect(page.get_by_role("heading", name="Sign in")).to_have_count(0)
    expect(note).to_have_value("Rang twice")


def test_who_signs_in_again_in_another_tab_goes_on_where_they_were(
    world: World, dispatcher: User, screen_of: ScreenOf
) -> None:
    job = world.job("new")
    screen = screen_of(dispatcher)
    screen.go(f"/desk/orders/{job.reference}/")
    page, note = screen.page, screen.page.get_by_placeholder("Write a note…")
    note.fill("Rang twice")
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    page.get_by_role("button", name="Add note").click()
    failed = page.locator("#failed")
    expect(failed).to_contain_text("What you typed is still here")
    with page.context.expect_page() as opened:
        failed.get_by_role("link", name="Sign in in another tab").click()
    tab = opened.value
    tab.get_by_label("Name").fill(dispatcher.username)
    tab.get_by_label("Password").fill(PASSWORD)
    tab.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(tab.get_by_role("heading", level=1)).to_contain_text(dispatcher.first_name)
    page.get_by_role("button", name="Add note").click()  # the form is of the session before
    expect(failed).to_contain_text("You signed in again meanwhile")
    expect(note).to_have_value("Rang twice")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator(".timeline").get_by_text("Rang twice")).to_be_visible()
    expect(failed).to_be_hidden()
    forgive(screen, "403")


def test_what_one_person_typed_is_not_sent_by_another_who_signed_in(
    world: World, dispatcher: User, manager: User, screen_of: ScreenOf
) -> None:
    job = world.job("new")
    screen = screen_of(dispatcher)
    screen.go(f"/desk/orders/{job.reference}/")
    page, note = screen.page, screen.page.get_by_placeholder("Write a note…")
    note.fill("Rang twice")
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    sign_in(Screen(page.context.new_page(), screen.address), manager)
    for _try in range(2):
        with page.expect_response("**/t/token/"):  # asked for once the refusal is here
            page.get_by_role("button", name="Add note").click()
        expect(page.locator("#failed")).to_contain_text("Another person is signed in now")
    expect(note).to_have_value("Rang twice")
    assert not OrderEvent.objects.filter(subject_id=job.pk, kind="note.added").exists()
    forgive(screen, "403")


def test_the_page_to_sign_in_is_no_choice_of_parts(world: World, dispatcher: User, screen_of: ScreenOf) -> None:
    part = world.part_in_stock()
    screen = screen_of(dispatcher)
    screen.go("/desk/place/")
    page = screen.page
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    page.locator("[name=part-0]").press_sequentially(part.number)
    expect(page.locator("#failed")).to_contain_text("You are no longer signed in")
    expect(page.locator(".options")).to_have_count(0)
    expect(page.locator("[name=part-0]")).to_be_focused()


def test_a_photo_is_added_and_seen(world: World, dispatcher: User, screen_of: ScreenOf) -> None:
    _job, page = job_page(world, dispatcher, screen_of)
    page.locator("#files").get_by_role("link", name="Add").click()
    page.get_by_label("File", exact=True).set_input_files(
        {"name": "pump.jpg", "mimeType": "image/jpeg", "buffer": picture()}
    )
    page.get_by_role("button", name="Add a file").click()
    expect(page.locator("#files").get_by_role("img", name="pump.jpg")).to_be_visible()
    expect(page.locator("#files img")).to_have_js_property("naturalWidth", 40)
