"""Shipping lines, whole and in part; what has left is a shipment. Trees always add up (see the desk)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orders.actions import lines
from orders.actions.lines import ShipItem, Step
from orders.actions.placing import Wanted
from orders.actions.service_orders import Moved
from orders.errors import TransitionRefused
from orders.models import OrderEvent, Shipment
from orders.signals import line_withdrawn
from parts.errors import Invalid, NotFound, Refused, VersionConflict
from parts.keys import new_key
from tests.factories.parts import PartFactory, UnitOfMeasureFactory, WarehouseFactory
from tests.orders.desk import (
    TOLD,
    Desk,
    ReceiverFailed,
    back_order,
    balance,
    child,
    d,
    events,
    failing,
    leaf,
    line,
    order,
    statements,
    tree,
)


def test_a_part_of_a_line_is_shipped_and_the_rest_stays_behind(desk: Desk) -> None:
    desk.put(10)
    placed = desk.place(8)
    desk.ship(leaf(placed).id, 3)
    assert tree(placed.id) == [("1", "reserved", 8), ("1.1", "reserved", 5), ("1.2", "shipped", 3)]
    assert order(placed.id).progress == Decimal("0.375")
    assert [child(placed, reference).progress for reference in ("1.1", "1.2")] == [0, 1]
    assert desk.balance() == balance(7, 5)
    desk.ship(child(placed, "1.1").pk, 1)
    desk.ship(child(placed, "1.1").pk)
    assert (order(placed.id).status, order(placed.id).progress) == ("shipped", 1)
    assert desk.balance() == balance(2)
    assert Shipment.objects.filter(order_id=placed.id).count() == 3


def test_lines_that_leave_one_warehouse_together_are_one_shipment(desk: Desk) -> None:
    other = WarehouseFactory.create()
    elsewhere = PartFactory.create()
    desk.put(5)
    desk.put(5, part=elsewhere, at=other)
    placed = desk.order([Wanted(d(1), desk.part.pk), Wanted(d(2), desk.part.pk), Wanted(d(1), elsewhere.pk)])
    shipments = lines.ship(
        order_id=placed.id,
        items=[ShipItem(item.id) for item in placed.lines],
        carrier="DHL",
        tracking_number="JD014",
        walk=True,
        **TOLD,
    )
    assert sorted(shipment.lines.count() for shipment in shipments) == [1, 2]
    assert {(shipment.carrier, shipment.tracking_number) for shipment in shipments} == {("DHL", "JD014")}


def test_what_a_walk_passes_through_is_marked_so(desk: Desk) -> None:
    desk.put(1)
    line_id = leaf(desk.place(1)).id
    desk.ship(line_id)
    assert [(event.to_status, event.passed_through) for event in events(line_id)] == [
        ("reserved", False),
        ("released", True),
        ("picking", True),
        ("packed", True),
        ("shipped", False),
    ]


def test_only_what_is_packed_leaves_unless_it_is_walked_there(desk: Desk) -> None:
    desk.put(1)
    placed = desk.place(1)
    with pytest.raises(TransitionRefused):
        lines.ship(order_id=placed.id, items=[ShipItem(leaf(placed).id)], **TOLD)
    assert tree(placed.id) == [("1", "reserved", 1)]


def test_a_line_that_awaits_kitting_is_packed_and_shipped(desk: Desk) -> None:
    desk.put(1)
    line_id = leaf(desk.place(1)).id
    desk.pack(line_id, "picking")
    lines.move(line_id=line_id, to="awaiting_kitting", **TOLD)
    desk.ship(line_id)
    assert line(line_id).status == "shipped"


def test_a_shipment_that_fails_half_way_never_was(desk: Desk) -> None:
    desk.put(5)
    placed = desk.place(5)
    before = OrderEvent.objects.count()
    with failing(line_withdrawn), pytest.raises(ReceiverFailed):
        desk.ship(leaf(placed).id, 2)
    assert tree(placed.id) == [("1", "reserved", 5)]
    assert (desk.balance(), Shipment.objects.count(), OrderEvent.objects.count()) == (balance(5, 5), 0, before)


@pytest.mark.parametrize("quantity", ["0", "-1", "6", "NaN", "Infinity", "1.5", "0.0005"])
def test_a_part_of_a_line_that_cannot_be_is_refused(desk: Desk, quantity: str) -> None:
    desk.put(5)
    placed = desk.place(5)
    with pytest.raises(Invalid) as refusal:
        desk.ship(leaf(placed).id, quantity)
    assert list(refusal.value.extra["fields"]) == ["lines.0.quantity"]
    with pytest.raises(Invalid) as refusal:
        lines.cancel(line_id=leaf(placed).id, reason="x", quantity=Decimal(quantity), **TOLD)
    assert list(refusal.value.extra["fields"]) == ["quantity"]
    assert tree(placed.id) == [("1", "reserved", 5)]


def test_a_unit_with_decimals_is_split_to_the_last_of_them(desk: Desk) -> None:
    oil = PartFactory.create(unit=UnitOfMeasureFactory.create(code="LTR", name="Litre", decimals=3))
    desk.put(2, part=oil)
    placed = desk.order([Wanted(d("1.5"), oil.pk)])
    desk.ship(leaf(placed).id, "0.001")
    lines.cancel(line_id=placed.lines[0].id, reason="x", quantity=d("0.999"), **TOLD)
    assert tree(placed.id)[1:] == [
        ("1.1", "reserved", d("0.500")),
        ("1.2", "shipped", d("0.001")),
        ("1.3", "cancelled", d("0.999")),
    ]


def test_a_shipment_names_lines_of_its_order_once(desk: Desk) -> None:
    desk.put(2)
    placed, other = desk.place(1), desk.place(1)
    for items in ([], [ShipItem(leaf(placed).id)] * 2):
        with pytest.raises(Invalid):
            lines.ship(order_id=placed.id, items=items, walk=True, **TOLD)
    for order_id, line_id in [(placed.id, leaf(other).id), (new_key(), leaf(placed).id)]:
        with pytest.raises(NotFound):
            lines.ship(order_id=order_id, items=[ShipItem(line_id)], walk=True, **TOLD)


def test_what_waits_does_not_leave(desk: Desk) -> None:
    placed = desk.place(1)
    with pytest.raises(TransitionRefused):
        desk.ship(leaf(placed, "back_ordered").id)


def test_shipping_is_as_many_statements_for_many_lines_as_for_few(desk: Desk) -> None:
    counts = []
    desk.put(100)
    for number in (2, 20):
        placed = desk.place(*[2] * number)
        with statements() as sent:
            items = [ShipItem(item.id, d(1)) for item in placed.lines]
            lines.ship(order_id=placed.id, items=items, walk=True, **TOLD)
        counts.append(len(sent))
    assert counts[0] == counts[1]


def test_a_complete_delivery_leaves_as_one_or_not_at_all(desk: Desk) -> None:
    desk.put(5)
    placed = desk.place(2, 3, complete_delivery_only=True)
    first, second = (item.id for item in placed.lines)
    for items in ([ShipItem(first)], [ShipItem(first), ShipItem(second, d(1))]):
        with pytest.raises(Refused, match="complete only"):
            lines.ship(order_id=placed.id, items=items, walk=True, **TOLD)
    desk.pack(first)
    with pytest.raises(Refused, match="complete only"):
        lines.move(line_id=first, to="shipped", **TOLD)
    [answer] = lines.move_many(steps=[Step(first, "shipped")], **TOLD)
    assert isinstance(answer, Refused)
    desk.pack(second)
    answers = lines.move_many(steps=[Step(first, "shipped"), Step(second, "shipped")], **TOLD)
    assert not [answer for answer in answers if isinstance(answer, Refused)]
    assert order(placed.id).status == "shipped"


def test_an_allocated_back_order_ends_with_its_line(desk: Desk) -> None:
    placed = desk.place(4)
    line_id = leaf(placed, "back_ordered").id
    desk.put(4)
    assert back_order(line_id).status == "allocated"
    desk.ship(line_id, 1)
    assert back_order(line_id).status == "allocated"
    desk.ship(line_id)
    assert (back_order(line_id).status, order(placed.id).status) == ("fulfilled", "shipped")


def test_of_several_steps_at_once_a_complete_delivery_leaves_whole_or_not_at_all(desk: Desk) -> None:
    desk.put(10)
    placed = desk.place(2, 3, complete_delivery_only=True)
    for item in placed.lines:
        desk.pack(item.id)
    first, second = (item.id for item in placed.lines)

    stale = lines.move_many(steps=[Step(first, "shipped"), Step(second, "shipped", expected_version=1)], **TOLD)
    assert [type(result) for result in stale] == [Refused, VersionConflict]
    assert [status for _number, status, _quantity in tree(placed.id)] == ["packed", "packed"]

    both = lines.move_many(steps=[Step(first, "shipped"), Step(second, "shipped")], **TOLD)
    assert [result.status for result in both if isinstance(result, Moved)] == ["shipped", "shipped"]


def test_of_the_same_step_twice_the_second_is_refused(desk: Desk) -> None:
    desk.put(10)
    placed = desk.place(2)
    key = placed.lines[0].id

    first, second = lines.move_many(steps=[Step(key, "released"), Step(key, "released")], **TOLD)

    assert isinstance(first, Moved)
    assert isinstance(second, TransitionRefused)
