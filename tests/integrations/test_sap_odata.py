"""Outbound deliveries as OData returns them, in version 2 and 4, say what the same delivery says as an IDoc."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from integrations.facts import Shipped, StatusReached, Unreadable
from integrations.formats import Speech, sap_odata
from tests.integrations.odata import delivery, item

FORM = sap_odata.FORM
BERLIN = Speech(zone=ZoneInfo("Europe/Berlin"))


def _read(found: Any) -> Any:
    [piece] = FORM.split(json.dumps(found).encode())
    return FORM.read(piece.body, BERLIN).facts


@pytest.mark.parametrize("wrapped", ["d", "results", "value", "array", "alone"])
def test_a_delivery_is_read_however_it_is_wrapped(wrapped: str) -> None:
    one = delivery(item("10", "4.000"))
    body = {
        "d": {"d": one},
        "results": {"d": {"results": [one]}},
        "value": {"@odata.context": "$metadata", "value": [one]},
        "array": [one],
        "alone": one,
    }[wrapped]
    [shipped] = _read(body)
    assert isinstance(shipped, Shipped)
    assert (shipped.shipment_number, shipped.tracking_number) == ("80001234", "JD014")
    assert shipped.occurred_at == datetime(2026, 11, 22, 7, 58, tzinfo=UTC)
    assert [(each.line.value, each.quantity) for each in shipped.items] == [("80001234/10", Decimal(4))]


def test_version_four_writes_days_times_and_numbers_as_such() -> None:
    four = delivery(item("10", 4), ActualGoodsMovementDate="2026-11-22", ActualGoodsMovementTime="08:58:00")
    four["_Item"] = four.pop("to_DeliveryDocumentItem")["results"]
    [shipped] = _read({"value": [four]})
    assert shipped.occurred_at == datetime(2026, 11, 22, 7, 58, tzinfo=UTC)
    assert shipped.items[0].quantity == Decimal(4)


def test_batches_are_added_up_and_not_counted_with_their_item() -> None:
    batches = [item(f"90000{n}", "5.000", HigherLvlItmOfBatSpltItm="000010", Batch=f"B{n}") for n in (1, 2)]
    [shipped] = _read(delivery(item("000010", "10.000"), *batches))
    assert [(each.quantity, each.batches) for each in shipped.items] == [(Decimal(10), ("B1", "B2"))]


def test_what_is_only_picked_is_picking_and_what_has_not_left_is_left_out() -> None:
    picked = delivery(item("10", "4"), OverallGoodsMovementStatus="A", ActualGoodsMovementDate=None)
    [fact] = _read(picked)
    assert isinstance(fact, StatusReached)
    assert fact.status == "picking"
    [shipped] = _read(delivery(item("10", "4"), item("20", "1", GoodsMovementStatus="A")))
    assert [each.line.value for each in shipped.items] == ["80001234/10"]


def test_many_are_each_a_message_with_its_own_bytes() -> None:
    body = json.dumps({"d": {"results": [delivery(item("10", "1")), delivery(item("20", "2"))]}}, indent=2).encode()
    pieces = FORM.split(body)
    assert len(pieces) == 2
    assert all(piece.body in body for piece in pieces)


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"ActualGoodsMovementDate": "yesterday"}, "ActualGoodsMovementDate"),
        ({"ActualGoodsMovementDate": "/Date(999999999999999)/"}, "ActualGoodsMovementDate"),
        ({"ActualGoodsMovementTime": "noon"}, "ActualGoodsMovementTime"),
        ({"OverallGoodsMovementStatus": "A", "OverallPickingStatus": "A"}, "E1EDL18.QUALF"),
        ({"to_DeliveryDocumentItem": {"__deferred": {"uri": "x"}}}, "to_DeliveryDocumentItem"),
        ({"DeliveryDocument": None}, "E1EDL20.VBELN"),
    ],
)
def test_what_is_refused_says_where(more: dict[str, Any], where: str) -> None:
    with pytest.raises(Unreadable) as refused:
        _read({**delivery(item("10", "1")), **more})
    assert refused.value.extra["where"] == where
