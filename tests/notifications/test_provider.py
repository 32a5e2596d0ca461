"""A provider of email by django-anymail: a real HTTP receiver plays it, and it calls us by real posts."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.checks import run_checks
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from notifications.models import Address, ChannelSetting, Notice
from notifications.replies import address_of
from notifications.statuses import AddressState, NoticeState, OffReason
from orders.models import Customer, EventText, ServiceOrder
from tests.notifications.receiver import Receiver
from tests.notifications.telling import notices, only_rule, sender, tell
from tests.orders.desk import Desk

pytestmark = pytest.mark.django_db

SECRET = "postmark:a-password-that-nobody-guesses"
TRACKING, INBOUND = "/messages/hooks/email/postmark/tracking/", "/messages/hooks/email/postmark/inbound/"
ADA = "ada@customer.example"
MAIL = "9b1f0c93-a7d2-4e88-66f1-029bb3c57de0"


@pytest.fixture
def provider(settings: Settings) -> Iterator[Receiver]:
    """Postmark on loopback; messages leave the house for it."""
    with Receiver.listening() as receiver:
        receiver.says = json.dumps({"To": ADA, "MessageID": MAIL, "ErrorCode": 0, "Message": "OK"}).encode()
        settings.MESSAGES_LEAVE = True
        settings.REPLY_ADDRESS = "reply@backline.example"
        settings.EMAIL_PROVIDER = "postmark"
        settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
        settings.ANYMAIL = {
            "POSTMARK_SERVER_TOKEN": "t",
            "POSTMARK_API_URL": f"http://127.0.0.1:{receiver.port}/",
            "WEBHOOK_SECRET": SECRET,
        }
        yield receiver


@pytest.fixture
def told(desk: Desk, provider: Receiver) -> Notice:
    """A notice that the provider took."""
    only_rule(fallbacks=["sms"])
    desk.job("new")
    tell()
    assert sender().step() == 1
    return notices()[0]


def call(address: str, body: dict[str, Any], secret: str = SECRET) -> int:
    headers = {"authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"} if secret else {}
    return Client().post(address, json.dumps(body), content_type="application/json", headers=headers).status_code


def reported(record: str, happened_at: datetime | None = None, **more: Any) -> int:
    """Post what Postmark says of the mail that it took."""
    when = (happened_at or timezone.now()).isoformat()
    named = {"Delivery": "DeliveredAt", "Open": "ReceivedAt"}.get(record, "BouncedAt")
    who = "Email" if named == "BouncedAt" else "Recipient"
    return call(TRACKING, {"RecordType": record, "MessageID": MAIL, who: ADA, named: when, **more})


def bounced(**more: Any) -> int:
    return reported("Bounce", **{"Type": "HardBounce", "Details": "550 no such user", **more})


def addresses(channel: str = "email") -> list[tuple[str, str]]:
    return list(Address.objects.filter(channel=channel).order_by("pk").values_list("value", "state"))


def test_a_notice_goes_by_the_providers_api_under_its_number(told: Notice, provider: Receiver):
    assert (told.state, told.provider_id) == (NoticeState.SENT, MAIL)
    (got,) = provider.got
    sent = json.loads(got.body)
    assert sent["To"] == ADA
    assert {"Name": "Message-ID", "Value": f"<{told.pk}@localhost>"} in sent["Headers"]


def test_what_the_reader_did_is_noted_once_and_in_whatever_order_it_is_reported(told: Notice):
    at = timezone.now() - timedelta(hours=3)
    Notice.objects.update(handed_over_at=at)
    arrived, opened = at + timedelta(minutes=1), at + timedelta(minutes=2)
    assert reported("Open", opened) == 200
    told.refresh_from_db()
    assert (told.state, told.delivered_at, told.opened_at) == (NoticeState.DELIVERED, opened, opened)
    for _ in range(2):
        assert reported("Delivery", arrived) == 200
        assert reported("Open", opened + timedelta(hours=1)) == 200
    told.refresh_from_db()
    assert (told.state, told.delivered_at, told.opened_at) == (NoticeState.DELIVERED, arrived, opened)


def test_what_a_clock_says_that_is_wrong_stays_between_what_we_know(told: Notice):
    assert reported("Delivery", timezone.now() - timedelta(days=3)) == 200
    assert reported("Open", timezone.now() + timedelta(days=3)) == 200
    told.refresh_from_db()
    assert told.handed_over_at
    assert told.delivered_at == told.handed_over_at
    assert told.opened_at
    assert told.opened_at < timezone.now() + timedelta(hours=1)


def test_a_mail_that_comes_back_switches_its_address_off_and_its_news_go_another_way(told: Notice):
    for _ in range(2):
        assert bounced() == 200
    told.refresh_from_db()
    assert (told.state, told.error, told.fell_back) == (NoticeState.DEAD, "550 no such user", True)
    (address,) = Address.objects.filter(channel="email")
    assert (address.state, address.off_reason) == (AddressState.OFF, OffReason.BOUNCED)
    by_sms = {(one.thread_kind, one.state) for one in notices(channel="sms")}
    assert by_sms == {("service_order", "waiting"), ("address_off", "waiting")}  # its news, and that it is off
    assert reported("Delivery") == 200  # too late
    told.refresh_from_db()
    assert told.state == NoticeState.DEAD


def test_a_complaint_switches_the_address_off_and_its_owner_is_told(told: Notice):
    assert reported("SpamComplaint", Type="SpamComplaint") == 200
    told.refresh_from_db()
    assert told.state == NoticeState.DELIVERED
    (address,) = Address.objects.filter(channel="email")
    assert (address.state, address.off_reason) == (AddressState.OFF, OffReason.COMPLAINED)
    assert [one.thread_kind for one in notices(channel="sms")] == ["address_off"]


def test_what_the_provider_would_not_send_says_nothing_of_the_address(told: Notice):
    assert bounced(Type="Blocked", Details="policy") == 200
    told.refresh_from_db()
    assert (told.state, told.fell_back) == (NoticeState.DEAD, True)
    assert addresses() == [(ADA, "confirmed")]


@pytest.mark.parametrize("kind", ["Transient", "DnsError", "AutoResponder", "Subscribe"])
def test_what_is_only_late_changes_nothing(told: Notice, kind: str):
    assert bounced(Type=kind) == 200
    told.refresh_from_db()
    assert told.state == NoticeState.SENT
    assert addresses() == [(ADA, "confirmed")]


def test_a_bounce_of_an_address_that_is_another_now_leaves_the_new_one(told: Notice, desk: Desk):
    Customer.objects.filter(pk=desk.customer.pk).update(email="new@customer.example")
    desk.job("new")
    tell()
    assert bounced() == 200
    assert dict(addresses()) == {ADA: "off", "new@customer.example": "confirmed"}


def test_a_late_bounce_leaves_an_address_that_was_confirmed_since(told: Notice):
    Address.objects.filter(channel="email").update(confirmed_at=timezone.now() + timedelta(seconds=5))
    assert bounced() == 200
    assert addresses() == [(ADA, "confirmed")]


def test_a_bounce_of_a_mail_that_nobody_knows_switches_the_address_off_for_all_whose_it_is(told: Notice):
    other = Address.objects.get(channel="email")
    Address.objects.create(
        recipient=Address.objects.get(channel="sms").recipient,
        channel="chat",
        value=ADA,
        state="confirmed",
        confirmed_at=timezone.now(),
    )
    assert bounced(MessageID="of a process that died") == 200
    other.refresh_from_db()
    assert other.state == AddressState.OFF
    assert addresses("chat") == [(ADA, "confirmed")]  # another channel's
    told.refresh_from_db()
    assert told.state == NoticeState.SENT


def test_an_answer_becomes_the_customers_message_once(told: Notice):
    answer = {
        "FromFull": {"Email": ADA, "Name": "Ada"},
        "ToFull": [{"Email": "somebody@backline.example", "Name": ""}],
        "OriginalRecipient": address_of(told.pk),
        "Subject": "Re: your order",
        "MessageID": "1",
        "Headers": [{"Name": "Message-ID", "Value": "<1@customer.example>"}],
        "TextBody": "Please call first.\n\nOn Mon, Backline wrote:\n> Waiting",
        "Attachments": [],
    }
    for _ in range(2):
        assert call(INBOUND, answer) == 200
    said = EventText.objects.filter(event__kind="message.received").values_list("text", flat=True)
    assert list(said) == ["Please call first."]
    assert call(INBOUND, answer | {"TextBody": "STOP"}) == 200
    assert ServiceOrder.objects.get(pk=told.thread_id).messages_stopped_at
    stranger = answer | {"OriginalRecipient": "reply@backline.example", "TextBody": "Buy this"}
    assert call(INBOUND, stranger) == 200  # refused, and not to come again
    raw = f"From: {ADA}\r\nTo: {address_of(told.pk)}\r\nMessage-ID: <2@x>\r\n\r\nRing twice.\r\n"
    assert call(INBOUND, answer | {"RawEmail": raw, "OriginalRecipient": ""}) == 200
    assert sorted(said.all()) == ["Please call first.", "Ring twice."]


@pytest.mark.parametrize("secret", ["", "postmark:wrong", "x:a-password-that-nobody-guesses"])
def test_who_does_not_know_the_secret_is_refused(told: Notice, secret: str):
    assert call(TRACKING, {"RecordType": "Open", "MessageID": MAIL}, secret) == 400
    assert call(INBOUND, {}, secret) == 400
    told.refresh_from_db()
    assert told.state == NoticeState.SENT


@pytest.mark.parametrize("changed", [{"EMAIL_PROVIDER": "mailgun"}, {"EMAIL_PROVIDER": ""}, {"ANYMAIL": {}}])
def test_without_a_secret_or_a_provider_there_is_nothing_at_the_address(
    told: Notice, settings: Settings, changed: dict[str, Any]
):
    for name, value in changed.items():
        setattr(settings, name, value)
    assert call(TRACKING, {"RecordType": "Open", "MessageID": MAIL}) == 404
    assert call(TRACKING.replace("tracking", "elsewhere"), {}) == 404


@pytest.mark.parametrize(("answer", "pauses"), [(503, False), (401, False), (429, True)])
def test_a_provider_that_does_not_take_it_now_is_asked_again(desk: Desk, provider: Receiver, answer: int, pauses: bool):
    only_rule()
    desk.job("new")
    tell()
    provider.answers, provider.headers = [answer], {"Retry-After": "1800"} if pauses else {}
    at = timezone.now()
    sender(at=at).step()
    (notice,) = notices()
    assert (notice.state, notice.attempts) == (NoticeState.WAITING, 1)
    assert (notice.due_at >= at + timedelta(minutes=30)) is pauses


def test_a_provider_whose_settings_are_missing_fails_the_check_and_loses_nothing(
    desk: Desk, provider: Receiver, settings: Settings
):
    assert run_checks(tags=["messages"]) == []
    settings.ANYMAIL = {}
    (fault,) = run_checks(tags=["messages"])
    assert "POSTMARK_SERVER_TOKEN" in fault.msg
    only_rule()
    desk.job("new")
    tell()
    sender().step()
    assert [(one.state, one.attempts) for one in notices()] == [(NoticeState.WAITING, 1)]
    assert ChannelSetting.objects.get(channel="email").failing_since
