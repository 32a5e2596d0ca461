"""The parts manager at the back-order desk: what if, and what else, shown before it is done; with axe on each page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import expect

from backorders.actions import moving, pegging
from backorders.models import AllocationPolicy, BackOrder
from orders.actions import lines
from tests.admin.world import World, cause
from tests.browser.conftest import ScreenOf
from tests.browser.screen import DESKTOP, PHONE, Screen
from tests.factories.parts import SupplierPartFactory

BOTH = pytest.mark.parametrize(("size", "scheme"), [(PHONE, "dark"), (DESKTOP, "light")], ids=["phone", "desktop"])


def two_who_wait(world: World) -> tuple[BackOrder, BackOrder]:
    """One that supply covers and that has a promise, and one behind it that it does not reach."""
    first = world.short()
    world.placed(first.part, 3)
    second = BackOrder.objects.filter(part=first.part).exclude(pk=first.pk).get()
    world.bought(first.part, 3)
    pegging.repeg(part_ids=[first.part_id], today=timezone.now().date())
    lines.promise(line_id=first.line_id, promised_on=timezone.now().date() + timedelta(days=12), **cause())
    return first, second


def nothing_wrong(screen: Screen) -> None:
    assert screen.sideways() + screen.barriers() == []


@BOTH
def test_what_if_and_apply(
    world: World, manager: User, screen_of: ScreenOf, size: tuple[int, int], scheme: str
) -> None:
    first, second = two_who_wait(world)
    screen = screen_of(manager, size, scheme=scheme)
    page = screen.page
    screen.go("/admin/")
    expect(page.get_by_role("navigation", name="Lists")).to_be_visible()
    nothing_wrong(screen)
    page.get_by_role("navigation", name="Lists").get_by_role("link", name="Without supply").click()
    page.get_by_role("link", name=second.reference, exact=True).click()
    page.get_by_role("link", name="Pin to the top").click()
    loser = page.get_by_role("row").filter(has_text=first.reference)
    expect(loser).to_contain_text("loses its day")
    expect(loser).to_contain_text("breaks its promise")
    expect(page.get_by_role("row").filter(has_text=second.reference)).to_contain_text("gets a day")
    nothing_wrong(screen)

    moving.hold(back_order_id=first.pk, reason="They are moving", **cause())
    page.get_by_label("Reason").fill("A machine stands still")
    page.get_by_role("button", name="Pin to the top").click()
    expect(page.get_by_role("alert")).to_contain_text("nothing was done")
    expect(page.get_by_label("Reason")).to_have_value("A machine stands still")
    assert BackOrder.objects.get(pk=second.pk).pinned_at is None
    nothing_wrong(screen)

    page.get_by_role("button", name="Pin to the top").click()
    expect(page.get_by_text("Pinned: it is served before all")).to_be_visible()
    assert BackOrder.objects.get(pk=second.pk).pinned_at is not None


def test_other_weights_are_looked_at_and_used(world: World, manager: User, screen_of: ScreenOf) -> None:
    first, second = two_who_wait(world)
    BackOrder.objects.filter(pk=second.pk).update(rank_facts=second.rank_facts | {"tier": "bronze"})
    BackOrder.objects.filter(pk=first.pk).update(rank_facts=first.rank_facts | {"tier": "silver"})
    screen = screen_of(manager)
    page = screen.page
    screen.go("/admin/backorders/allocationpolicy/default/weights/")
    page.get_by_label("Bronze").fill("900")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("row").filter(has_text=first.reference)).to_contain_text("loses its day")
    nothing_wrong(screen)
    page.get_by_label("Reason").fill("Small customers waited too long")
    page.get_by_role("button", name="Use these weights").click()
    expect(page.get_by_text("The queue is weighed anew")).to_be_visible()
    assert AllocationPolicy.objects.get().bronze == 900
    assert BackOrder.objects.get(pk=second.pk).expected_on is not None


@BOTH
def test_a_way_out_is_looked_at_and_taken(
    world: World, manager: User, screen_of: ScreenOf, size: tuple[int, int], scheme: str
) -> None:
    _first, second = two_who_wait(world)
    SupplierPartFactory.create(part=second.part, lead_time_days=7)
    screen = screen_of(manager, size, scheme=scheme)
    page = screen.page
    screen.go("/admin/desk/?list=no-supply")
    page.get_by_role("link", name=f"Ways out for {second.reference}").click()
    way = page.get_by_role("row").filter(has_text="Order from a supplier").filter(has_text="in 7 days")
    expect(way).to_contain_text("freight not known")
    nothing_wrong(screen)
    way.get_by_role("link").click()
    page.get_by_label("Reason").fill("Nobody else has it")
    nothing_wrong(screen)
    page.get_by_role("button", name="Order from a supplier").click()
    expect(page.get_by_text("Done: Order from a supplier. PUR-")).to_be_visible()
    assert BackOrder.objects.get(pk=second.pk).expected_on is not None


@pytest.mark.parametrize(
    ("address", "heads"),
    [("/admin/desk/?list=all", ".desk-worklist thead"), ("/admin/backorders/backorder/", "#result_list thead")],
)
def test_the_heads_of_a_long_list_stay_in_sight(
    world: World, manager: User, screen_of: ScreenOf, address: str, heads: str
) -> None:
    for _ in range(25):
        world.short()
    screen = screen_of(manager)
    screen.go(address)
    expect(screen.page.locator(".desk-fits")).to_have_count(1)
    screen.page.mouse.move(700, 400)
    screen.page.mouse.wheel(0, 500)
    expect(screen.page.locator(f"{heads} th").first).to_be_in_viewport(ratio=1)
    nothing_wrong(screen)
