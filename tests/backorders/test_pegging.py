"""Pegs against a model that hands out every unit of supply one by one."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backorders.actions import moving, pegging
from backorders.models import BackOrder, Peg
from orders.actions import lines
from parts.actions.supply import (
    PurchaseLine,
    cancel_purchase_order_line,
    place_purchase_order,
)
from parts.models import PurchaseOrderLine
from tests.factories.parts import SupplierFactory
from tests.orders.desk import NOW, TOLD, Desk, back_order, d, days, leaf, line, statements


def buy(desk: Desk, quantity: int, expected_on: date | None) -> Any:
    return place_purchase_order(
        supplier_id=SupplierFactory.create().pk,
        warehouse_id=desk.warehouse.pk,
        lines=[PurchaseLine(part_id=desk.part.pk, quantity=d(quantity), expected_on=expected_on)],
        ordered_at=NOW,
        **TOLD,
    )


def model(desk: Desk) -> tuple[dict[tuple[Any, Any], int], dict[Any, date | None]]:
    """Hand out the open supply in time order, unit by unit, to the queue by rank; return pegs and expected dates."""
    units = [
        row
        for row in sorted(
            PurchaseOrderLine.objects.filter(part=desk.part, is_open=True),
            key=lambda row: (row.expected_on is None, row.expected_on or date.max, row.pk),
        )
        for _ in range(int(row.quantity - row.received - row.cancelled))
    ]
    pegs: dict[tuple[Any, Any], int] = {}
    expected: dict[Any, date | None] = {}
    for waiting in BackOrder.objects.filter(part=desk.part).waiting().by_rank():
        if waiting.on_hold:
            continue
        wanted = int(waiting.quantity)
        mine, units = units[:wanted], units[wanted:]
        for unit in mine:
            pegs[waiting.pk, unit.pk] = pegs.get((waiting.pk, unit.pk), 0) + 1
        dates = [unit.expected_on for unit in mine]
        full = len(mine) == wanted and None not in dates
        expected[waiting.pk] = max(day for day in dates if day) if full else None
    return pegs, expected


def pegs_as_they_are(desk: Desk) -> dict[tuple[Any, Any], Decimal]:
    rows = Peg.objects.filter(purchase_order_line__part=desk.part)
    return {(row.back_order_id, row.purchase_order_line_id): row.quantity for row in rows}


def assert_pegged(desk: Desk) -> None:
    pegs, expected = model(desk)
    assert pegs_as_they_are(desk) == pegs
    waiting = BackOrder.objects.filter(part=desk.part, on_hold=False).waiting()
    assert dict(waiting.values_list("pk", "expected_on")) == expected


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    demand=st.lists(st.tuples(st.integers(1, 6), st.sampled_from(["service", "emergency"])), max_size=6),
    supply=st.lists(st.tuples(st.integers(1, 9), st.none() | st.integers(1, 30)), max_size=5),
    held=st.sets(st.integers(0, 5)),
    gone=st.sets(st.integers(0, 5), max_size=2),
)
def test_supply_is_pegged_to_the_queue_as_if_handed_out_unit_by_unit(
    desk: Desk,
    demand: list[tuple[int, str]],
    supply: list[tuple[int, int | None]],
    held: set[int],
    gone: set[int],
) -> None:
    with transaction.atomic():
        placed = [desk.place(quantity, kind=kind) for quantity, kind in demand]
        for quantity, in_days in supply:
            buy(desk, quantity, days(in_days) if in_days else None)
        assert_pegged(desk)
        for number, each in enumerate(placed):
            if number in gone:
                lines.cancel(line_id=each.lines[0].id, reason="Not needed", **TOLD)
            elif number in held:
                key = back_order(leaf(each, "back_ordered").id).pk
                moving.hold(back_order_id=key, reason="Credit limit", **TOLD)
        pegging.repeg(part_ids=[desk.part.pk])
        assert_pegged(desk)
        assert pegging.repeg(part_ids=[desk.part.pk]) == []
        transaction.set_rollback(True)


def test_a_new_back_order_expects_what_comes_after_those_before_it(desk: Desk) -> None:
    buy(desk, 3, days(4))
    buy(desk, 3, days(9))
    dates = [leaf(desk.place(2), "back_ordered").back_order for _ in range(4)]
    assert [opened.expected_on if opened else None for opened in dates] == [days(4), days(9), days(9), None]


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
    pegging.repeg(part_ids=[desk.part.pk])
    assert Peg.objects.count() == 0
    assert back_order(leaf(placed, "back_ordered").id).expected_on is None


def test_pegging_many_is_as_many_statements_as_few(desk: Desk) -> None:
    counts = []
    for number in (2, 20):
        for _ in range(number):
            desk.place(1)
            buy(desk, 1, days(number))
        with statements() as sent:
            pegging.repeg(part_ids=[desk.part.pk])
        counts.append(len(sent))
    assert counts[0] == counts[1]


def test_pegging_nothing_asks_nothing() -> None:
    assert pegging.repeg(part_ids=[]) == []


@pytest.mark.parametrize("times", [1, 2])
def test_pegging_again_changes_nothing(desk: Desk, times: int) -> None:
    desk.place(2)
    buy(desk, 1, days(2))
    before = pegs_as_they_are(desk)
    for _ in range(times):
        pegging.repeg(part_ids=[desk.part.pk])
    assert pegs_as_they_are(desk) == before
