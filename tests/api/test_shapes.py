"""What PostgreSQL writes is what the description says: the same members, the same values as the rows have."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from rest_framework import serializers

from backorders.api import AvailabilitiesSerializer, ExplanationSerializer
from orders.api.shapes import OrderLineSerializer, PartsOrderSerializer, PlacedSerializer, ShippedSerializer
from orders.api.status_updates import ResultsSerializer
from orders.models import OrderLine, PartsOrder
from parts.api import BookedDeliverySerializer
from tests.api.world import Caller, World

pytestmark = pytest.mark.django_db


def assert_shape(document: Any, shape: serializers.BaseSerializer[Any]) -> None:
    """Hold a document to a serializer: exactly its members, and each acceptable to its field."""
    if isinstance(shape, serializers.ListSerializer):
        assert isinstance(document, list)
        for item in document:
            assert isinstance(shape.child, serializers.Serializer)
            assert_shape(item, shape.child)
        return
    assert isinstance(shape, serializers.Serializer)
    assert set(document) == set(shape.fields)
    for name, field in shape.fields.items():
        if document[name] is None:
            assert field.allow_null, name
        elif isinstance(field, serializers.BaseSerializer):
            assert_shape(document[name], field)
        else:
            field.run_validation(document[name])


def _value(row: Any, name: str) -> Any:
    value = row[name]
    return datetime.fromisoformat(value) if name in ("status_since", "created_at") else value


def test_an_order_and_its_lines_have_the_shape_of_the_description(world: World, erp: Caller) -> None:
    world.bought(10, expected_on=world.day(14))
    placed = erp.post("parts-orders/", world.order(service_order=str(world.job().pk))).json()
    assert_shape(placed, PlacedSerializer())
    for document in (
        erp.get(f"parts-orders/{placed['id']}/").json(),
        erp.get("parts-orders/").json()["results"][0],
    ):
        assert_shape(document, PartsOrderSerializer())
    for document in erp.get("lines/").json()["results"]:
        assert_shape(document, OrderLineSerializer())


def test_an_order_has_the_values_of_its_rows(world: World, erp: Caller) -> None:
    placed = erp.post("parts-orders/", world.order(external_reference='He said "now" \\ é')).json()
    row = PartsOrder.objects.select_related("customer", "region").get(pk=placed["id"])
    document = erp.get(f"parts-orders/{row.pk}/").json()
    plain = ("reference", "version", "kind", "status", "status_since", "external_reference", "on_hold", "created_at")
    assert {name: _value(document, name) for name in plain} == {name: getattr(row, name) for name in plain}
    assert row.customer is not None
    assert (document["customer_code"], document["region"]) == (row.customer.code, row.region.code)
    assert (document["progress"], document["requested_on"]) == (str(row.progress), str(row.requested_on))
    rows = {str(line.pk): line for line in OrderLine.objects.select_related("part", "warehouse", "back_order")}
    shown = document["lines"] + [child for line in document["lines"] for child in line["children"]]
    assert {line["id"] for line in shown} == set(rows)
    for line in shown:
        own: Any = rows[line["id"]]
        assert (line["reference"], line["version"], line["status"]) == (own.reference, own.version, own.status)
        assert (line["quantity"], line["part_number"]) == (str(own.quantity), own.part.number)
        assert line["warehouse_code"] == (own.warehouse.code if own.warehouse else None)
        back_order = getattr(own, "back_order", None)
        assert (line["back_order"] or {}).get("reference") == (back_order.reference if back_order else None)


def test_what_the_other_answers_are_made_of_is_as_described(world: World, erp: Caller) -> None:
    placed = world.placed(quantity=5, part=4)
    world.bought(3, expected_on=world.day(5))
    entry = erp.get("back-orders/").json()["results"][0]["id"]
    world.put(world.parts[4], 1)
    assert_shape(erp.get(f"back-orders/{entry}/explain/").json(), ExplanationSerializer())
    assert_shape(erp.get("availability/", {"part": world.parts[4].number}).json(), AvailabilitiesSerializer())
    body = {"updates": [{"subject": "line", "id": str(placed.lines[0].id), "status": "x", "occurred_at": "2026-01-01"}]}
    assert_shape(erp.post("status-updates/", body).json(), ResultsSerializer())
    ready = world.placed().lines[0].id
    assert_shape(erp.post(f"lines/{ready}/ship/", {"walk": True}).json(), ShippedSerializer())
    delivery = {
        "supplier": str(world.supplier.pk),
        "warehouse": str(world.near.pk),
        "note_number": "DN-1",
        "received_at": "2026-01-01T00:00:00Z",
        "lines": [{"part": str(world.parts[4].pk), "quantity": "10"}],
    }
    assert_shape(erp.post("deliveries/", delivery).json(), BookedDeliverySerializer())
