"""Placing: every unit is reserved or back-ordered in the same instant, or nothing happened at all."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from backorders.models import BackOrder
from orders.actions.placing import MOST_LINES, Wanted
from orders.models import OrderEvent, OrderLine, PartsOrder, ServiceContract
from orders.signals import line_short
from parts.errors import Forbidden, Invalid, NotFound, Refused
from parts.keys import new_key
from parts.models import Part, Reservation, StockMovement
from tests.factories.orders import CustomerFactory
from tests.factories.parts import PartFactory, RegionFactory, UnitOfMeasureFactory, WarehouseFactory
from tests.orders.desk import (
    NOBODY,
    TOLD,
    Desk,
    ReceiverFailed,
    balance,
    d,
    days,
    failing,
    kinds,
    leaf,
    line,
    order,
    queue,
    statements,
    told,
    tree,
)


def rows() -> tuple[int, ...]:
    tables = (PartsOrder, OrderLine, Reservation, BackOrder, OrderEvent, StockMovement)
    return tuple(table.objects.count() for table in tables)


# --- What there is ---------------------------------------------------------------------------------------------------


def test_what_is_there_is_reserved(desk: Desk) -> None:
    desk.put(10)
    placed = desk.place(4)
    assert tree(placed.id) == [("1", "reserved", 4)]
    assert (placed.status, placed.lines[0].warehouse_id, placed.lines[0].back_order) == (
        "reserved",
        desk.warehouse.pk,
        None,
    )
    assert desk.balance() == balance(10, 4)


def test_what_is_short_is_split_off_and_waits_for_exactly_the_missing_quantity(desk: Desk) -> None:
    desk.put(3)
    placed = desk.place(10)
    assert tree(placed.id) == [("1", "back_ordered", 10), ("1.1", "reserved", 3), ("1.2", "back_ordered", 7)]
    opened = leaf(placed, "back_ordered").back_order
    assert opened is not None
    waiting = BackOrder.objects.get(pk=opened.back_order_id)
    assert (waiting.quantity, waiting.opened_quantity, waiting.status) == (7, 7, "open")
    assert waiting.reference == f"B{placed.reference[1:]}/1.2"
    assert kinds(waiting.pk) == ["back_order.opened open"]


def test_with_nothing_there_all_of_it_waits_as_a_child(desk: Desk) -> None:
    placed = desk.place(2)
    assert tree(placed.id) == [("1", "back_ordered", 2), ("1.1", "back_ordered", 2)]


def test_two_lines_of_one_part_never_get_the_same_unit(desk: Desk) -> None:
    desk.put(5)
    placed = desk.place(3, 3)
    assert tree(placed.id) == [
        ("1", "reserved", 3),
        ("2", "back_ordered", 3),
        ("2.1", "reserved", 2),
        ("2.2", "back_ordered", 1),
    ]
    assert desk.balance() == balance(5, 5)


def test_several_warehouses_each_fill_a_child(desk: Desk) -> None:
    second, third = WarehouseFactory.create(), WarehouseFactory.create()
    desk.put(2)
    desk.put(5, at=second)
    desk.put(1, at=third)
    placed = desk.place(8)
    children = placed.lines[0].children
    assert sorted((child.warehouse_id, child.quantity) for child in children) == sorted(
        [(desk.warehouse.pk, d(2)), (second.pk, d(5)), (third.pk, d(1))]
    )
    assert {child.status for child in children} == {"reserved"}


def test_quantities_with_three_decimals_are_kept_to_the_last(desk: Desk) -> None:
    litre = UnitOfMeasureFactory.create(code="LTR", name="Litre", decimals=3)
    oil = PartFactory.create(unit=litre)
    desk.put("0.001", part=oil)
    placed = desk.order([Wanted(d("2.345"), oil.pk)])
    assert tree(placed.id)[1:] == [("1.1", "reserved", d("0.001")), ("1.2", "back_ordered", d("2.344"))]
    desk.put("2.343", part=oil)
    assert queue(oil) == [(f"{placed.reference}/1.2", d("0.001"))]


def test_damaged_foreign_and_unallocatable_stock_is_not_for_sale(desk: Desk) -> None:
    desk.put(5, unfit_change=d(5))
    desk.put(5, owner="SUP-001")
    desk.put(5, condition="used")
    desk.put(5, at=WarehouseFactory.create(allocatable=False))
    assert leaf(desk.place(1), "back_ordered").quantity == 1


def test_an_order_is_one_event_and_each_of_its_lines_too(desk: Desk) -> None:
    desk.put(1)
    placed = desk.place(1, 2, note="Call before delivery")
    assert kinds(placed.id) == ["parts_order.placed back_ordered"]
    assert kinds(placed.lines[0].id) == ["line.placed reserved"]
    assert [kinds(child.id) for child in placed.lines[1].children] == [["line.split_off back_ordered"]]
    assert OrderEvent.objects.get(subject_id=placed.id).text.text == "Call before delivery"


def test_parts_are_named_by_key_or_by_number(desk: Desk) -> None:
    desk.put(2)
    placed = desk.order([Wanted(d(1), desk.part.pk), Wanted(d(1), part_number=desk.part.number)])
    assert {item.part_id for item in placed.lines} == {desk.part.pk}


def test_each_line_has_its_own_day_or_the_order_s(desk: Desk) -> None:
    placed = desk.order([Wanted(d(1), desk.part.pk, requested_on=days(9)), Wanted(d(1), desk.part.pk)])
    assert [line(item.id).requested_on for item in placed.lines] == [days(9), days(0)]


# --- All or nothing --------------------------------------------------------------------------------------------------


def test_an_order_whose_back_order_fails_was_never_placed(desk: Desk) -> None:
    desk.put(1)
    job = desk.job("in_progress")
    before = rows()
    with failing(line_short), pytest.raises(ReceiverFailed):
        desk.place(3, service_order_id=job.pk)
    assert rows() == before
    assert desk.balance() == balance(1)


def test_placing_needs_the_right_to(desk: Desk) -> None:
    with pytest.raises(Forbidden):
        desk.place(1, by=NOBODY)
    assert rows() == (0,) * 6


# --- Again -----------------------------------------------------------------------------------------------------------


def test_the_same_key_again_answers_with_the_order_and_changes_nothing(desk: Desk) -> None:
    desk.put(2)
    key = new_key()
    first = desk.place(5, key=key)
    before = rows()
    again = desk.place(5, key=key, at=told(hours=3)["at"])
    assert rows() == before
    assert again.replayed
    assert not first.replayed
    assert (again.id, again.reference, again.status) == (first.id, first.reference, first.status)
    assert [item.id for item in again.lines[0].children] == [item.id for item in first.lines[0].children]
    assert again.lines[0].children[1].back_order == first.lines[0].children[1].back_order


def test_a_key_does_not_open_somebody_else_s_order(desk: Desk) -> None:
    key = new_key()
    desk.place(1, key=key)
    with pytest.raises(Refused, match="another order"):
        desk.place(1, key=key, customer_id=CustomerFactory.create().pk)


# --- Bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"kind": "gift"}, "kind"),
        ({"customer_id": None}, "customer"),
        ({"customer_id": new_key()}, "customer"),
        ({"service_order_id": new_key()}, "service_order"),
        ({"destination_id": new_key()}, "destination"),
        ({"kind": "transfer"}, "destination"),
        ({"lines": []}, "lines"),
        ({"lines": [Wanted(d(1), new_key())] * (MOST_LINES + 1)}, "lines"),
        ({"lines": [Wanted(d(1), new_key())]}, "lines.0.part"),
        ({"lines": [Wanted(d(1), part_number="no such")]}, "lines.0.part"),
        ({"lines": [Wanted(d(1))]}, "lines.0.part"),
        ({"external_reference": "x" * 81}, "external_reference"),
        ({"external_reference": "a\x00b"}, "external_reference"),
        ({"note": "a\x00b"}, "note"),
    ],
)
def test_a_malformed_order_is_refused_by_field(desk: Desk, facts: dict[str, Any], field: str) -> None:
    desk.put(1)
    before = rows()
    with pytest.raises(Invalid) as refusal:
        desk.order(facts.pop("lines", [Wanted(d(1), desk.part.pk)]), **facts)
    assert field in refusal.value.extra["fields"]
    assert rows() == before


@pytest.mark.parametrize("quantity", ["0", "-1", "NaN", "sNaN", "Infinity", "1.5", "0.0001", "1E+9", "1E-30", "9" * 60])
def test_a_quantity_that_cannot_be_is_refused(desk: Desk, quantity: str) -> None:
    with pytest.raises(Invalid) as refusal:
        desk.order([Wanted(d(1), desk.part.pk), Wanted(Decimal(quantity), desk.part.pk)])
    assert list(refusal.value.extra["fields"]) == ["lines.1.quantity"]


@pytest.mark.parametrize("least", ["-1", "6", "NaN"])
def test_a_minimum_fill_lies_within_the_quantity(desk: Desk, least: str) -> None:
    with pytest.raises(Invalid) as refusal:
        desk.order([Wanted(d(5), desk.part.pk, minimum_fill=Decimal(least))])
    assert list(refusal.value.extra["fields"]) == ["lines.0.minimum_fill"]


def test_every_bad_line_is_named_at_once(desk: Desk) -> None:
    gone = PartFactory.create(is_active=False)
    with pytest.raises(Invalid) as refusal:
        desk.order([Wanted(d(0), desk.part.pk), Wanted(d(1), gone.pk), Wanted(d(1), desk.part.pk)])
    assert list(refusal.value.extra["fields"]) == ["lines.0.quantity", "lines.1.part"]


def test_nothing_is_ordered_for_those_who_left(desk: Desk) -> None:
    with pytest.raises(Invalid):
        desk.place(1, customer_id=CustomerFactory.create(is_active=False).pk)
    with pytest.raises(Refused, match="nothing more can be ordered"):
        desk.place(1, service_order_id=desk.job("cancelled").pk)


def test_a_job_is_only_ordered_for_by_its_own_customer(desk: Desk) -> None:
    job = desk.job("new")
    with pytest.raises(Invalid) as refusal:
        desk.place(1, service_order_id=job.pk, customer_id=CustomerFactory.create().pk)
    assert list(refusal.value.extra["fields"]) == ["service_order"]
    assert order(desk.place(1, service_order_id=job.pk, customer_id=None).id).customer == desk.customer


def test_an_order_without_parts_is_not_found_by_an_unknown_key(desk: Desk) -> None:
    with pytest.raises((Invalid, NotFound)):
        desk.order([Wanted(d(1), new_key())], key=new_key())


# --- Where from ------------------------------------------------------------------------------------------------------


def sourced(desk: Desk, quantity: int = 1, **facts: Any) -> list[UUID | None]:
    placed = desk.place(quantity, **facts)
    return [item.warehouse_id for item in placed.lines[0].children or placed.lines]


def test_a_place_that_has_all_of_it_comes_first(desk: Desk) -> None:
    whole = WarehouseFactory.create(region=RegionFactory.create(code="US-E"))
    desk.put(2)
    desk.put(3, at=whole)
    assert sourced(desk, 3) == [whole.pk]


def test_the_customer_s_own_region_comes_before_others(desk: Desk) -> None:
    near = WarehouseFactory.create()
    desk.put(5, at=WarehouseFactory.create(region=RegionFactory.create(code="US-E")))
    desk.put(5, at=near)
    assert sourced(desk) == [near.pk]


def test_a_place_whose_cut_off_has_passed_comes_later(desk: Desk) -> None:
    late, open_still = WarehouseFactory.create(cut_off="10:00"), WarehouseFactory.create(cut_off="16:00")
    desk.put(5, at=late)  # it is 10:30 in Berlin
    desk.put(5, at=open_still)
    assert sourced(desk) == [open_still.pk]


def test_new_goods_come_before_refurbished_ones(desk: Desk) -> None:
    desk.put(5, at=WarehouseFactory.create(), condition="refurbished")
    desk.put(5)
    assert sourced(desk) == [desk.warehouse.pk]


def test_of_equals_the_nearest_comes_first(desk: Desk) -> None:
    munich = WarehouseFactory.create(latitude=48.1, longitude=11.6)
    hamburg = WarehouseFactory.create(latitude=53.6, longitude=10.0)
    nowhere = WarehouseFactory.create()
    for place in (munich, nowhere, hamburg):
        desk.put(5, at=place)
    kiel = CustomerFactory.create(latitude=54.3, longitude=10.1)
    assert sourced(desk, 12, customer_id=kiel.pk) == [hamburg.pk, munich.pk, nowhere.pk]


def test_a_transfer_is_never_filled_from_the_place_it_is_for(desk: Desk) -> None:
    desk.put(5)
    placed = desk.transfer(2, to=desk.warehouse)
    assert tree(placed.id)[1:] == [("1.1", "back_ordered", 2)]
    desk.put(5)
    assert queue(desk.part) == [(f"{placed.reference}/1.1", 2)]


# --- Taking back from softer demand ----------------------------------------------------------------------------------


def test_service_demand_takes_back_what_a_transfer_holds(desk: Desk) -> None:
    desk.put(5)
    soft = desk.transfer(4, to=WarehouseFactory.create())
    placed = desk.place(3)
    assert tree(placed.id) == [("1", "back_ordered", 3)] or placed.status == "reserved"
    assert tree(soft.id) == [("1", "back_ordered", 4), ("1.1", "reserved", 2), ("1.2", "back_ordered", 2)]
    assert queue(desk.part) == [(f"{soft.reference}/1.2", 2)]
    assert desk.balance() == balance(5, 5)


def test_the_newest_transfer_gives_first(desk: Desk) -> None:
    desk.put(4)
    other = WarehouseFactory.create()
    older = desk.transfer(2, to=other)
    newer = desk.transfer(2, to=other, at=told(hours=1)["at"])
    desk.place(2, kind="emergency")
    assert (order(older.id).status, order(newer.id).status) == ("reserved", "back_ordered")


def test_what_was_picked_is_not_taken_back(desk: Desk) -> None:
    desk.put(2)
    soft = desk.transfer(2, to=WarehouseFactory.create())
    desk.pack(leaf(soft).id, "picking")
    assert desk.place(1).status == "back_ordered"
    assert order(soft.id).status == "picking"


def test_what_was_only_released_is_taken_back(desk: Desk) -> None:
    desk.put(2)
    soft = desk.transfer(2, to=WarehouseFactory.create())
    desk.pack(leaf(soft).id, "released")
    assert desk.place(2).status == "reserved"
    assert order(soft.id).status == "back_ordered"


def test_soft_demand_takes_nothing_back(desk: Desk) -> None:
    desk.put(2)
    desk.transfer(2, to=WarehouseFactory.create())
    assert desk.transfer(1, to=WarehouseFactory.create()).status == "back_ordered"


def test_nothing_is_taken_back_where_the_order_could_not_use_it(desk: Desk) -> None:
    desk.put(5)
    soft = desk.transfer(5, to=WarehouseFactory.create())
    placed = desk.place(5, destination_id=desk.warehouse.pk)
    assert (placed.status, order(soft.id).status) == ("back_ordered", "reserved")


def test_a_line_that_lost_and_got_its_stock_again_waits_under_its_old_back_order(desk: Desk) -> None:
    desk.put(3)
    soft = desk.transfer(3, to=WarehouseFactory.create())
    desk.place(3)
    child = OrderLine.objects.get(order_id=soft.id, parent__isnull=False)
    desk.put(3)
    assert line(child.pk).status == "reserved"
    desk.place(3)
    back_order = BackOrder.objects.get(line=child)
    assert (back_order.status, back_order.quantity, line(child.pk).status) == ("open", 3, "back_ordered")
    assert [event.to_status for event in OrderEvent.objects.filter(subject_id=back_order.pk).order_by("version")] == [
        "open",
        "allocated",
        "open",
    ]


# --- Statements ------------------------------------------------------------------------------------------------------


def test_fifty_lines_are_as_many_statements_as_five(desk: Desk) -> None:
    counts = []
    for number in (5, 50):
        parts: list[Part] = PartFactory.create_batch(number)
        for part in parts[1:]:
            desk.put(9, part=part)
        with statements() as sent:
            placed = desk.order([Wanted(d(1), part.pk) for part in parts])
        assert placed.status == "back_ordered"
        counts.append(len(sent))
    assert counts[0] == counts[1]
    assert counts[0] - 2 <= 6  # beside the savepoint of the test


def test_taking_back_from_many_is_as_many_statements_as_from_few(desk: Desk) -> None:
    counts = []
    for number in (2, 20):
        shelf = Desk(customer=desk.customer)
        shelf.put(number)
        for _ in range(number):
            shelf.transfer(1, to=desk.warehouse)
        with statements() as sent:
            assert shelf.order([Wanted(d(number), shelf.part.pk)]).status == "reserved"
        counts.append(len(sent))
    assert counts[0] == counts[1]
    connection.check_constraints()


def test_who_is_told_is_who_did_it(desk: Desk) -> None:
    placed = desk.place(1, **TOLD)
    assert {event.actor for event in OrderEvent.objects.filter(reference__startswith=placed.reference)} == {
        "system:test"
    }


@pytest.mark.parametrize(("begins", "ends", "points"), [(-400, -1, 0), (-400, 0, 500), (0, None, 500), (1, None, 0)])
def test_a_contract_raises_a_rank_while_it_is_valid(desk: Desk, begins: int, ends: int | None, points: int) -> None:
    contract = ServiceContract.objects.create(
        number="C-1",
        customer=desk.customer,
        name="Gold",
        priority_points=d(500),
        valid_from=days(begins),
        valid_until=None if ends is None else days(ends),
    )
    job = desk.job("in_progress", contract_id=contract.pk)
    desk.place(1, service_order_id=job.pk)

    assert Decimal(BackOrder.objects.get().rank_facts["contract_points"]) == points
