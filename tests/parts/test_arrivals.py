"""Goods that our own warehouses ordered arrive in their stock, and are taken out of it again."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction

from parts.actions.stock import (
    Arrival,
    Issue,
    Reversal,
    book_arrivals,
    correct_stock,
    issue,
    take_back_arrivals,
)
from parts.errors import Invalid, NotEnoughStock, NotFound
from parts.keys import new_key
from parts.models import Reservation, StockLevel, StockMovement, Warehouse
from parts.signals import FreedStock
from tests.factories.parts import PartFactory, WarehouseFactory
from tests.parts.shelf import TOLD, Ear, ReceiverFailed, Shelf, balance, d, statements

pytestmark = pytest.mark.django_db


def shipped(shelf: Shelf, quantity: int = 4) -> UUID:
    shelf.put(quantity)
    demand_id = shelf.hold(quantity)
    issue(issues=[Issue(demand_id)], **TOLD)
    return demand_id


def arrive(shelf: Shelf, demand_id: UUID, depot: Warehouse, quantity: int = 4) -> None:
    book_arrivals(arrivals=[Arrival((demand_id,), shelf.part.pk, depot.pk, d(quantity))], **TOLD)


def take_back(shelf: Shelf, demand_id: UUID, quantity: int, unfit: int = 0) -> int:
    """Take goods back and return from how many levels they were taken."""
    reversal = Reversal((demand_id,), shelf.part.pk, d(quantity), d(unfit))
    return len(take_back_arrivals(reversals=[reversal], **TOLD))


def test_what_arrives_is_in_stock_and_can_be_had(shelf: Shelf, ear: Ear) -> None:
    demand_id, depot = shipped(shelf), WarehouseFactory.create()
    ear.freed.clear()

    arrive(shelf, demand_id, depot)

    level = shelf.level(at=depot)
    assert (shelf.balance(), shelf.balance(at=depot)) == (balance(0), balance(4))
    movement = StockMovement.objects.latest("id")
    assert (movement.kind, movement.level_id, movement.on_hand_change, movement.demand_id) == (
        "arrival",
        level.pk,
        d(4),
        demand_id,
    )
    assert ear.freed == [FreedStock(shelf.part.pk, level.pk, d(4), "arrival")]


def test_it_keeps_the_condition_and_the_owner_of_what_was_issued(shelf: Shelf) -> None:
    demand_id, depot = shipped(shelf), WarehouseFactory.create()
    StockLevel.objects.update(condition="refurbished", owner="ACME")

    arrive(shelf, demand_id, depot)

    assert (shelf.level(at=depot).condition, shelf.level(at=depot).owner) == ("refurbished", "ACME")


def test_a_part_of_a_demand_arrives_as_the_whole_of_it_was_issued(shelf: Shelf) -> None:
    demand_id, depot = shipped(shelf), WarehouseFactory.create()
    StockLevel.objects.update(condition="refurbished")
    child = new_key()

    book_arrivals(arrivals=[Arrival((child, demand_id), shelf.part.pk, depot.pk, d(3))], **TOLD)

    assert shelf.level(at=depot).condition == "refurbished"
    assert StockMovement.objects.latest("id").demand_id == child


def test_what_never_left_our_stock_arrives_as_new_and_ours(shelf: Shelf) -> None:
    depot = WarehouseFactory.create()

    arrive(shelf, new_key(), depot, 2)

    level = shelf.level(at=depot)
    assert (level.condition, level.owner, level.on_hand) == ("new", "own", d(2))


def test_many_arrivals_in_one_place_are_one_level_and_a_movement_each(shelf: Shelf) -> None:
    depot = WarehouseFactory.create()

    book_arrivals(
        arrivals=[Arrival((new_key(),), shelf.part.pk, depot.pk, d(quantity)) for quantity in (1, 2, 3)], **TOLD
    )

    assert (shelf.balance(at=depot), StockMovement.objects.count()) == (balance(6), 3)


def test_an_arrival_is_undone_when_whoever_waits_cannot_take_it(shelf: Shelf, ear: Ear) -> None:
    depot = WarehouseFactory.create()
    ear.fails = True

    with pytest.raises(ReceiverFailed):
        arrive(shelf, new_key(), depot)

    assert not StockLevel.objects.filter(warehouse=depot).exists()


@pytest.mark.parametrize("quantity", ["0", "-1", "0.0001", "NaN"])
def test_an_arrival_needs_a_possible_quantity(shelf: Shelf, quantity: str) -> None:
    depot = WarehouseFactory.create()

    with pytest.raises(Invalid):
        book_arrivals(arrivals=[Arrival((new_key(),), shelf.part.pk, depot.pk, Decimal(quantity))], **TOLD)
    with pytest.raises(Invalid):
        take_back_arrivals(reversals=[Reversal((new_key(),), shelf.part.pk, Decimal(quantity))], **TOLD)

    assert not StockMovement.objects.exists()


def test_nothing_arrives_in_a_warehouse_that_does_not_exist(shelf: Shelf) -> None:
    with pytest.raises(NotFound):
        book_arrivals(arrivals=[Arrival((new_key(),), shelf.part.pk, new_key(), d(1))], **TOLD)


def test_an_arrival_is_taken_back_once(shelf: Shelf) -> None:
    demand_id, depot = shipped(shelf), WarehouseFactory.create()
    arrive(shelf, demand_id, depot)

    assert take_back(shelf, demand_id, 4) == 1
    assert take_back(shelf, demand_id, 4) == 0

    assert shelf.balance(at=depot) == balance(0)
    movement = StockMovement.objects.latest("id")
    assert (movement.kind, movement.on_hand_change, movement.demand_id) == ("reversal", d(-4), demand_id)


def test_a_part_of_an_arrival_is_taken_back_unfit_ones_first_from_what_is_known_to_be_unfit(shelf: Shelf) -> None:
    demand_id, depot = shipped(shelf), WarehouseFactory.create()
    arrive(shelf, demand_id, depot)
    correct_stock(part_id=shelf.part.pk, warehouse_id=depot.pk, unfit_change=d(1), reason="damage", **TOLD)

    take_back(shelf, demand_id, 3, unfit=2)

    assert shelf.balance(at=depot) == balance(1)


def test_what_arrived_twice_is_taken_back_from_the_latest_place_first(shelf: Shelf) -> None:
    first, second = WarehouseFactory.create(), WarehouseFactory.create()
    demand_id = new_key()
    arrive(shelf, demand_id, first, 2)
    arrive(shelf, demand_id, second, 2)

    assert take_back(shelf, demand_id, 3) == 2

    assert (shelf.balance(at=first), shelf.balance(at=second)) == (balance(1), balance(0))


def test_what_was_promised_to_others_is_not_taken_back(shelf: Shelf) -> None:
    demand_id, depot = new_key(), WarehouseFactory.create()
    arrive(shelf, demand_id, depot)
    StockLevel.objects.filter(warehouse=depot).update(reserved=1)

    with pytest.raises(NotEnoughStock, match="promised or used") as refusal:
        take_back(shelf, demand_id, 4)

    assert refusal.value.extra == {"on_hand": "4.000", "reserved": "1.000", "unfit": "0.000"}
    StockLevel.objects.filter(warehouse=depot).update(reserved=0)


def test_two_who_take_back_from_one_level_do_not_take_the_same_unit(shelf: Shelf) -> None:
    one, two, depot = new_key(), new_key(), WarehouseFactory.create()
    arrive(shelf, one, depot, 2)
    arrive(shelf, two, depot, 2)
    correct_stock(part_id=shelf.part.pk, warehouse_id=depot.pk, on_hand_change=d(-1), reason="count", **TOLD)
    reversals = [Reversal((key,), shelf.part.pk, d(2)) for key in (one, two)]

    with pytest.raises(NotEnoughStock):
        take_back_arrivals(reversals=reversals, **TOLD)

    assert shelf.balance(at=depot) == balance(3)


@pytest.mark.parametrize(
    ("kind", "change"), [("arrival", "-1"), ("reversal", "1"), ("transfer", "1"), ("correction", "1")]
)
def test_the_database_knows_which_way_arrivals_go(shelf: Shelf, kind: str, change: str) -> None:
    shelf.put(2)

    with pytest.raises(IntegrityError), transaction.atomic():
        StockMovement.objects.create(
            level=shelf.level(),
            kind=kind,
            on_hand_change=d(change),
            demand_id=new_key(),
            occurred_at=TOLD["at"],
            actor="test",
            source="test",
        )


def test_many_arrivals_are_as_many_statements_as_few(shelf: Shelf) -> None:
    counts = []
    for number in (2, 20):
        parts = PartFactory.create_batch(number)
        demands = {part.pk: new_key() for part in parts}
        depot = WarehouseFactory.create()
        with statements() as sent:
            book_arrivals(arrivals=[Arrival((key,), part, depot.pk, d(1)) for part, key in demands.items()], **TOLD)
            take_back_arrivals(reversals=[Reversal((key,), part, d(1)) for part, key in demands.items()], **TOLD)
        counts.append(len(sent))

    assert counts[0] == counts[1] <= 12
    assert not Reservation.objects.exists()
