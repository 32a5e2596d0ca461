"""The parts manager's day beside the queue: a scanner at the dock, an override that two people make, a case."""

from __future__ import annotations

from pathlib import Path

from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import expect

from config import roles
from integrations.models import Discrepancy
from orders.models import ConsentRule, OrderLine, OverrideRequest
from parts.models import Delivery, StockLevel
from tests.admin.desk import page as page_of
from tests.admin.world import World
from tests.browser.conftest import ScreenOf
from tests.browser.screen import PHONE


def test_a_delivery_is_booked_by_scanner_and_keyboard_and_says_what_goes_where(
    world: World, dispatcher: User, screen_of: ScreenOf
) -> None:
    world.near.dock = "dock 2"
    world.near.save()
    waiting = world.short()
    order = world.bought(waiting.part, 5)
    screen = screen_of(dispatcher)
    screen.go(f"{reverse('admin:parts_delivery_book')}?orders={order.pk}")
    page, keys = screen.page, screen.page.keyboard
    box = page.get_by_label("Part number, typed or scanned")
    expect(box).to_be_focused()
    assert screen.barriers() == []
    box.focus()
    keys.type("nothing-of-ours")
    keys.press("Enter")
    expect(page.get_by_role("status").filter(has_text="is on none of these orders")).to_be_visible()
    keys.type(waiting.part.number.lower())
    keys.press("Enter")
    came = page.get_by_label(f"{waiting.part.number}: came")
    expect(came).to_be_focused()
    keys.type("4")
    keys.press("Enter")
    expect(box).to_be_focused()
    assert not Delivery.objects.exists()

    page.get_by_label("Delivery note").fill("DN-7")
    page.get_by_role("button", name="Book a delivery").press("Enter")
    expect(page.get_by_role("heading", name="1 order was waiting for this")).to_be_visible()
    expect(page.get_by_text("leave on dock 2 for")).to_be_visible()
    expect(page.get_by_text("1 are still to come")).to_be_visible()
    expect(page.get_by_role("button", name="Print")).to_be_visible()
    assert screen.barriers() == []


def test_an_override_with_evidence_waits_for_another_person_and_stands_in_the_list(
    world: World, manager: User, screen_of: ScreenOf, tmp_path: Path
) -> None:
    second = User.objects.create_user("second", first_name="Second", last_name="Manager")
    roles.give_role(second, roles.MANAGER)
    ConsentRule.objects.create(name="Shipped outside", to_status="shipped")
    world.short()
    line = OrderLine.objects.get(status="back_ordered", is_split=False)
    receipt = tmp_path / "receipt.txt"
    receipt.write_text("Paid at the counter")

    asks = screen_of(manager)
    asks.go(reverse("admin:orders_orderline_override", args=[line.pk]))
    page = asks.page
    page.get_by_label("New status").select_option("shipped")
    page.get_by_label("Reason").fill("Bought at the dealer's counter")
    page.get_by_role("button", name="Override").click()
    expect(page.get_by_text("Give a reference, or a file as evidence.")).to_be_visible()
    page.locator("input[type=file]").set_input_files(receipt)
    page.get_by_role("button", name="Override").click()
    expect(page.get_by_text("wants the consent of another person")).to_be_visible()
    assert asks.barriers() == []
    assert OrderLine.objects.get(pk=line.pk).status == "back_ordered"

    decides = screen_of(second, PHONE, scheme="dark")
    decides.go(page_of(OverrideRequest.objects.get()))
    expect(decides.page.get_by_text("Bought at the dealer's counter")).to_be_visible()
    expect(decides.page.get_by_role("link", name="receipt.txt")).to_be_visible()
    assert decides.barriers() == []
    assert decides.sideways() == []
    decides.page.get_by_role("link", name="Consent", exact=True).click()
    decides.page.get_by_role("button", name="Consent").click()
    expect(decides.page.get_by_text("Applied")).to_be_visible()
    assert OrderLine.objects.get(pk=line.pk).status == "shipped"

    asks.go(reverse("admin:orders_override_changelist"))
    row = asks.page.get_by_role("row").filter(has_text=line.reference)
    expect(row).to_contain_text("Bought at the dealer's counter")
    expect(row).to_contain_text("Second Manager")
    expect(row).to_contain_text("receipt.txt")
    assert asks.barriers() == []


def test_a_case_is_opened_at_a_stock_level_and_settled(world: World, manager: User, screen_of: ScreenOf) -> None:
    level = StockLevel.objects.get(part=world.part_in_stock())
    screen = screen_of(manager)
    screen.go(page_of(level))
    page = screen.page
    page.get_by_role("link", name="Open a case").click()
    page.get_by_label("What was expected").fill("10")
    page.get_by_label("What was found instead").fill("9")
    page.get_by_role("button", name="Open a case").click()
    page.get_by_role("button", name="Take the case").click()
    expect(page.get_by_text("It is yours.")).to_be_visible()
    assert screen.barriers() == []
    page.get_by_role("link", name="Resolve").click()
    page.get_by_label("What was wrong").select_option("goods")
    page.get_by_label("What was done").fill("It lay on the shelf below")
    page.get_by_role("button", name="Resolve").click()
    expect(page.get_by_text("It lay on the shelf below")).to_be_visible()
    assert Discrepancy.objects.get().status == "resolved"
    screen.go(reverse("admin:integrations_discrepancy_changelist"))
    assert screen.barriers() == []
