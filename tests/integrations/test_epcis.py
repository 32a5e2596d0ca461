"""EPCIS 2.0 events: what their business steps say of our lines, in a document or alone, and what is taken back."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from integrations.actions.taking_in import Taken
from integrations.facts import Code, Retracted, Shipped, StatusReached, Subject, Unreadable
from integrations.formats import Speech, epcis_json
from integrations.models import Discrepancy, InboundMessage
from orders.models import OrderLine
from tests.api.world import World
from tests.integrations.epcis_events import document, event
from tests.integrations.sending import connect, send

FORM = epcis_json.FORM


def _read(**more: Any) -> Any:
    [fact] = FORM.read(json.dumps(event(**more)).encode(), Speech()).facts
    return fact


def test_what_is_shipped_says_line_quantity_and_serial_numbers() -> None:
    fact = _read()
    assert isinstance(fact, Shipped)
    [item] = fact.items
    assert item.line == Subject("line", "reference", "P-000017/2")
    assert (item.quantity, item.serials) == (Decimal(2), ("2017", "7Q"))
    assert fact.occurred_at == datetime(2026, 11, 22, 7, 58, tzinfo=UTC)
    assert fact.shipment_number == "urn:epcglobal:cbv:bt:0614141073467:1152"


def test_quantities_of_classes_count_with_the_units() -> None:
    fact = _read(quantityList=[{"epcClass": "urn:epc:class:lgtin:4012345.012345.998877", "quantity": 3.5}])
    assert fact.items[0].quantity == Decimal("5.5")


@pytest.mark.parametrize(
    "step",
    ["packing", "urn:epcglobal:cbv:bizstep:packing", "https://ref.gs1.org/cbv/BizStep-packing", "cbv:BizStep-packing"],
)
def test_a_business_step_is_a_code_in_whichever_way_it_is_written(step: str) -> None:
    fact = _read(type="AggregationEvent", action="ADD", parentID="urn:epc:id:sscc:0614141.1", bizStep=step)
    assert isinstance(fact, StatusReached)
    assert fact.codes == (Code("epcis-bizstep", "", "packing"), Code("epcis-disposition", "", "in_transit"))


def test_a_step_of_another_vocabulary_is_not_taken_for_one_of_gs1() -> None:
    assert _read(bizStep="https://acme.example/shipping").codes[0].code == "https://acme.example/shipping"


def test_what_is_taken_apart_is_no_step_forward() -> None:
    fact = _read(type="TransactionEvent", action="DELETE")
    assert fact.codes[0].code == "shipping-deleted"


def test_an_order_that_is_named_otherwise_is_known_by_its_address() -> None:
    uri = "urn:epcglobal:cbv:bt:0614141073467:4500017"
    fact = _read(bizTransactionList=[{"type": "po", "bizTransaction": uri}])
    assert fact.items[0].line == Subject("line", "biz_transaction", uri)


def test_an_error_declaration_takes_the_event_of_its_id_back() -> None:
    declared = {"declarationTime": "2026-11-22T10:00:00Z", "reason": "incorrect_data", "correctiveEventIDs": ["ni:x"]}
    fact = _read(errorDeclaration=declared)
    assert fact == Retracted(
        event()["eventID"], datetime(2026, 11, 22, 10, tzinfo=UTC), "incorrect_data", corrected_by=("ni:x",)
    )
    [first], [second] = (
        FORM.split(json.dumps(event(**more)).encode()) for more in ({}, {"errorDeclaration": declared})
    )
    assert first.key != second.key


@pytest.mark.parametrize("query", [False, True])
def test_each_event_of_a_document_is_a_message_of_its_own(query: bool) -> None:
    body = document(event(eventID="a"), event(eventID="b"), query=query)
    first, second = FORM.split(body)
    assert (first.key, second.key) == ("a", "b")
    assert first.body in body
    assert json.loads(second.body)["eventID"] == "b"
    [alone] = FORM.split(document(event(eventID="a"), query=query))
    assert (alone.key, alone.body) == ("a", document(event(eventID="a"), query=query))
    assert FORM.read(alone.body, Speech()).facts


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"type": "TransformationEvent"}, "type"),
        ({"bizStep": ""}, "bizStep"),
        ({"eventTime": "yesterday"}, "eventTime"),
        ({"eventTime": "2026-11-22T08:58:00"}, "eventTime"),
        ({"epcList": [7]}, "epcList"),
        ({"quantityList": [{"quantity": -1}]}, "quantityList"),
        ({"bizTransactionList": {}}, "bizTransactionList"),
        ({"errorDeclaration": {"declarationTime": "2026"}}, "declarationTime"),
    ],
)
def test_what_is_refused_says_where(more: dict[str, Any], where: str) -> None:
    with pytest.raises(Unreadable) as refused:
        _read(**more)
    assert refused.value.extra["where"] == where


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"epcisBody": {}}', b'{"epcisBody": {"eventList": []}}', b"{} {}"]
)
def test_what_holds_no_event_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        FORM.split(body)


def _sent(*events: dict[str, Any]) -> list[Taken]:
    return send(document(*events), system="partner")


@pytest.mark.django_db
def test_an_event_ships_a_part_of_its_line_and_its_declaration_opens_a_case() -> None:
    connect("partner", form="epcis-json")
    placed = World().placed(quantity=5)
    line = OrderLine.objects.select_related("order").get(pk=placed.lines[0].id)
    named = [{"type": "po", "bizTransaction": f"https://id.example.com/{line.order.reference}/1"}]
    said = event(eventID="evt-1", bizTransactionList=named)
    [taken] = _sent(said)
    assert taken.status == "accepted"
    assert sorted(OrderLine.objects.filter(parent=line).values_list("status", "quantity")) == [
        ("reserved", 3),
        ("shipped", 2),
    ]
    declared = {"declarationTime": "2026-11-22T10:00:00Z", "reason": "did_not_occur"}
    [taken] = _sent({**said, "errorDeclaration": declared})
    assert (taken.status, [fact["outcome"] for fact in taken.facts]) == ("accepted", ["moved"])
    found = Discrepancy.objects.get(found="Taken back by partner: did_not_occur")
    assert found.expected == "shipped, by message evt-1"


@pytest.mark.django_db
def test_a_declaration_lets_go_of_what_still_waits() -> None:
    connect("partner", form="epcis-json")
    said = event(eventID="evt-1")
    [waiting] = _sent(said)
    assert waiting.status == "parked"
    declared = {"declarationTime": "2026-11-22T10:00:00Z", "reason": "did_not_occur"}
    [taken] = _sent({**said, "errorDeclaration": declared})
    assert taken.status == "accepted"
    message = InboundMessage.objects.get(pk=waiting.id)
    assert (message.status, message.cause, message.waits_for) == ("rejected", "retracted", "")
    [unknown] = _sent({**said, "eventID": "evt-9", "errorDeclaration": declared})
    assert (unknown.status, unknown.cause) == ("parked", "not_found")
