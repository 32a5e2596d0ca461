"""The door of the inbox: who may send, what is answered, and what a repeat gets."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User

from config import roles
from integrations.inbox import step
from integrations.models import ExternalSystem, InboundMessage, Interface
from orders.models import OrderLine
from tests.api.world import Caller, World, token_for
from tests.integrations.sending import connect, later, said

pytestmark = pytest.mark.django_db


@pytest.fixture
def wms(db: None) -> ExternalSystem:
    """A warehouse's system."""
    return connect()


@pytest.fixture
def caller(wms: ExternalSystem) -> Caller:
    """That system, with a token of exactly what it needs."""
    return Caller(token_for(wms.account, ["inbound:write"]))


def _reference(world: World) -> str:
    line = OrderLine.objects.select_related("order").get(pk=world.placed().lines[0].id)
    return f"{line.order.reference}/{line.position}"


def test_one_message_is_answered_with_what_became_of_it(world: World, caller: Caller) -> None:
    letter = said(_reference(world))
    answer = caller.post("inbound/wms-north/", letter, key=None)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["received"], body["counts"]["accepted"]) == (1, 1)
    [message] = body["messages"]
    assert (message["key"], message["status"], message["is_repeat"]) == (letter["id"], "accepted", False)
    again = caller.post("inbound/wms-north/", letter, key=None).json()["messages"][0]
    assert again == {**message, "is_repeat": True}
    shown = caller.get(f"inbound/wms-north/{message['id']}/")
    assert shown.json() == message
    listed = caller.get("inbound/wms-north/", {"status": "accepted"}).json()["results"]
    assert listed == [message]


def test_a_key_beside_the_message_is_its_key(world: World, caller: Caller) -> None:
    letter = said(_reference(world))
    del letter["id"]
    answer = caller.post("inbound/wms-north/", letter, key="erp-17")
    assert answer.json()["messages"][0]["key"] == "erp-17"
    assert caller.post("inbound/wms-north/", letter, key="x" * 201).status_code == 400


def test_bad_messages_are_kept_and_named_and_hinder_no_others(world: World, caller: Caller) -> None:
    letters = [said(_reference(world)), {"id": "b", "subject": "moon"}, said("P-999999/1"), said("x", code="?")]
    answer = caller.post("inbound/wms-north/", letters, key=None)
    body = answer.json()
    assert answer.status_code == 200
    assert [message["status"] for message in body["messages"]] == ["accepted", "rejected", "parked", "parked"]
    assert body["messages"][1]["problems"][0]["extra"]["where"] == "subject"
    assert body["messages"][3]["cause"] == "code_unknown"
    assert sum(body["counts"].values()) == body["received"] == InboundMessage.objects.count() == 4


def test_who_does_not_want_to_wait_is_answered_when_it_is_kept(world: World, caller: Caller) -> None:
    answer = caller.post("inbound/wms-north/?wait=false", said(_reference(world)), key=None)
    assert answer.status_code == 202
    assert answer.json()["messages"][0]["status"] == "received"
    step(later(seconds=1))
    assert InboundMessage.objects.get().status == "accepted"


@pytest.mark.parametrize(
    ("address", "body", "status", "code"),
    [
        ("inbound/wms-north/", b"", 422, "unreadable"),
        ("inbound/wms-north/", b"[]", 422, "unreadable"),
        ("inbound/wms-north/?wait=perhaps", b"{}", 400, "invalid"),
        ("inbound/wms-north/?interfaces=x", b"{}", 400, "invalid"),
        ("inbound/wms-north/?interface=none", b"{}", 404, "not_found"),
        ("inbound/nobody/", b"{}", 404, "not_found"),
    ],
)
def test_what_cannot_be_taken_in_says_so_and_leaves_nothing(
    world: World, caller: Caller, address: str, body: bytes, status: int, code: str
) -> None:
    answer = caller.raw("POST", address, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not InboundMessage.objects.exists()


def test_nobody_sends_or_looks_in_anothers_name(world: World, caller: Caller, manager: User) -> None:
    letter = said(_reference(world))
    other = connect("wms-south")
    stranger = Caller(token_for(other.account, ["inbound:write"]))
    caller.post("inbound/wms-north/", letter, key=None)
    key = InboundMessage.objects.get().pk
    assert stranger.post("inbound/wms-north/", letter, key=None).status_code == 404
    assert stranger.get("inbound/wms-north/").json()["results"] == []
    assert stranger.get(f"inbound/wms-north/{key}/").status_code == 404
    assert stranger.get(f"inbound/wms-south/{key}/").status_code == 404
    for scopes in (["orders:read", "orders:write", "status:write"], []):
        without = Caller(token_for(ExternalSystem.objects.get(code="wms-north").account, scopes))
        assert without.post("inbound/wms-north/", letter, key=None).status_code == 403
    assert Caller(token_for(manager)).post("inbound/wms-north/", letter, key=None).status_code == 403
    assert Caller().post("inbound/wms-north/", letter, key=None).status_code == 401


def test_a_system_that_is_switched_off_is_refused_and_what_it_had_sent_lies_still(
    world: World, caller: Caller, wms: ExternalSystem
) -> None:
    caller.post("inbound/wms-north/?wait=false", said(_reference(world)), key=None)
    ExternalSystem.objects.update(is_active=False)
    answer = caller.post("inbound/wms-north/", said(_reference(world)), key=None)
    assert (answer.status_code, answer.json()["code"]) == (409, "disconnected")
    step(later())
    assert InboundMessage.objects.get().status == "received"
    ExternalSystem.objects.update(is_active=True)
    step(later(minutes=6))
    assert InboundMessage.objects.get().status == "accepted"


def test_where_there_are_several_interfaces_the_sender_says_which(
    world: World, caller: Caller, wms: ExternalSystem
) -> None:
    Interface.objects.create(system=wms, code="other", name="Other", format="status-json")
    letter = said(_reference(world))
    answer = caller.post("inbound/wms-north/", letter, key=None)
    assert (answer.status_code, set(answer.json()["fields"])) == (400, {"interface"})
    assert caller.post("inbound/wms-north/?interface=statuses", letter, key=None).status_code == 200


def test_a_system_sees_only_what_its_account_may(world: World, db: None) -> None:
    partner = connect("their-erp", role=roles.PARTNER)
    account: Any = partner.account
    account.user_permissions.add(
        *Permission.objects.filter(codename__in=["send_inboundmessage", "move_orderline", "ship_orderline"])
    )
    caller = Caller(token_for(account, ["inbound:write"]))
    answer = caller.post("inbound/their-erp/", said(_reference(world)), key=None)
    assert answer.json()["messages"][0]["cause"] == "not_found"
