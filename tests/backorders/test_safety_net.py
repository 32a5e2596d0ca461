"""Who waits beside free stock that nothing told the queue of is found by the clock. All laws hold (see the desk)."""

from __future__ import annotations

import logging

import pytest

from backorders import tasks
from backorders.actions import moving
from backorders.models import AllocationRun, BackOrder
from orders.actions import parts_rule
from orders.actions.placing import Wanted
from parts.models import Part, Warehouse
from tests.factories.parts import PartFactory, WarehouseFactory
from tests.orders.desk import NOW, TOLD, Desk, back_order, balance, d, leaf, order, statements


def serves_orders_from_now_on(warehouse: Warehouse) -> None:
    warehouse.allocatable = True
    warehouse.save()


def unseen(desk: Desk, quantity: int, *parts: Part) -> Warehouse:
    """Put stock where nobody may be served from, and then let everybody be."""
    van = WarehouseFactory.create(kind="van", allocatable=False)
    for part in parts or (desk.part,):
        desk.put(quantity, part=part, at=van)
    serves_orders_from_now_on(van)
    return van


def run() -> int:
    return tasks.serve_who_was_missed(at=NOW)


def test_a_warehouse_that_serves_orders_from_now_on_serves_who_waits(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    modest, urgent = desk.place(2), desk.place(2, kind="emergency")
    van = unseen(desk, 3)
    assert order(urgent.id).status == "back_ordered"
    with caplog.at_level(logging.INFO, "backorders.tasks"):
        assert run() == 2
    assert (order(urgent.id).status, order(modest.id).status) == ("reserved", "back_ordered")
    assert desk.balance(at=van) == balance(3, 3)
    [record] = caplog.records
    found = {name: getattr(record, name) for name in ("parts", "back_orders", "quantity")}
    assert found == {"parts": [str(desk.part.pk)], "back_orders": 2, "quantity": "3.000"}
    assert AllocationRun.objects.get().actor == "system:safety-net"


def test_a_repeat_finds_nobody_and_says_nothing(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.place(2)
    unseen(desk, 1)
    assert run() == 1
    caplog.clear()
    with caplog.at_level(logging.INFO, "backorders.tasks"):
        assert run() == 0
    assert (caplog.records, AllocationRun.objects.count()) == ([], 1)


def test_where_nobody_was_missed_it_is_one_query(desk: Desk) -> None:
    desk.place(2)
    desk.put(1)
    with statements() as sent:
        assert run() == 0
    assert len(sent) == 1


def test_who_may_not_have_what_is_free_is_not_found(desk: Desk) -> None:
    held = desk.place(2)
    moving.hold(back_order_id=back_order(leaf(held, "back_ordered").id).pk, reason="Credit limit", **TOLD)
    desk.order([Wanted(d(9), desk.part.pk, minimum_fill=d(4))])
    desk.place(8, complete_delivery_only=True)
    van = unseen(desk, 3)
    desk.transfer(2, to=van)
    assert not BackOrder.objects.beside_free_stock().exists()
    assert (run(), desk.balance(at=van)) == (0, balance(3))


def test_what_lies_in_several_places_counts_together_but_not_where_a_transfer_goes(desk: Desk) -> None:
    near, far = WarehouseFactory.create(allocatable=False), WarehouseFactory.create(allocatable=False)
    placed = desk.transfer(6, to=far)
    BackOrder.objects.update(minimum_fill=5)
    desk.put(3, at=near)
    desk.put(9, at=far)
    serves_orders_from_now_on(near)
    serves_orders_from_now_on(far)
    assert run() == 0
    desk.put(2, at=desk.warehouse)  # seen: five are enough
    assert (order(placed.id).status, run()) == ("back_ordered", 0)
    assert desk.balance(at=near) == balance(3, 3)


def test_a_run_is_bounded_and_the_next_one_goes_on(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_PARTS", 1)
    monkeypatch.setattr(tasks, "_BATCHES", 2)
    parts = PartFactory.create_batch(3)
    for part in parts:
        desk.order([Wanted(d(1), part.pk)])
    unseen(desk, 1, *parts)
    assert (run(), run(), run()) == (2, 1, 0)


def test_many_parts_are_as_many_statements_as_few(desk: Desk) -> None:
    counts = []
    for number in (2, 20):
        parts = PartFactory.create_batch(number)
        desk.order([Wanted(d(1), part.pk) for part in parts])
        unseen(desk, 1, *parts)
        with statements() as sent:
            assert run() == number
        counts.append(len(sent))
    assert counts[0] == counts[1]


def test_a_batch_that_fails_changes_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = desk.place(1), desk.place(1, service_order_id=desk.job("in_progress").pk)
    van = unseen(desk, 2)

    def fail(*_facts: object) -> None:
        raise ConnectionError("nobody there")

    with monkeypatch.context() as broken:
        broken.setattr(parts_rule.Jobs, "follow", fail)
        with pytest.raises(ConnectionError):
            run()
    assert [order(placed.id).status for placed in waiting] == ["back_ordered", "back_ordered"]
    assert (desk.balance(at=van), AllocationRun.objects.count()) == (balance(2), 0)
    assert run() == 2
