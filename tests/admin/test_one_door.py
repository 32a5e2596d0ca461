"""There is one place to sign in: the back office has no door of its own, and asks of nobody less than it did."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.admin.desk import desk_of, text
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

DOOR = "/admin/login/"
OURS = "/accounts/login/"


def test_who_is_not_signed_in_is_led_to_our_page_and_from_there_to_what_they_asked_for(manager: User) -> None:
    browser = Client()
    answer = browser.get("/admin/orders/partsorder/?status__exact=open", follow=True)
    assert answer.redirect_chain[-1][0].startswith(f"{OURS}?")
    assert "static/backline/css/tokens" in text(answer)
    asked = parse_qs(urlsplit(answer.redirect_chain[-1][0]).query)["next"][0]
    signed_in = browser.post(OURS, {"username": manager.username, "password": PASSWORD, "next": asked})
    assert signed_in.headers["Location"] == "/admin/orders/partsorder/?status__exact=open"


def test_a_password_that_is_sent_to_the_old_door_is_not_looked_at(manager: User) -> None:
    browser = Client()
    answer = browser.post(DOOR, {"username": manager.username, "password": PASSWORD})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{OURS}?next=/admin/")
    assert "_auth_user_id" not in browser.session


def test_who_is_signed_in_and_may_not_enter_is_told_so_where_another_account_can_be_taken(partner: User) -> None:
    answer = desk_of(partner).get("/admin/orders/partsorder/", follow=True)
    assert answer.status_code == 200
    assert answer.redirect_chain[-1][0].startswith(f"{OURS}?")
    assert "Your account may not see that page." in text(answer)


def test_who_may_enter_is_not_asked_again(manager: User) -> None:
    answer = desk_of(manager).get(f"{DOOR}?next=/somewhere/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")


def test_the_way_back_leads_nowhere_else(manager: User) -> None:
    browser = Client()
    led = browser.get(f"{DOOR}?next=https://evil.example/", follow=True)
    assert 'name="next" value=""' in text(led)
    answer = browser.post(
        led.redirect_chain[-1][0], {"username": manager.username, "password": PASSWORD, "next": "https://evil.example/"}
    )
    assert answer.headers["Location"] == "/"
