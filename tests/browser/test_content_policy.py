"""The page of the API's description in a real browser, under its own Content-Security-Policy.

All other pages are looked at where they are tested: what the policy stops is a complaint of the screen.
"""

from __future__ import annotations

from django.contrib.auth.models import User

from tests.admin.world import World
from tests.browser.conftest import ScreenOf


def test_calls_can_be_tried_on_the_page_of_the_api(world: World, above_all: User, screen_of: ScreenOf) -> None:
    screen = screen_of(above_all)
    screen.go("/api/v1/docs/")
    screen.page.get_by_role("heading", name="Backline").wait_for()
    screen.page.get_by_role("button", name="GET /api/v1/parts/", exact=False).first.click()
    screen.page.get_by_role("button", name="Try it out").click()
    screen.page.get_by_role("button", name="Execute").click()
    screen.page.get_by_text("Response headers").first.wait_for()
    assert screen.complaints == []
