"""Overrides of lines: any status from any status, and the books follow."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from backorders.actions import moving, policy
from backorders.models import BackOrder
from orders.actions import lines, overriding
from orders.actions.holding import SOFT_FOR
from orders.actions.placing import Placed
from orders.actions.service_orders import Moved
from orders.errors import NothingToDo, ReasonRequired, TransitionRefused
from orders.models import OrderEvent, OrderLine, Shipment
from orders.statuses import LINE_HOLDS_STOCK, LineStatus
from parts.errors import Forbidden, Invalid, NotEnoughStock, NotFound, VersionConflict
from parts.keys import new_key
from parts.models import Reservation
from tests.factories.parts import WarehouseFactory
from tests.orders.desk import NOW, TOLD, Desk, back_order, balance, events, leaf, line, only, order, queue, told, tree


def override(line_id: UUID, to: str, **facts: Any) -> Moved:
    why: dict[str, Any] = {"reason": "Driver took it along", "reference": "CASE-12"}
    return overriding.override(**{"line_id": line_id, "to": to, **why, **TOLD, **facts})


def only_leaf(placed: Placed) -> OrderLine:
    return OrderLine.objects.get(order_id=placed.id, is_split=False)


@pytest.mark.parametrize("start", LineStatus.values)
@pytest.mark.parametrize("end", LineStatus.values)
def test_an_override_reaches_any_status_from_any_status(desk: Desk, start: str, end: str) -> None:
    """With no stock but its own: where it is not to hold any, its own is there for it to hold again."""
    desk.put(2)
    placed = desk.place(2)
    if start == "back_ordered":
        override(leaf(placed).id, "cancelled")
        desk.put(-2)
        override(leaf(placed).id, "back_ordered")
    elif start != "reserved":
        override(leaf(placed).id, start)
    row = only_leaf(placed)
    assert row.status == start
    if start == end:
        with pytest.raises(NothingToDo):
            override(row.pk, end)
        return
    if end in LINE_HOLDS_STOCK and desk.balance().on_hand == 0:
        with pytest.raises(NotEnoughStock):
            override(row.pk, end)
        desk.put(2)
        row = only_leaf(placed)
        if row.status == end:  # what waits is served as soon as there is something
            return
    answer = override(row.pk, end)
    row = only_leaf(placed)
    assert (answer.id, answer.status, answer.version) == (row.pk, row.status, row.version)
    # Stock that it gives up, or that lies there, is its own again at once: nobody waits beside free stock.
    assert row.status == ("reserved" if end == "back_ordered" and desk.balance().on_hand else end)
    marked = [event for event in events(row.pk) if event.is_override and event.to_status == end][-1]
    assert (marked.override_reference, marked.text.text) == ("CASE-12", "Driver took it along")


def test_what_is_sent_back_to_the_queue_goes_to_who_waits_first(desk: Desk) -> None:
    desk.put(2)
    placed, waiting = desk.place(2), desk.place(2)
    answer = override(leaf(placed).id, "back_ordered")
    assert answer.status == "back_ordered"
    assert (order(waiting.id).status, queue(desk.part)) == ("reserved", [(f"{placed.reference}/1.1", 2)])


def test_shipped_outside_the_system_closes_the_back_order_and_moves_no_stock(desk: Desk) -> None:
    placed = desk.place(2)
    line_id = leaf(placed, "back_ordered").id
    override(line_id, "shipped")
    assert (back_order(line_id).status, order(placed.id).progress, Shipment.objects.count()) == ("fulfilled", 1, 0)


def test_held_goods_leave_by_an_override_with_their_shipment(desk: Desk) -> None:
    desk.put(3)
    line_id = leaf(desk.place(2)).id
    override(line_id, "delivered")
    assert (desk.balance(), Shipment.objects.get().lines.get().line_id) == (balance(1), line_id)


def test_a_line_whose_leaving_was_undone_leaves_again(desk: Desk) -> None:
    desk.put(5)
    placed = desk.place(2)
    desk.ship(leaf(placed).id)
    override(leaf(placed).id, "packed")
    desk.ship(leaf(placed).id)
    assert (desk.balance(), Shipment.objects.filter(order_id=placed.id).count()) == (balance(1), 2)


def test_a_closed_back_order_waits_again_when_its_line_does_and_is_marked(desk: Desk) -> None:
    desk.put(1)
    placed = desk.place(3)
    line_id = leaf(placed, "back_ordered").id
    desk.put(2)
    desk.ship(line_id)
    assert back_order(line_id).status == "fulfilled"
    override(line_id, "back_ordered")
    waiting = back_order(line_id)
    assert (waiting.status, waiting.quantity, waiting.closed_at) == ("open", 2, None)
    last = [event for event in events(waiting.pk) if event.to_status == "open"][-1]
    assert (last.is_override, last.override_reference) == (True, f"{placed.reference}/1.2")
    desk.put(2)
    assert (line(line_id).status, back_order(line_id).status) == ("reserved", "allocated")


def test_what_an_override_says_was_picked_is_not_taken_back(desk: Desk) -> None:
    desk.put(4)
    soft = desk.transfer(2, to=WarehouseFactory.create())
    override(leaf(soft).id, "packed")
    assert Reservation.objects.get(demand_id=leaf(soft).id).strength == "hard"
    assert desk.place(4).status == "back_ordered"
    assert order(soft.id).status == "packed"


def test_a_parent_is_not_overridden_itself(desk: Desk) -> None:
    desk.put(1)
    placed = desk.place(2)
    with pytest.raises(TransitionRefused):
        override(placed.lines[0].id, "shipped")


def test_an_override_needs_right_reason_reference_and_the_present_version(desk: Desk) -> None:
    desk.put(1)
    placed = desk.place(1)
    line_id = leaf(placed).id
    everything_else = only("orders.move_orderline", "orders.ship_orderline", "orders.cancel_orderline")
    refusals: list[tuple[type[Exception], dict[str, Any]]] = [
        (Forbidden, {"by": everything_else}),
        (ReasonRequired, {"reason": ""}),
        (ReasonRequired, {"reference": " "}),
        (Invalid, {"reference": "x" * 121}),
        (Invalid, {"reason": "a\x00b"}),
        (Invalid, {"to": "lost"}),
        (VersionConflict, {"expected_version": 7}),
        (NotFound, {"line_id": new_key()}),
    ]
    for kind, facts in refusals:
        with pytest.raises(kind):
            override(**{"line_id": line_id, "to": "shipped", **facts})
    assert tree(placed.id) == [("1", "reserved", 1)]
    assert not OrderEvent.objects.overrides().exists()


def test_an_override_into_the_hold_of_stock_that_no_place_has_is_refused_whole(desk: Desk) -> None:
    placed = desk.place(5, complete_delivery_only=True)
    desk.put(3)
    desk.put(1, at=WarehouseFactory.create())
    line_id = leaf(placed, "back_ordered").id
    with pytest.raises(NotEnoughStock):
        override(line_id, "packed")
    assert (line(line_id).status, back_order(line_id).status) == ("back_ordered", "open")


def test_an_override_s_back_order_is_ranked_by_the_weights_of_today(desk: Desk) -> None:
    desk.put(1)
    line_id = leaf(desk.place(3), "back_ordered").id
    desk.put(2)
    before = BackOrder.objects.get(line_id=line_id).rank
    policy.change_weights(changes={"service": Decimal(900)}, reason="Storm season", **TOLD)
    assert BackOrder.objects.get(line_id=line_id).rank == before
    lines.move(line_id=line_id, to="released", **TOLD)
    override(line_id, "shipped")
    override(line_id, "back_ordered")
    assert BackOrder.objects.get(line_id=line_id).rank == before + 700


def test_time_told_by_an_override_is_kept(desk: Desk) -> None:
    desk.put(1)
    line_id = leaf(desk.place(1)).id
    override(line_id, "delivered", at=told(hours=5)["at"])
    assert events(line_id)[-1].dwell == told(hours=5)["at"] - TOLD["at"]


def test_stock_held_by_an_override_for_our_own_warehouse_lapses_and_yields_to_an_emergency(desk: Desk) -> None:
    placed = desk.transfer(5, to=WarehouseFactory.create())
    moving.hold(back_order_id=BackOrder.objects.get().pk, reason="Not yet", **TOLD)
    desk.put(5)
    override(leaf(placed, "back_ordered").id, "reserved")

    held = Reservation.objects.live().get()
    assert (held.strength, held.expires_at) == ("soft", NOW + SOFT_FOR)
    assert desk.place(5, kind="emergency").status == "reserved"
