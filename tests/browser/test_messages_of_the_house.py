"""Stories of whoever says what people are told: a rule is tried and switched on, a wording is written and published."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import expect

from notifications import shipped
from notifications.models import Notice, Rule, TemplateVersion
from orders.actions import service_orders
from tests.admin.world import World, cause
from tests.browser.conftest import ScreenOf
from tests.browser.screen import DESKTOP, PHONE, Screen
from tests.messages.told import deliver, rule_for_dispatchers

BOTH = pytest.mark.parametrize(("size", "scheme"), [(PHONE, "dark"), (DESKTOP, "light")], ids=["phone", "desktop"])


@pytest.fixture
def house(world: World) -> World:
    """The world with the rules and wordings that a new house begins with."""
    shipped.write_shipped(timezone.now())
    return world


def nothing_wrong(screen: Screen) -> None:
    assert screen.sideways() + screen.barriers() == []


@pytest.mark.slow
@pytest.mark.once
@BOTH
def test_a_rule_is_tried_on_what_happened_and_then_switched_on(
    house: World, manager: User, dispatcher: User, screen_of: ScreenOf, size: tuple[int, int], scheme: str
) -> None:
    rule = rule_for_dispatchers()
    Rule.objects.filter(pk=rule.pk).update(is_active=False, active_since=None)
    jobs = [house.job() for _ in range(3)]
    for job in jobs:
        service_orders.move(service_order_id=job.pk, to="in_progress", **cause())
    screen = screen_of(manager, size, scheme=scheme)
    page = screen.page
    screen.go(f"/admin/notifications/rule/{rule.pk}/change/")
    page.get_by_role("link", name="Try it").first.click()
    page.get_by_role("button", name="Try it").click()
    trial = page.locator("#trial")
    expect(trial).to_contain_text("Dispatchers, Inbox")
    expect(trial.locator("summary").first).to_contain_text(dispatcher.first_name)
    trial.locator("summary").first.click()
    expect(trial.locator("details[open]")).to_contain_text(f"/desk/orders/{jobs[-1].reference}/")
    nothing_wrong(screen)
    assert not Notice.objects.exists()

    screen.go(f"/admin/notifications/rule/{rule.pk}/change/")
    page.get_by_role("link", name="Switch on").first.click()
    page.get_by_label("Reason").fill("Dispatchers asked for it")
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_text("The rule is on")).to_be_visible()
    service_orders.move(service_order_id=jobs[0].pk, to="awaiting_parts", **cause())
    deliver()
    assert Notice.objects.filter(recipient__user=dispatcher).count() == 1


@pytest.mark.slow
@pytest.mark.once
def test_the_count_of_the_inbox_follows_what_happens_on_a_page_that_nobody_touches(
    house: World, dispatcher: User, screen_of: ScreenOf
) -> None:
    rule_for_dispatchers()
    job = house.job()
    deliver()
    Notice.objects.update(opened_at=timezone.now())
    screen = screen_of(dispatcher)
    page = screen.page
    page.clock.install()
    screen.go("/desk/board/")
    expect(page.locator(".bar-count")).to_have_count(0)
    service_orders.move(service_order_id=job.pk, to="in_progress", **cause())
    deliver()
    page.clock.fast_forward(21_000)
    expect(page.locator(".bar-count")).to_contain_text("1")
    page.locator("#bar-inbox").click()
    expect(page.get_by_role("main")).to_contain_text(job.reference)


@pytest.mark.slow
@pytest.mark.once
@BOTH
def test_a_wording_is_previewed_as_typed_published_and_taken_back(
    house: World, manager: User, dispatcher: User, screen_of: ScreenOf, size: tuple[int, int], scheme: str
) -> None:
    rule_for_dispatchers()
    job = house.job()
    screen = screen_of(manager, size, scheme=scheme)
    page = screen.page
    screen.go(f"/messages/wordings/staff_news/?language=en&order={job.reference}")
    subject = page.get_by_label("Subject", exact=True)
    before = subject.input_value()
    subject.fill("News of {{ order.nowhere }}")
    expect(page.locator("#preview")).to_contain_text("This wording cannot be kept yet.")
    subject.fill("Look: {{ order.reference }}")
    expect(page.locator("#preview strong").first).to_have_text(f"Look: {job.reference}")
    nothing_wrong(screen)
    page.get_by_role("button", name="Keep as draft").click()
    page.get_by_label("Why", exact=True).fill("Shorter")
    page.get_by_role("button", name="Publish the draft").click()
    expect(page.get_by_text("Version 2 is in use now.")).to_be_visible()
    service_orders.move(service_order_id=job.pk, to="in_progress", **cause())
    deliver()
    assert Notice.objects.filter(recipient__user=dispatcher).latest("id").subject == f"Look: {job.reference}"

    page.get_by_role("link", name="Versions").click()
    page.get_by_role("rowheader").get_by_role("link", name="1", exact=True).click()
    nothing_wrong(screen)
    page.get_by_label("Why").fill("Dispatchers missed the status")
    page.get_by_role("button", name="Use these words again").click()
    expect(page.get_by_role("row").filter(has_text="3 In use")).to_contain_text("Dispatchers missed the status")
    latest = TemplateVersion.objects.filter(template__code="staff_news", language="en").latest("number")
    assert (latest.number, latest.subject) == (3, before)
