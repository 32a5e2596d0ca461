"""A customer says how they are told, and a dispatcher that a status does not say what is happening."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import expect

from config.tracking.limits import sent_forms, wrong_links
from notifications.models import Address, Notice, Recipient
from notifications.shipped import write_shipped
from orders.actions.wording import write_rows
from tests.browser.conftest import ScreenOf
from tests.browser.screen import PHONE
from tests.messages.told import deliver
from tests.tracking.test_told import Told
from tests.tracking.world import Tracked

pytestmark = [pytest.mark.slow, pytest.mark.once]
NARROW = (320, 568)


@pytest.fixture(autouse=True)
def _as_installed(transactional_db: None) -> None:
    wrong_links.empty_all()
    sent_forms.empty_all()
    write_rows()
    write_shipped(timezone.now())


def letter(kind: str) -> str:
    """Hand over the emails that wait, and return the path that the last letter of a kind leads to."""
    deliver("email")
    text = Notice.objects.filter(thread_kind=kind).latest("id").text
    found = re.search(r"http://[^/]+(/messages/\S+)", text)
    assert found, text
    return found[1]


def test_a_customer_says_how_they_are_told_and_moves_to_another_address(screen_of: ScreenOf) -> None:
    told = Told()
    phone = screen_of(size=PHONE)
    page = phone.page
    phone.go(told.address)
    page.get_by_role("link", name="How we tell you").click()
    expect(page.get_by_role("heading", name="How we tell you")).to_be_visible()
    page.get_by_label("New days and promises").uncheck()
    page.get_by_label("Language of messages").select_option("de")
    page.get_by_label("Quiet from").fill("22:00")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_role("alert")).to_contain_text("Quiet hours have a beginning and an end.")
    assert phone.barriers() == []
    page.get_by_label("Quiet until").fill("06:00")
    page.get_by_label("No messages at all").select_option("ever")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_role("status")).to_contain_text("Gespeichert.")  # in the language that was chosen just now
    reader = Recipient.objects.get(pk=told.reader.pk)
    assert (reader.language, reader.unwanted_kinds) == ("de", ["days"])
    assert phone.barriers() == []
    assert phone.sideways() == []

    phone.go(f"{told.here}?language=en")
    page.get_by_label("Address", exact=True).fill("new@customer.example")
    page.get_by_role("button", name="Name it").click()
    expect(page.get_by_role("status")).to_contain_text("We have asked at the address that we have")
    mailbox = screen_of(size=NARROW)
    mailbox.go(letter("allow_address"))
    expect(mailbox.page.get_by_text("new@customer.example")).to_be_visible()
    assert mailbox.barriers() == []
    assert mailbox.sideways() == []
    mailbox.page.get_by_role("button", name="Yes, ask there, too").click()
    expect(mailbox.page.get_by_role("heading", name="Thank you")).to_be_visible()
    mailbox.go(letter("confirm"))
    mailbox.page.get_by_role("button", name="Yes, write to it").click()
    expect(mailbox.page.get_by_role("heading", name="The address is confirmed")).to_be_visible()
    assert Address.objects.get(channel="email", state="confirmed").value == "new@customer.example"


def test_a_dispatcher_says_what_a_status_does_not_say_and_the_customer_reads_better_words(
    dispatcher: User, manager: User, screen_of: ScreenOf
) -> None:
    tracked = Tracked()
    desk = screen_of(dispatcher)
    page = desk.page
    desk.go(f"/desk/orders/{tracked.job.reference}/")
    page.get_by_role("link", name="This status does not say what is happening").click()
    page.get_by_label("What is happening").fill("The day is agreed by phone.")
    page.get_by_label("Why the status does not say it").select_option(label="The word is unclear")
    page.get_by_label("A better word").fill("Day agreed")
    assert desk.barriers() == []
    page.get_by_role("button", name="Propose").click()
    expect(page.get_by_text("You read in your inbox what comes of it.")).to_be_visible()

    office = screen_of(manager, size=PHONE)
    page = office.page
    office.go("/messages/proposals/")
    assert office.barriers() == []
    page.get_by_role("link", name="Scheduled").last.click()
    assert office.barriers() == []
    assert office.sideways() == []
    page.get_by_role("button", name="Accept as a draft").click()
    expect(page.get_by_text("Accepted. This is the draft")).to_be_visible()
    expect(page.locator("#id_word_en")).to_have_value("Day agreed")
    page.locator("#id_word_en").fill("The day is agreed")
    expect(page.locator("#preview").get_by_text("The day is agreed", exact=True)).to_be_visible()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("The words are published.")).to_be_visible()
    assert office.barriers() == []
    assert office.sideways() == []
    assert "The day is agreed" in tracked.page()

    deliver("inbox")
    desk.go("/messages/")
    expect(desk.page.get_by_text("Your proposal for a status was answered").first).to_be_visible()
