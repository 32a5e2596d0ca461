"""Cancelling lines, whole and in part, and whole orders. Trees always add up (see the desk)."""

from __future__ import annotations

import pytest

from orders.actions import lines, parts_orders
from orders.errors import ReasonRequired, TransitionRefused
from orders.models import OrderEvent
from orders.signals import line_withdrawn
from parts.errors import NotFound, VersionConflict
from parts.keys import new_key
from tests.orders.desk import TOLD, Desk, ReceiverFailed, balance, d, failing, leaf, line, order, queue, tree


def test_cancelling_gives_up_what_waits_before_what_is_held(desk: Desk) -> None:
    desk.put(3)
    placed = desk.place(10)
    root = placed.lines[0].id
    lines.cancel(line_id=root, reason="Fewer will do", quantity=d(5), **TOLD)
    assert tree(placed.id)[1:] == [("1.1", "reserved", 3), ("1.2", "back_ordered", 2), ("1.3", "cancelled", 5)]
    assert queue(desk.part) == [(f"{placed.reference}/1.2", 2)]
    lines.cancel(line_id=root, reason="Fewer still", quantity=d(3), **TOLD)
    assert tree(placed.id)[1:] == [
        ("1.1", "reserved", 2),
        ("1.2", "cancelled", 2),
        ("1.3", "cancelled", 5),
        ("1.4", "cancelled", 1),
    ]
    assert (queue(desk.part), desk.balance()) == ([], balance(3, 2))
    lines.cancel(line_id=root, reason="None", **TOLD)
    assert (order(placed.id).status, order(placed.id).progress, desk.balance()) == ("cancelled", 0, balance(3))


def test_what_a_cancelled_line_held_goes_to_who_waits(desk: Desk) -> None:
    desk.put(4)
    first, second = desk.place(4), desk.place(3)
    lines.cancel(line_id=leaf(first).id, reason="Not needed", **TOLD)
    assert (order(second.id).status, desk.balance()) == ("reserved", balance(4, 3))


def test_what_left_stays_left_when_the_rest_is_cancelled(desk: Desk) -> None:
    desk.put(2)
    placed = desk.place(6)
    desk.ship(leaf(placed).id, 1)
    answer = lines.cancel(line_id=placed.lines[0].id, reason="Not needed", **TOLD)
    assert (answer.status, order(placed.id).progress) == ("shipped", 1)
    assert {status for _, status, _ in tree(placed.id)[1:]} == {"shipped", "cancelled"}
    with pytest.raises(TransitionRefused):
        lines.cancel(line_id=placed.lines[0].id, reason="Again", **TOLD)


def test_a_whole_order_is_cancelled_as_far_as_it_has_not_left(desk: Desk) -> None:
    desk.put(2)
    placed = desk.place(1, 1, 5)
    desk.ship(placed.lines[0].id)
    parts_orders.cancel(order_id=placed.id, reason="Customer closed the site", **TOLD)
    assert [status for _, status, _ in tree(placed.id)] == ["shipped", "cancelled", "cancelled", "cancelled"]
    assert order(placed.id).status == "shipped"
    with pytest.raises(TransitionRefused):
        parts_orders.cancel(order_id=placed.id, reason="Again", **TOLD)


def test_a_cancellation_that_fails_half_way_never_was(desk: Desk) -> None:
    desk.put(2)
    placed = desk.place(5)
    before = OrderEvent.objects.count()
    with failing(line_withdrawn), pytest.raises(ReceiverFailed):
        lines.cancel(line_id=placed.lines[0].id, reason="x", quantity=d(4), **TOLD)
    assert tree(placed.id) == [("1", "back_ordered", 5), ("1.1", "reserved", 2), ("1.2", "back_ordered", 3)]
    assert (desk.balance(), OrderEvent.objects.count()) == (balance(2, 2), before)


def test_cancelling_needs_a_reason_and_the_present_version(desk: Desk) -> None:
    desk.put(1)
    placed = desk.place(1)
    line_id = leaf(placed).id
    for attempt in (
        lambda: lines.cancel(line_id=line_id, reason=" ", **TOLD),
        lambda: lines.move(line_id=line_id, to="cancelled", note=" ", **TOLD),
        lambda: parts_orders.cancel(order_id=placed.id, reason=" ", **TOLD),
    ):
        with pytest.raises(ReasonRequired):
            attempt()
    with pytest.raises(VersionConflict):
        lines.cancel(line_id=line_id, reason="x", expected_version=9, **TOLD)
    with pytest.raises(VersionConflict):
        parts_orders.cancel(order_id=placed.id, reason="x", expected_version=9, **TOLD)
    with pytest.raises(NotFound):
        lines.cancel(line_id=new_key(), reason="x", **TOLD)


def test_the_version_a_cancellation_answers_with_is_the_present_one(desk: Desk) -> None:
    """Also where what it freed went to another part of the same line."""
    desk.put(4)
    placed = desk.place(4)
    waiting = desk.place(10, complete_delivery_only=True)
    answer = lines.cancel(line_id=waiting.lines[0].id, quantity=d(6), reason="Fewer", **TOLD)
    assert answer.version == line(waiting.lines[0].id).version
    answer = lines.cancel(line_id=leaf(placed).id, reason="None", **TOLD)
    assert answer.version == line(leaf(placed).id).version
    assert order(waiting.id).status == "reserved"


def test_who_needs_less_takes_what_was_too_little_before(desk: Desk) -> None:
    waiting = desk.place(10, complete_delivery_only=True)
    desk.put(4)
    assert desk.balance() == balance(4)
    lines.cancel(line_id=waiting.lines[0].id, quantity=d(6), reason="Fewer will do", **TOLD)
    assert (order(waiting.id).status, desk.balance()) == ("reserved", balance(4, 4))
