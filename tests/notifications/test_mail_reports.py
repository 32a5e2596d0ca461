"""What mail servers send back: bounces (RFC 3464) and complaints (RFC 5965), to an address that one mail named."""

from __future__ import annotations

from email import message_from_string, policy
from email.message import EmailMessage

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from notifications.actions import receiving
from notifications.actions.receiving import Came
from notifications.models import Address, Notice
from notifications.replies import address_of
from notifications.statuses import NoticeState
from tests.notifications.post import Post
from tests.notifications.telling import notices, only_rule, sender, tell
from tests.orders.desk import Desk

pytestmark = pytest.mark.django_db

BOUNCE = """\
From: MAILER-DAEMON@relay.example
To: {to}
Return-Path: <>
Auto-Submitted: auto-replied
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I'm sorry to have to inform you that your message could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; relay.example

Final-Recipient: rfc822; ada@customer.example
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 {status} no
 such user

--b--
"""
COMPLAINT = """\
From: feedback@provider.example
To: abuse@backline.example
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: text/plain

This is an email abuse report.

--b
Content-Type: message/feedback-report

Feedback-Type: abuse
Version: 1

--b
Content-Type: message/rfc822

{original}
--b--
"""


@pytest.fixture
def told(desk: Desk, post: Post, settings: Settings) -> Notice:
    """A notice that the customer got by a mail server."""
    settings.REPLY_ADDRESS = "reply@backline.example"
    only_rule(fallbacks=["sms"])
    desk.job("new")
    tell()
    sender().step()
    return notices()[0]


def came(text: str) -> Came:
    return receiving.receive(raw=text.encode(), at=timezone.now())


def bounce(notice: Notice, action: str = "failed", status: str = "5.1.1") -> Came:
    return came(BOUNCE.format(to=address_of(notice.pk), action=action, status=status))


def state_of_address() -> str:
    return Address.objects.get(channel="email").state


def test_a_mail_comes_back_to_an_address_of_its_own_and_is_from_us(told: Notice, post: Post):
    (mail,) = post.taken
    assert post.senders == [address_of(told.pk)]
    assert mail["From"] == "backline@localhost"


def test_a_mail_that_comes_back_later_switches_its_address_off_once(told: Notice):
    assert [bounce(told), bounce(told)] == [Came.REPORTED, Came.REPORTED]
    told.refresh_from_db()
    assert (told.state, told.error) == (NoticeState.DEAD, "smtp; 550 5.1.1 no such user")
    assert state_of_address() == "off"
    assert {one.thread_kind for one in notices(channel="sms")} == {"service_order", "address_off"}


@pytest.mark.parametrize("status", ["5.7.1", "5.3.4", "5.2.2"])
def test_what_a_server_refuses_for_other_reasons_leaves_the_address(told: Notice, status: str):
    assert bounce(told, status=status) == Came.REPORTED
    told.refresh_from_db()
    assert (told.state, state_of_address()) == (NoticeState.DEAD, "confirmed")


@pytest.mark.parametrize(
    ("action", "status"), [("delayed", "4.4.1"), ("delivered", "2.0.0"), ("failed", ""), ("", "5.1.1")]
)
def test_what_is_not_for_good_changes_nothing(told: Notice, action: str, status: str):
    assert bounce(told, action, status) == Came.IGNORED
    told.refresh_from_db()
    assert (told.state, state_of_address()) == (NoticeState.SENT, "confirmed")


def test_a_report_to_an_address_that_no_mail_named_changes_nothing(told: Notice):
    forged = f"reply+{told.pk.hex}-{'0' * 20}@backline.example"
    assert came(BOUNCE.format(to=forged, action="failed", status="5.1.1")) == Came.IGNORED
    assert state_of_address() == "confirmed"


def test_a_complaint_that_brings_the_mail_along_switches_the_address_off(told: Notice, post: Post):
    original: EmailMessage = message_from_string(str(post.taken[0]), policy=policy.default)
    assert came(COMPLAINT.format(original=original.as_string())) == Came.REPORTED
    address = Address.objects.get(channel="email")
    assert (address.state, address.off_reason) == ("off", "complained")
    told.refresh_from_db()
    assert told.state == NoticeState.DELIVERED
    del original["Reply-To"]
    assert came(COMPLAINT.format(original=original.as_string())) == Came.IGNORED


@pytest.mark.parametrize(("answer", "state"), [("550 5.1.1 nobody", "off"), ("550 5.7.1 blocked", "confirmed")])
def test_a_policy_of_a_server_says_nothing_of_a_mailbox(desk: Desk, post: Post, answer: str, state: str):
    only_rule()
    desk.job("new")
    tell()
    post.answers = [answer]
    sender().step()
    assert notices(thread_kind="service_order")[0].state == NoticeState.DEAD
    assert state_of_address() == state
