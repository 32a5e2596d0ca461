"""A line that loses its stock waits on the terms it was ordered on. All laws hold (see the desk)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from orders.actions import overriding
from orders.actions.expiring import expire
from orders.actions.holding import SOFT_FOR
from orders.actions.placing import Placed, Wanted
from orders.signals import line_short
from tests.factories.parts import WarehouseFactory
from tests.orders.desk import NOW, TOLD, Desk, ReceiverFailed, back_order, child, d, failing, leaf, line, order, tree


def picky(desk: Desk, quantity: int = 10, least: int = 4, **facts: Any) -> Placed:
    """Order so much of the part, and at least so much at a time."""
    return desk.order([Wanted(d(quantity), desk.part.pk, minimum_fill=d(least))], **facts)


def lose(line_id: UUID) -> None:
    overriding.override(line_id=line_id, to="back_ordered", reason="Damaged on the shelf", reference="CASE-1", **TOLD)


def test_a_line_that_was_never_short_keeps_its_minimum_when_it_loses_its_stock(desk: Desk) -> None:
    desk.put(10)
    placed = picky(desk)
    desk.place(9, kind="emergency")  # ranks above it and takes what it gives up
    lose(leaf(placed).id)
    lost = child(placed, "1.1")
    assert (lost.status, back_order(lost.pk).minimum_fill) == ("back_ordered", 4)
    desk.put(2)  # three with the one that was left: too little
    assert line(lost.pk).status == "back_ordered"
    desk.put(1)
    assert tree(placed.id)[1:] == [("1.1", "back_ordered", 6), ("1.2", "reserved", 4)]


def test_a_part_that_was_filled_keeps_the_minimum_of_its_line(desk: Desk) -> None:
    placed = picky(desk)
    desk.put(6)
    desk.place(6, kind="emergency")
    given = child(placed, "1.2")
    assert (given.quantity, given.minimum_fill) == (6, 4)
    lose(given.pk)
    assert back_order(given.pk).minimum_fill == 4


def test_a_back_order_that_opens_again_has_its_first_minimum_and_never_more_than_is_missing(desk: Desk) -> None:
    placed = picky(desk)
    line_id = leaf(placed, "back_ordered").id
    desk.put(7)
    assert (back_order(line_id).quantity, back_order(line_id).minimum_fill) == (3, 3)
    desk.put(3)
    desk.place(9, kind="emergency")
    lose(line_id)
    assert (back_order(line_id).quantity, back_order(line_id).minimum_fill) == (3, 3)


def test_what_is_taken_back_from_a_transfer_leaves_it_its_minimum(desk: Desk) -> None:
    desk.put(10)
    soft = picky(desk, kind="transfer", destination_id=WarehouseFactory.create().pk)
    assert desk.place(7).status == "reserved"
    assert tree(soft.id)[1:] == [("1.1", "reserved", 3), ("1.2", "back_ordered", 7)]
    assert back_order(child(soft, "1.2").pk).minimum_fill == 4


def test_a_soft_reservation_that_lapses_leaves_the_line_its_minimum(desk: Desk) -> None:
    desk.put(10)
    soft = picky(desk, kind="transfer", destination_id=WarehouseFactory.create().pk)
    desk.transfer(9, to=WarehouseFactory.create())
    expire(line_ids=[leaf(soft).id], by=TOLD["by"], source="test", at=NOW + SOFT_FOR)
    assert (order(soft.id).status, back_order(child(soft, "1.1").pk).minimum_fill) == ("back_ordered", 4)


def test_who_wants_complete_deliveries_only_waits_for_all_of_it_again(desk: Desk) -> None:
    desk.put(10)
    placed = picky(desk, complete_delivery_only=True)
    desk.place(9, kind="emergency")
    lose(leaf(placed).id)
    assert back_order(child(placed, "1.1").pk).minimum_fill == 10


def test_a_line_keeps_its_stock_when_the_queue_cannot_take_it_in(desk: Desk) -> None:
    desk.put(10)
    placed = picky(desk)
    with failing(line_short), pytest.raises(ReceiverFailed):
        lose(leaf(placed).id)
    assert tree(placed.id) == [("1", "reserved", 10)]
