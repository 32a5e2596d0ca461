"""Two at once. Each race has a twin with the lock taken out, which must show what the lock is for."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection

from parts import sql
from parts.actions.reserving import lock_levels
from parts.actions.stock import (
    Corrected,
    Issue,
    correct_stock,
    count_stock,
    issue,
    pick,
    return_to_stock,
    transfer,
    unreserve,
)
from parts.actions.supply import BookedDelivery, DeliveryItem, PurchaseLine, place_purchase_order, receive_delivery
from parts.errors import DeliveryNoteUsed, MoreThanIssued, NotEnoughStock, NothingReserved
from parts.integrity import LAWS
from parts.models import Delivery, PurchaseOrder, StockLevel, StockMovement
from tests.factories.parts import SupplierFactory, WarehouseFactory
from tests.parts.shelf import NOW, TOLD, Shelf, balance, d
from tests.racing import race, without_lock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


@pytest.fixture
def broken_shelf(_demands_are_only_keys: None) -> Shelf:
    """A shelf for twins: what happens on it without a lock need not be lawful."""
    return Shelf()


def broken_laws() -> set[str]:
    return {law.name for law in LAWS if law.check().total}


def counted(shelf: Shelf, quantity: int) -> Corrected:
    return count_stock(part_id=shelf.part.pk, warehouse_id=shelf.warehouse.pk, counted=d(quantity), **TOLD)


def corrected(shelf: Shelf, change: int) -> Corrected:
    return correct_stock(
        part_id=shelf.part.pk, warehouse_id=shelf.warehouse.pk, on_hand_change=d(change), reason="scrap", **TOLD
    )


def booked(shelf: Shelf, supplier_id: UUID, quantity: int = 5, note_number: str = "DN-1") -> BookedDelivery:
    return receive_delivery(
        supplier_id=supplier_id,
        warehouse_id=shelf.warehouse.pk,
        note_number=note_number,
        lines=[DeliveryItem(shelf.part.pk, d(quantity))],
        received_at=NOW,
        **TOLD,
    )


# --- A reservation is given back twice -------------------------------------------------------------------------------


def test_of_two_who_give_back_the_same_reservation_one_does(shelf: Shelf) -> None:
    shelf.put(10)
    demand_id = shelf.hold(4)

    first, second = race(
        lambda: unreserve(demand_ids=[demand_id], **TOLD), lambda: unreserve(demand_ids=[demand_id], **TOLD)
    )

    assert (first.error, second.error) == (None, None)
    assert isinstance(first.result, list)
    assert len(first.result) == 1
    assert second.result == []
    assert shelf.balance() == balance(10)


def test_without_its_locks_a_reservation_is_given_back_twice(
    broken_shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = broken_shelf
    shelf.put(10)
    shelf.hold(4)
    demand_id = shelf.hold(4)
    without_lock(monkeypatch, sql.stock, "LOCK_LEVELS_OF_DEMANDS")
    without_lock(monkeypatch, sql.stock, "LOCK_RESERVATIONS")

    race(lambda: unreserve(demand_ids=[demand_id], **TOLD), lambda: unreserve(demand_ids=[demand_id], **TOLD))

    assert shelf.balance() == balance(10)  # although 4 are still reserved for the other demand
    assert broken_laws() == {"reserved_is_the_sum_of_live_reservations", "reservation_ends_by_one_movement"}


def test_goods_are_issued_or_given_back_but_not_both(shelf: Shelf) -> None:
    shelf.put(10)
    demand_id = shelf.hold(4)

    first, second = race(
        lambda: unreserve(demand_ids=[demand_id], **TOLD), lambda: issue(issues=[Issue(demand_id)], **TOLD)
    )

    assert first.error is None
    assert isinstance(second.error, NothingReserved)
    assert shelf.balance() == balance(10)


def test_without_its_locks_what_was_given_back_is_issued(broken_shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = broken_shelf
    shelf.put(10)
    shelf.hold(4)
    demand_id = shelf.hold(4)
    without_lock(monkeypatch, sql.stock, "LOCK_RESERVATIONS")

    race(lambda: unreserve(demand_ids=[demand_id], **TOLD), lambda: issue(issues=[Issue(demand_id)], **TOLD))

    assert shelf.balance() == balance(6)
    assert "reservation_ends_by_one_movement" in broken_laws()


def test_what_was_given_back_is_not_picked(shelf: Shelf) -> None:
    shelf.put(10)
    demand_id = shelf.hold(4)

    _, second = race(lambda: unreserve(demand_ids=[demand_id], **TOLD), lambda: pick(demand_ids=[demand_id], **TOLD))

    assert isinstance(second.error, NothingReserved)


# --- A correction against a goods issue ------------------------------------------------------------------------------


def test_a_count_waits_for_a_goods_issue_and_counts_what_is_left(shelf: Shelf) -> None:
    shelf.put(10)
    demand_id = shelf.hold(4)

    first, second = race(lambda: issue(issues=[Issue(demand_id)], **TOLD), lambda: counted(shelf, 8))

    assert (first.error, second.error) == (None, None)
    assert isinstance(second.result, Corrected)
    assert second.result.on_hand_change == d(2)
    assert shelf.balance() == balance(8)


def test_without_its_lock_a_count_is_worked_out_from_what_has_left(
    broken_shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = broken_shelf
    shelf.put(10)
    demand_id = shelf.hold(4)
    without_lock(monkeypatch, sql.stock, "LOCK_LEVELS_OF_PARTS")

    race(lambda: issue(issues=[Issue(demand_id)], **TOLD), lambda: counted(shelf, 8))

    assert shelf.balance() == balance(4)  # 8 were counted


def test_of_two_corrections_the_second_is_refused_what_the_first_took(shelf: Shelf) -> None:
    shelf.put(10)

    first, second = race(lambda: corrected(shelf, -6), lambda: corrected(shelf, -6))

    assert first.error is None
    assert isinstance(second.error, NotEnoughStock)
    assert second.error.extra["on_hand"] == "4.000"
    assert shelf.balance() == balance(4)


def test_without_its_lock_only_the_constraint_stops_the_second_correction(
    broken_shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = broken_shelf
    shelf.put(10)
    without_lock(monkeypatch, sql.stock, "LOCK_LEVELS_OF_PARTS")

    _, second = race(lambda: corrected(shelf, -6), lambda: corrected(shelf, -6))

    assert isinstance(second.error, IntegrityError)
    assert "stock_level_nothing_promised_twice" in str(second.error)


# --- A level comes into being ----------------------------------------------------------------------------------------


def test_two_who_bring_the_first_stock_make_one_level(shelf: Shelf) -> None:
    first, second = race(lambda: corrected(shelf, 4), lambda: corrected(shelf, 3))

    assert (first.error, second.error) == (None, None)
    assert shelf.balance() == balance(7)


def test_without_its_lock_the_second_level_collides(broken_shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    without_lock(monkeypatch, sql.stock, "LOCK_PARTS")
    without_lock(monkeypatch, sql.stock, "LOCK_LEVELS_OF_PARTS")

    _, second = race(lambda: corrected(broken_shelf, 4), lambda: corrected(broken_shelf, 3))

    assert isinstance(second.error, IntegrityError)
    assert "stock_level_unique" in str(second.error)


def available_to_an_order(part_id: UUID) -> Decimal:
    """Do what placing an order does first: hold the part, then lock and read its levels."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM parts_part WHERE id = %s ORDER BY id FOR KEY SHARE", [part_id])
    return sum((level.available for level in lock_levels(part_ids=[part_id])), Decimal(0))


def test_an_order_does_not_overlook_a_level_that_is_being_added(shelf: Shelf) -> None:
    _, second = race(lambda: corrected(shelf, 4), lambda: available_to_an_order(shelf.part.pk))

    assert second.result == d(4)


def test_without_its_lock_an_order_overlooks_the_level(broken_shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    without_lock(monkeypatch, sql.stock, "LOCK_PARTS")
    without_lock(monkeypatch, sql.stock, "LOCK_LEVELS_OF_PARTS")

    _, second = race(lambda: corrected(broken_shelf, 4), lambda: available_to_an_order(broken_shelf.part.pk))

    assert second.result == 0


# --- Goods come back, goods are moved --------------------------------------------------------------------------------


def returned(demand_id: UUID, quantity: int) -> Any:
    return return_to_stock(demand_id=demand_id, quantity=d(quantity), **TOLD)


def test_two_returns_bring_no_more_back_than_went_out(shelf: Shelf) -> None:
    shelf.put(10)
    demand_id = shelf.hold(4)
    issue(issues=[Issue(demand_id)], **TOLD)

    first, second = race(lambda: returned(demand_id, 3), lambda: returned(demand_id, 3))

    assert first.error is None
    assert isinstance(second.error, MoreThanIssued)
    assert second.error.extra["returnable"] == "1.000"
    assert shelf.balance() == balance(9)


def test_without_their_locks_two_returns_bring_too_much_back(
    broken_shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = broken_shelf
    shelf.put(10)
    demand_id = shelf.hold(4)
    issue(issues=[Issue(demand_id)], **TOLD)
    without_lock(monkeypatch, sql.stock, "LOCK_LEVELS_OF_DEMANDS")
    without_lock(monkeypatch, sql.stock, "LOCK_RESERVATIONS")

    race(lambda: returned(demand_id, 3), lambda: returned(demand_id, 3))

    assert broken_laws() == {"no_more_comes_back_than_was_issued"}


def test_two_transfers_there_and_back_do_not_wait_for_each_other_for_ever(shelf: Shelf) -> None:
    van = WarehouseFactory.create()
    shelf.put(10)
    shelf.put(10, at=van)

    def moved(origin: UUID, destination: UUID) -> object:
        return transfer(
            part_id=shelf.part.pk, from_warehouse_id=origin, to_warehouse_id=destination, quantity=d(4), **TOLD
        )

    first, second = race(lambda: moved(shelf.warehouse.pk, van.pk), lambda: moved(van.pk, shelf.warehouse.pk))

    assert (first.error, second.error) == (None, None)
    assert (shelf.balance(), shelf.balance(at=van)) == (balance(10), balance(10))


# --- Deliveries ------------------------------------------------------------------------------------------------------


def test_of_two_bookings_of_the_same_note_one_wins_and_the_other_gets_its_answer(shelf: Shelf) -> None:
    supplier = SupplierFactory.create()

    first, second = race(lambda: booked(shelf, supplier.pk), lambda: booked(shelf, supplier.pk))

    assert isinstance(first.result, BookedDelivery)
    assert isinstance(second.result, BookedDelivery)
    assert (first.result.replayed, second.result.replayed) == (False, True)
    assert second.result.lines == first.result.lines
    assert Delivery.objects.count() == StockMovement.objects.count() == 1
    assert shelf.balance() == balance(5)


def test_of_two_notes_under_one_number_the_second_is_refused(shelf: Shelf) -> None:
    supplier = SupplierFactory.create()

    first, second = race(lambda: booked(shelf, supplier.pk, 5), lambda: booked(shelf, supplier.pk, 6))

    assert first.error is None
    assert isinstance(second.error, DeliveryNoteUsed)
    assert shelf.balance() == balance(5)


def two_lines_on_order(shelf: Shelf, supplier_id: UUID) -> None:
    place_purchase_order(
        supplier_id=supplier_id,
        warehouse_id=shelf.warehouse.pk,
        lines=[PurchaseLine(shelf.part.pk, d(5)), PurchaseLine(shelf.part.pk, d(5))],
        ordered_at=NOW,
        **TOLD,
    )


def test_two_deliveries_fill_a_line_each_and_the_second_closes_the_order(shelf: Shelf) -> None:
    supplier = SupplierFactory.create()
    shelf.put(1)
    two_lines_on_order(shelf, supplier.pk)

    first, second = race(lambda: booked(shelf, supplier.pk, 5, "DN-1"), lambda: booked(shelf, supplier.pk, 5, "DN-2"))

    assert isinstance(first.result, BookedDelivery)
    assert isinstance(second.result, BookedDelivery)
    assert [line.over for line in (*first.result.lines, *second.result.lines)] == [0, 0]
    assert PurchaseOrder.objects.get().status == "closed"
    assert StockLevel.objects.get().on_hand == d(11)


def test_without_their_locks_two_deliveries_fill_the_same_line(
    broken_shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf, supplier = broken_shelf, SupplierFactory.create()
    shelf.put(1)
    two_lines_on_order(shelf, supplier.pk)
    without_lock(monkeypatch, sql.stock, "LOCK_LEVELS_OF_PARTS")
    without_lock(monkeypatch, sql.supply, "LOCK_LINES_TO_BOOK")

    race(lambda: booked(shelf, supplier.pk, 5, "DN-1"), lambda: booked(shelf, supplier.pk, 5, "DN-2"))

    assert list(PurchaseOrder.objects.get().lines.order_by("position").values_list("received", flat=True)) == [10, 0]
