"""The phone that is told while nobody looks at it: the button, and what the worker shows.

No push service can be reached: the test answers the browser's call to one, and hands to the worker what one would.
"""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import CDPSession, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from notifications.models import Address, PushDevice
from orders.models import ServiceOrder
from tests.admin.world import World
from tests.browser.conftest import ScreenOf
from tests.browser.phone import job_of, too_small
from tests.browser.screen import PHONE, Screen
from tests.notifications.test_push import Browser

KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE"
#: A push service that gives one address, which the browser keeps.
SERVICE = """
(keys) => {
  const plain = (text) => atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  const bytes = (text) => Uint8Array.from(plain(text), (one) => one.charCodeAt(0)).buffer;
  const subscription = {
    endpoint: keys.endpoint,
    options: {},
    getKey: (name) => bytes(keys[name]),
    unsubscribe: async () => { localStorage.removeItem("subscribed"); return true; },
  };
  PushManager.prototype.getSubscription = async () => localStorage.getItem("subscribed") && subscription;
  PushManager.prototype.subscribe = async (asked) => {
    if (!asked.userVisibleOnly || asked.applicationServerKey.length !== 65) throw new Error("asked wrongly");
    localStorage.setItem("subscribed", "yes");
    return subscription;
  };
  Notification.requestPermission = async () => keys.permission;
}
"""


@pytest.fixture(autouse=True)
def _can_tell(settings: Settings) -> None:
    settings.VAPID_PRIVATE_KEY, settings.MESSAGES_LEAVE = KEY, True


@pytest.fixture
def job(world: World, technician: User) -> ServiceOrder:
    return job_of(world, technician)


def opened(screen: Screen, browser: Browser, permission: str = "granted") -> Screen:
    given = json.dumps(browser.keys() | {"permission": permission})
    screen.page.add_init_script(f"({SERVICE})({given})")
    screen.go("/t/")
    return screen


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_technician_is_told_on_this_phone_and_then_no_more(
    job: ServiceOrder, technician: User, screen_of: ScreenOf, scheme: str
) -> None:
    browser = Browser.at("https://push.example/send/1")
    screen = opened(screen_of(technician, PHONE, scheme=scheme), browser)
    page = screen.page
    page.get_by_role("button", name="Tell me on this phone").click()
    expect(page.get_by_text("You are told on this phone.")).to_be_visible()
    assert PushDevice.objects.get().endpoint == browser.endpoint
    assert (screen.barriers(), screen.sideways(), too_small(page)) == ([], [], [])
    if folder := os.environ.get("LOOK"):
        page.screenshot(path=f"{folder}/push-{scheme}.png", full_page=True)
    page.reload()
    off = page.get_by_role("button", name="Tell me no more on this phone")
    off.click()
    expect(page.get_by_text("You are no longer told on this phone.")).to_be_visible()
    expect(page.get_by_role("button", name="Tell me on this phone")).to_be_focused()
    assert not PushDevice.objects.exists()
    assert Address.objects.get(channel="push").state == "off"


def test_who_does_not_allow_it_is_told_how(job: ServiceOrder, technician: User, screen_of: ScreenOf) -> None:
    screen = opened(screen_of(technician, PHONE), Browser.at("https://push.example/send/1"), "denied")
    screen.page.get_by_role("button", name="Tell me on this phone").click()
    expect(screen.page.get_by_text("This phone does not let us tell you.")).to_be_visible()
    assert not PushDevice.objects.exists()


def test_a_browser_that_cannot_be_told_is_not_asked(job: ServiceOrder, technician: User, screen_of: ScreenOf) -> None:
    screen = screen_of(technician, PHONE)
    screen.page.add_init_script("delete self.PushManager")
    screen.go("/t/")
    expect(screen.page.locator("#phone-push")).to_be_hidden()


def registration_of(session: CDPSession, screen: Screen) -> str:
    found: list[dict[str, Any]] = []
    session.on("ServiceWorker.workerRegistrationUpdated", lambda event: found.extend(event["registrations"]))
    session.send("ServiceWorker.enable")
    while not found:
        screen.page.wait_for_timeout(50)
    return str(found[0]["registrationId"])


@pytest.mark.parametrize(
    "body", ['{"title": "SO-1", "body": "In Progress", "url": "/t/jobs/x/", "tag": "t"}', "no JSON"]
)
def test_the_worker_shows_what_comes(
    job: ServiceOrder, technician: User, screen_of: ScreenOf, live_server: LiveServer, body: str
) -> None:
    screen = screen_of(technician, PHONE)
    screen.page.context.grant_permissions(["notifications"])
    screen.go("/t/")
    screen.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    session = screen.page.context.new_cdp_session(screen.page)
    registration = registration_of(session, screen)
    told = {"origin": live_server.url, "registrationId": registration, "data": body}
    session.send("ServiceWorker.deliverPushMessage", told)
    shown = screen.page.evaluate("""
        async () => {
          const worker = await navigator.serviceWorker.ready;
          for (;;) {
            const [one] = await worker.getNotifications();
            if (one) return [one.title, one.body, one.data.url];
            await new Promise((resolve) => { setTimeout(resolve, 50); });
          }
        }
    """)
    assert shown == (["SO-1", "In Progress", "/t/jobs/x/"] if body[0] == "{" else ["Backline", "", "/t/"])
