"""Three whole stories without a mouse: where the focus is, and that it can be seen, at every step."""

from __future__ import annotations

import re
from decimal import Decimal

from django.contrib.auth.models import User
from playwright.sync_api import expect

from backorders.models import BackOrder
from orders.models import PartsOrder
from parts.models import PartRelation, PurchaseOrder
from reports.models import ExportRun
from tests.admin.world import World
from tests.browser.conftest import ScreenOf
from tests.browser.keyboard import Keyboard
from tests.factories.parts import PartFactory, SupplierPartFactory


def test_an_order_with_a_shortage_is_placed(world: World, dispatcher: User, screen_of: ScreenOf) -> None:
    there, short = world.part_in_stock(Decimal(4)), PartFactory.create()
    stands_in = world.part_in_stock()
    PartRelation.objects.create(kind="substitutes", part=stands_in, other=short)
    screen = screen_of(dispatcher)
    screen.go("/")
    page, keys = screen.page, Keyboard(screen.page)
    keys.press("Tab")
    expect(page.get_by_role("link", name="To the content")).to_be_focused()
    keys.enter(page.get_by_role("navigation", name="Pages").get_by_role("link", name="Order parts"))

    whom = page.locator("#whom")
    expect(whom).to_be_focused()
    keys.type(world.customer.name[:6].lower())
    expect(page.get_by_role("option").first).to_be_visible()
    keys.press("ArrowDown")
    expect(whom).to_have_attribute("aria-activedescendant", "option-0")
    keys.look()
    keys.press("Enter")
    expect(page.locator("#whose")).to_contain_text(world.customer.name)
    for part, quantity, says in ((there.number, "6", "2 short"), (short.number.lower(), "1", stands_in.number)):
        expect(page.locator("#rows input:focus")).to_have_attribute("name", re.compile("^part-"))
        keys.look()
        keys.type(part)
        keys.press("Enter")
        expect(page.locator("#rows input:focus")).to_have_attribute("name", re.compile("^quantity-"))
        keys.look()
        keys.type(quantity)
        keys.press("Enter")
        expect(page.locator("#rows")).to_contain_text(says)
    expect(page.get_by_label("Part, line 3", exact=True)).to_be_focused()
    keys.to(page.get_by_label("If short, at least, line 1"), "Shift+Tab")
    keys.type("2")

    keys.press("Control+Enter")
    expect(page.get_by_text("2 lines are short and go on back order.")).to_be_visible()
    assert not PartsOrder.objects.exists()
    expect(page.get_by_role("button", name="Place the order")).to_be_focused()
    keys.look()
    keys.press("Enter")
    page.wait_for_url("**/desk/parts-orders/**")
    expect(page.get_by_text("2 lines are short and back-ordered")).to_be_visible()
    assert set(BackOrder.objects.values_list("quantity", "minimum_fill")) == {(2, 2), (1, 0)}
    assert not keys.unseen, "\n".join(keys.unseen)


def test_a_parts_manager_takes_a_way_out_of_a_back_order(world: World, manager: User, screen_of: ScreenOf) -> None:
    waiting = world.short()
    SupplierPartFactory.create(part=waiting.part, lead_time_days=7)
    screen = screen_of(manager)
    screen.go("/admin/desk/")
    page, keys = screen.page, Keyboard(screen.page)

    keys.press("Tab")
    skip = page.get_by_role("link", name="To the content")
    expect(skip).to_be_focused()
    keys.look()
    keys.press("Enter")
    main = page.get_by_role("main")
    keys.enter(main.get_by_role("link", name=re.compile("Without supply")))
    page.wait_for_url("**list=no-supply**")
    keys.enter(skip)
    keys.enter(main.get_by_role("link", name=f"Ways out for {waiting.reference}"))
    page.wait_for_url("**/ways/")
    keys.enter(skip)
    way = main.get_by_role("row").filter(has_text="Order from a supplier").filter(has_text="in 7 days")
    keys.enter(way.get_by_role("link", name=re.compile("^Look and take: Order from a supplier")))

    expect(page.get_by_role("heading", name=re.compile("Order from a supplier")).first).to_be_visible()
    assert not PurchaseOrder.objects.exists()  # it is shown with its consequences, and waits for the word
    reason = page.get_by_label("Reason")
    keys.to(reason)
    keys.type("Nobody else has it")
    keys.enter(main.get_by_role("button", name="Order from a supplier"))
    expect(page.get_by_text("Done: Order from a supplier. PUR-")).to_be_visible()
    waiting.refresh_from_db()
    assert waiting.expected_on is not None
    assert not keys.unseen, "\n".join(keys.unseen)


def test_an_auditor_finds_what_happened_to_an_order_and_has_it_exported(
    world: World, auditor: User, screen_of: ScreenOf
) -> None:
    order = world.placed(world.part_in_stock(), 2)
    world.placed(world.part_in_stock(), 1)
    screen = screen_of(auditor)
    screen.go("/")
    page, keys = screen.page, Keyboard(screen.page)

    keys.enter(page.get_by_role("navigation", name="Pages").get_by_role("link", name="Audit"))
    page.wait_for_url("**/audit/")
    keys.to(page.get_by_label("Order", exact=True))
    keys.type(order.reference.lower())
    keys.press("Enter")
    history = page.locator("#history")
    expect(history.get_by_role("row")).to_have_count(3)  # the head, the order, its line
    keys.to(history.get_by_role("link", name=order.reference, exact=True))
    keys.to(page.get_by_role("link", name="Export these"), "Shift+Tab")
    keys.press("Enter")

    page.wait_for_url("**/audit/exports/new/**")
    expect(page.get_by_role("main")).to_contain_text(order.reference.lower())
    format_of = page.get_by_role("radio")
    keys.to(page.locator("input[type=radio]:checked"))
    keys.press("ArrowDown")
    expect(format_of.nth(1)).to_be_focused()
    expect(format_of.nth(1)).to_be_checked()
    keys.look()
    chosen = format_of.nth(1).input_value()
    keys.enter(page.get_by_role("button", name="Make the export"))
    expect(page.get_by_role("status").filter(has_text="Waits for a worker")).to_be_visible()
    assert ExportRun.objects.get().format == chosen
    assert not keys.unseen, "\n".join(keys.unseen)
