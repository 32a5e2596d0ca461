"""The head of a queue is read as deep as free stock reaches, and nobody behind the picky is missed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from backorders import head, sql
from backorders.actions import moving
from backorders.models import AllocationDecision
from orders.actions.placing import Wanted
from tests.factories.parts import PartFactory, UnitOfMeasureFactory, WarehouseFactory
from tests.orders.desk import TOLD, Desk, back_order, d, leaf, order, queue, statements

PAGES = (sql.QUEUE_HEAD, sql.QUEUE_FURTHER)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each page of the queue had."""
    pages: list[int] = []
    rows_of = head.statements.rows_of

    def counting(statement: str, parameters: Any) -> list[tuple[Any, ...]]:
        rows = rows_of(statement, parameters)
        if statement in PAGES:
            pages.append(len(rows))
        return rows

    monkeypatch.setattr(head.statements, "rows_of", counting)
    return pages


@contextmanager
def small_steps(monkeypatch: pytest.MonkeyPatch, first: int, times: int) -> Iterator[None]:
    """Read so many at first, and so many times as many with each step."""
    with monkeypatch.context() as patch:
        patch.setattr(head, "FIRST_ROWS", first)
        patch.setattr(head, "MOST", times)
        patch.setattr(head, "LEAST", times)
        yield


def test_of_litres_as_few_back_orders_are_asked_as_of_pieces(desk: Desk, read: list[int]) -> None:
    litres = PartFactory.create(unit=UnitOfMeasureFactory.create(code="LTR", name="Litre", decimals=3))
    for _ in range(20):
        desk.order([Wanted(d(1), litres.pk)])
    desk.put(5, part=litres)
    assert (read, len(queue(litres))) == ([5], 15)


def test_those_further_down_are_read_as_many_as_there_are_units_left(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, read: list[int]
) -> None:
    monkeypatch.setattr(head, "FIRST_ROWS", 3)
    for _ in range(20):
        desk.place(1)
    desk.put(12)
    assert (read, len(queue(desk.part))) == ([3, 9], 8)


def test_who_cannot_take_what_is_left_is_not_asked_however_many_they_are(desk: Desk, read: list[int]) -> None:
    for _ in range(30):
        desk.place(10, complete_delivery_only=True, kind="emergency")
    modest = desk.place(4)
    desk.put(5)
    assert order(modest.id).status == "reserved"
    assert read == [5, 1]
    assert AllocationDecision.objects.filter(outcome="passed_over").count() == 5


def test_a_long_queue_of_the_picky_is_as_many_statements_as_a_short_one(desk: Desk) -> None:
    counts = []
    for number in (3, 60):
        shelf = Desk(customer=desk.customer)
        for _ in range(number):
            shelf.place(9, complete_delivery_only=True, kind="emergency")
        shelf.place(1)
        with statements() as sent:
            shelf.put(2)
        counts.append(len(sent))
    assert counts[0] == counts[1]


def test_those_on_hold_and_those_whose_own_warehouse_it_lies_in_do_not_hide_who_comes_after_them(
    desk: Desk, read: list[int]
) -> None:
    elsewhere = WarehouseFactory.create()
    for _ in range(6):
        held = desk.place(1, kind="emergency")
        moving.hold(back_order_id=back_order(leaf(held, "back_ordered").id).pk, reason="Credit limit", **TOLD)
    for _ in range(6):
        desk.transfer(1, to=desk.warehouse)
    other = desk.transfer(1, to=elsewhere)
    desk.put(1)
    assert (order(other.id).status, read) == ("reserved", [1, 1])


@pytest.mark.parametrize(("first", "times"), [(1, 1), (1, 2), (2, 3), (50, 8)])
def test_however_the_queue_is_read_the_same_get_the_same(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, first: int, times: int
) -> None:
    second = WarehouseFactory.create()
    desk.transfer(3, to=desk.warehouse, at=TOLD["at"])
    placed = [
        desk.order([Wanted(d(wanted), desk.part.pk, minimum_fill=d(least))])
        for wanted, least in ((9, 9), (2, 0), (7, 6), (3, 3), (1, 0), (8, 5), (2, 0))
    ]
    with small_steps(monkeypatch, first, times):
        desk.put(4)
        desk.put(3, at=second)
    assert [order(each.id).status for each in placed] == [
        "back_ordered",
        "reserved",
        "back_ordered",
        "reserved",
        "reserved",
        "back_ordered",
        "back_ordered",
    ]
    assert len(queue(desk.part)) == 5


def test_who_is_ranked_anew_while_the_queue_is_read_is_not_served_twice(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same back order is in two pages, as it is when its rank falls between them."""
    first, second = desk.place(1), desk.place(1)
    monkeypatch.setattr(sql, "QUEUE_FURTHER", sql.QUEUE_FURTHER.replace("waiting.rank <= wanted.rank AND", "true OR"))
    with small_steps(monkeypatch, 1, 8):
        desk.put(5)
    assert [order(each.id).status for each in (first, second)] == ["reserved", "reserved"]
    assert desk.balance().reserved == 2
