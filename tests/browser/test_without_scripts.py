"""The back office in a browser that runs no scripts: it is seen, its lists are filtered, its deeds are done."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from backorders.actions import pegging
from backorders.models import AllocationPolicy, BackOrder
from parts.models import PartNumber, PurchaseOrder
from tests.admin.world import World
from tests.browser.conftest import ScreenOf
from tests.browser.screen import DESKTOP, PHONE
from tests.factories.parts import SupplierPartFactory

SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])


@pytest.fixture
def plain(manager: User, screen_of: ScreenOf, size: tuple[int, int]) -> Iterator[Page]:
    """A window of a parts manager whose browser runs no scripts."""
    signed_in = screen_of(manager)
    browser = signed_in.page.context.browser
    assert isinstance(browser, Browser)
    context = browser.new_context(
        java_script_enabled=False,
        storage_state=signed_in.page.context.storage_state(),
        base_url=signed_in.address,
        viewport={"width": size[0], "height": size[1]},
    )
    yield context.new_page()
    context.close()


@SIZES
def test_a_way_out_is_found_on_the_desk_and_taken_without_scripts(
    world: World, plain: Page, size: tuple[int, int]
) -> None:
    row = world.short()
    SupplierPartFactory.create(part=row.part, lead_time_days=7)
    plain.goto("/admin/")
    plain.get_by_role("navigation", name="Lists").get_by_role("link", name="Without supply").click()
    plain.get_by_role("link", name=f"Ways out for {row.reference}").click()
    plain.get_by_role("link", name=re.compile("Look and take: Order from a supplier.*in 7 days")).click()
    plain.get_by_role("button", name="Order from a supplier").click()
    expect(plain.get_by_text("Done: Order from a supplier. PUR-")).to_be_visible()
    assert PurchaseOrder.objects.filter(lines__part=row.part).count() == 1


@SIZES
def test_weights_are_looked_at_and_used_without_scripts(world: World, plain: Page, size: tuple[int, int]) -> None:
    first = world.short()
    world.placed(first.part, 3)
    world.bought(first.part, 3)
    pegging.repeg(part_ids=[first.part_id], today=timezone.now().date())
    BackOrder.objects.filter(pk=first.pk).update(opened_at=timezone.now() - timedelta(days=3))
    plain.goto("/admin/backorders/allocationpolicy/default/weights/")
    plain.get_by_label("Bronze").fill("900")
    plain.get_by_role("button", name="Preview").click()
    expect(plain.get_by_role("heading", name="What would change")).to_be_visible()
    plain.get_by_label("Reason").fill("Small customers waited too long")
    plain.get_by_role("button", name="Use these weights").click()
    expect(plain.get_by_text("The queue is weighed anew")).to_be_visible()
    assert AllocationPolicy.objects.get().bronze == 900


@SIZES
def test_a_purchase_order_is_written_out_without_scripts(world: World, plain: Page, size: tuple[int, int]) -> None:
    order = world.bought(world.part_in_stock())
    plain.goto("/admin/parts/purchaseorder/place/")
    typed = plain.get_by_label("Number or name, written out")
    typed.nth(0).fill(order.supplier.code)
    typed.nth(1).fill(world.near.code)
    typed.nth(2).fill(order.lines.get().part.number)
    plain.get_by_label("Quantity").first.fill("4")
    plain.locator("main button[type=submit]").click()
    expect(plain).to_have_url(re.compile("/change/"))
    assert PurchaseOrder.objects.exclude(pk=order.pk).get().lines.get().quantity == 4


@SIZES
def test_a_list_is_filtered_and_the_other_lists_and_the_way_out_are_reached_without_scripts(
    world: World, plain: Page, size: tuple[int, int]
) -> None:
    row = world.short()
    plain.goto("/admin/backorders/backorder/")
    expect(plain.get_by_role("link", name=row.reference)).to_be_visible()
    plain.get_by_label("By status").select_option("cancelled")
    plain.get_by_role("button", name="Apply Filters").click()
    expect(plain).to_have_url(re.compile("status__exact=cancelled"))
    expect(plain.get_by_role("link", name=row.reference)).to_have_count(0)
    plain.get_by_role("link", name="Discrepancy cases").click()
    expect(plain).to_have_url(re.compile("/integrations/discrepancy/"))
    plain.get_by_role("button", name="Log out").click()
    plain.goto("/admin/desk/")
    expect(plain).to_have_url(re.compile("/login/"))


@SIZES
def test_a_list_is_filtered_by_a_written_part_and_let_go_again_without_scripts(
    world: World, plain: Page, size: tuple[int, int]
) -> None:
    row, other = world.short(), world.short()
    plain.goto("/admin/backorders/backorder/")
    written = plain.get_by_label("By part: number or name, written out")
    written.fill(row.part.number)
    plain.get_by_role("button", name="Apply Filters").click()
    expect(plain.get_by_role("link", name=row.reference)).to_be_visible()
    expect(plain.get_by_role("link", name=other.reference)).to_have_count(0)
    expect(written).to_have_value(row.part.number)
    written.fill("")
    plain.get_by_role("button", name="Apply Filters").click()
    expect(plain.get_by_role("link", name=other.reference)).to_be_visible()


@SIZES
def test_a_number_of_a_part_is_added_without_scripts(world: World, plain: Page, size: tuple[int, int]) -> None:
    part = world.part_in_stock()
    plain.goto(f"/admin/parts/part/{part.pk}/change/")
    known = PartNumber.objects.filter(part=part).count()
    plain.locator(f"[name=numbers-{known}-system]").fill("WMS")
    plain.locator(f"[name=numbers-{known}-number]").fill("88-1")
    plain.get_by_role("button", name="Save", exact=True).click()
    expect(plain).to_have_url(re.compile("/admin/parts/part/$"))
    assert PartNumber.objects.get(number="88-1").part == part
