"""A job from its first minute to its last, over everybody's pages: desk, back office, phone and the customer's link."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from backorders.models import BackOrder
from config.integrity import check_all
from config.tracking.limits import sent_forms, wrong_links
from orders.actions import tracking
from orders.actions.wording import write_rows
from orders.models import Customer, OrderLine, PartsOrder, ServiceOrder
from parts.models import StockLevel
from tests.admin.world import World, cause
from tests.browser.conftest import ScreenOf
from tests.browser.phone import cellar, entries, job_of, ready, unfold
from tests.browser.phone import page_of as phone_page_of
from tests.browser.screen import PHONE, Screen
from tests.factories.parts import PartFactory


@pytest.fixture(autouse=True)
def _words_for_customers(transactional_db: None) -> None:
    wrong_links.empty_all()
    sent_forms.empty_all()
    write_rows()


def test_a_routine_repair_on_the_bench(world: World, dispatcher: User, technician: User, screen_of: ScreenOf) -> None:
    job = world.job()
    desk, customer = screen_of(dispatcher), followed(job, screen_of)
    desk.go(f"/desk/orders/{job.reference}/")
    page = desk.page
    page.get_by_role("link", name="Assign").click()
    page.get_by_label("Technician").select_option(label=technician.get_full_name() or technician.username)
    page.get_by_role("main").get_by_role("button", name="Assign").click()
    expect(page.get_by_role("main")).to_contain_text(technician.first_name)

    bench = screen_of(technician)
    bench.go(f"/desk/orders/{job.reference}/")
    step(bench.page, "In Progress")
    stands(customer, "Being worked on")
    bench.page.get_by_text("More", exact=True).click()
    bench.page.get_by_role("link", name="Add a diagnosis").click()
    bench.page.get_by_label("Finding").fill("The relief valve sticks")
    bench.page.get_by_role("button", name="Add a diagnosis").click()
    expect(bench.page.get_by_role("region", name="Diagnosis")).to_contain_text("The relief valve sticks")
    bench.page.get_by_text("More", exact=True).click()
    bench.page.get_by_role("link", name="Log labour").click()
    bench.page.get_by_label("Minutes").fill("90")
    bench.page.get_by_role("button", name="Log labour").click()
    expect(bench.page.get_by_role("region", name="Labour")).to_contain_text("90 min in all")
    bench.page.get_by_placeholder("Write a note…").fill("Valve cleaned and set to 210 bar")
    bench.page.get_by_label("The customer may read it").check()
    bench.page.get_by_role("button", name="Add note").click()
    expect(bench.page.get_by_text("The note is on the timeline.")).to_be_visible()
    phone = screen_of(technician, PHONE)
    phone.go(phone_page_of(job))
    phone.page.get_by_role("button", name="Repair is done").click()
    expect(phone.page.get_by_text("is Ready for Return now")).to_be_visible()
    stands(customer, "Ready for collection or delivery")
    expect(customer.page.get_by_role("main")).to_contain_text("Valve cleaned and set to 210 bar")
    expect(customer.page.get_by_role("main")).not_to_contain_text("The relief valve sticks")

    page.reload()
    timeline = page.get_by_role("region", name="Timeline")
    expect(timeline).to_contain_text("The relief valve sticks")
    expect(timeline).to_contain_text("90 min")
    step(page, "Completed")
    stands(customer, "Completed")
    assert broken() == []


def test_a_visit_that_waits_for_the_manufacturer(
    world: World, dispatcher: User, technician: User, screen_of: ScreenOf
) -> None:
    job = world.job("draft")
    desk = screen_of(dispatcher)
    page = desk.page
    desk.go(f"/desk/orders/{job.reference}/")
    step(page, "Scheduled")
    customer = followed(job, screen_of)
    stands(customer, "Appointment planned")
    page.reload()
    step(page, "New")

    phone = screen_of(technician, PHONE)
    phone.go("/t/")
    phone.page.get_by_role("link", name=job.reference).click()
    phone.page.get_by_role("button", name="I take this job").click()
    phone.page.get_by_role("button", name="Start work").click()
    expect(phone.page.get_by_text(f"{job.reference} is In Progress now.")).to_be_visible()
    phone.page.get_by_role("button", name="Parts are missing").click()
    expect(phone.page.get_by_text("is Awaiting Parts now")).to_be_visible()

    page.reload()
    page.get_by_text("More", exact=True).click()
    page.get_by_role("link", name="Send equipment").click()
    page.get_by_label("Carrier").fill("Nordfracht")
    page.get_by_label("Tracking number").fill("NF4471")
    page.get_by_role("button", name="Send equipment").click()
    expect(page.get_by_role("main")).to_contain_text("NF4471")
    step(page, "With Manufacturer")
    stands(customer, "At the manufacturer")
    assert customer.page.get_by_text("NF4471").count() <= 1

    step(page, "Ready for Return")
    stands(customer, "Ready for collection or delivery")
    phone.go(phone_page_of(job))
    phone.page.get_by_role("button", name="The customer has it").click()
    expect(phone.page.get_by_text("is Completed now")).to_be_visible()
    stands(customer, "Completed")
    assert broken() == []


def test_a_part_that_is_missing_comes_is_sent_and_is_confirmed_in_a_cellar(
    world: World, dispatcher: User, manager: User, technician: User, screen_of: ScreenOf
) -> None:
    part = PartFactory.create(description="Slewing bearing")
    purchase = world.bought(part, 5)
    world.near.dock = "dock 2"
    world.near.save()
    job = job_of(world, technician)
    customer = followed(job, screen_of)

    desk = screen_of(dispatcher)
    desk.go(f"/desk/place/?job={job.reference}&part={part.number}&quantity=2")
    page = desk.page
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("1 line is short and goes on back order.")).to_be_visible()
    page.get_by_role("button", name="Place the order").click()
    page.wait_for_url("**/desk/parts-orders/**")
    order = PartsOrder.objects.get()
    assert BackOrder.objects.get().status in {"open", "supply_confirmed"}
    stands(customer, "Waiting for parts")

    office = screen_of(manager)
    office.go(f"/admin/parts/delivery/book/?orders={purchase.pk}")
    office.page.get_by_label("Delivery note").fill("DN-4711")
    office.page.get_by_role("button", name="Book").last.click()
    freed = office.page.locator("#content")
    expect(freed).to_contain_text(order.reference)
    expect(freed).to_contain_text("dock 2")
    expect(freed).to_contain_text("3")
    assert StockLevel.objects.get(part=part).reserved == 2

    desk.go(f"/desk/parts-orders/{order.reference}/")
    page.get_by_role("link", name="Ship", exact=True).click()
    page.get_by_label("Carrier").fill("Nordfracht")
    page.get_by_label("Tracking number").fill("NF4472")
    page.get_by_label("Take it there first").check()
    page.get_by_label("leaves now").fill("2")
    page.get_by_role("main").get_by_role("button", name="Ship", exact=True).click()
    expect(page.get_by_role("main")).to_contain_text("NF4472")
    leaf = OrderLine.objects.get(order=order, is_split=False)
    assert leaf.status == "shipped"

    phone = ready(screen_of(technician, PHONE), job)
    with cellar(phone):
        phone.page.get_by_role("button", name="It is here").click()
        expect(entries(phone.page)).to_have_count(1)
        expect(entries(phone.page).first).to_contain_text("Waits for the network")
        unfold(phone.page, "Note")
        phone.page.get_by_label("Note", exact=True).fill("Box was wet, bearing is fine")
        phone.page.get_by_role("button", name="Add the note").click()
        expect(entries(phone.page)).to_have_count(2)
        assert OrderLine.objects.get(pk=leaf.pk).status == "shipped"
    expect(entries(phone.page)).to_have_count(0)
    assert OrderLine.objects.get(pk=leaf.pk).status == "delivered"
    customer.page.reload()
    expect(customer.page.get_by_role("region", name="Parts")).to_contain_text("Slewing bearing")
    desk.go(f"/desk/parts-orders/{order.reference}/")
    expect(page.get_by_role("region", name="Timeline")).to_contain_text(technician.first_name)
    assert desk.barriers() + phone.barriers() + customer.barriers() + office.barriers() == []
    assert broken() == []


# --- What happens more than once --------------------------------------------------------------------------------------


def followed(job: ServiceOrder, screen_of: ScreenOf) -> Screen:
    """Return a customer's screen that follows a job by its link, in English."""
    Customer.objects.filter(pk=job.customer_id).update(language="en")
    issued = tracking.issue(service_order_id=job.pk, **cause())
    screen = screen_of(size=PHONE)
    screen.go(f"/track/{issued.token}/")
    return screen


def stands(customer: Screen, word: str) -> None:
    """The customer reads where the job stands, in their words."""
    customer.page.reload()
    expect(customer.page.locator('[aria-current="step"]')).to_contain_text(word)


def step(page: Page, to: str) -> None:
    """Move a job on the desk by its button, and see that it moved."""
    page.get_by_role("main").get_by_role("button", name=f"Move to {to}").click()
    expect(page.get_by_role("main").locator(".status").first).to_contain_text(to)


def broken() -> list[str]:
    """Return the laws that do not hold when all is done."""
    return [verdict.law.name for verdict in check_all(3) if verdict.finding.total]
