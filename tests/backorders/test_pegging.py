"""Pegs against a model that hands out every unit of supply one by one."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backorders import tasks
from backorders.actions import moving, pegging
from backorders.explaining import explain
from backorders.models import BackOrder, Peg
from orders.actions import lines
from orders.actions.placing import Placed
from parts.actions.supply import (
    PurchaseLine,
    cancel_purchase_order_line,
    place_purchase_order,
)
from parts.models import PurchaseOrderLine, Warehouse
from tests.factories.parts import SupplierFactory, WarehouseFactory
from tests.orders.desk import NOW, TODAY, TOLD, Desk, back_order, d, days, leaf, line, statements, told


def buy(desk: Desk, quantity: int, expected_on: date | None, *, to: Warehouse | None = None) -> Any:
    return place_purchase_order(
        supplier_id=SupplierFactory.create().pk,
        warehouse_id=(to or desk.warehouse).pk,
        lines=[PurchaseLine(part_id=desk.part.pk, quantity=d(quantity), expected_on=expected_on)],
        ordered_at=NOW - timedelta(days=90),  # so that it may be overdue
        **TOLD,
    )


def repeg(desk: Desk, today: date = TODAY) -> list[pegging.NewDate]:
    return pegging.repeg(part_ids=[desk.part.pk], today=today)


def day_of(row: PurchaseOrderLine) -> date | None:
    return row.expected_on if row.expected_on and row.expected_on >= TODAY else None


def model(desk: Desk) -> tuple[dict[tuple[Any, Any], int], dict[Any, date | None]]:
    """Hand out the open supply in time order, unit by unit, to the queue by rank; return pegs and expected dates."""
    incoming = PurchaseOrderLine.objects.filter(
        part=desk.part, is_open=True, purchase_order__warehouse__allocatable=True
    ).select_related("purchase_order")
    units = [
        row
        for row in sorted(incoming, key=lambda row: (day_of(row) is None, day_of(row) or date.max, row.pk))
        for _ in range(int(row.quantity - row.received - row.cancelled))
    ]
    pegs: dict[tuple[Any, Any], int] = {}
    expected: dict[Any, date | None] = {}
    for waiting in BackOrder.objects.filter(part=desk.part).waiting().by_rank():
        expected[waiting.pk] = None
        if waiting.on_hold:
            continue
        wanted = int(waiting.quantity)
        usable = [unit for unit in units if unit.purchase_order.warehouse_id != waiting.excluded_warehouse_id]
        mine = usable[:wanted]
        for unit in mine:
            units.remove(unit)
            pegs[waiting.pk, unit.pk] = pegs.get((waiting.pk, unit.pk), 0) + 1
        dates = [day_of(unit) for unit in mine]
        if len(mine) == wanted and None not in dates:
            expected[waiting.pk] = max(day for day in dates if day)
    return pegs, expected


def pegs_as_they_are(desk: Desk) -> dict[tuple[Any, Any], Decimal]:
    rows = Peg.objects.filter(purchase_order_line__part=desk.part)
    return {(row.back_order_id, row.purchase_order_line_id): row.quantity for row in rows}


def assert_pegged(desk: Desk) -> None:
    pegs, expected = model(desk)
    assert pegs_as_they_are(desk) == pegs
    assert dict(BackOrder.objects.filter(part=desk.part).waiting().values_list("pk", "expected_on")) == expected


#: Who orders: a customer, one whose machine stands still, a van, or the desk's own warehouse.
WHO = st.sampled_from(["service", "emergency", "van", "depot"])
#: Where it goes: the desk's warehouse, the van, a shop that serves no orders.
WHERE = st.sampled_from(["depot", "depot", "van", "shop"])


def placed_for(desk: Desk, who: str, places: dict[str, Warehouse], *quantities: int) -> Placed:
    if who in places:
        return desk.transfer(*quantities, to=places[who])
    return desk.place(*quantities, kind=who)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    demand=st.lists(st.tuples(st.integers(1, 6), WHO), max_size=6),
    supply=st.lists(st.tuples(st.integers(1, 9), st.none() | st.integers(-3, 30), WHERE), max_size=5),
    held=st.sets(st.integers(0, 5)),
    gone=st.sets(st.integers(0, 5), max_size=2),
    late=st.lists(st.tuples(st.lists(st.integers(1, 6), min_size=1, max_size=2), WHO), max_size=2),
)
def test_supply_is_pegged_to_the_queue_as_if_handed_out_unit_by_unit(
    desk: Desk,
    demand: list[tuple[int, str]],
    supply: list[tuple[int, int | None, str]],
    held: set[int],
    gone: set[int],
    late: list[tuple[list[int], str]],
) -> None:
    with transaction.atomic():
        places = {"depot": desk.warehouse, "van": WarehouseFactory.create(kind="van")}
        where = places | {"shop": WarehouseFactory.create(allocatable=False)}
        placed = [placed_for(desk, who, places, quantity) for quantity, who in demand]
        for quantity, in_days, to in supply:
            buy(desk, quantity, None if in_days is None else days(in_days), to=where[to])
        assert_pegged(desk)
        for number, each in enumerate(placed):
            if number in gone:
                lines.cancel(line_id=each.lines[0].id, reason="Not needed", **TOLD)
            elif number in held:
                key = back_order(leaf(each, "back_ordered").id).pk
                moving.hold(back_order_id=key, reason="Credit limit", **TOLD)
        repeg(desk)
        assert_pegged(desk)
        assert repeg(desk) == []
        for quantities, who in late:
            each = placed_for(desk, who, places, *quantities)
            told = {line.id: line.children[0].back_order for line in each.lines}
            repeg(desk)
            assert_pegged(desk)
            for opened in told.values():
                assert opened
                known = BackOrder.objects.get(pk=opened.back_order_id).expected_on
                assert opened.expected_on is None or (known and known <= opened.expected_on)  # never told too early
        transaction.set_rollback(True)


def told_when_placed(placed: Placed) -> list[date | None]:
    """Return the expected dates that the answer to placing names."""
    return [opened.expected_on for each in placed.lines if (opened := each.children[-1].back_order)]


def pegged(placed: Placed) -> list[date | None]:
    """Return the expected dates as they are now."""
    return [back_order(each.children[-1].id).expected_on for each in placed.lines]


def test_a_new_back_order_expects_what_comes_after_those_before_it(desk: Desk) -> None:
    buy(desk, 3, days(4))
    buy(desk, 3, days(9))
    assert [told_when_placed(desk.place(2)) for _ in range(4)] == [[days(4)], [days(9)], [days(9)], [None]]


def test_two_short_lines_of_one_order_are_not_promised_the_same_supply(desk: Desk) -> None:
    buy(desk, 10, days(4))
    buy(desk, 10, days(40))
    placed = desk.place(10, 10)
    assert told_when_placed(placed) == [days(4), days(40)]
    assert repeg(desk) == []


def test_nobody_expects_what_goes_where_no_orders_are_served_from(desk: Desk) -> None:
    shop = WarehouseFactory.create(allocatable=False)
    buy(desk, 5, days(4), to=shop)
    placed = desk.place(5)
    assert told_when_placed(placed) == [None]
    assert (repeg(desk), pegged(placed), Peg.objects.count()) == ([], [None], 0)


def test_a_transfer_does_not_wait_for_what_comes_to_where_it_goes(desk: Desk) -> None:
    van = WarehouseFactory.create(kind="van")
    buy(desk, 5, days(4), to=van)
    buy(desk, 5, days(9))
    for_van = desk.transfer(5, to=van)
    behind = desk.transfer(5, to=WarehouseFactory.create())
    assert told_when_placed(for_van) == [days(9)]
    assert told_when_placed(behind) == [days(9)]  # cautious: the pegging knows that the van passes its own supply by
    repeg(desk)
    assert (pegged(for_van), pegged(behind)) == ([days(9)], [days(4)])


def test_who_is_on_hold_expects_nothing_and_leaves_it_to_the_next(desk: Desk) -> None:
    first, second = desk.place(5), desk.place(5)
    buy(desk, 5, days(4))
    key = back_order(leaf(first, "back_ordered").id).pk
    moving.hold(back_order_id=key, reason="Credit limit", **TOLD)
    assert pegged(first) == [None]
    repeg(desk)
    assert (pegged(first), pegged(second)) == ([None], [days(4)])
    moving.let_go(back_order_id=key, **TOLD)
    repeg(desk)
    assert (pegged(first), pegged(second)) == ([days(4)], [None])


def test_a_new_back_order_does_not_stand_behind_those_on_hold(desk: Desk) -> None:
    held = desk.place(5)
    buy(desk, 5, days(4))
    moving.hold(back_order_id=back_order(leaf(held, "back_ordered").id).pk, reason="Credit limit", **TOLD)
    assert told_when_placed(desk.place(5)) == [days(4)]


def test_overdue_supply_gives_no_day(desk: Desk) -> None:
    buy(desk, 5, days(-14))
    placed = desk.place(5)
    assert told_when_placed(placed) == [None]
    repeg(desk)
    assert pegged(placed) == [None]
    [supply] = explain(back_order(leaf(placed, "back_ordered").id).pk).supply
    assert (supply.quantity, supply.expected_on, supply.overdue) == (5, None, True)


def test_supply_with_a_day_comes_before_supply_that_is_overdue(desk: Desk) -> None:
    buy(desk, 5, days(-1))
    buy(desk, 5, days(6))
    first, second = desk.place(5), desk.place(5)
    assert (told_when_placed(first), told_when_placed(second)) == ([days(6)], [None])
    repeg(desk)
    assert (pegged(first), pegged(second)) == ([days(6)], [None])


def test_a_day_that_passes_is_taken_back_the_next_morning(desk: Desk) -> None:
    buy(desk, 5, days(3))
    placed = desk.place(5)
    repeg(desk)
    assert tasks.date_queues_anew(told(hours=3 * 24)["at"]) == 0
    assert pegged(placed) == [days(3)]
    assert tasks.date_queues_anew(told(hours=4 * 24)["at"]) == 1
    assert pegged(placed) == [None]
    assert tasks.date_queues_anew(told(hours=4 * 24)["at"]) == 0
    why = explain(back_order(leaf(placed, "back_ordered").id).pk)
    assert why.supply[0].overdue
    assert "overdue" in why.summary


def test_with_no_supply_on_order_nothing_is_expected(desk: Desk) -> None:
    opened = leaf(desk.place(2), "back_ordered").back_order
    assert opened is not None
    assert opened.expected_on is None
    assert BackOrder.objects.without_supply().count() == 1


def test_a_supply_date_moves_the_expected_date_and_never_a_promise(desk: Desk) -> None:
    line_id = leaf(desk.place(2), "back_ordered").id
    lines.promise(line_id=line_id, promised_on=days(3), **TOLD)
    bought = buy(desk, 2, days(8))
    assert back_order(line_id).expected_on == days(8)
    cancel_purchase_order_line(line_id=bought.line_ids[0], **TOLD)
    assert (back_order(line_id).expected_on, Peg.objects.count()) == (None, 0)
    row = line(line_id)
    assert (row.first_promised_on, row.promised_on) == (days(3), days(3))


def test_who_waits_no_more_is_pegged_to_nothing(desk: Desk) -> None:
    placed = desk.place(2)
    buy(desk, 2, days(8))
    desk.put(2)
    repeg(desk)
    assert Peg.objects.count() == 0
    assert back_order(leaf(placed, "back_ordered").id).expected_on is None


def test_pegging_many_is_as_many_statements_as_few(desk: Desk) -> None:
    counts = []
    for number in (2, 20):
        for _ in range(number):
            desk.place(1)
            buy(desk, 1, days(number))
        with statements() as sent:
            repeg(desk)
        counts.append(len(sent))
    assert counts[0] == counts[1]


def test_pegging_nothing_asks_nothing() -> None:
    assert pegging.repeg(part_ids=[], today=TODAY) == []


@pytest.mark.parametrize("times", [1, 2])
def test_pegging_again_changes_nothing(desk: Desk, times: int) -> None:
    desk.place(2)
    buy(desk, 1, days(2))
    before = pegs_as_they_are(desk)
    for _ in range(times):
        repeg(desk)
    assert pegs_as_they_are(desk) == before
