"""Moving stock between warehouses."""

from __future__ import annotations

from typing import Any

import pytest

from parts.actions.stock import transfer
from parts.errors import Forbidden, Invalid, NotEnoughStock, NotFound
from parts.keys import new_key
from parts.models import StockLevel, StockMovement, StockTransfer
from parts.signals import FreedStock
from tests.factories.parts import WarehouseFactory
from tests.parts.shelf import NOBODY, NOW, TOLD, Ear, ReceiverFailed, Shelf, balance, d, only

pytestmark = pytest.mark.django_db


def move(shelf: Shelf, quantity: int | str, to: object, **more: Any) -> Any:
    values: dict[str, Any] = {
        "part_id": shelf.part.pk,
        "from_warehouse_id": shelf.warehouse.pk,
        "to_warehouse_id": to,
        "quantity": d(quantity),
        **TOLD,
        **more,
    }
    return transfer(**values)


def test_a_transfer_is_two_movements_and_is_told_to_whoever_waits_there(shelf: Shelf, ear: Ear) -> None:
    van = WarehouseFactory.create()
    shelf.put(10)
    ear.freed.clear()

    made = move(shelf, 4, van.pk, reason="restock of the van")

    assert (shelf.balance(), shelf.balance(at=van)) == (balance(6), balance(4))
    row = StockTransfer.objects.get()
    assert (row.pk, row.quantity, row.reason, row.actor, row.created_at) == (
        made.transfer_id,
        d(4),
        "restock of the van",
        "system:test",
        NOW,
    )
    changes = StockMovement.objects.filter(transfer=row).values_list("level__warehouse", "on_hand_change")
    assert dict(changes) == {shelf.warehouse.pk: d(-4), van.pk: d(4)}
    assert ear.freed == [FreedStock(shelf.part.pk, made.destination_level_id, d(4), "transfer")]


def test_a_second_transfer_comes_onto_the_same_level(shelf: Shelf) -> None:
    van = WarehouseFactory.create()
    shelf.put(10)

    assert move(shelf, 4, van.pk).destination_level_id == move(shelf, 1, van.pk).destination_level_id

    assert shelf.balance(at=van) == balance(5)


def test_only_what_is_available_is_transferred(shelf: Shelf) -> None:
    van = WarehouseFactory.create()
    shelf.put(10, unfit=3)
    shelf.hold(4)

    with pytest.raises(NotEnoughStock) as refusal:
        move(shelf, 4, van.pk)

    assert refusal.value.extra == {"on_hand": "10.000", "reserved": "4.000", "unfit": "3.000"}
    assert not StockLevel.objects.filter(warehouse=van).exists()
    move(shelf, 3, van.pk)


def test_nothing_is_transferred_from_where_nothing_is(shelf: Shelf) -> None:
    with pytest.raises(NotEnoughStock):
        move(shelf, 1, WarehouseFactory.create().pk)
    assert not StockLevel.objects.exists()


def test_condition_and_owner_travel_along(shelf: Shelf) -> None:
    van = WarehouseFactory.create()
    shelf.put(10)

    with pytest.raises(NotEnoughStock):
        move(shelf, 1, van.pk, condition="refurbished")
    with pytest.raises(NotEnoughStock):
        move(shelf, 1, van.pk, owner="SUP-9")


def test_a_transfer_is_undone_when_whoever_waits_cannot_take_it(shelf: Shelf, ear: Ear) -> None:
    shelf.put(10)
    ear.fails = True

    with pytest.raises(ReceiverFailed):
        move(shelf, 4, WarehouseFactory.create().pk)

    assert shelf.balance() == balance(10)
    assert not StockTransfer.objects.exists()


def test_transferring_needs_its_permission(shelf: Shelf) -> None:
    shelf.put(10)
    van = WarehouseFactory.create()

    with pytest.raises(Forbidden) as refusal:
        move(shelf, 1, van.pk, by=NOBODY)
    assert refusal.value.extra["permission"] == "parts.transfer_stock"

    move(shelf, 1, van.pk, by=only("parts.transfer_stock"))


@pytest.mark.parametrize("quantity", ["0", "-1", "0.5", "NaN", "Infinity"])
def test_a_transfer_needs_a_possible_quantity(shelf: Shelf, quantity: str) -> None:
    shelf.put(10)

    with pytest.raises(Invalid) as refusal:
        move(shelf, quantity, WarehouseFactory.create().pk)

    assert list(refusal.value.extra["fields"]) == ["quantity"]


def test_a_transfer_goes_somewhere_else(shelf: Shelf) -> None:
    shelf.put(10)

    with pytest.raises(Invalid) as refusal:
        move(shelf, 1, shelf.warehouse.pk)
    assert list(refusal.value.extra["fields"]) == ["to_warehouse_id"]
    with pytest.raises(NotFound):
        move(shelf, 1, new_key())
