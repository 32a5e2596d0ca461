"""Each message asks whether it was clear: who has it answers without signing in, and wordings are judged by it."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from config.tracking import limits
from notifications import clarity
from notifications.actions import feedback
from notifications.models import Feedback, Notice
from tests.notifications.telling import only_rule, sender, tell
from tests.orders.desk import TOLD, Desk, statements


@pytest.fixture(autouse=True)
def _nobody_tried_yet() -> None:
    limits.wrong_links.empty_all()


@pytest.fixture
def notice(desk: Desk) -> Notice:
    """A notice that a customer got."""
    return sent(desk)


def sent(desk: Desk) -> Notice:
    only_rule()
    desk.job("new")
    tell()
    sender(hours=1).step()
    return Notice.objects.filter(handed_over_at__isnull=False).latest("id")


def link_in(notice: Notice) -> str:
    """Return the address that the message asks by."""
    found = re.search(r"(/messages/clear/\S+)", notice.text)
    assert found is not None
    assert found[1] in notice.html
    return found[1]


def test_a_message_asks_and_its_reader_answers_without_signing_in(notice: Notice, client: Client) -> None:
    page = client.get(link_in(notice))
    assert page.status_code == 200
    assert notice.subject in page.content.decode()
    answered = client.post(link_in(notice), {"is_clear": "no", "comment": "Which day?"}, follow=True)
    assert "You said that it was not clear." in answered.content.decode()
    given = Feedback.objects.get(notice=notice)
    assert (given.is_clear, given.comment) == (False, "Which day?")


def test_a_scanner_that_follows_the_link_answers_nothing(notice: Notice, client: Client) -> None:
    client.get(link_in(notice) + "?is_clear=yes")
    client.head(link_in(notice))
    assert not Feedback.objects.exists()


def test_another_answer_takes_the_place_of_the_first(notice: Notice, client: Client) -> None:
    for is_clear in ("no", "yes", "yes"):
        client.post(link_in(notice), {"is_clear": is_clear, "comment": ""})
    assert [given.is_clear for given in Feedback.objects.all()] == [True]


def test_an_answer_that_says_nothing_is_refused(notice: Notice, client: Client) -> None:
    assert client.post(link_in(notice), {"is_clear": "maybe"}).status_code == 400
    assert not Feedback.objects.exists()


def test_a_made_up_token_opens_nothing_and_is_slowed(notice: Notice, client: Client) -> None:
    address = link_in(notice)
    wrong = address[:-3] + ("a" if address[-3] != "a" else "b") + address[-2:]
    assert client.post(wrong, {"is_clear": "yes"}).status_code == 404
    assert client.get(f"/messages/clear/{notice.pk.hex}/").status_code == 404
    codes = {client.get("/messages/clear/x.y/").status_code for _ in range(30)}
    assert 429 in codes
    assert not Feedback.objects.exists()


def test_a_comment_is_shown_as_it_was_written(notice: Notice, client: Client, manager: User) -> None:
    client.post(link_in(notice), {"is_clear": "no", "comment": "<script>alert(1)</script>"})
    client.force_login(manager)
    page = client.get("/messages/clarity/").content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_the_report_counts_by_version(desk: Desk, client: Client, manager: User) -> None:
    told = [sent(desk) for _ in range(4)]
    Notice.objects.filter(pk=told[0].pk).update(opened_at=TOLD["at"])
    for notice, is_clear in zip(told[:3], (True, True, False), strict=True):
        feedback.answer(token=feedback.token_of(notice.pk), is_clear=is_clear, comment="", at=TOLD["at"])
    (found,) = clarity.by_version(max(notice.handed_over_at for notice in told if notice.handed_over_at))
    assert (found.code, found.language, found.number) == ("customer_news", "en", 1)
    assert (found.sent, found.opened, found.clear, found.unclear) == (4, 1, 2, 1)
    client.force_login(manager)
    client.get("/messages/clarity/")
    with statements() as few:
        client.get("/messages/clarity/")
    for _ in range(5):
        notice = sent(desk)
        feedback.answer(token=feedback.token_of(notice.pk), is_clear=False, comment="Why?", at=TOLD["at"])
    with statements() as many:
        client.get("/messages/clarity/")
    assert len(few) == len(many)
