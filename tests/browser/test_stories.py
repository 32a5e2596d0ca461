"""What people come to the back office for, done as they do it: with their eyes and hands, page by page."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, expect

from backorders.models import BackOrder
from orders.models import ServiceOrder
from parts.models import Part
from tests.admin.world import World
from tests.browser.conftest import ScreenOf
from tests.browser.screen import PHONE, Screen
from tests.conftest import PASSWORD


def test_a_parts_manager_signs_in_finds_a_back_order_by_its_part_and_reads_why(
    world: World, manager: User, screen_of: ScreenOf
) -> None:
    first, other = world.short(), world.short()
    world.placed(first.part, 2)
    second = BackOrder.objects.filter(part=first.part).exclude(pk=first.pk).get()
    BackOrder.objects.filter(pk=other.pk).update(opened_at=timezone.now() - timedelta(days=9))
    screen = screen_of()
    sign_in(screen, manager)
    page = screen.page
    page.get_by_role("main").get_by_role("link", name="Back orders").first.click()

    ages = page.get_by_role("navigation", name="Back orders by age")
    expect(ages.get_by_role("link", name="2 0-3 days")).to_be_visible()
    ages.get_by_role("link", name="1 8-14 days").click()
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text(other.reference)

    ages.get_by_role("link", name="3 Waiting").click()
    search(page, first.part.number)
    expect(rows(page)).to_have_count(2)
    page.get_by_role("link", name=second.reference).click()
    why = card(page, "Why")
    expect(why).to_contain_text("Waits for 2")
    expect(why.get_by_role("link", name=first.reference)).to_be_visible()
    expect(why).to_contain_text("Customer's tier")
    expect(why).to_contain_text("no supply ordered")


def test_a_dispatcher_moves_a_job_by_its_button(world: World, dispatcher: User, screen_of: ScreenOf) -> None:
    job = world.job()
    screen = screen_of(dispatcher)
    screen.go(page_of(job))
    page = screen.page
    page.get_by_label("Note (optional)").fill("On site since nine")
    page.get_by_role("button", name="In Progress").click()
    expect(page.get_by_text(f"{job.reference} is In Progress now.")).to_be_visible()
    latest = card(page, "Timeline").get_by_role("listitem").first
    expect(latest).to_contain_text("In Progress")
    expect(latest).to_contain_text("On site since nine")
    expect(page.get_by_role("button", name="Awaiting Parts")).to_be_visible()


def test_a_dispatcher_who_comes_second_is_told_what_happened_meanwhile(
    world: World, dispatcher: User, manager: User, screen_of: ScreenOf
) -> None:
    job = world.job()
    slow, quick = screen_of(dispatcher, PHONE), screen_of(manager)
    for screen in (slow, quick):
        screen.go(page_of(job))
    quick.page.get_by_role("button", name="In Progress").click()
    expect(quick.page.get_by_text("is In Progress now")).to_be_visible()
    slow.page.get_by_role("button", name="In Progress").click()
    expect(slow.page.get_by_text("Somebody was quicker")).to_contain_text("It is In Progress now.")
    assert ServiceOrder.objects.get(pk=job.pk).version == job.version + 1


def test_an_override_needs_a_reason_and_is_marked_on_the_timeline(
    world: World, manager: User, screen_of: ScreenOf
) -> None:
    job = world.job()
    screen = screen_of(manager)
    screen.go(page_of(job))
    page = screen.page
    page.get_by_role("link", name="Override", exact=True).click()
    page.get_by_label("New status").select_option("completed")
    page.get_by_label("Reference").fill("INC-20431")
    page.get_by_role("button", name="Override").click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_text("This field is required")).to_be_visible()
    assert ServiceOrder.objects.get(pk=job.pk).status == "new"

    page.get_by_label("Reason").fill("Done by phone")
    page.get_by_role("button", name="Override").click()
    marked = card(page, "Timeline").get_by_role("listitem").first
    expect(marked).to_contain_text("Override, INC-20431")
    expect(marked).to_contain_text("Done by phone")
    expect(marked).to_contain_text("Completed")


def test_a_bad_row_stops_an_import_and_a_good_file_goes_through_its_dry_run(
    world: World, manager: User, screen_of: ScreenOf, tmp_path: Path
) -> None:
    known = world.part_in_stock()
    screen = screen_of(manager)
    screen.go("/admin/parts/part/")
    page = screen.page
    page.get_by_role("link", name="Import the catalogue").click()

    look_at(
        page, tmp_path / "bad.csv", "part_number,description,unit_cost\nNEW-1,A new part,4.50\nNEW-2,Another,cheap\n"
    )
    wrong = page.get_by_role("row").filter(has_text="cheap")
    expect(wrong).to_contain_text("3")
    expect(wrong).to_contain_text("unit_cost")
    expect(page.get_by_role("alert")).to_contain_text("Nothing can be imported")
    expect(page.get_by_role("button", name="Import it")).to_have_count(0)

    look_at(page, tmp_path / "good.csv", f"part_number,description\n{known.number},Another name\nNEW-1,A new part\n")
    changed = page.get_by_role("row").filter(has_text="Another name")
    expect(changed).to_contain_text(known.description)
    assert not Part.objects.filter(number="NEW-1").exists()
    page.get_by_role("button", name="Import it").click()
    expect(page.get_by_text("good.csv imported: 1 new, 1 changed")).to_be_visible()
    assert Part.objects.get(number="NEW-1").description == "A new part"


# --- What people do on more than one page ----------------------------------------------------------------------------


def sign_in(screen: Screen, person: User) -> None:
    """Sign in through the door, and see the start page."""
    screen.go("/accounts/login/")
    screen.page.get_by_label("Name").fill(person.username)
    screen.page.get_by_label("Password").fill(PASSWORD)
    screen.page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(screen.page.get_by_role("heading", level=1)).to_contain_text(person.first_name)


def page_of(job: ServiceOrder) -> str:
    """Return the address of a job."""
    return f"/admin/orders/serviceorder/{job.pk}/change/"


def card(page: Page, title: str):
    """Return the card of a page that is headed so."""
    return page.locator(".desk-card").filter(has=page.get_by_role("heading", name=title, exact=True))


def rows(page: Page):
    """Return the rows of a list."""
    return page.locator("#result_list tbody tr")


def search(page: Page, term: str) -> None:
    """Search a list."""
    page.locator("#searchbar").fill(term)
    page.locator("#searchbar").press("Enter")


def look_at(page: Page, file: Path, content: str) -> None:
    """Choose a file and see what it would do."""
    file.write_text(content)
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="See what it would do").click()
    expect(page.get_by_role("heading", name=file.name)).to_be_visible()
