"""SMS that come in: STOP holds for the number whoever's it is, START ends it, and an answer stands on the order."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import timedelta
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from config.messages.hooks import signature_of
from notifications.actions import addresses, texting
from notifications.actions.texting import Sms
from notifications.models import Address, Message, Notice, ReceivedSms, Recipient, StoppedNumber
from notifications.statuses import NoticeState, SmsMeant
from orders.models import Customer, EventText, OrderEvent, ServiceOrder, TrackingLink
from parts.actors import Actor
from parts.errors import Invalid, Refused
from tests.factories.orders import CustomerFactory
from tests.notifications.telling import notices, one_more_rule, only_rule, sender, tell
from tests.orders.desk import Desk

pytestmark = pytest.mark.django_db

HOOK, TOKEN, NUMBER = "/messages/hooks/sms/", "a-token-that-nobody-guesses", "+493012345678"


def came(text: str, number: str = NUMBER, name: str = "", **more: Any) -> str:
    """Take an SMS; each is another one, unless it is named."""
    sms = Sms(provider_id=name or f"SM{ReceivedSms.objects.count()}", number=number, text=text, **more)
    return texting.take(sms=sms, at=timezone.now())


@pytest.fixture
def told(desk: Desk) -> Notice:
    """A notice that the customer got by SMS."""
    only_rule(channel="sms")
    desk.job("new")
    tell()
    assert sender("sms").step() == 1
    (notice,) = notices()
    assert (notice.address, notice.state) == (NUMBER, NoticeState.DELIVERED)
    return notice


def said() -> list[str]:
    return list(EventText.objects.filter(event__kind="message.received").values_list("text", flat=True))


def test_stop_stops_all_sms_to_the_number_and_is_confirmed_once(told: Notice, desk: Desk):
    assert came("Stop!") == "Backline: You get no more SMS from us. Answer START to get them again."
    assert came("STOP") == ""  # no second answer: it might be a machine
    desk.job("new")
    tell()
    assert set(Message.objects.filter(notice=None).values_list("unheard", flat=True)) == {"no_address"}
    assert came("start") == "Backline: You get SMS again. STOP ends them, HELP helps."
    assert came("START") == ""
    desk.job("new")
    tell()
    assert sender("sms", hours=1).step() == 1
    assert said() == []


def test_stop_holds_for_everybody_whose_number_it_is_and_who_gets_it_later(told: Notice, desk: Desk):
    came("STOP")
    other = CustomerFactory.create(phone="+49 30 12345678", email="")
    ServiceOrder.objects.filter(pk=desk.job("draft").pk).update(customer=other)
    Customer.objects.filter(pk=desk.customer.pk).update(phone="+49 30 99999999")
    desk.job("new")
    tell()
    assert sender("sms", hours=1).step() == 1  # the number is another one now
    assert notices()[-1].address == "+493099999999"
    assert StoppedNumber.objects.count() == 1


def test_what_must_be_said_goes_another_way_and_what_waited_does_too(desk: Desk):
    only_rule(channel="sms", fallbacks=["email"], cannot_be_muted=True)
    desk.job("new")
    tell()
    assert [one.channel for one in notices()] == ["sms"]
    came("STOP")
    sender("sms").step()  # it had been written before
    assert [(one.channel, one.state, one.fell_back) for one in notices()] == [
        ("sms", "dead", True),
        ("email", "waiting", False),
    ]
    desk.job("new")
    tell()
    assert [one.channel for one in notices()] == ["sms", "email", "email"]
    sender("email").step()
    assert {one.state for one in notices(channel="email")} == {"delivered"}


@pytest.mark.parametrize(
    "word", ["STOP", "stopall", " Quit. ", "Opt  out", "REVOKE", "Stopp", "«Baja»", "cancel", "end"]
)
def test_words_that_stop(desk: Desk, word: str):
    assert came(word)
    assert StoppedNumber.objects.filter(pk=NUMBER).exists()


def test_an_sms_that_is_reported_again_changes_nothing(told: Notice):
    assert came("STOP", name="SM1")
    assert came("START", name="SM2")
    assert came("STOP", name="SM1") == ""  # the provider tries an old one again
    assert not StoppedNumber.objects.exists()
    assert ReceivedSms.objects.count() == 2


def test_yes_starts_only_where_sms_were_stopped(told: Notice):
    came("Yes")
    assert said() == ["Yes"]
    came("STOP")
    assert came("Sí")
    assert said() == ["Yes"]


@pytest.mark.parametrize(("language", "words"), [("en", "brings them back"), ("de", "Fragen"), ("es", "SMS")])
def test_help_is_given_in_the_readers_language(told: Notice, language: str, words: str):
    Customer.objects.update(language=language)
    help_ = came("help")
    assert words in help_
    assert "backline@localhost" in help_
    assert came("HELP", is_answered=True) == ""  # the provider did


def test_german_and_spanish_are_said(told: Notice):
    Customer.objects.update(language="de")
    assert came("STOPP") == "Backline: Sie erhalten keine SMS mehr von uns. Mit START kommen sie wieder."
    Customer.objects.update(language="es")
    assert came("start") == "Backline: Vuelve a recibir SMS. STOP los termina, AYUDA ayuda."


def test_an_answer_stands_on_the_order_that_the_number_last_heard_of(told: Notice, desk: Desk):
    assert came("Please ring twice.", name="SM7") == ""
    assert came("Please ring twice.", name="SM7") == ""
    assert said() == ["Please ring twice."]
    (event,) = OrderEvent.objects.filter(kind="message.received")
    assert (event.subject_id, event.source) == (told.thread_id, "sms")
    assert came("x" * 3_000) == ""
    assert len(said()[-1]) == 2_000


def test_what_answers_nothing_is_not_answered(desk: Desk, told: Notice):
    assert came("Who are you?", number="+15550001111") == ""
    assert came("") == ""
    TrackingLink.objects.update(revoked_at=timezone.now(), revoked_by="user:1")
    assert came("By a link that was revoked") == ""
    assert said() == []
    assert set(ReceivedSms.objects.values_list("meant", flat=True)) == {SmsMeant.NOTHING}


@pytest.mark.parametrize("number", ["", "12345", "BACKLINE", "+0123456789", "+49\n301234567", "+" + "1" * 40])
def test_what_comes_from_no_number_is_refused(desk: Desk, number: str):
    with pytest.raises(Invalid):
        came("STOP", number=number)
    assert not ReceivedSms.objects.exists()


def test_a_number_that_was_asked_and_says_stop_is_asked_no_more(desk: Desk, dispatcher: Any):
    reader = Recipient.objects.create(user=dispatcher, name="Dot")
    by, at = Actor.user(dispatcher), timezone.now()
    asked = addresses.name_address(channel="sms", value=NUMBER, by=by, at=at)
    came("STOP")
    asked.refresh_from_db()
    assert asked.state == "off"
    with pytest.raises(Refused, match="START"):
        addresses.name_address(channel="sms", value=NUMBER, by=by, at=at)
    assert sender("sms").step() == 1
    assert [one.state for one in Notice.objects.filter(recipient=reader)] == [NoticeState.DROPPED]


def signed(given: dict[str, str], token: str = TOKEN, site: str = "https://backline.example") -> str:
    form = "".join(f"{name}{given[name]}" for name in sorted(given))
    mac = hmac.new(token.encode(), f"{site}{HOOK}{form}".encode(), hashlib.sha1)
    return base64.b64encode(mac.digest()).decode()


def test_a_signature_is_that_of_twilios_own_example():
    """https://www.twilio.com/docs/usage/security gives this address, form and token with their signature."""
    given = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+12349013030",
        "Digits": "1234",
        "From": "+12349013030",
        "To": "+18005551212",
    }
    form = QueryDict(mutable=True)
    form.update(given)
    assert signature_of("https://mycompany.com/myapp.php?foo=1&bar=2", form, "12345") == "0/KCTR6DLpKmkAf8muzZqo1nDgQ="


def test_a_provider_posts_what_came_and_gets_the_answer(told: Notice, settings: Settings):
    settings.SMS_WEBHOOK_TOKEN, settings.SITE_URL, settings.HOUSE_NAME = TOKEN, "https://backline.example", "A & B"
    given = {"MessageSid": "SM1", "From": NUMBER, "To": "+15550000000", "Body": "STOP", "Zip": "ä"}
    client = Client(enforce_csrf_checks=True)
    wrong = [{}, {"x-twilio-signature": "x"}, {"x-twilio-signature": signed(given, "another token")}]
    for headers in [*wrong, {"x-twilio-signature": signed(given | {"Body": "START"})}]:
        assert client.post(HOOK, given, headers=headers).status_code == 403
    assert not StoppedNumber.objects.exists()
    answer = client.post(HOOK, given, headers={"x-twilio-signature": signed(given)})
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/xml; charset=utf-8")
    assert "<Message>A &amp; B: You get no more SMS" in answer.content.decode()
    again = client.post(HOOK, given, headers={"x-twilio-signature": signed(given)})
    assert again.content.decode().endswith("<Response></Response>")
    nobody = {"MessageSid": "SM2", "Body": "STOP"}
    assert client.post(HOOK, nobody, headers={"x-twilio-signature": signed(nobody)}).status_code == 400
    assert client.get(HOOK).status_code == 405


def test_without_a_token_there_is_nothing_at_the_address(desk: Desk):
    given = {"MessageSid": "SM1", "From": NUMBER, "Body": "STOP"}
    assert Client().post(HOOK, given, headers={"x-twilio-signature": signed(given, "")}).status_code == 404
    assert not StoppedNumber.objects.exists()


def test_an_answer_after_a_month_belongs_to_no_order(told: Notice):
    Notice.objects.update(handed_over_at=timezone.now() - timedelta(days=31))
    came("Is it there?")
    assert said() == []


def test_one_stop_of_many_readers_costs_no_more(desk: Desk, told: Notice, django_assert_max_num_queries: Any):
    for _ in range(20):
        reader = Recipient.objects.create(customer=CustomerFactory.create(), name="Also there")
        Address.objects.create(
            recipient=reader, channel="sms", value=NUMBER, state="confirmed", confirmed_at=timezone.now()
        )
    one_more_rule(channel="sms")
    with django_assert_max_num_queries(14):
        came("STOP")
