"""The figures as a parts manager uses them: from a number to its definition and to the rows, on every screen."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from tests.admin.world import World
from tests.browser.conftest import ScreenOf
from tests.browser.screen import DESKTOP, PHONE


def test_from_a_figure_to_its_definition_its_rows_and_the_order(
    world: World, manager: User, screen_of: ScreenOf
) -> None:
    order = world.placed(world.part(), 2)
    screen = screen_of(manager)
    screen.go("/figures/")
    assert screen.barriers() == []
    screen.page.get_by_role("link", name=re.compile("Line fill rate")).first.click()
    expect(screen.page.get_by_role("heading", name="Definition")).to_be_visible()
    expect(screen.page.get_by_role("img", name="Line fill rate")).to_be_visible()
    assert screen.barriers() == []
    screen.page.get_by_role("link", name=re.compile(re.escape(order.reference))).first.click()
    expect(screen.page).to_have_url(re.compile(f"/desk/parts-orders/{order.reference}/"))


@pytest.mark.parametrize("size", [DESKTOP, PHONE, (320, 700)])
def test_no_page_of_figures_is_wider_than_its_screen(
    world: World, manager: User, screen_of: ScreenOf, size: tuple[int, int]
) -> None:
    world.placed(world.part(), 2)
    screen = screen_of(manager, size)
    for address in ("/figures/", "/figures/line_fill_rate/", "/figures/open_back_orders/", "/figures/stuck_jobs/"):
        screen.go(address)
        assert screen.sideways() == []
        assert screen.barriers() == []


def test_filters_are_set_without_a_script_and_stay_in_the_address(
    world: World, manager: User, screen_of: ScreenOf
) -> None:
    world.placed(world.part(), 2)
    screen = screen_of(manager)
    screen.go("/figures/")
    screen.page.get_by_label("Tier").select_option("gold")
    screen.page.get_by_role("button", name="Show").click()
    expect(screen.page).to_have_url(re.compile("tier=gold"))
    expect(screen.page.get_by_label("Tier")).to_have_value("gold")
