"""The story of somebody who adds a private phone, confirms it from the mailbox and reads their inbox."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User

from notifications.models import Address, Notice, Recipient
from tests.admin.world import World
from tests.browser.conftest import ScreenOf
from tests.messages.told import deliver


@pytest.mark.slow
@pytest.mark.once
def test_a_phone_is_added_and_confirmed_from_the_mailbox_and_the_inbox_is_read(
    world: World, dispatcher: User, screen_of: ScreenOf
) -> None:
    screen = screen_of(dispatcher)
    page = screen.page
    screen.go("/messages/preferences/")
    page.get_by_label("Channel").select_option("sms")
    page.get_by_label("Address", exact=True).fill("+49 170 1234567")
    page.get_by_role("button", name="Add and confirm").click()
    page.get_by_text("Not confirmed yet").wait_for()
    deliver("sms")
    screen.go("/messages/mailbox/?channel=sms")
    page.locator(".mailbox a").first.click()
    link = page.locator(".mailbox-bubble a").get_attribute("href") or ""
    path = re.sub(r"^https?://[^/]+", "", link)
    screen.go(path)
    page.get_by_role("button", name="Yes, write to it").click()
    page.get_by_role("heading", name="The address is confirmed").wait_for()
    assert Address.objects.get(channel="sms").state == "confirmed"

    Notice.objects.filter(channel="sms").update(channel="inbox")  # something to read
    screen.go("/messages/")
    assert page.locator(".bar-count").inner_text().startswith("1")
    page.get_by_role("button", name="Mark all as read").click()
    page.get_by_text("1 notice is marked as read.").wait_for()
    assert page.locator(".bar-count").count() == 0
    assert Recipient.objects.get(user=dispatcher).notices.filter(opened_at=None).count() == 0
