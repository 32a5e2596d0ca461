"""The back office of the inbox: a message says what stands in its way, and whoever may does something about it."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from integrations.inbox import step
from integrations.models import ExternalSystem, InboundMessage, StatusCode
from orders.models import OrderLine
from tests.admin.desk import desk_of
from tests.api.world import World
from tests.integrations.sending import connect, said, send

pytestmark = pytest.mark.django_db


@pytest.fixture
def line(db: None) -> OrderLine:
    """An ordered line, and a warehouse's system that is connected."""
    connect()
    return OrderLine.objects.select_related("order").get(pk=World().placed().lines[0].id)


def _reference(line: OrderLine) -> str:
    return f"{line.order.reference}/{line.position}"


def test_a_code_that_parked_a_message_is_decided_from_its_page(line: OrderLine, manager: User) -> None:
    [taken] = send(said(_reference(line), code="GI"))
    client = desk_of(manager)
    page = client.get(reverse("admin:integrations_inboundmessage_change", args=[taken.id])).content.decode()
    assert "Nobody has said what GI of wms means." in page
    assert _reference(line) in page
    address = reverse("admin:integrations_statuscode_decide-any")
    assert f"{address}?code_list=wms&amp;code=GI" in page
    asked = client.get(f"{address}?code_list=wms&code=GI").content.decode()
    assert 'value="GI"' in asked
    decision = {
        "code_list": "wms",
        "code": "GI",
        "effect": "status",
        "meaning": "line:shipped",
        "effective_from": str(timezone.localdate()),
        "reason": "Asked the warehouse.",
    }
    refused = client.post(address, {**decision, "meaning": ""})
    assert refused.status_code == 400
    assert not StatusCode.objects.filter(code_list="wms").exists()
    assert client.post(address, decision).status_code == 302
    step(timezone.now())
    line.refresh_from_db()
    assert line.status == "shipped"
    assert StatusCode.objects.get(code_list="wms").decided_by == manager


def test_a_rejected_message_is_corrected_and_a_hopeless_one_discarded(line: OrderLine, manager: User) -> None:
    letter = said(_reference(line), "flown")
    first, second = send(letter, said("P-999999/1"))
    client = desk_of(manager)
    correct = reverse("admin:integrations_inboundmessage_correct", args=[first.id])
    assert "flown" in client.get(correct).content.decode()
    body = json.dumps({**letter, "status": "shipped"})
    assert client.post(correct, {"body": body, "reason": "Typing error"}).status_code == 302
    step(timezone.now())
    line.refresh_from_db()
    assert line.status == "shipped"
    discard = reverse("admin:integrations_inboundmessage_discard", args=[second.id])
    assert client.post(discard, {"reason": ""}).status_code == 400
    assert client.post(discard, {"reason": "Nobody knows it"}).status_code == 302
    assert InboundMessage.objects.get(pk=second.id).cause == "discarded"
    page = client.get(reverse("admin:integrations_inboundmessage_change", args=[first.id])).content.decode()
    assert "Typing error" in page


def test_no_system_acts_in_a_persons_name(manager: User, administrator: User) -> None:
    client = desk_of(administrator)
    fields = {"code": "wms", "name": "WMS", "kind": "wms", "time_zone": "UTC", "is_active": "on"}
    address = reverse("admin:integrations_externalsystem_add")
    machine = User.objects.create_user("machine")
    answer = client.post(address, {**fields, "account": manager.pk})
    assert "Take an account of its own" in answer.content.decode()
    assert client.post(address, {**fields, "time_zone": "Mars"}).status_code == 200
    assert client.post(address, {**fields, "code": "No Code"}).status_code == 200
    assert not ExternalSystem.objects.exists()
    assert client.post(address, {**fields, "account": machine.pk}).status_code == 302
    assert ExternalSystem.objects.get().account == machine
