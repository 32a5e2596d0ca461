"""What was shipped comes back into stock. Trees always add up (see the desk)."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from orders.actions import lines
from orders.errors import TransitionRefused
from parts.errors import Invalid, MoreThanIssued, NotFound
from parts.keys import new_key
from tests.orders.desk import TOLD, Desk, balance, child, d, leaf, order, tree


def test_what_comes_back_is_in_stock_again_and_goes_to_who_waits(desk: Desk) -> None:
    desk.put(5)
    placed = desk.place(5)
    waiting = desk.place(2)
    line_id = leaf(placed).id
    desk.ship(line_id)
    lines.return_to_stock(line_id=line_id, quantity=d(3), unfit=d(1), note="Wrong size", **TOLD)
    assert tree(placed.id)[1:] == [("1.1", "shipped", 2), ("1.2", "returned", 3)]
    assert desk.balance() == balance(3, 2, 1)
    assert order(waiting.id).status == "reserved"
    lines.return_to_stock(line_id=child(placed, "1.1").pk, quantity=d(2), **TOLD)
    assert (order(placed.id).status, desk.balance()) == ("returned", balance(5, 2, 1))


def test_a_shipped_part_comes_back_to_where_it_left(desk: Desk) -> None:
    desk.put(5)
    placed = desk.place(5)
    desk.ship(leaf(placed).id, 2)
    desk.ship(child(placed, "1.1").pk, 2)
    for number in ("1.2", "1.3"):
        lines.return_to_stock(line_id=child(placed, number).pk, quantity=d(1), **TOLD)
    assert desk.balance() == balance(3, 1)
    with pytest.raises(Invalid):
        lines.return_to_stock(line_id=child(placed, "1.2").pk, quantity=d(2), **TOLD)


@pytest.mark.parametrize("facts", [{"quantity": d(0)}, {"quantity": d(4)}, {"quantity": d(1), "unfit": d(2)}])
def test_a_return_that_cannot_be_is_refused(desk: Desk, facts: dict[str, Any]) -> None:
    desk.put(3)
    placed = desk.place(3)
    desk.ship(leaf(placed).id)
    with pytest.raises((Invalid, MoreThanIssued)):
        lines.return_to_stock(line_id=leaf(placed).id, **facts, **TOLD)
    assert (tree(placed.id), desk.balance()) == ([("1", "shipped", 3)], balance(0))


def test_more_unfit_than_came_back_is_refused_in_the_readers_language(desk: Desk) -> None:
    desk.put(3)
    placed = desk.place(3)
    desk.ship(leaf(placed).id)
    with pytest.raises(Invalid) as refused:
        lines.return_to_stock(line_id=leaf(placed).id, quantity=d(1), unfit=d(2), **TOLD)
    said = []
    for language in ("en", "de"):
        with translation.override(language):
            said.append(str(refused.value.extra["fields"]["unfit"][0]))
    assert "must not be more than the quantity" in said[0]
    assert "darf nicht mehr als die Menge sein" in said[1]


def test_what_never_left_does_not_come_back(desk: Desk) -> None:
    desk.put(1)
    with pytest.raises(TransitionRefused):
        lines.return_to_stock(line_id=leaf(desk.place(1)).id, quantity=d(1), **TOLD)
    with pytest.raises(NotFound):
        lines.return_to_stock(line_id=new_key(), quantity=d(1), **TOLD)
