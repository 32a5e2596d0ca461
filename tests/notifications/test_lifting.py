"""Numbers that stopped all SMS, in the back office: found, looked at, and let be asked again by who may, on record."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from notifications.actions import addresses, lifting, texting
from notifications.actions.texting import Sms
from notifications.letters import token_of
from notifications.models import Address, LiftedStop, Notice, StoppedNumber
from orders.models import Customer
from parts.actors import Actor
from parts.errors import Forbidden, Invalid, NotFound
from tests.notifications.telling import notices, only_rule, sender, tell
from tests.orders.desk import Desk, only

pytestmark = pytest.mark.django_db

NUMBER = "+493012345678"
LIST = "/admin/notifications/stoppednumber/"
LIFTER = only(lifting.LIFT)


@pytest.fixture
def stopped(desk: Desk) -> Desk:
    """The customer's number wrote STOP."""
    only_rule(channel="sms", cannot_be_muted=True)
    desk.job("new")
    tell()
    assert sender("sms").step() == 1
    texting.take(sms=Sms(provider_id="SM1", number=NUMBER, text="STOP"), at=timezone.now())
    return desk


def lift(by: Actor = LIFTER, **changes: Any) -> int:
    asked = {"number": NUMBER, "because": "asked", "reason": "She rang at nine, 555-1"} | changes
    return lifting.lift(**asked, by=by, source="test", at=timezone.now())


def channels_of(desk: Desk) -> list[str]:
    before = set(Notice.objects.values_list("pk", flat=True))
    desk.job("new")
    tell()
    return [one.channel for one in notices() if one.pk not in before]


def test_a_lifted_number_is_asked_and_nothing_else_goes_there_before_a_yes(stopped: Desk):
    assert channels_of(stopped) == ["email"]
    assert lift() == 1
    assert not StoppedNumber.objects.exists()
    address = Address.objects.get(channel="sms")
    assert address.state == "unconfirmed"
    (question,) = notices(thread_kind="confirm")
    assert (question.channel, question.thread_id) == ("sms", address.pk)
    assert channels_of(stopped) == ["email"]
    assert sender("sms").step() == 1
    addresses.confirm(token=token_of(address), at=timezone.now())
    assert channels_of(stopped) == ["sms"]


def test_it_stays_on_record_who_lifted_it_and_why(stopped: Desk, administrator: User):
    lift(by=Actor.user(administrator))
    (row,) = LiftedStop.objects.all()
    assert (row.number, row.because, row.reason, row.actor) == (
        NUMBER,
        "asked",
        "She rang at nine, 555-1",
        f"user:{administrator.pk}",
    )
    assert row.stopped_at < row.lifted_at


def test_a_number_that_is_anothers_now_is_taken_from_whose_it_was(stopped: Desk):
    assert lift(because="another") == 0
    assert Address.objects.get(channel="sms").state == "off"
    assert not notices(thread_kind="confirm")
    assert channels_of(stopped) == ["email"]


def test_start_brings_sms_back_without_anybody(stopped: Desk):
    texting.take(sms=Sms(provider_id="SM2", number=NUMBER, text="START"), at=timezone.now())
    assert channels_of(stopped) == ["sms"]
    with pytest.raises(NotFound):
        lift()
    assert not LiftedStop.objects.exists()


def test_a_repeat_is_refused_and_asks_nobody_twice(stopped: Desk):
    lift()
    with pytest.raises(NotFound):
        lift()
    assert len(notices(thread_kind="confirm")) == 1


@pytest.mark.parametrize(
    ("wrong", "field"), [({"reason": " "}, "reason"), ({"reason": "x" * 301}, "reason"), ({"because": "x"}, "because")]
)
def test_without_a_reason_nothing_is_lifted(stopped: Desk, wrong: dict[str, Any], field: str):
    with pytest.raises(Invalid) as refused:
        lift(**wrong)
    assert list(refused.value.extra["fields"]) == [field]
    assert StoppedNumber.objects.count() == 1


def test_only_who_may_lifts(stopped: Desk):
    with pytest.raises(Forbidden):
        lift(by=only("notifications.view_stoppednumber"))
    assert StoppedNumber.objects.count() == 1


# --- The pages --------------------------------------------------------------------------------------------------------


@pytest.fixture
def office(client: Client, administrator: User) -> Client:
    """The administrator's browser."""
    client.force_login(administrator)
    return client


def listed(office: Client, **query: str) -> str:
    return office.get(LIST, query).content.decode()


def test_the_list_says_whose_and_since_when_and_is_narrowed(stopped: Desk, office: Client):
    Customer.objects.filter(pk=stopped.customer.pk).update(name="Millworks of Ada")
    StoppedNumber.objects.create(number="+15550009999", stopped_at=timezone.now() - timedelta(days=400))
    shown = listed(office)
    assert NUMBER in shown
    assert "+15550009999" in shown
    assert "Millworks of Ada" in shown
    for query, found in (
        ({"whose": "customer"}, True),
        ({"whose": "house"}, False),
        ({"whose": "nobody"}, False),
        ({"q": "30 12345678"}, True),
        ({"q": "millworks"}, True),
        ({"q": "nobody at all"}, False),
    ):
        assert (NUMBER in listed(office, **query)) is found, query


def test_its_page_says_what_came_and_lifts_it_with_a_reason(stopped: Desk, office: Client):
    page = f"{LIST}{NUMBER}/change/"
    shown = office.get(page.replace("+", "%2B")).content.decode()
    assert "No more SMS" in shown
    assert "Lift the stop" in shown
    form = f"{LIST}{NUMBER}/lift/".replace("+", "%2B")
    assert "before the answer is yes" in office.get(form).content.decode()
    assert office.post(form, {"because": "asked", "reason": ""}).status_code == 400
    assert StoppedNumber.objects.count() == 1
    answer = office.post(form, {"because": "mistake", "reason": "Typed by the wrong person"}, follow=True)
    assert "The stop is lifted. 1 reader is asked there" in answer.content.decode()
    assert not StoppedNumber.objects.exists()
    lifted = office.get("/admin/notifications/liftedstop/").content.decode()
    assert "Typed by the wrong person" in lifted
    assert NUMBER in lifted


def test_who_may_not_lift_sees_no_such_button(stopped: Desk, client: Client, auditor: User):
    client.force_login(auditor)
    page = f"{LIST}{NUMBER}/change/".replace("+", "%2B")
    assert "Lift the stop" not in client.get(page).content.decode()
    assert client.post(page.replace("change/", "lift/"), {"because": "asked", "reason": "x"}).status_code == 403
    assert StoppedNumber.objects.count() == 1
