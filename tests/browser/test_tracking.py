"""A customer follows their order by a link: on a phone, in their language, without an account."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone, translation
from django.utils.formats import date_format
from playwright.sync_api import expect

from backorders.models import AllocationPolicy
from config.tracking.limits import sent_forms, wrong_links
from orders.actions import jobs, lines, service_orders, tracking
from orders.actions.wording import write_rows
from orders.models import OrderLine, ServiceOrder
from tests.admin.world import World, cause
from tests.browser.conftest import ScreenOf
from tests.browser.screen import PHONE
from tests.tracking.world import Tracked

#: The narrowest phone that is still about.
OLD_PHONE = (320, 568)


@pytest.fixture(autouse=True)
def _nobody_tried_before(transactional_db: None) -> None:
    wrong_links.empty_all()
    sent_forms.empty_all()
    AllocationPolicy.objects.get_or_create(name="default")
    write_rows()


@pytest.fixture
def planned(world: World) -> ServiceOrder:
    """A job that is planned for a day in a week, of a customer who reads German."""
    world.customer.language = "de"
    world.customer.save()
    job = world.job("draft")
    service_orders.move(service_order_id=job.pk, to="scheduled", **cause())
    day = timezone.now().date() + timedelta(days=7)
    jobs.reschedule(service_order_id=job.pk, scheduled_for=day, **cause())
    return ServiceOrder.objects.get(pk=job.pk)


def test_a_dispatcher_makes_a_link_and_its_customer_reschedules_and_writes_until_it_is_revoked(
    planned: ServiceOrder, dispatcher: User, screen_of: ScreenOf
) -> None:
    desk = screen_of(dispatcher)
    desk.go(f"/desk/orders/{planned.reference}/")
    links = desk.page.get_by_role("region", name="Customer's link")
    links.get_by_label("Made for (optional)").fill("Frau Weber")
    links.get_by_role("button", name="Make a link").click()
    expect(links.get_by_text("This is the link. Copy it now: it is shown only once.")).to_be_visible()
    address = links.get_by_label("The link").input_value()
    assert address.startswith(desk.address)

    phone = screen_of(size=PHONE)
    phone.page.goto(address)
    expect(phone.page.locator("html")).to_have_attribute("lang", "de")
    day = planned.scheduled_for
    assert day is not None
    with translation.override("de"):
        expect(phone.page.locator("main dl time")).to_contain_text(date_format(day, "DATE_FORMAT"))
    phone.page.get_by_role("link", name="English").click()
    expect(phone.page.locator("html")).to_have_attribute("lang", "en")
    expect(phone.page.locator('[aria-current="step"]')).to_contain_text("Appointment planned")
    assert phone.barriers() == []

    chosen = day + timedelta(days=3)
    phone.page.get_by_label("Another day").fill(chosen.isoformat())
    phone.page.get_by_role("button", name="Choose this day").click()
    expect(phone.page.get_by_text("Your day is noted.")).to_be_visible()
    expect(phone.page.locator("main dl time")).to_contain_text(str(chosen.year))
    phone.page.get_by_label("Your message").fill("The gate is closed until nine.")
    phone.page.get_by_role("button", name="Send").dblclick()
    expect(phone.page.get_by_text("Your message is with the workshop.")).to_be_visible()
    expect(phone.page.get_by_text("The gate is closed until nine.")).to_have_count(1)
    assert phone.barriers() == []

    desk.page.reload()
    timeline = desk.page.get_by_role("region", name="Timeline")
    expect(timeline).to_contain_text("Message from the customer")
    expect(timeline).to_contain_text("The gate is closed until nine.")
    expect(timeline).to_contain_text("the customer, by their link")
    expect(timeline).to_contain_text("Rescheduled")
    assert ServiceOrder.objects.get(pk=planned.pk).scheduled_for == chosen
    assert desk.barriers() == []

    links.get_by_role("button", name="Revoke").click()
    expect(links.get_by_text("Revoked", exact=True)).to_be_visible()
    phone.page.reload()
    expect(phone.page.get_by_role("heading", name="This link does not open anything")).to_be_visible()
    assert phone.barriers() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_the_narrowest_phone_and_bars_nobody(scheme: str, screen_of: ScreenOf) -> None:
    tracked = Tracked()
    tracked.to("in_progress")
    leaf = tracked.parts().children.get()
    lines.promise(line_id=leaf.pk, promised_on=timezone.now().date(), **cause())
    past = timezone.now().date() - timedelta(days=4)
    OrderLine.objects.filter(pk=leaf.pk).update(promised_on=past, first_promised_on=past - timedelta(days=9))
    text = "A" * 300 + " and what people say at length. " * 8
    service_orders.add_note(service_order_id=tracked.job.pk, text=text, public=True, **cause())
    jobs.send_equipment(
        service_order_id=tracked.job.pk,
        direction="to_manufacturer",
        carrier="Nordfracht international freight",
        tracking_number="NF" + "7" * 60,
        **cause(),
    )
    screen = screen_of(size=OLD_PHONE, scheme=scheme)
    screen.go(tracked.address)
    expect(screen.page.get_by_text("We are late")).to_be_visible()
    assert screen.sideways() == []
    assert screen.barriers() == []
    screen.go("/track/wrong/")
    assert screen.sideways() == []
    assert screen.barriers() == []


def test_everything_works_without_scripts_and_from_the_keyboard(screen_of: ScreenOf) -> None:
    tracked = Tracked()
    screen = screen_of(size=OLD_PHONE)
    screen.page.route("**/*.js", lambda route: route.abort())
    screen.go(tracked.address)
    message = screen.page.get_by_label("Your message")
    message.focus()
    screen.page.keyboard.type("Please call before you come")
    screen.page.keyboard.press("Tab")
    screen.page.keyboard.press("Enter")
    expect(screen.page.get_by_text("Your message is with the workshop.")).to_be_visible()
    stop = screen.page.get_by_role("button", name="Stop messages")
    stop.focus()
    screen.page.keyboard.press("Space")
    expect(screen.page.get_by_role("button", name="Start messages again")).to_be_visible()
    screen.complaints.clear()  # that the scripts did not come is what this is about


def test_what_is_wrong_is_said_where_it_is_and_takes_the_focus(screen_of: ScreenOf) -> None:
    tracked = Tracked()
    screen = screen_of(size=PHONE)
    screen.go(tracked.address)
    field = screen.page.get_by_label("Another day")
    field.evaluate("element => { element.removeAttribute('max'); }")
    field.fill((timezone.now().date() + timedelta(days=400)).isoformat())
    screen.page.get_by_role("button", name="Choose this day").click()
    summary = screen.page.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("Please choose a day in the range that is offered.")
    expect(field).to_have_attribute("aria-invalid", "true")
    assert screen.barriers() == []


def test_the_printed_page_has_the_facts_and_no_forms(screen_of: ScreenOf) -> None:
    tracked = Tracked()
    screen = screen_of()
    screen.go(tracked.address)
    screen.page.emulate_media(media="print")
    expect(screen.page.get_by_role("button")).to_have_count(0)
    expect(screen.page.get_by_role("heading", name="Where it stands")).to_be_visible()
    tracking.revoke(link_id=tracked.issued.link.pk, **cause())
    screen.page.reload()
    expect(screen.page.get_by_role("heading", name="This link does not open anything")).to_be_visible()
