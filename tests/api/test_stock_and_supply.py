"""Parts, movements, purchase orders and deliveries through the API."""

from __future__ import annotations

import uuid

import pytest
from django.utils import timezone

from backorders.models import BackOrder
from parts.models import Delivery, PartNumber, PurchaseOrder
from tests.api.world import Caller, World

pytestmark = pytest.mark.django_db


def _purchase(world: World, **change: object) -> dict[str, object]:
    return {
        "supplier": str(world.supplier.pk),
        "warehouse": str(world.near.pk),
        "ordered_at": timezone.now().isoformat(),
        "lines": [{"part": str(world.parts[4].pk), "quantity": "10", "expected_on": str(world.day(14))}],
        **change,
    }


def _delivery(world: World, **change: object) -> dict[str, object]:
    return {
        "supplier": str(world.supplier.pk),
        "warehouse": str(world.near.pk),
        "note_number": "DN-1",
        "received_at": timezone.now().isoformat(),
        "lines": [{"part": str(world.parts[4].pk), "quantity": "10"}],
        **change,
    }


def test_a_part_is_read_with_the_numbers_of_other_systems(world: World, erp: Caller) -> None:
    part = world.parts[0]
    PartNumber.objects.create(part=part, system="WMS", number="0815")
    read = erp.get(f"parts/{part.pk}/").json()
    assert (read["number"], read["numbers"]) == (part.number, [{"system": "WMS", "number": "0815"}])
    assert erp.get(f"parts/{uuid.uuid4()}/").status_code == 404


def test_parts_are_found_by_what_they_are(world: World, erp: Caller) -> None:
    part = world.parts[0]
    PartNumber.objects.create(part=part, system="WMS", number="0815")
    for query, count in [
        ({"number": part.number}, 1),
        ({"search": "hydraulic"}, 5),
        ({"search": part.number[:-1]}, None),
        ({"external_number": "0815"}, 1),
        ({"external_number": "0816"}, 0),
        ({"criticality": "B"}, 5),
        ({"criticality": ["A", "C"]}, 0),
        ({"category": "hydraulics"}, 0),
        ({"is_active": "false"}, 0),
    ]:
        rows = erp.get("parts/", query).json()["results"]
        assert len(rows) == count if count is not None else rows, query


def test_every_movement_is_listed_newest_first(world: World, erp: Caller) -> None:
    world.placed(quantity=3)
    rows = erp.get("stock-movements/", {"part": world.parts[0].pk}).json()["results"]
    assert [(row["kind"], row["reserved_change"], row["on_hand_change"]) for row in rows] == [
        ("reservation", "3.000", "0.000"),
        ("correction", "0.000", "100.000"),
    ]
    for query, count in [
        ({"kind": "reservation"}, 1),
        ({"warehouse": world.far.pk}, 1),
        ({"occurred_after": "2100-01-01T00:00:00Z"}, 0),
        ({"occurred_before": "2100-01-01T00:00:00Z"}, 6),
    ]:
        assert len(erp.get("stock-movements/", query).json()["results"]) == count, query


def test_a_purchase_order_gives_those_who_wait_their_date(world: World, erp: Caller) -> None:
    world.placed(quantity=5, part=4)
    answer = erp.post("purchase-orders/", _purchase(world))
    assert answer.status_code == 201
    read = erp.client.get(answer["Location"], headers=erp.headers).json()
    assert (read["number"], read["lines"][0]["quantity"]) == (answer.json()["number"], "10.000")
    assert BackOrder.objects.get().expected_on == world.day(14)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"supplier": str(uuid.uuid4())}, 404),
        ({"warehouse": str(uuid.uuid4())}, 404),
        ({"lines": [{"part": str(uuid.uuid4()), "quantity": "1"}]}, 404),
        ({"lines": []}, 400),
        ({"lines": [{"part": "x", "quantity": "0"}]}, 400),
        ({"ordered_at": "yesterday"}, 400),
        ({"number": "PUR-000001"}, 400),
        ({"number": "x" * 41}, 400),
    ],
)
def test_a_purchase_order_that_cannot_be_is_refused(
    world: World, erp: Caller, change: dict[str, object], status: int
) -> None:
    assert erp.post("purchase-orders/", _purchase(world, **change)).status_code == status
    assert not PurchaseOrder.objects.exists()


def test_the_number_of_a_purchase_order_is_used_once(world: World, erp: Caller) -> None:
    assert erp.post("purchase-orders/", _purchase(world, number="4500017")).status_code == 201
    again = erp.post("purchase-orders/", _purchase(world, number="4500017"))
    assert (again.status_code, again.json()["code"], again.json()["numbers"]) == (409, "number_used", ["4500017"])


def test_a_delivery_serves_who_waits_before_the_call_has_answered(world: World, erp: Caller) -> None:
    placed = world.placed(quantity=5, part=4)
    erp.post("purchase-orders/", _purchase(world))
    answer = erp.post("deliveries/", _delivery(world))
    assert answer.status_code == 201
    [line] = answer.json()["lines"]
    assert [float(line[name]) for name in ("quantity", "still_open", "over")] == [10, 0, 0]
    assert erp.get(f"parts-orders/{placed.id}/").json()["status"] == "reserved"
    read = erp.client.get(answer["Location"], headers=erp.headers).json()
    assert (read["note_number"], read["lines"][0]["open_before"]) == ("DN-1", "10.000")


def test_the_same_delivery_note_is_booked_once_whatever_the_key(world: World, erp: Caller) -> None:
    first = erp.post("deliveries/", _delivery(world)).json()
    again = erp.post("deliveries/", _delivery(world)).json()
    assert (again["id"], first["replayed"], again["replayed"]) == (first["id"], False, True)
    other = erp.post("deliveries/", _delivery(world, lines=[{"part": str(world.parts[0].pk), "quantity": "1"}]))
    assert (other.status_code, other.json()["code"]) == (409, "delivery_note_used")
    assert Delivery.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"supplier": str(uuid.uuid4())}, 404),
        ({"warehouse": str(uuid.uuid4())}, 404),
        ({"note_number": ""}, 400),
        ({"note_number": "x" * 61}, 400),
        ({"lines": []}, 400),
        ({"lines": [{"part": str(uuid.uuid4()), "quantity": "1"}]}, 404),
        ({"received_at": "0001-01-01T00:00:00+14:00"}, 400),
    ],
)
def test_a_delivery_that_cannot_be_is_refused(
    world: World, erp: Caller, change: dict[str, object], status: int
) -> None:
    assert erp.post("deliveries/", _delivery(world, **change)).status_code == status
    assert not Delivery.objects.exists()


def test_purchase_orders_and_deliveries_are_found_by_what_they_are(world: World, erp: Caller) -> None:
    number = erp.post("purchase-orders/", _purchase(world)).json()["number"]
    for query, count in [
        ({"number": number}, 1),
        ({"status": "ordered"}, 1),
        ({"status": "closed"}, 0),
        ({"supplier": world.supplier.pk}, 1),
        ({"warehouse": world.far.pk}, 0),
        ({"part": world.parts[4].pk}, 1),
        ({"part": world.parts[0].pk}, 0),
        ({"ordered_after": "2100-01-01T00:00:00Z"}, 0),
        ({"ordered_before": "2100-01-01T00:00:00Z"}, 1),
    ]:
        assert len(erp.get("purchase-orders/", query).json()["results"]) == count, query
    erp.post("deliveries/", _delivery(world))
    for asked, count in [
        ({"note_number": "DN-1"}, 1),
        ({"supplier": uuid.uuid4()}, 0),
        ({"warehouse": world.near.pk}, 1),
        ({"part": world.parts[4].pk}, 1),
        ({"part": world.parts[0].pk}, 0),
        ({"received_after": "2100-01-01T00:00:00Z"}, 0),
        ({"received_before": "2100-01-01T00:00:00Z"}, 1),
    ]:
        assert len(erp.get("deliveries/", asked).json()["results"]) == count, asked
