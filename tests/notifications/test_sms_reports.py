"""SMS by Twilio and others: that each arrived is settled by what the provider reports, and what never will is known."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings

from notifications.models import Address, Notice, StoppedNumber
from notifications.statuses import NoticeState
from notifications.transports import twilio
from notifications.transports.choosing import transport_of
from tests.notifications.receiver import Receiver
from tests.notifications.telling import notices, only_rule, sender, tell
from tests.orders.desk import Desk

pytestmark = pytest.mark.django_db

HOOK, TOKEN, NUMBER, SID = "/messages/hooks/sms/status/", "a-token-that-nobody-guesses", "+493012345678", "SM0001"
SITE = "https://backline.example"
TWILIO = "twilio://AC00ff:secret@+15550001111/{address}"


@pytest.fixture
def provider(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """Twilio's API, played on loopback; messages leave the house for it."""
    with Receiver.listening() as receiver:
        monkeypatch.setattr(twilio, "API", f"http://127.0.0.1:{receiver.port}")
        settings.MESSAGES_LEAVE, settings.MESSAGES_SMS_URL = True, TWILIO
        settings.SMS_WEBHOOK_TOKEN, settings.SITE_URL = TOKEN, SITE
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        receiver.answers, receiver.says = [201] * 9, json.dumps({"sid": SID, "status": "queued"}).encode()
        yield receiver


@pytest.fixture
def told(desk: Desk, provider: Receiver) -> Notice:
    """A notice that Twilio took for the customer; email is what its rule falls back on."""
    only_rule(channel="sms", fallbacks=["email"])
    desk.job("new")
    tell()
    assert sender("sms").step() == 1
    (notice,) = notices()
    assert (notice.state, notice.provider_id, notice.delivered_at) == (NoticeState.SENT, SID, None)
    return notice


def signed(given: dict[str, str], token: str = TOKEN) -> str:
    text = f"{SITE}{HOOK}" + "".join(f"{name}{given[name]}" for name in sorted(given))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def reports(status: str, code: str = "", sid: str = SID) -> HttpResponse:
    """Report as Twilio does."""
    given = {"MessageSid": sid, "MessageStatus": status, "To": NUMBER, "From": "+15550001111", "AccountSid": "AC00ff"}
    if code:
        given["ErrorCode"] = code
    client = Client(enforce_csrf_checks=True)
    answer: Any = client.post(HOOK, given, headers={"x-twilio-signature": signed(given)})
    return answer


def test_twilio_is_asked_to_report_and_its_number_is_kept(told: Notice, provider: Receiver):
    (got,) = provider.got
    assert got.path == "/2010-04-01/Accounts/AC00ff/Messages.json"
    assert got.headers["authorization"] == "Basic " + base64.b64encode(b"AC00ff:secret").decode()
    assert parse_qs(got.body.decode()) == {
        "To": [NUMBER],
        "From": ["+15550001111"],
        "Body": [told.text],
        "StatusCallback": [f"{SITE}{HOOK}"],
    }


def test_what_arrived_is_delivered_when_it_was_reported_first(told: Notice):
    for status in ("queued", "sent"):
        assert reports(status).status_code == 204
    told.refresh_from_db()
    assert (told.state, told.delivered_at) == (NoticeState.SENT, None)
    assert reports("delivered").status_code == 204
    told.refresh_from_db()
    first = told.delivered_at
    assert told.state == NoticeState.DELIVERED
    assert first is not None
    assert reports("delivered").status_code == 204
    told.refresh_from_db()
    assert told.delivered_at == first


@pytest.mark.parametrize("code", ["30003", "30007", ""])
def test_what_did_not_arrive_goes_another_way_and_the_number_stays(told: Notice, code: str):
    assert reports("undelivered", code).status_code == 204
    told.refresh_from_db()
    assert (told.state, told.fell_back) == (NoticeState.DEAD, True)
    assert Address.objects.get(channel="sms").state == "confirmed"
    assert sender("email").step() == 1
    assert reports("undelivered", code).status_code == 204  # once more
    assert len(notices()) == 2


@pytest.mark.parametrize("code", ["30005", "30006"])
def test_a_number_that_is_unreachable_for_good_is_switched_off_and_its_owner_told(told: Notice, code: str):
    assert reports("failed", code).status_code == 204
    address = Address.objects.get(channel="sms")
    assert (address.state, address.off_reason) == ("off", "bounced")
    told.refresh_from_db()
    assert (told.state, told.cause, told.fell_back) == (NoticeState.DEAD, "rejected", True)
    assert code in told.error
    assert sorted((one.channel, one.thread_kind) for one in notices(channel="email")) == [
        ("email", "address_off"),
        ("email", "service_order"),
    ]


def test_a_number_that_stopped_at_the_provider_is_stopped_here(told: Notice):
    assert reports("undelivered", "21610").status_code == 204
    assert [one.number for one in StoppedNumber.objects.all()] == [NUMBER]
    assert Address.objects.get(channel="sms").state == "confirmed"  # START brings it back
    assert sender("email").step() == 1


def test_a_report_of_another_message_changes_nothing(told: Notice):
    assert reports("delivered", sid="SM0002").status_code == 204
    assert reports("undelivered", "30003", sid="SM0002").status_code == 204
    told.refresh_from_db()
    assert told.state == NoticeState.SENT


def test_who_does_not_know_the_token_reports_nothing(told: Notice, settings: Settings):
    given = {"MessageSid": SID, "MessageStatus": "failed", "ErrorCode": "30005", "To": NUMBER}
    plain = {"notice": SID, "status": "unreachable"}
    wrong: list[tuple[dict[str, str], dict[str, str]]] = [
        (given, {"x-twilio-signature": signed(given, "another")}),
        (given, {"x-twilio-signature": signed(given | {"To": "+1"})}),
        (plain, {}),
        (plain, {"authorization": "Bearer another"}),
        (plain, {"authorization": "Bearer "}),
    ]
    for sent, headers in wrong:
        assert Client().post(HOOK, sent, headers=headers).status_code == 403
    settings.SMS_WEBHOOK_TOKEN = ""
    assert Client().post(HOOK, plain, headers={"authorization": "Bearer "}).status_code == 404
    assert Client().get(HOOK).status_code == 405
    assert Address.objects.get(channel="sms").state == "confirmed"


def test_a_call_that_says_nothing_is_refused(told: Notice):
    empty = {"To": NUMBER}
    assert Client().post(HOOK, empty, headers={"x-twilio-signature": signed(empty)}).status_code == 400
    for given in ({"status": "delivered"}, {"notice": "x", "status": "perhaps"}, {}):
        assert Client().post(HOOK, given, headers={"authorization": f"Bearer {TOKEN}"}).status_code == 400


@pytest.mark.parametrize(
    ("status", "code", "says", "state"),
    [
        (400, 21635, "landline", NoticeState.DEAD),
        (400, 21610, "unsubscribed", NoticeState.DEAD),
        (401, 20003, "Authenticate", NoticeState.WAITING),
        (429, 20429, "Too many", NoticeState.WAITING),
        (503, 0, "later", NoticeState.WAITING),
    ],
)
def test_what_twilio_does_not_take_is_refused_for_good_or_tried_again(
    desk: Desk, provider: Receiver, status: int, code: int, says: str, state: str
):
    only_rule(channel="sms")
    desk.job("new")
    tell()
    provider.answers, provider.says = [status], json.dumps({"code": code, "message": says}).encode()
    sender("sms").step()
    (notice,) = notices(thread_kind="service_order")
    assert notice.state == state
    assert says in notice.error
    assert Address.objects.get(channel="sms").state == ("off" if code == 21635 else "confirmed")


@pytest.mark.parametrize(
    "url",
    [
        "json://127.0.0.1/{address}",
        "twilio://AC00ff:secret@+15550001111/{address}?method=call",
        "twilio://AC00ff:secret@w:+15550001111/{address}",
    ],
)
def test_what_is_no_sms_of_twilios_goes_by_apprise(settings: Settings, url: str):
    settings.MESSAGES_LEAVE, settings.MESSAGES_SMS_URL = True, url
    assert type(transport_of("sms")).__name__ == "Apprised"


@pytest.mark.parametrize(
    ("status", "state", "address"),
    [
        ("delivered", NoticeState.DELIVERED, "confirmed"),
        ("failed", NoticeState.DEAD, "confirmed"),
        ("unreachable", NoticeState.DEAD, "off"),
    ],
)
def test_another_provider_reports_plainly_by_our_own_key(
    desk: Desk, provider: Receiver, settings: Settings, status: str, state: str, address: str
):
    settings.MESSAGES_SMS_URL = f"json://127.0.0.1:{provider.port}/{{address}}?:notice={{notice}}"
    only_rule(channel="sms")
    desk.job("new")
    tell()
    assert sender("sms").step() == 1
    (notice,) = notices()
    assert json.loads(provider.got[0].body)["notice"] == str(notice.pk)
    given = {"notice": str(notice.pk), "status": status, "why": "no such number"}
    assert Client().post(HOOK, given, headers={"authorization": f"Bearer {TOKEN}"}).status_code == 204
    notice.refresh_from_db()
    assert notice.state == state
    assert Address.objects.get(channel="sms").state == address
