"""Free stock goes to the queue by rank in the transaction that freed it, whatever the cause; the decision is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from backorders.actions import allocating, moving
from backorders.models import Allocation, AllocationDecision, AllocationRun, BackOrder
from orders.actions import lines, parts_rule, service_orders
from orders.actions.placing import Wanted
from orders.models import OrderEvent
from orders.statuses import Tier
from parts.actions.stock import transfer
from parts.actions.supply import DeliveryItem, PurchaseLine, place_purchase_order, receive_delivery
from parts.errors import Forbidden
from parts.models import Reservation, Warehouse
from tests.factories.orders import CustomerFactory, EquipmentFactory
from tests.factories.parts import PartFactory, SupplierFactory, WarehouseFactory
from tests.orders.desk import (
    NOBODY,
    NOW,
    TOLD,
    Desk,
    back_order,
    balance,
    d,
    days,
    kinds,
    leaf,
    line,
    order,
    queue,
    statements,
    told,
    tree,
)


def deliver(desk: Desk, quantity: int, *, note: str = "DN-1", unfit: int = 0, supplier: Any = None) -> Any:
    return receive_delivery(
        supplier_id=(supplier or SupplierFactory.create()).pk,
        warehouse_id=desk.warehouse.pk,
        note_number=note,
        lines=[DeliveryItem(desk.part.pk, d(quantity), d(unfit))],
        received_at=NOW,
        **TOLD,
    )


# --- Whatever frees it -----------------------------------------------------------------------------------------------


def by_delivery(desk: Desk) -> None:
    deliver(desk, 3, unfit=1)


def by_correction(desk: Desk) -> None:
    desk.put(2)


def by_transfer(desk: Desk) -> None:
    far = WarehouseFactory.create(allocatable=False)
    desk.put(2, at=far)
    transfer(part_id=desk.part.pk, from_warehouse_id=far.pk, to_warehouse_id=desk.warehouse.pk, quantity=d(2), **TOLD)


@pytest.mark.parametrize("free", [by_delivery, by_correction, by_transfer])
def test_whatever_frees_stock_serves_the_queue_at_once(desk: Desk, free: Callable[[Desk], None]) -> None:
    placed = desk.place(2)
    free(desk)
    assert (order(placed.id).status, queue(desk.part)) == ("reserved", [])
    assert desk.balance().available == 0


def test_a_return_serves_the_queue_at_once(desk: Desk) -> None:
    desk.put(2)
    left = leaf(desk.place(2)).id
    desk.ship(left)
    placed = desk.place(2)
    lines.return_to_stock(line_id=left, quantity=d(2), **TOLD)
    assert order(placed.id).status == "reserved"


def test_damaged_units_serve_nobody_until_they_are_found_fit(desk: Desk) -> None:
    placed = desk.place(2)
    deliver(desk, 2, unfit=2)
    assert order(placed.id).status == "back_ordered"
    desk.put(0, unfit_change=d(-2))
    assert order(placed.id).status == "reserved"


# --- By rank ---------------------------------------------------------------------------------------------------------


def test_the_more_urgent_is_served_first(desk: Desk) -> None:
    gold, bronze = CustomerFactory.create(tier=Tier.GOLD), CustomerFactory.create(tier=Tier.BRONZE)
    old = desk.place(2, customer_id=bronze.pk)
    new = desk.place(2, customer_id=gold.pk, at=told(hours=24)["at"])
    down = desk.place(2, kind="emergency", customer_id=bronze.pk, at=told(hours=48)["at"])
    desk.put(3)
    assert [order(placed.id).status for placed in (old, new, down)] == ["back_ordered", "back_ordered", "reserved"]
    assert queue(desk.part) == [(f"{new.reference}/1.1", 1), (f"{old.reference}/1.1", 2)]


def test_a_machine_that_stands_still_at_great_cost_comes_first(desk: Desk) -> None:
    machine = EquipmentFactory.create(customer=desk.customer, downtime_cost_per_hour=9_999)
    job = service_orders.create(customer_id=desk.customer.pk, title="x", equipment_id=machine.pk, **TOLD)
    plain = desk.place(1)
    dear = desk.place(1, service_order_id=job.pk)
    assert [reference for reference, _ in queue(desk.part)] == [f"{dear.reference}/1.1", f"{plain.reference}/1.1"]
    assert back_order(leaf(dear, "back_ordered").id).rank - back_order(leaf(plain, "back_ordered").id).rank == 200


def test_equals_are_served_in_the_order_they_came(desk: Desk) -> None:
    placed = [desk.place(1) for _ in range(4)]
    desk.put(2)
    assert [order(each.id).status for each in placed] == ["reserved"] * 2 + ["back_ordered"] * 2


# --- In part, or not at all ------------------------------------------------------------------------------------------


def test_a_part_of_what_is_missing_is_split_off_and_the_rest_waits(desk: Desk) -> None:
    placed = desk.place(5)
    desk.put(2)
    assert tree(placed.id) == [("1", "back_ordered", 5), ("1.1", "back_ordered", 3), ("1.2", "reserved", 2)]
    waiting = back_order(leaf(placed, "back_ordered").id)
    assert (waiting.quantity, waiting.opened_quantity, waiting.status) == (3, 5, "open")
    assert kinds(waiting.pk) == ["back_order.opened open", "back_order.quantity_changed"]
    desk.put(3)
    waiting.refresh_from_db()
    assert (waiting.quantity, waiting.status, waiting.closed_at) == (3, "allocated", NOW)


def test_one_back_order_is_filled_from_several_places_each_a_line_of_its_own(desk: Desk) -> None:
    second = WarehouseFactory.create()
    waiting = desk.place(5, complete_delivery_only=True)
    desk.put(2)
    desk.put(3, at=second)
    assert tree(waiting.id)[1:] == [("1.1", "reserved", 2), ("1.2", "reserved", 3)]
    decision = AllocationDecision.objects.get(given=5)
    assert sorted(decision.allocations.values_list("quantity", flat=True)) == [2, 3]


def test_less_than_its_minimum_passes_a_back_order_by(desk: Desk) -> None:
    picky = desk.order([Wanted(d(10), desk.part.pk, minimum_fill=d(4))], kind="emergency")
    modest = desk.place(2)
    desk.put(3)
    assert (order(picky.id).status, order(modest.id).status) == ("back_ordered", "reserved")
    assert desk.balance() == balance(3, 2)
    desk.put(3)
    assert tree(picky.id)[1:] == [("1.1", "back_ordered", 6), ("1.2", "reserved", 4)]


def test_a_complete_delivery_waits_for_all_of_it(desk: Desk) -> None:
    placed = desk.place(5, complete_delivery_only=True)
    desk.put(4)
    assert tree(placed.id)[1:] == [("1.1", "back_ordered", 5)]
    desk.put(1)
    assert tree(placed.id)[1:] == [("1.1", "reserved", 5)]


def test_a_held_back_order_is_passed_by_and_served_when_let_go(desk: Desk) -> None:
    held, other = desk.place(2, kind="emergency"), desk.place(2)
    key = back_order(leaf(held, "back_ordered").id).pk
    moving.hold(back_order_id=key, reason="Credit limit", **TOLD)
    desk.put(3)
    assert (order(held.id).status, order(other.id).status, desk.balance()) == (
        "back_ordered",
        "reserved",
        balance(3, 2),
    )
    moving.let_go(back_order_id=key, **TOLD)
    assert (tree(held.id)[1:], desk.balance()) == ([("1.1", "back_ordered", 1), ("1.2", "reserved", 1)], balance(3, 3))


def test_a_transfer_is_not_served_from_where_it_goes(desk: Desk) -> None:
    van = WarehouseFactory.create(kind="van")
    for_van, for_depot = desk.transfer(2, to=van), desk.transfer(2, to=desk.warehouse)
    desk.put(2, at=van)
    assert (order(for_van.id).status, order(for_depot.id).status) == ("back_ordered", "reserved")
    assert Reservation.objects.get(demand_id=leaf(for_depot, "back_ordered").id).strength == "soft"


# --- What is kept ----------------------------------------------------------------------------------------------------


def test_who_is_served_by_a_delivery_is_linked_to_its_line_and_movement(desk: Desk) -> None:
    placed = desk.place(2)
    booked = deliver(desk, 5)
    given = Allocation.objects.get()
    assert (given.line_id, given.quantity) == (leaf(placed, "back_ordered").id, 2)
    assert given.delivery_line_id == booked.lines[0].delivery_line_id
    assert given.movement.reserved_change == 2
    assert Reservation.objects.get(movements=given.movement).demand_id == given.line_id


def test_who_gets_what_two_lines_of_a_delivery_brought_is_linked_to_each_for_its_part(desk: Desk) -> None:
    supplier = SupplierFactory.create()
    place_purchase_order(
        supplier_id=supplier.pk,
        warehouse_id=desk.warehouse.pk,
        lines=[PurchaseLine(part_id=desk.part.pk, quantity=d(quantity)) for quantity in (3, 5)],
        ordered_at=NOW,
        **TOLD,
    )
    desk.place(1)
    desk.place(5)
    booked = deliver(desk, 8, unfit=1, supplier=supplier)
    first, second = (line.delivery_line_id for line in booked.lines)
    assert [line.quantity - line.unfit_quantity for line in booked.lines] == [3, 4]
    given = Allocation.objects.all()
    assert set(given.values_list("back_order__opened_quantity", "delivery_line_id", "quantity")) == {
        (1, first, 1),
        (5, first, 2),
        (5, second, 3),
    }
    assert Reservation.objects.filter(status="active").count() == 2


def test_every_decision_of_a_run_says_what_by_which_rule(desk: Desk) -> None:
    picky = desk.order([Wanted(d(10), desk.part.pk, minimum_fill=d(9))], kind="emergency")
    whole, part, too_late = desk.place(2), desk.place(4), desk.place(1)
    deliver(desk, 5)
    run = AllocationRun.objects.get()
    assert (run.cause, run.actor, run.source) == ("delivery", "system:test", "test")
    made = run.decisions.order_by("place").values_list(
        "back_order__line__order_id", "place", "outcome", "rule", "asked", "given", "free_before"
    )
    assert list(made) == [
        (picky.id, 1, "passed_over", "minimum_fill", 10, 0, 5),
        (whole.id, 2, "given", "whole", 2, 2, 5),
        (part.id, 3, "given", "part", 4, 3, 3),
    ]
    assert back_order(leaf(too_late, "back_ordered").id).decisions.count() == 0
    [summary] = run.parts
    assert {name: d(summary[name]) for name in ("free", "given", "left")} == {"free": 5, "given": 5, "left": 0}


# --- All or nothing, again, and many ---------------------------------------------------------------------------------


def test_a_delivery_whose_allocation_fails_was_never_booked(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    placed = desk.place(2, service_order_id=desk.job("new").pk)
    before = OrderEvent.objects.count()

    def fail(*_facts: object) -> None:
        raise ConnectionError("nobody there")

    monkeypatch.setattr(parts_rule.Jobs, "follow", fail)  # the last thing that an allocation does
    with pytest.raises(ConnectionError):
        deliver(desk, 5)
    assert (tree(placed.id)[1:], OrderEvent.objects.count()) == ([("1.1", "back_ordered", 2)], before)
    assert not AllocationRun.objects.exists()


def test_allocating_again_gives_nothing_more(desk: Desk) -> None:
    desk.place(2)
    desk.put(5)
    before = OrderEvent.objects.count()
    assert allocating.allocate_parts(part_ids=[desk.part.pk], **TOLD).given == []
    assert OrderEvent.objects.count() == before


def test_allocating_by_hand_gives_what_nobody_announced(desk: Desk) -> None:
    placed = desk.place(2)
    Warehouse.objects.filter(pk=desk.warehouse.pk).update(allocatable=False)
    desk.put(5)
    Warehouse.objects.filter(pk=desk.warehouse.pk).update(allocatable=True)
    with pytest.raises(Forbidden):
        allocating.allocate_parts(part_ids=[desk.part.pk], **told(by=NOBODY))
    [given] = allocating.allocate_parts(part_ids=[desk.part.pk], **TOLD).given
    assert (given.line_id, given.quantity, given.order_reference) == (
        leaf(placed, "back_ordered").id,
        2,
        placed.reference,
    )


def test_a_delivery_for_many_is_as_many_statements_as_for_few(desk: Desk) -> None:
    counts = []
    for number in (2, 20):
        shelf = Desk(customer=desk.customer)
        for _ in range(number):
            shelf.place(2)
        with statements() as sent:
            deliver(shelf, 2 * number - 1, note=f"DN-{number}")
        assert len(queue(shelf.part)) == 1
        counts.append(len(sent))
    assert counts[0] == counts[1]


def test_a_delivery_of_many_parts_is_as_many_statements_as_of_few(desk: Desk) -> None:
    counts = []
    for number in (2, 20):
        parts = PartFactory.create_batch(number)
        for part in parts:
            desk.order([Wanted(d(1), part.pk)])
        with statements() as sent:
            receive_delivery(
                supplier_id=SupplierFactory.create().pk,
                warehouse_id=desk.warehouse.pk,
                note_number="DN-7",
                lines=[DeliveryItem(part.pk, d(1)) for part in parts],
                received_at=NOW,
                **TOLD,
            )
        counts.append(len(sent))
    assert counts[0] == counts[1]
    assert not BackOrder.objects.waiting().exists()


def test_a_long_queue_of_the_picky_does_not_hide_the_modest(desk: Desk) -> None:
    for _ in range(12):
        desk.place(9, kind="emergency", complete_delivery_only=True)
    modest = desk.place(1)
    desk.put(1)
    assert order(modest.id).status == "reserved"


def test_what_is_given_is_promised_as_the_line_was(desk: Desk) -> None:
    placed = desk.place(2)
    line_id = leaf(placed, "back_ordered").id
    lines.promise(line_id=line_id, promised_on=days(5), **TOLD)
    supplier = SupplierFactory.create()
    place_purchase_order(
        supplier_id=supplier.pk,
        warehouse_id=desk.warehouse.pk,
        lines=[PurchaseLine(part_id=desk.part.pk, quantity=d(2), expected_on=days(9))],
        ordered_at=NOW,
        **TOLD,
    )
    assert (back_order(line_id).expected_on, line(line_id).promised_on) == (days(9), days(5))
    deliver(desk, 2, supplier=supplier)
    assert (back_order(line_id).status, line(line_id).first_promised_on) == ("allocated", days(5))
