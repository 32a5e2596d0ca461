"""A parts order as a whole: held, let go, released by rule. Trees always add up (see the desk)."""

from __future__ import annotations

import pytest

from orders.actions import lines, parts_orders
from orders.actions.placing import Wanted
from orders.errors import NothingToDo, ReasonRequired
from orders.models import PartsOrder
from parts.errors import Invalid
from parts.models import Reservation
from tests.factories.parts import PartFactory, WarehouseFactory
from tests.orders.desk import TOLD, Desk, d, leaf, order, statements, tree


def test_an_order_is_held_and_let_go_once(desk: Desk) -> None:
    placed = desk.place(1)
    parts_orders.hold(order_id=placed.id, reason="Credit limit", **TOLD)
    assert (order(placed.id).on_hold, order(placed.id).hold_reason) == (True, "Credit limit")
    with pytest.raises(NothingToDo):
        parts_orders.hold(order_id=placed.id, reason="Credit limit", **TOLD)
    parts_orders.let_go(order_id=placed.id, **TOLD)
    assert (order(placed.id).on_hold, order(placed.id).hold_reason) == (False, "")
    with pytest.raises(NothingToDo):
        parts_orders.let_go(order_id=placed.id, **TOLD)
    parts_orders.hold(order_id=placed.id, reason="Moves house", **TOLD)
    lines.cancel(line_id=leaf(placed, "back_ordered").id, reason="Not needed", **TOLD)
    assert (order(placed.id).on_hold, order(placed.id).hold_reason) == (True, "Moves house")
    parts_orders.let_go(order_id=placed.id, **TOLD)
    with pytest.raises(ReasonRequired):
        parts_orders.hold(order_id=placed.id, reason=" ", **TOLD)
    with pytest.raises(Invalid):
        parts_orders.hold(order_id=placed.id, reason="x" * 201, **TOLD)


def test_where_nothing_stands_in_the_way_lines_leave_with_no_person(desk: Desk) -> None:
    desk.put(5)
    paper = WarehouseFactory.create(mode="paper")
    by_hand = PartFactory.create()
    desk.put(5, part=by_hand, at=paper)
    placed = desk.order([Wanted(d(1), desk.part.pk), Wanted(d(1), by_hand.pk)])
    held, waiting = desk.place(1), desk.place(5, complete_delivery_only=True)
    parts_orders.hold(order_id=held.id, reason="Credit limit", **TOLD)
    ready = parts_orders.ready_orders(limit=10)
    assert ready == [placed.id]
    every = [placed.id, held.id, waiting.id]
    assert parts_orders.release_ready(order_ids=every, **TOLD) == 1
    assert [status for _, status, _ in tree(placed.id)] == ["released", "reserved"]
    assert parts_orders.release_ready(order_ids=every, **TOLD) == 0
    assert parts_orders.release_ready(order_ids=every, to="shipped", **TOLD) == 1
    assert (order(held.id).status, order(waiting.id).status) == ("reserved", "back_ordered")


def test_nothing_of_a_complete_delivery_leaves_before_the_rest(desk: Desk) -> None:
    paper = WarehouseFactory.create(mode="paper")
    by_hand = PartFactory.create()
    desk.put(1)
    desk.put(1, part=by_hand, at=paper)
    placed = desk.order([Wanted(d(1), desk.part.pk), Wanted(d(1), by_hand.pk)], complete_delivery_only=True)
    assert parts_orders.release_ready(order_ids=[placed.id], to="shipped", **TOLD) == 0
    assert parts_orders.release_ready(order_ids=[placed.id], **TOLD) == 1


def test_lines_are_released_or_shipped_by_rule_and_nothing_else(desk: Desk) -> None:
    desk.put(1)
    placed = desk.place(1)
    with pytest.raises(Invalid):
        parts_orders.release_ready(order_ids=[placed.id], to="delivered", **TOLD)


def test_releasing_many_orders_is_as_many_statements_as_few(desk: Desk) -> None:
    desk.put(100)
    for to in ("released", "shipped"):
        counts = []
        for number in (2, 20):
            ids = [desk.place(1).id for _ in range(number)]
            with statements() as sent:
                assert parts_orders.release_ready(order_ids=ids, to=to, **TOLD) == number
            counts.append(len(sent))
        assert counts[0] == counts[1]
    assert PartsOrder.objects.filter(status="shipped").count() == 22
    assert Reservation.objects.filter(status="issued").count() == 22
