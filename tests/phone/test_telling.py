"""The button "Tell me on this phone", without a browser: offered where something can come, and to technicians."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from notifications.models import Address, PushDevice
from notifications.transports.push import public_key
from tests.notifications.test_push import Browser

pytestmark = pytest.mark.django_db

TELL, NO_MORE = "/t/tell-me/", "/t/tell-me-no-more/"
KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE"


@pytest.fixture
def browser() -> Browser:
    return Browser.at("https://push.example/x")


def shown(phone: Client) -> str:
    return phone.get("/t/").content.decode()


@pytest.mark.parametrize(("key", "leaves"), [("", True), (KEY, False)])
def test_it_is_not_offered_where_nothing_would_come(phone: Client, settings: Settings, key: str, leaves: bool):
    settings.VAPID_PRIVATE_KEY, settings.MESSAGES_LEAVE = key, leaves
    assert "phone-push" not in shown(phone)


def test_it_is_there_for_its_script_and_knows_which_phones_are_told(
    phone: Client, settings: Settings, browser: Browser
):
    settings.VAPID_PRIVATE_KEY, settings.MESSAGES_LEAVE = KEY, True
    page = shown(phone)
    assert 'id="phone-push" hidden' in page  # without scripts nobody sees it
    assert f'data-key="{public_key()}"' in page
    assert KEY not in page
    for _ in range(2):
        assert phone.post(TELL, browser.keys()).json() == {"told": True}
    (device,) = PushDevice.objects.all()
    known = shown(phone).partition('data-known="')[2].partition('"')[0]
    assert known.startswith(device.address.value.rpartition(" ")[2])
    assert browser.endpoint not in shown(phone)
    assert phone.post(NO_MORE, {"endpoint": browser.endpoint}).json() == {"told": False}
    assert 'data-known=""' in shown(phone)


@pytest.mark.parametrize("wrong", [{"endpoint": "https://localhost/x"}, {"auth": "x"}, {"p256dh": ""}])
def test_what_is_no_phone_is_refused(phone: Client, browser: Browser, wrong: dict[str, str]):
    answer = phone.post(TELL, browser.keys() | wrong)
    assert (answer.status_code, answer.json()["says"]) == (400, "This browser cannot be told.")
    assert not Address.objects.filter(channel="push").exists()


def test_only_technicians_ask_and_only_from_our_own_page(
    client: Client, nobody: User, auditor: User, technician: User, browser: Browser
):
    assert client.post(TELL, browser.keys()).status_code == 401
    for person in (auditor, nobody):
        client.force_login(person)
        assert client.post(TELL, browser.keys()).status_code == 403
    strict: Any = Client(enforce_csrf_checks=True)
    strict.force_login(technician)
    assert strict.post(TELL, browser.keys()).status_code == 403
    assert not PushDevice.objects.exists()
    assert client.get(TELL).status_code in (403, 405)
