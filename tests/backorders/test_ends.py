"""A back order ends with its own line, and stands for exactly what that holds. All laws hold (see the desk)."""

from __future__ import annotations

from decimal import Decimal

from backorders.models import BackOrder
from orders.actions import lines
from orders.actions.placing import Placed, Wanted
from tests.factories.parts import WarehouseFactory
from tests.orders.desk import TOLD, Desk, back_order, child, d, events, kinds, leaf, line, queue, tree


def waiting(desk: Desk, quantity: int) -> tuple[Placed, BackOrder]:
    placed = desk.place(quantity)
    return placed, back_order(leaf(placed, "back_ordered").id)


def ends(row: BackOrder) -> tuple[str, Decimal, Decimal]:
    row.refresh_from_db()
    return row.status, row.quantity, row.opened_quantity


def quantities(row: BackOrder) -> list[tuple[str, str]]:
    return [(event.data["from"], event.data["to"]) for event in events(row.pk) if "from" in event.data]


def test_what_is_filled_from_two_places_is_a_back_order_of_the_piece_that_its_line_keeps(desk: Desk) -> None:
    second = WarehouseFactory.create()
    placed = desk.order([Wanted(d(6), desk.part.pk, minimum_fill=d(6))])
    row = back_order(leaf(placed, "back_ordered").id)
    desk.put(5)
    desk.put(1, at=second)
    assert tree(placed.id)[1:] == [("1.1", "reserved", 1), ("1.2", "reserved", 5)]
    assert ends(row) == ("allocated", 1, 6)
    assert kinds(row.pk)[1:] == ["back_order.quantity_changed", "back_order.status_changed allocated"]
    desk.ship(row.line_id)
    assert ends(row) == ("fulfilled", 1, 6)
    assert line(child(placed, "1.2").pk).status == "reserved"


def test_a_part_that_is_shipped_leaves_the_back_order_with_the_rest(desk: Desk) -> None:
    placed, row = waiting(desk, 10)
    desk.put(10)
    desk.ship(row.line_id, 4)
    assert ends(row) == ("allocated", 6, 10)
    assert quantities(row) == [("10.000", "6.000")]
    desk.ship(row.line_id)
    assert ends(row) == ("fulfilled", 6, 10)
    assert [status for _, status, _ in tree(placed.id)] == ["shipped"] * 3


def test_when_a_part_was_shipped_and_the_rest_is_cancelled_only_the_rest_is_cancelled(desk: Desk) -> None:
    _placed, row = waiting(desk, 10)
    desk.put(10)
    desk.ship(row.line_id, 4)
    lines.cancel(line_id=row.line_id, reason="Not needed", **TOLD)
    assert ends(row) == ("cancelled", 6, 10)


def test_a_part_that_is_cancelled_leaves_the_back_order_with_the_rest(desk: Desk) -> None:
    _placed, row = waiting(desk, 10)
    desk.put(10)
    lines.cancel(line_id=row.line_id, reason="Fewer will do", quantity=d(3), **TOLD)
    assert ends(row) == ("allocated", 7, 10)


def test_what_is_taken_back_from_a_transfer_leaves_its_back_order_with_the_rest(desk: Desk) -> None:
    soft = desk.transfer(5, to=WarehouseFactory.create())
    row = back_order(leaf(soft, "back_ordered").id)
    desk.put(5)
    assert ends(row) == ("allocated", 5, 5)
    assert desk.place(2).status == "reserved"
    assert tree(soft.id)[1:] == [("1.1", "reserved", 3), ("1.2", "back_ordered", 2)]
    assert ends(row) == ("allocated", 3, 5)
    assert queue(desk.part) == [(f"{soft.reference}/1.2", 2)]


def test_a_part_that_comes_back_changes_nothing_of_a_back_order_that_was_fulfilled(desk: Desk) -> None:
    _placed, row = waiting(desk, 5)
    desk.put(5)
    desk.ship(row.line_id)
    lines.return_to_stock(line_id=row.line_id, quantity=d(2), **TOLD)
    assert ends(row) == ("fulfilled", 5, 5)
