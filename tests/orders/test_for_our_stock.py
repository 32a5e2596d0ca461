"""What our own warehouses order is in their stock once it is delivered, exactly once. All laws hold (see the desk)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from backorders.models import BackOrder
from orders.actions import lines, overriding
from orders.actions.lines import Step
from orders.actions.placing import Wanted
from orders.actions.reporting import Report, Result, report_many
from orders.errors import TransitionRefused
from orders.statuses import LineStatus
from parts.errors import Invalid, NotEnoughStock, NothingReserved
from parts.models import StockLevel, StockMovement, Warehouse
from parts.signals import FreedStock, stock_freed
from tests.factories.parts import PartFactory, WarehouseFactory
from tests.orders.desk import (
    NOW,
    TOLD,
    Desk,
    ReceiverFailed,
    balance,
    child,
    d,
    failing,
    leaf,
    line,
    order,
    queue,
    statements,
    tree,
)


def on_the_way(desk: Desk, depot: Warehouse, quantity: int = 4, kind: str = "transfer") -> UUID:
    """Ship what a depot ordered and return the line."""
    desk.put(quantity)
    line_id = leaf(desk.place(quantity, kind=kind, destination_id=depot.pk)).id
    desk.ship(line_id)
    return line_id


def deliver(line_id: UUID) -> None:
    lines.move(line_id=line_id, to="delivered", **TOLD)


def report(line_id: UUID, *, message: str = "", status: str = "delivered") -> Result:
    return report_many(reports=[Report("line", line_id, status, NOW, message)], **TOLD)[0]


def override(line_id: UUID, to: str) -> None:
    overriding.override(line_id=line_id, to=to, reason="Driver took it along", reference="CASE-12", **TOLD)


def arrivals(line_id: UUID) -> list[tuple[str, Any]]:
    moved = StockMovement.objects.filter(demand_id=line_id).order_by("id")
    return [(movement.kind, movement.on_hand_change) for movement in moved]


ROADS: dict[str, Callable[[UUID], object]] = {
    "a step": deliver,
    "one of many steps": lambda line_id: lines.move_many(steps=[Step(line_id, "delivered")], **TOLD),
    "a report": report,
    "an override": lambda line_id: override(line_id, "delivered"),
}


@pytest.mark.parametrize("kind", ["transfer", "stock"])
@pytest.mark.parametrize("road", ROADS)
def test_what_is_delivered_to_our_own_warehouse_is_in_its_stock(desk: Desk, road: str, kind: str) -> None:
    depot = WarehouseFactory.create()
    line_id = on_the_way(desk, depot, kind=kind)
    assert not StockLevel.objects.filter(warehouse=depot).exists()
    ROADS[road](line_id)
    assert (line(line_id).status, desk.balance(), desk.balance(at=depot)) == ("delivered", balance(0), balance(4))
    assert arrivals(line_id) == [("arrival", 4)]


@pytest.mark.parametrize("road", ROADS)
def test_it_arrives_once_however_often_it_is_said(desk: Desk, road: str) -> None:
    depot = WarehouseFactory.create()
    line_id = on_the_way(desk, depot)
    ROADS[road](line_id)
    with pytest.raises(TransitionRefused):
        deliver(line_id)
    [refusal] = lines.move_many(steps=[Step(line_id, "delivered")], **TOLD)
    assert isinstance(refusal, TransitionRefused)
    assert [report(line_id, message="M-1").outcome for _ in range(2)] == ["filed", "repeated"]
    assert desk.balance(at=depot) == balance(4)


def test_one_message_that_comes_twice_brings_it_once(desk: Desk) -> None:
    depot = WarehouseFactory.create()
    line_id = on_the_way(desk, depot)
    said = [Report("line", line_id, "delivered", NOW, "M-1")] * 2
    assert [result.outcome for result in report_many(reports=said, **TOLD)] == ["moved", "repeated"]
    assert desk.balance(at=depot) == balance(4)


def test_a_report_that_takes_a_line_from_the_shelf_to_the_door_issues_and_delivers_it(desk: Desk) -> None:
    depot = WarehouseFactory.create()
    desk.put(5)
    line_id = leaf(desk.transfer(4, to=depot)).id
    assert report(line_id).outcome == "moved"
    assert (desk.balance(), desk.balance(at=depot)) == (balance(1), balance(4))


def test_what_arrives_goes_to_who_waits(desk: Desk) -> None:
    depot = WarehouseFactory.create()
    line_id = on_the_way(desk, depot)
    waiting = desk.place(3)
    deliver(line_id)
    assert (order(waiting.id).status, line(leaf(waiting, "back_ordered").id).warehouse_id) == ("reserved", depot.pk)
    assert desk.balance(at=depot) == balance(4, 3)


def test_what_arrives_in_a_van_waits_for_its_technician(desk: Desk) -> None:
    van = WarehouseFactory.create(kind="van", allocatable=False)
    line_id = on_the_way(desk, van)
    waiting = desk.place(3)
    deliver(line_id)
    assert (order(waiting.id).status, desk.balance(at=van)) == ("back_ordered", balance(4))


def test_a_depot_is_not_served_with_what_it_was_just_brought(desk: Desk) -> None:
    depot = WarehouseFactory.create()
    desk.put(4)
    placed = desk.transfer(6, to=depot)
    desk.ship(leaf(placed).id)
    deliver(leaf(placed).id)
    assert queue(desk.part) == [(f"{placed.reference}/1.2", 2)]
    assert desk.balance(at=depot) == balance(4)


def test_a_delivery_is_undone_whole_when_whoever_waits_cannot_take_it(desk: Desk) -> None:
    depot = WarehouseFactory.create()
    line_id = on_the_way(desk, depot)
    with failing(stock_freed), pytest.raises(ReceiverFailed):
        deliver(line_id)
    assert (line(line_id).status, arrivals(line_id)) == ("shipped", [])
    assert not StockLevel.objects.filter(warehouse=depot).exists()


def test_all_that_a_batch_frees_is_told_at_once(desk: Desk) -> None:
    """In two rounds, those who are served would be locked in two rounds, too."""
    depot = WarehouseFactory.create()
    arriving = on_the_way(desk, depot)
    desk.put(2)
    given_up = leaf(desk.place(2)).id
    heard: list[list[str]] = []

    def hear(freed: list[FreedStock], **_rest: object) -> None:
        heard.append([item.cause for item in freed])

    stock_freed.connect(hear)
    try:
        lines.move_many(steps=[Step(arriving, "delivered"), Step(given_up, "cancelled", note="Not needed")], **TOLD)
    finally:
        stock_freed.disconnect(hear)
    assert heard == [["arrival", "reservation_cancelled"]]


def test_what_a_customer_gets_is_in_no_stock(desk: Desk) -> None:
    depot = WarehouseFactory.create()
    desk.put(4)
    line_id = leaf(desk.place(4, destination_id=depot.pk)).id  # for a customer, to be collected at a depot
    desk.ship(line_id)
    deliver(line_id)
    assert (arrivals(line_id), StockLevel.objects.filter(warehouse=depot).exists()) == ([], False)


def test_what_was_refurbished_arrives_refurbished(desk: Desk) -> None:
    depot = WarehouseFactory.create()
    desk.put(4, condition="refurbished")
    line_id = leaf(desk.transfer(4, to=depot)).id
    desk.ship(line_id)
    deliver(line_id)
    assert StockLevel.objects.get(warehouse=depot).condition == "refurbished"


def test_each_part_of_a_split_line_arrives_when_it_is_delivered(desk: Desk) -> None:
    depot = WarehouseFactory.create()
    desk.put(5)
    placed = desk.transfer(5, to=depot)
    desk.ship(leaf(placed).id, 2)
    deliver(child(placed, "1.2").pk)
    assert desk.balance(at=depot) == balance(2)
    desk.ship(child(placed, "1.1").pk)
    deliver(child(placed, "1.1").pk)
    assert (desk.balance(at=depot), order(placed.id).status) == (balance(5), "delivered")


def test_what_a_depot_sends_back_leaves_its_stock(desk: Desk) -> None:
    depot = WarehouseFactory.create()
    line_id = on_the_way(desk, depot, 5)
    deliver(line_id)
    lines.return_to_stock(line_id=line_id, quantity=d(2), unfit=d(1), **TOLD)
    assert (desk.balance(), desk.balance(at=depot)) == (balance(2, 0, 1), balance(3))
    placed = line(line_id).order_id
    assert tree(placed)[1:] == [("1.1", "delivered", 3), ("1.2", "returned", 2)]
    rest = line(line_id).children.get(status="delivered")
    lines.return_to_stock(line_id=rest.pk, quantity=d(1), **TOLD)
    lines.return_to_stock(line_id=rest.pk, quantity=d(2), **TOLD)
    assert (desk.balance(), desk.balance(at=depot)) == (balance(5, 0, 1), balance(0))


def test_what_came_back_before_it_was_delivered_arrives_nowhere(desk: Desk) -> None:
    depot = WarehouseFactory.create()
    line_id = on_the_way(desk, depot, 5)
    lines.return_to_stock(line_id=line_id, quantity=d(2), **TOLD)
    rest = line(line_id).children.get(status="shipped")
    deliver(rest.pk)
    assert (desk.balance(), desk.balance(at=depot)) == (balance(2), balance(3))
    lines.return_to_stock(line_id=rest.pk, quantity=d(3), **TOLD)
    assert (desk.balance(), desk.balance(at=depot)) == (balance(5), balance(0))


def test_what_has_been_promised_where_it_arrived_is_not_sent_back(desk: Desk) -> None:
    depot = WarehouseFactory.create()
    line_id = on_the_way(desk, depot)
    desk.place(1)
    deliver(line_id)
    with pytest.raises(NotEnoughStock, match="promised or used"):
        lines.return_to_stock(line_id=line_id, quantity=d(4), **TOLD)
    with pytest.raises(NotEnoughStock, match="promised or used"):
        override(line_id, "shipped")
    assert (line(line_id).status, desk.balance(at=depot)) == ("delivered", balance(4, 1))


@pytest.mark.parametrize("unfit", ["-1", "5", "0.5"])
def test_a_return_with_an_impossible_unfit_quantity_is_refused(desk: Desk, unfit: str) -> None:
    depot = WarehouseFactory.create()
    line_id = on_the_way(desk, depot)
    deliver(line_id)
    with pytest.raises(Invalid) as refusal:
        lines.return_to_stock(line_id=line_id, quantity=d(4), unfit=d(unfit), **TOLD)
    assert list(refusal.value.extra["fields"]) == ["unfit"]


@pytest.mark.parametrize("to", [status for status in LineStatus.values if status != "delivered"])
def test_an_override_away_from_delivered_takes_it_out_of_stock_again(desk: Desk, to: str) -> None:
    depot = WarehouseFactory.create()
    line_id = on_the_way(desk, depot)
    deliver(line_id)
    desk.put(4)  # for the statuses that hold stock
    override(line_id, to)
    assert desk.balance(at=depot) == balance(0)
    row = line(line_id)
    rest = row.children.get() if row.is_split else row
    override(rest.pk, "delivered")
    assert desk.balance(at=depot) == balance(4)


def test_an_override_never_holds_a_transfer_s_stock_where_it_goes(desk: Desk) -> None:
    depot = WarehouseFactory.create()
    line_id = on_the_way(desk, depot)
    desk.put(9, at=depot)
    with pytest.raises(NotEnoughStock, match="No one place"):
        override(line_id, "reserved")


def test_what_came_from_outside_is_in_stock_once_it_is_said_to_be_delivered(desk: Desk) -> None:
    depot = WarehouseFactory.create()
    line_id = leaf(desk.transfer(4, to=depot), "back_ordered").id
    override(line_id, "delivered")
    assert (desk.balance(at=depot), BackOrder.objects.get(line_id=line_id).status) == (balance(4), "fulfilled")
    with pytest.raises(NothingReserved):  # no warehouse of ours sent it
        lines.return_to_stock(line_id=line_id, quantity=d(4), **TOLD)
    assert desk.balance(at=depot) == balance(4)


def test_many_deliveries_are_as_many_statements_as_few(desk: Desk) -> None:
    counts = []
    for number in (2, 20):
        parts = PartFactory.create_batch(number)
        depot = WarehouseFactory.create()
        for part in parts:
            desk.put(1, part=part)
        placed = desk.order([Wanted(d(1), part.pk) for part in parts], kind="transfer", destination_id=depot.pk)
        ids = [each.id for each in placed.lines]
        lines.ship(order_id=placed.id, items=[lines.ShipItem(line_id) for line_id in ids], walk=True, **TOLD)
        with statements() as sent:
            lines.move_many(steps=[Step(line_id, "delivered") for line_id in ids], **TOLD)
        assert order(placed.id).status == "delivered"
        counts.append(len(sent))
    assert counts[0] == counts[1]
