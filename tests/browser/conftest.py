"""A real browser in front of the real application: people, windows, light and dark, on line and off.

A test asks for `screen_of` and opens as many screens as it needs: `screen_of(dispatcher)`, `screen_of(technician,
PHONE, scheme="dark")`. Whoever is named is signed in; nobody named is a stranger. When the test is over, no screen may
have anything to complain about: no error in the console or in a script, no answer of the server that failed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from django.conf import settings as configured
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, Playwright, expect, sync_playwright
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from backorders.models import AllocationPolicy
from config import chromium
from tests.admin.world import World
from tests.browser.screen import DESKTOP, Screen

HERE = Path(__file__).parent
#: How long is waited for what a page shows, in milliseconds: longer than anything here takes on a busy machine.
PATIENCE = 30_000
expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this room: it drives a browser, and its server sees only what is committed."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.django_db(transaction=True))


def _program(playwright: Playwright) -> str | None:
    """Return Chromium: the machine's, or the one that Playwright brought along."""
    brought = playwright.chromium.executable_path
    return chromium.program() or (brought if Path(brought).exists() else None)


def without_chromium() -> None:
    reason = "There is no Chromium: install one (apt-get install chromium), or name it in CHROMIUM."
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="package")
def browser(live_server: LiveServer) -> Iterator[Browser]:
    """Chromium. Without one, tests are skipped with the reason; where CI=true, they fail."""
    with pytest.MonkeyPatch.context() as patched, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread, at which Django would refuse to query from it.
        patched.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        if (program := _program(playwright)) is None:
            without_chromium()
        browser = playwright.chromium.launch(executable_path=program, args=list(chromium.FLAGS))
        yield browser
        browser.close()


class ScreenOf(Protocol):
    """Opens a screen for somebody, of a size and in a colour scheme."""

    def __call__(
        self, person: User | None = None, size: tuple[int, int] = DESKTOP, *, scheme: str = "light"
    ) -> Screen: ...


@pytest.fixture
def screen_of(browser: Browser, live_server: LiveServer) -> Iterator[ScreenOf]:
    """Open screens; afterwards, none of them may complain."""
    screens: list[Screen] = []

    def opened(person: User | None = None, size: tuple[int, int] = DESKTOP, *, scheme: str = "light") -> Screen:
        width, height = size
        context = browser.new_context(
            viewport={"width": width, "height": height},
            is_mobile=width < 600,
            has_touch=width < 600,
            color_scheme="dark" if scheme == "dark" else "light",
            reduced_motion="reduce",
            locale="en-GB",
            timezone_id="Europe/Berlin",
        )
        context.set_default_timeout(PATIENCE)
        if person is not None:
            signed_in = Client()
            signed_in.force_login(person)
            key = signed_in.cookies[configured.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": configured.SESSION_COOKIE_NAME, "value": key, "url": live_server.url}])
        screens.append(Screen(context.new_page(), live_server.url))
        return screens[-1]

    yield opened
    for screen in screens:
        screen.page.context.close()
    assert [complaint for screen in screens for complaint in screen.complaints] == []


@pytest.fixture
def world(transactional_db: None) -> World:
    """Two warehouses and a customer, and the means to bring more."""
    AllocationPolicy.objects.get_or_create(name="default")  # the test before was cleaned up after
    return World()


@pytest.fixture(autouse=True)
def _files_of_its_own(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
