"""Ordering from suppliers, their dates, and taking back what is no longer wanted."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User

from parts.actions.supply import (
    Confirmation,
    DeliveryItem,
    NewPurchaseOrder,
    PlacedPurchaseOrder,
    PurchaseLine,
    cancel_purchase_order_line,
    confirm_purchase_order_lines,
    place_purchase_order,
    place_purchase_orders,
    receive_delivery,
)
from parts.actors import Actor
from parts.errors import Forbidden, Invalid, NotFound, NotOnOrder, NumberUsed
from parts.keys import new_key
from parts.models import Part, PurchaseOrder, PurchaseOrderLine, Supplier
from tests.factories.parts import PartFactory, SupplierFactory
from tests.parts.shelf import NOBODY, NOW, TOLD, Ear, ReceiverFailed, Shelf, d, only, statements

pytestmark = pytest.mark.django_db

APRIL, MAY = date(2026, 4, 1), date(2026, 5, 1)


@pytest.fixture
def supplier(db: None) -> Supplier:
    return SupplierFactory.create()


def order(shelf: Shelf, supplier: Supplier, *lines: PurchaseLine, **more: Any) -> PlacedPurchaseOrder:
    values: dict[str, Any] = {
        "supplier_id": supplier.pk,
        "warehouse_id": shelf.warehouse.pk,
        "lines": list(lines) or [PurchaseLine(shelf.part.pk, d(10), d("99.50"), APRIL)],
        "ordered_at": NOW,
        **TOLD,
        **more,
    }
    return place_purchase_order(**values)


def line_of(placed: PlacedPurchaseOrder, place: int = 0) -> PurchaseOrderLine:
    return PurchaseOrderLine.objects.select_related("purchase_order").get(pk=placed.line_ids[place])


# --- Placing ---------------------------------------------------------------------------------------------------------


def test_a_placed_order_has_its_lines_in_order_its_history_and_is_told_above(
    shelf: Shelf, supplier: Supplier, ear: Ear
) -> None:
    other = PartFactory.create()
    person = User.objects.create(username="buyer")
    buyer = Actor(f"user:{person.pk}", frozenset({"parts.manage_purchase_orders"}), user_id=person.pk)

    placed = order(
        shelf,
        supplier,
        PurchaseLine(other.pk, d(3)),
        PurchaseLine(shelf.part.pk, d(10), d("99.50"), APRIL),
        by=buyer,
    )

    row = PurchaseOrder.objects.get(pk=placed.id)
    assert (row.number, row.status, row.supplier, row.ordered_at) == (placed.number, "ordered", supplier, NOW)
    first, second = line_of(placed, 0), line_of(placed, 1)
    assert (first.position, first.part, first.quantity, first.expected_on) == (1, other, d(3), None)
    assert (second.position, second.unit_cost, second.expected_on, second.first_confirmed_on) == (
        2,
        d("99.50"),
        APRIL,
        None,
    )
    assert second.is_open
    assert sorted(ear.changed) == sorted([other.pk, shelf.part.pk])
    for history in (row.history.get(), second.history.get()):
        assert (history.history_type, history.history_user, history.history_change_reason) == ("+", person, "test")
        assert history.history_date == NOW


def test_orders_without_a_number_get_the_next_of_ours(shelf: Shelf, supplier: Supplier) -> None:
    first, second = order(shelf, supplier).number, order(shelf, supplier).number

    assert first.startswith("PUR-")
    assert len(first) == len("PUR-000001")
    assert int(second[4:]) == int(first[4:]) + 1


def test_an_order_with_a_number_is_never_placed_twice(shelf: Shelf, supplier: Supplier) -> None:
    order(shelf, supplier, number="ERP-7")

    with pytest.raises(NumberUsed) as refusal:
        order(shelf, supplier, number="ERP-7")

    assert refusal.value.extra["numbers"] == ["ERP-7"]
    assert PurchaseOrder.objects.count() == 1


def test_placing_is_undone_when_a_receiver_fails(shelf: Shelf, supplier: Supplier, ear: Ear) -> None:
    ear.fails = True

    with pytest.raises(ReceiverFailed):
        order(shelf, supplier)

    assert not PurchaseOrder.objects.exists()
    assert not PurchaseOrder.history.exists()


def test_placing_takes_as_many_statements_for_twenty_orders_as_for_two(shelf: Shelf, supplier: Supplier) -> None:
    parts: list[Part] = PartFactory.create_batch(22)
    orders = [
        NewPurchaseOrder(supplier.pk, shelf.warehouse.pk, [PurchaseLine(part.pk, d(1))] * 3, NOW, number)
        for place, part in enumerate(parts)
        for number in [None if place % 2 else f"ERP-{place}"]
    ]

    with statements() as for_two:
        place_purchase_orders(orders=orders[:2], **TOLD)
    with statements() as for_twenty:
        place_purchase_orders(orders=orders[2:], **TOLD)

    assert len(for_two) == len(for_twenty) <= 13


def test_managing_purchase_orders_needs_its_permission(shelf: Shelf, supplier: Supplier) -> None:
    placed = order(shelf, supplier, by=only("parts.manage_purchase_orders"))
    told = {**TOLD, "by": NOBODY}

    for refused in (
        lambda: order(shelf, supplier, by=NOBODY),
        lambda: confirm_purchase_order_lines(confirmations=[Confirmation(placed.line_ids[0], MAY)], **told),
        lambda: cancel_purchase_order_line(line_id=placed.line_ids[0], **told),
    ):
        with pytest.raises(Forbidden) as refusal:
            refused()
        assert refusal.value.extra["permission"] == "parts.manage_purchase_orders"


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ({"quantity": "0"}, "quantity"),
        ({"quantity": "1.5"}, "quantity"),
        ({"quantity": "NaN"}, "quantity"),
        ({"unit_cost": "-1"}, "unit_cost"),
        ({"unit_cost": "1.001"}, "unit_cost"),
        ({"unit_cost": "10000000000"}, "unit_cost"),
    ],
)
def test_a_malformed_line_is_refused_by_field(
    shelf: Shelf, supplier: Supplier, line: dict[str, str], field: str
) -> None:
    good = PurchaseLine(shelf.part.pk, d(1))
    wrong = PurchaseLine(shelf.part.pk, d(line.get("quantity", 1)), d(line.get("unit_cost", 0)))

    with pytest.raises(Invalid) as refusal:
        order(shelf, supplier, good, wrong)

    assert list(refusal.value.extra["fields"]) == [f"orders.0.lines.1.{field}"]


@pytest.mark.parametrize("number", ["PUR-000001", "", "x" * 41, "a\x00b"])
def test_an_impossible_number_is_refused(shelf: Shelf, supplier: Supplier, number: str) -> None:
    with pytest.raises(Invalid) as refusal:
        order(shelf, supplier, number=number)

    assert list(refusal.value.extra["fields"]) == ["orders.0.number"]


def test_an_order_has_lines_and_a_time_with_a_zone(shelf: Shelf, supplier: Supplier) -> None:
    wrong = NewPurchaseOrder(supplier.pk, shelf.warehouse.pk, [], NOW.replace(tzinfo=None))

    with pytest.raises(Invalid) as refusal:
        place_purchase_orders(orders=[wrong], **TOLD)

    assert list(refusal.value.extra["fields"]) == ["orders.0.ordered_at", "orders.0.lines"]


def test_nothing_is_ordered_from_or_to_somebody_unknown(shelf: Shelf, supplier: Supplier) -> None:
    retired = SupplierFactory.create(is_active=False)
    for wrong in (
        {"supplier_id": new_key()},
        {"supplier_id": retired.pk},
        {"warehouse_id": new_key()},
        {"lines": [PurchaseLine(new_key(), d(1))]},
    ):
        with pytest.raises(NotFound):
            order(shelf, supplier, **wrong)


# --- Confirming ------------------------------------------------------------------------------------------------------


def confirm(line_id: UUID, on: date, **more: Any) -> Any:
    return confirm_purchase_order_lines(confirmations=[Confirmation(line_id, on)], **{**TOLD, **more})[0]


def test_the_first_confirmed_date_is_kept_and_the_present_one_moves(shelf: Shelf, supplier: Supplier, ear: Ear) -> None:
    placed = order(shelf, supplier)
    ear.changed.clear()

    confirm(placed.line_ids[0], APRIL)
    confirmed = confirm(placed.line_ids[0], MAY)

    line = line_of(placed)
    assert (line.first_confirmed_on, line.expected_on) == (APRIL, MAY)
    assert (confirmed.expected_before, confirmed.expected_on, confirmed.first_confirmed_on) == (APRIL, MAY, APRIL)
    assert ear.changed == [shelf.part.pk, shelf.part.pk]
    assert [row.expected_on for row in line.history.order_by("history_id")] == [APRIL, APRIL, MAY]


def test_confirming_the_same_date_again_changes_nothing(shelf: Shelf, supplier: Supplier, ear: Ear) -> None:
    placed = order(shelf, supplier)
    confirm(placed.line_ids[0], MAY)
    ear.changed.clear()

    assert confirm(placed.line_ids[0], MAY).expected_on == MAY

    assert ear.changed == []
    assert line_of(placed).history.count() == 2


def test_confirming_is_undone_when_a_receiver_fails(shelf: Shelf, supplier: Supplier, ear: Ear) -> None:
    placed = order(shelf, supplier)
    ear.fails = True

    with pytest.raises(ReceiverFailed):
        confirm(placed.line_ids[0], MAY)

    assert line_of(placed).expected_on == APRIL


def test_no_date_is_confirmed_for_what_is_not_to_come(shelf: Shelf, supplier: Supplier) -> None:
    placed = order(shelf, supplier)
    cancel_purchase_order_line(line_id=placed.line_ids[0], **TOLD)

    with pytest.raises(NotOnOrder):
        confirm(placed.line_ids[0], MAY)
    with pytest.raises(NotFound):
        confirm(new_key(), MAY)
    with pytest.raises(Invalid):
        confirm_purchase_order_lines(confirmations=[Confirmation(placed.line_ids[0], MAY)] * 2, **TOLD)


def test_confirming_takes_as_many_statements_for_twenty_lines_as_for_two(shelf: Shelf, supplier: Supplier) -> None:
    placed = order(shelf, supplier, *[PurchaseLine(shelf.part.pk, d(1))] * 22)
    confirmations = [Confirmation(line_id, MAY) for line_id in placed.line_ids]

    with statements() as for_two:
        confirm_purchase_order_lines(confirmations=confirmations[:2], **TOLD)
    with statements() as for_twenty:
        confirm_purchase_order_lines(confirmations=confirmations[2:], **TOLD)

    assert len(for_two) == len(for_twenty) <= 6


# --- Cancelling ------------------------------------------------------------------------------------------------------


def test_some_of_a_line_can_be_cancelled(shelf: Shelf, supplier: Supplier, ear: Ear) -> None:
    placed = order(shelf, supplier)
    ear.changed.clear()

    cancelled = cancel_purchase_order_line(line_id=placed.line_ids[0], quantity=d(4), **TOLD)

    assert (cancelled.cancelled, cancelled.open_quantity, cancelled.order_status) == (d(4), d(6), "ordered")
    assert (line_of(placed).cancelled, line_of(placed).is_open) == (d(4), True)
    assert ear.changed == [shelf.part.pk]


def test_an_order_of_which_nothing_came_is_cancelled_with_its_last_line(shelf: Shelf, supplier: Supplier) -> None:
    placed = order(shelf, supplier, PurchaseLine(shelf.part.pk, d(1)), PurchaseLine(shelf.part.pk, d(2)))

    first = cancel_purchase_order_line(line_id=placed.line_ids[0], **TOLD)
    second = cancel_purchase_order_line(line_id=placed.line_ids[1], **TOLD)

    assert (first.order_status, second.order_status) == ("ordered", "cancelled")
    assert line_of(placed).purchase_order.status == "cancelled"


def test_an_order_of_which_some_came_is_closed_when_the_rest_is_cancelled(shelf: Shelf, supplier: Supplier) -> None:
    placed = order(shelf, supplier)
    receive_delivery(
        supplier_id=supplier.pk,
        warehouse_id=shelf.warehouse.pk,
        note_number="DN-1",
        lines=[DeliveryItem(shelf.part.pk, d(7))],
        received_at=NOW,
        **TOLD,
    )

    cancelled = cancel_purchase_order_line(line_id=placed.line_ids[0], **TOLD)

    assert (cancelled.cancelled, cancelled.order_status) == (d(3), "closed")


def test_no_more_is_cancelled_than_is_to_come(shelf: Shelf, supplier: Supplier) -> None:
    placed = order(shelf, supplier)

    with pytest.raises(NotOnOrder) as refusal:
        cancel_purchase_order_line(line_id=placed.line_ids[0], quantity=d(11), **TOLD)
    assert refusal.value.extra["open_quantity"] == "10.000"

    cancel_purchase_order_line(line_id=placed.line_ids[0], **TOLD)
    with pytest.raises(NotOnOrder):
        cancel_purchase_order_line(line_id=placed.line_ids[0], **TOLD)


@pytest.mark.parametrize("quantity", ["0", "-1", "0.5", "NaN"])
def test_a_cancellation_needs_a_possible_quantity(shelf: Shelf, supplier: Supplier, quantity: str) -> None:
    placed = order(shelf, supplier)

    with pytest.raises(Invalid):
        cancel_purchase_order_line(line_id=placed.line_ids[0], quantity=d(quantity), **TOLD)
    with pytest.raises(NotFound):
        cancel_purchase_order_line(line_id=new_key(), **TOLD)


def test_cancelling_is_undone_when_a_receiver_fails(shelf: Shelf, supplier: Supplier, ear: Ear) -> None:
    placed = order(shelf, supplier)
    ear.fails = True

    with pytest.raises(ReceiverFailed):
        cancel_purchase_order_line(line_id=placed.line_ids[0], **TOLD)

    assert (line_of(placed).cancelled, line_of(placed).purchase_order.status) == (d(0), "ordered")
