"""Shipped goods that come back into stock."""

from __future__ import annotations

from uuid import UUID

import pytest

from parts.actions.stock import Issue, issue, return_to_stock
from parts.errors import Invalid, MoreThanIssued, NothingReserved
from parts.keys import new_key
from parts.models import Reservation, StockMovement
from parts.signals import FreedStock
from tests.parts.shelf import TOLD, Ear, ReceiverFailed, Shelf, balance, d, statements

pytestmark = pytest.mark.django_db


def shipped(shelf: Shelf, quantity: int = 4) -> UUID:
    shelf.put(10)
    demand_id = shelf.hold(quantity)
    issue(issues=[Issue(demand_id)], **TOLD)
    return demand_id


def test_returned_goods_lie_where_they_came_from_and_the_fit_ones_can_be_had(shelf: Shelf, ear: Ear) -> None:
    demand_id = shipped(shelf)
    ear.freed.clear()

    [returned] = return_to_stock(demand_id=demand_id, quantity=d(3), unfit=d(1), **TOLD)

    assert shelf.balance() == balance(9, unfit=1)
    held = Reservation.objects.get(demand_id=demand_id)
    assert (returned.reservation_id, returned.quantity, returned.unfit) == (held.pk, d(3), d(1))
    movement = StockMovement.objects.latest("id")
    assert (movement.kind, movement.on_hand_change, movement.unfit_change, movement.reservation_id) == (
        "return",
        d(3),
        d(1),
        held.pk,
    )
    assert ear.freed == [FreedStock(shelf.part.pk, shelf.level().pk, d(2), "return")]


def test_unfit_returns_are_nothing_for_whoever_waits(shelf: Shelf, ear: Ear) -> None:
    demand_id = shipped(shelf)
    ear.freed.clear()

    return_to_stock(demand_id=demand_id, quantity=d(1), unfit=d(1), **TOLD)

    assert shelf.balance() == balance(7, unfit=1)
    assert ear.freed == []


def test_no_more_comes_back_than_went_out(shelf: Shelf) -> None:
    demand_id = shipped(shelf)
    return_to_stock(demand_id=demand_id, quantity=d(3), **TOLD)

    with pytest.raises(MoreThanIssued) as refusal:
        return_to_stock(demand_id=demand_id, quantity=d(2), **TOLD)

    assert refusal.value.extra == {"issued": "4.000", "returnable": "1.000"}
    assert shelf.balance() == balance(9)


def test_a_demand_issued_twice_is_undone_latest_first(shelf: Shelf) -> None:
    demand_id = shipped(shelf)
    return_to_stock(demand_id=demand_id, quantity=d(4), **TOLD)
    second = shelf.hold(2)
    Reservation.objects.filter(demand_id=second).update(demand_id=demand_id)
    issue(issues=[Issue(demand_id)], **TOLD)

    [returned] = return_to_stock(demand_id=demand_id, quantity=d(2), **TOLD)

    assert returned.reservation_id == Reservation.objects.filter(demand_id=demand_id).latest("id").pk
    with pytest.raises(MoreThanIssued):
        return_to_stock(demand_id=demand_id, quantity=d(1), **TOLD)


def test_what_was_never_issued_does_not_come_back(shelf: Shelf) -> None:
    shelf.put(10)

    for demand_id in (new_key(), shelf.hold(2)):
        with pytest.raises(NothingReserved):
            return_to_stock(demand_id=demand_id, quantity=d(1), **TOLD)


@pytest.mark.parametrize(
    ("quantity", "unfit", "field"),
    [
        ("0", "0", "quantity"),
        ("-1", "0", "quantity"),
        ("1.5", "0", "quantity"),
        ("1", "2", "unfit"),
        ("1", "-1", "unfit"),
    ],
)
def test_a_return_needs_possible_quantities(shelf: Shelf, quantity: str, unfit: str, field: str) -> None:
    demand_id = shipped(shelf)

    with pytest.raises(Invalid) as refusal:
        return_to_stock(demand_id=demand_id, quantity=d(quantity), unfit=d(unfit), **TOLD)

    assert list(refusal.value.extra["fields"]) == [field]
    assert shelf.balance() == balance(6)


def test_a_return_is_undone_when_whoever_waits_cannot_take_it(shelf: Shelf, ear: Ear) -> None:
    demand_id = shipped(shelf)
    ear.fails = True

    with pytest.raises(ReceiverFailed):
        return_to_stock(demand_id=demand_id, quantity=d(1), **TOLD)

    assert shelf.balance() == balance(6)


def test_a_return_takes_a_handful_of_statements(shelf: Shelf) -> None:
    demand_id = shipped(shelf)

    with statements() as sent:
        return_to_stock(demand_id=demand_id, quantity=d(1), **TOLD)

    assert len(sent) <= 7
