"""The dispatcher's desk as its people use it: search, board and when, by mouse, by keys alone, and without scripts."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Browser, Locator, Page, expect

from orders.actions import lines, service_orders
from orders.models import OrderEvent, SavedView, ServiceOrder
from tests.admin.world import World, cause
from tests.browser.conftest import ScreenOf
from tests.browser.screen import DESKTOP, PHONE

WIDE = (1920, 1000)
BOARD = "/desk/board/"


def card(page: Page, job: ServiceOrder) -> Locator:
    return page.locator(f"#card-{job.reference}")


def column(page: Page, status: str) -> Locator:
    return page.locator(f'.column[data-status="{status}"]')


def status_of(job: ServiceOrder) -> str:
    return ServiceOrder.objects.get(pk=job.pk).status


# --- Search ----------------------------------------------------------------------------------------------------------


def test_with_keys_alone_from_anywhere_to_an_order_and_to_a_customers_answer(
    world: World, dispatcher: User, screen_of: ScreenOf
) -> None:
    job = world.job()
    screen = screen_of(dispatcher)
    screen.go("/")
    keys = screen.page.keyboard
    box = screen.page.get_by_label("Search everything")

    keys.press("/")
    expect(box).to_be_focused()
    keys.type(job.reference.lower().replace("-", " "))
    keys.press("Enter")
    expect(screen.page).to_have_url(re.compile(f"/desk/orders/{job.reference}/"))
    screen.page.wait_for_load_state()

    keys.press("/")
    expect(box).to_be_focused()
    keys.type(world.customer.name.lower())
    expect(screen.page.get_by_role("option", name=world.customer.name)).to_be_visible()
    keys.press("ArrowDown")
    expect(box).to_have_attribute("aria-activedescendant", re.compile("result-"))
    keys.press("Enter")
    expect(screen.page.get_by_role("heading", level=1)).to_contain_text(world.customer.name)
    expect(screen.page.get_by_text("No day is set for it.")).to_be_visible()


def test_escape_closes_the_results_and_a_click_opens_one(world: World, dispatcher: User, screen_of: ScreenOf) -> None:
    part = world.part_in_stock()
    screen = screen_of(dispatcher)
    screen.go("/")
    box, results = screen.page.get_by_label("Search everything"), screen.page.get_by_role("listbox")
    box.press_sequentially(part.number.lower())
    expect(results).to_be_visible()
    expect(box).to_have_attribute("aria-expanded", "true")
    assert screen.barriers() == []
    box.press("Escape")
    expect(results).to_be_hidden()
    box.press("ArrowDown")
    expect(results).to_be_visible()
    screen.page.get_by_role("option", name=part.number).click()
    expect(screen.page.get_by_role("heading", name="In stock")).to_be_visible()


# --- Board -----------------------------------------------------------------------------------------------------------


def test_a_card_is_moved_by_its_button_and_taken_back(world: World, dispatcher: User, screen_of: ScreenOf) -> None:
    job = world.job()
    screen = screen_of(dispatcher, WIDE)
    screen.go(BOARD)
    page = screen.page
    page.get_by_role("button", name=f"Move {job.reference} to In Progress").click()
    expect(column(page, "in_progress").locator(card(page, job))).to_be_visible()
    expect(page.locator("#count-in_progress")).to_have_text("1")
    expect(page.locator("#count-new")).to_have_text("0")
    assert status_of(job) == "in_progress"
    page.get_by_role("button", name="Back to New").and_(page.locator(".board-undo button")).click()
    expect(column(page, "new").locator(card(page, job))).to_be_visible()
    steps = OrderEvent.objects.filter(subject_id=job.pk, kind="service_order.status_changed").order_by("-version")[:2]
    assert [step.to_status for step in steps] == ["new", "in_progress"]


def test_a_card_is_dragged_one_column_on_and_refused_two(world: World, dispatcher: User, screen_of: ScreenOf) -> None:
    job = world.job()
    screen = screen_of(dispatcher, WIDE)
    screen.go(BOARD)
    page = screen.page
    card(page, job).drag_to(column(page, "awaiting_parts").locator("h2"))
    refusal = card(page, job).get_by_role("alert")
    expect(refusal).to_contain_text(f"Not possible: {job.reference} is New.")
    expect(refusal).to_be_focused()
    assert screen.barriers() == []
    assert status_of(job) == "new"
    card(page, job).drag_to(column(page, "in_progress").locator("h2"))
    expect(column(page, "in_progress").locator(card(page, job))).to_be_visible()
    assert status_of(job) == "in_progress"


def test_with_keys_alone_cards_are_found_and_moved(world: World, dispatcher: User, screen_of: ScreenOf) -> None:
    first, second = world.job(), world.job()
    started = world.job("in_progress")
    screen = screen_of(dispatcher, WIDE)
    screen.go(BOARD)
    page, keys = screen.page, screen.page.keyboard

    def here(job: ServiceOrder) -> None:
        expect(page.get_by_role("link", name=job.reference)).to_be_focused()

    page.get_by_role("link", name=first.reference).focus()
    keys.press("ArrowDown")
    here(second)
    keys.press("ArrowRight")
    here(started)
    keys.press("ArrowLeft")
    here(first)
    keys.press("Shift+ArrowRight")
    expect(column(page, "in_progress").locator(card(page, first))).to_be_visible()
    here(first)
    keys.press("Shift+ArrowLeft")
    expect(column(page, "new").locator(card(page, first))).to_be_visible()
    here(first)
    assert status_of(first) == "new"


#: Press the step back in the moment in which the moved card appears.
AT_ONCE_BACK = """() => document.addEventListener("htmx:oobAfterSwap", () => setTimeout(() => {
    const key = { key: "ArrowLeft", shiftKey: true, bubbles: true };
    document.activeElement.dispatchEvent(new KeyboardEvent("keydown", key));
}), { once: true })"""


def test_a_key_pressed_as_soon_as_the_card_is_there_moves_it_without_a_new_page(
    world: World, dispatcher: User, screen_of: ScreenOf
) -> None:
    job = world.job()
    screen = screen_of(dispatcher, WIDE)
    screen.go(BOARD)
    page = screen.page
    page.evaluate("window.isTheSamePage = true")
    page.evaluate(AT_ONCE_BACK)
    link = page.get_by_role("link", name=job.reference)
    link.focus()
    with page.expect_response(re.compile("/move/$")), page.expect_response(re.compile("/move/$")):
        page.keyboard.press("Shift+ArrowRight")
    expect(page.locator(".board-undo button")).to_have_text("Back to In Progress")
    expect(column(page, "new").locator(card(page, job))).to_be_visible()
    expect(link).to_be_focused()
    assert page.evaluate("window.isTheSamePage") is True
    assert status_of(job) == "new"


def test_where_the_page_came_anew_the_moved_card_has_the_focus(
    world: World, dispatcher: User, screen_of: ScreenOf
) -> None:
    world.job()
    job = world.job()
    screen = screen_of(dispatcher, WIDE)
    screen.go(f"{BOARD}#link-{job.reference}")
    expect(screen.page.get_by_role("link", name=job.reference)).to_be_focused()


def test_cancelling_without_a_reason_is_refused_in_place_and_what_is_typed_stays(
    world: World, dispatcher: User, screen_of: ScreenOf
) -> None:
    job = world.job()
    screen = screen_of(dispatcher, PHONE)
    screen.go(f"{BOARD}?as=table")
    page = screen.page
    row = card(page, job)
    row.get_by_label(f"More steps of {job.reference}").click()
    row.get_by_role("button", name="Cancel the job").click()
    expect(row.get_by_role("alert")).to_contain_text("Say why")
    row.get_by_label(f"More steps of {job.reference}").click()
    row.get_by_label("Note, needed to cancel").fill("The machine was sold")
    row.get_by_role("button", name="Cancel the job").click()
    expect(page.get_by_text(f"{job.reference} is now Cancelled.")).to_be_visible()
    assert status_of(job) == "cancelled"


def test_filters_narrow_while_one_types_live_in_the_address_and_are_saved(
    world: World, dispatcher: User, screen_of: ScreenOf
) -> None:
    job = world.job()
    other = service_orders.create(customer_id=world.customer.pk, title="Crane stands", status="new", **cause())
    screen = screen_of(dispatcher, WIDE)
    screen.go(BOARD)
    page = screen.page
    page.get_by_label("Text", exact=True).press_sequentially("crane")
    expect(card(page, job)).to_have_count(0)
    expect(card(page, ServiceOrder.objects.get(pk=other.pk))).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?search=crane$"))
    expect(page.get_by_label("Text", exact=True)).to_be_focused()
    page.get_by_text("Save this view").click()
    page.get_by_label("Name", exact=True).fill("Cranes")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("link", name="Cranes")).to_have_attribute("aria-current", "page")
    assert SavedView.objects.get().query == "search=crane"


def test_a_view_with_a_long_name_fits_the_narrowest_phone(world: World, dispatcher: User, screen_of: ScreenOf) -> None:
    name = "Cranes_that_stand_still_at_the_harbour_and_wait_for_a_part_"
    SavedView.objects.create(
        person=dispatcher, page="board", name=name, query="search=crane", created_at=timezone.now()
    )
    screen = screen_of(dispatcher, (320, 700))
    screen.go(BOARD)
    assert screen.sideways() == []
    screen.page.get_by_text("Save this view").click()
    expect(screen.page.get_by_role("button", name=f"Delete “{name}”")).to_be_visible()
    assert screen.sideways() == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_the_menu_of_a_card_is_seen_whole_in_the_first_column(
    world: World, dispatcher: User, screen_of: ScreenOf, size: tuple[int, int]
) -> None:
    job = service_orders.create(customer_id=world.customer.pk, title="Draft of a job", status="draft", **cause())
    screen = screen_of(dispatcher, size)
    screen.go(BOARD)
    shown = card(screen.page, job)
    shown.locator("summary").click()
    menu, board = shown.locator(".menu").bounding_box(), screen.page.locator(".board").bounding_box()
    assert menu is not None
    assert board is not None
    assert menu["x"] >= board["x"]
    assert menu["x"] + menu["width"] <= board["x"] + board["width"]
    assert screen.barriers() == []


def test_the_filters_are_folded_on_a_phone_and_open_on_a_desk(
    world: World, dispatcher: User, screen_of: ScreenOf
) -> None:
    world.job()
    desk = screen_of(dispatcher)
    desk.go(BOARD)
    expect(desk.page.get_by_label("Region")).to_be_visible()
    expect(desk.page.locator(".fold > summary")).to_be_hidden()

    phone = screen_of(dispatcher, PHONE)
    phone.go(f"{BOARD}?search=pump")
    expect(phone.page.get_by_label("Region")).to_be_hidden()
    phone.page.locator(".fold > summary").click()
    expect(phone.page.locator("#board-filter-count")).to_have_text("1 active")
    phone.page.get_by_label("Waits for parts").check()
    expect(phone.page.locator("#board-filter-count")).to_have_text("2 active")
    assert phone.barriers() == []


def test_without_scripts_the_board_moves_and_takes_back(world: World, dispatcher: User, screen_of: ScreenOf) -> None:
    job = world.job()
    signed_in = screen_of(dispatcher)
    browser = signed_in.page.context.browser
    assert isinstance(browser, Browser)
    plain = browser.new_context(java_script_enabled=False, storage_state=signed_in.page.context.storage_state())
    page = plain.new_page()
    page.goto(signed_in.address + BOARD)
    page.get_by_role("button", name=f"Move {job.reference} to In Progress").click()
    expect(page.get_by_text(f"{job.reference} is now In Progress.")).to_be_visible()
    page.locator(".board-undo button").click()
    expect(column(page, "new").locator(card(page, job))).to_be_visible()
    page.get_by_label("Search everything").fill(job.reference)
    page.get_by_label("Search everything").press("Enter")
    expect(page).to_have_url(re.compile(f"/desk/orders/{job.reference}/"))
    plain.close()


# --- When ------------------------------------------------------------------------------------------------------------


def test_from_a_name_to_the_answer_and_the_text_to_tell(world: World, dispatcher: User, screen_of: ScreenOf) -> None:
    back_order = world.short()
    lines.promise(line_id=back_order.line_id, promised_on=timezone.now().date() + timedelta(days=3), **cause())
    screen = screen_of(dispatcher)
    page = screen.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    screen.go("/desk/when/")
    page.get_by_label("Customer, order, part or serial number").fill(world.customer.name)
    page.keyboard.press("Enter")
    expect(page.get_by_text("No supply is ordered for it.")).to_be_visible()
    expect(page.get_by_text("in danger, no day is known for it.")).to_be_visible()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert back_order.line.order.reference in page.evaluate("navigator.clipboard.readText()")


# --- For everybody ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [DESKTOP, PHONE, (320, 700)], ids=["desktop", "phone", "narrow"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_desks_pages_bar_nobody_and_fit(
    world: World, dispatcher: User, screen_of: ScreenOf, size: tuple[int, int], scheme: str
) -> None:
    back_order = world.short()
    world.job("in_progress")
    job = world.job()
    screen = screen_of(dispatcher, size, scheme=scheme)
    for address in (
        BOARD,
        f"{BOARD}?as=table",
        f"{BOARD}?search=zzzz",
        f"{BOARD}?moved={job.reference}&was=scheduled",
        f"/desk/search/?q={world.customer.code[:3]}&list",
        "/desk/search/?q=zzzz",
        f"/desk/when/?customer={world.customer.code}",
        f"/desk/when/?part={back_order.part.number}",
        "/desk/when/",
        "/desk/when/?q=hydraulic",
    ):
        screen.go(address)
        assert screen.barriers() == [], address
        assert screen.sideways() == [], address
