"""Booking what a supplier delivered."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from parts.actions.supply import (
    BookedDelivery,
    DeliveryItem,
    PlacedPurchaseOrder,
    PurchaseLine,
    cancel_purchase_order_line,
    place_purchase_order,
    receive_delivery,
)
from parts.errors import DeliveryNoteUsed, Forbidden, Invalid, NotFound, NotOnOrder
from parts.keys import new_key
from parts.models import Delivery, DeliveryLine, PurchaseOrder, PurchaseOrderLine, StockLevel, StockMovement, Supplier
from parts.signals import FreedStock
from tests.factories.parts import PartFactory, SupplierFactory, WarehouseFactory
from tests.parts.shelf import NOBODY, NOW, TOLD, Ear, ReceiverFailed, Shelf, balance, d, only, statements

pytestmark = pytest.mark.django_db


@pytest.fixture
def supplier(db: None) -> Supplier:
    return SupplierFactory.create()


def order(shelf: Shelf, supplier: Supplier, *quantities: int, days_ago: int = 0, **more: Any) -> PlacedPurchaseOrder:
    """Order so much of the shelf's part, a line each."""
    values: dict[str, Any] = {
        "supplier_id": supplier.pk,
        "warehouse_id": shelf.warehouse.pk,
        "lines": [PurchaseLine(shelf.part.pk, d(quantity)) for quantity in quantities],
        "ordered_at": NOW - timedelta(days=days_ago),
        **TOLD,
        **more,
    }
    return place_purchase_order(**values)


def book(shelf: Shelf, supplier: Supplier, *lines: DeliveryItem | int, **more: Any) -> BookedDelivery:
    """Book a delivery of items, or of so many of the shelf's part."""
    items = [line if isinstance(line, DeliveryItem) else DeliveryItem(shelf.part.pk, d(line)) for line in lines]
    values: dict[str, Any] = {
        "supplier_id": supplier.pk,
        "warehouse_id": shelf.warehouse.pk,
        "note_number": "DN-1",
        "lines": items,
        "received_at": NOW,
        **TOLD,
        **more,
    }
    return receive_delivery(**values)


def received(placed: PlacedPurchaseOrder) -> list[Any]:
    return [PurchaseOrderLine.objects.get(pk=line_id).received for line_id in placed.line_ids]


def status(placed: PlacedPurchaseOrder) -> str:
    return str(PurchaseOrder.objects.get(pk=placed.id).status)


# --- What a delivery does --------------------------------------------------------------------------------------------


def test_a_delivery_brings_stock_fills_its_order_and_is_told_above(shelf: Shelf, supplier: Supplier, ear: Ear) -> None:
    placed = order(shelf, supplier, 10)
    ear.changed.clear()

    booked = book(shelf, supplier, DeliveryItem(shelf.part.pk, d(10), unfit_quantity=d(2)))

    assert shelf.balance() == balance(10, unfit=2)
    assert (received(placed), status(placed)) == ([d(10)], "closed")
    [line] = booked.lines
    assert (line.quantity, line.unfit_quantity, line.purchase_order_line_id) == (d(10), d(2), placed.line_ids[0])
    assert (line.open_before, line.over, line.still_open) == (d(10), d(0), d(0))
    row = Delivery.objects.get()
    assert (row.pk, row.note_number, row.received_at, row.actor) == (booked.delivery_id, "DN-1", NOW, "system:test")
    movement = StockMovement.objects.get()
    assert (movement.kind, movement.delivery_line_id, movement.level_id) == (
        "receipt",
        line.delivery_line_id,
        line.level_id,
    )
    assert ear.freed == [FreedStock(shelf.part.pk, line.level_id, d(8), "delivery", line.delivery_line_id)]
    assert ear.changed == [shelf.part.pk]
    assert not booked.replayed


def test_a_delivery_fills_the_oldest_order_first_and_the_rest_belongs_to_none(shelf: Shelf, supplier: Supplier) -> None:
    newer, older = order(shelf, supplier, 4, days_ago=1), order(shelf, supplier, 3, 2, days_ago=2)

    booked = book(shelf, supplier, 11)

    assert (received(older), received(newer)) == ([d(3), d(2)], [d(4)])
    assert (status(older), status(newer)) == ("closed", "closed")
    assert [(line.quantity, line.purchase_order_line_id, line.over) for line in booked.lines] == [
        (d(3), older.line_ids[0], d(0)),
        (d(2), older.line_ids[1], d(0)),
        (d(4), newer.line_ids[0], d(0)),
        (d(2), None, d(2)),
    ]
    assert shelf.balance() == balance(11)


def test_a_short_delivery_leaves_the_rest_open(shelf: Shelf, supplier: Supplier) -> None:
    placed = order(shelf, supplier, 10)

    booked = book(shelf, supplier, 4)

    assert (booked.lines[0].still_open, received(placed), status(placed)) == (d(6), [d(4)], "ordered")
    book(shelf, supplier, 6, note_number="DN-2")
    assert status(placed) == "closed"


def test_a_named_line_takes_more_than_was_ordered(shelf: Shelf, supplier: Supplier) -> None:
    older, named = order(shelf, supplier, 5, days_ago=9), order(shelf, supplier, 5)

    booked = book(shelf, supplier, DeliveryItem(shelf.part.pk, d(7), purchase_order_line_id=named.line_ids[0]))

    assert (booked.lines[0].open_before, booked.lines[0].over) == (d(5), d(2))
    assert (received(older), received(named)) == ([d(0)], [d(7)])
    assert (status(older), status(named)) == ("ordered", "closed")


def test_a_named_line_keeps_its_quantity_from_other_items_of_the_note(shelf: Shelf, supplier: Supplier) -> None:
    placed = order(shelf, supplier, 5)
    named = DeliveryItem(shelf.part.pk, d(5), purchase_order_line_id=placed.line_ids[0])

    booked = book(shelf, supplier, 3, named)

    assert [(line.quantity, line.purchase_order_line_id) for line in booked.lines] == [
        (d(3), None),
        (d(5), placed.line_ids[0]),
    ]


def test_a_closed_order_still_takes_what_is_named_for_it(shelf: Shelf, supplier: Supplier) -> None:
    placed = order(shelf, supplier, 5)
    book(shelf, supplier, 5)

    booked = book(
        shelf,
        supplier,
        DeliveryItem(shelf.part.pk, d(1), purchase_order_line_id=placed.line_ids[0]),
        note_number="DN-2",
    )

    assert (booked.lines[0].over, received(placed)) == (d(1), [d(6)])


def test_an_order_stays_open_while_another_of_its_lines_waits(shelf: Shelf, supplier: Supplier) -> None:
    placed = order(shelf, supplier, 5, 5)

    book(shelf, supplier, 5)

    assert (received(placed), status(placed)) == ([d(5), d(0)], "ordered")


def test_orders_of_others_and_for_elsewhere_are_left_alone(shelf: Shelf, supplier: Supplier) -> None:
    elsewhere = order(shelf, supplier, 5, warehouse_id=WarehouseFactory.create().pk)
    of_another = order(shelf, SupplierFactory.create(), 5)
    cancelled = order(shelf, supplier, 5)
    cancel_purchase_order_line(line_id=cancelled.line_ids[0], **TOLD)

    booked = book(shelf, supplier, 5)

    assert [line.purchase_order_line_id for line in booked.lines] == [None]
    assert received(elsewhere) == received(of_another) == received(cancelled) == [d(0)]


def test_the_oldest_order_gets_the_fit_units(shelf: Shelf, supplier: Supplier) -> None:
    older, newer = order(shelf, supplier, 4, days_ago=2), order(shelf, supplier, 4)

    booked = book(shelf, supplier, DeliveryItem(shelf.part.pk, d(8), unfit_quantity=d(3)))

    assert [(line.purchase_order_line_id, line.unfit_quantity) for line in booked.lines] == [
        (older.line_ids[0], d(0)),
        (newer.line_ids[0], d(3)),
    ]
    assert shelf.balance() == balance(8, unfit=3)


def test_condition_and_owner_decide_on_which_level_it_lies(shelf: Shelf, supplier: Supplier) -> None:
    book(
        shelf,
        supplier,
        DeliveryItem(shelf.part.pk, d(1)),
        DeliveryItem(shelf.part.pk, d(2), condition="refurbished"),
        DeliveryItem(shelf.part.pk, d(3), owner=supplier.code),
    )

    levels = StockLevel.objects.order_by("on_hand").values_list("condition", "owner", "on_hand")
    assert list(levels) == [("new", "own", d(1)), ("refurbished", "own", d(2)), ("new", supplier.code, d(3))]


def test_damaged_goods_alone_are_nothing_for_whoever_waits(shelf: Shelf, supplier: Supplier, ear: Ear) -> None:
    book(shelf, supplier, DeliveryItem(shelf.part.pk, d(3), unfit_quantity=d(3)))

    assert shelf.balance() == balance(3, unfit=3)
    assert (ear.freed, ear.changed) == ([], [])


# --- The same note again ---------------------------------------------------------------------------------------------


def test_the_same_note_again_gives_the_first_answer_and_changes_nothing(
    shelf: Shelf, supplier: Supplier, ear: Ear
) -> None:
    order(shelf, supplier, 4)
    other = PartFactory.create()
    items = [DeliveryItem(shelf.part.pk, d(6), unfit_quantity=d(1)), DeliveryItem(other.pk, d("2.0"))]
    first = book(shelf, supplier, *items)
    movements = StockMovement.objects.count()
    ear.freed.clear()
    ear.changed.clear()

    again = book(
        shelf,
        supplier,
        DeliveryItem(other.pk, d(2)),
        items[0],
        received_at=NOW + timedelta(hours=1),
        at=NOW + timedelta(hours=1),
    )

    assert again.replayed
    assert (again.delivery_id, again.lines) == (first.delivery_id, first.lines)
    assert StockMovement.objects.count() == movements
    assert (ear.freed, ear.changed) == ([], [])


@pytest.mark.parametrize("change", ["quantity", "unfit", "part", "line", "warehouse"])
def test_the_same_note_with_other_content_is_refused(shelf: Shelf, supplier: Supplier, change: str) -> None:
    placed = order(shelf, supplier, 5)
    first = book(shelf, supplier, 5)
    other = {
        "quantity": DeliveryItem(shelf.part.pk, d(6)),
        "unfit": DeliveryItem(shelf.part.pk, d(5), unfit_quantity=d(1)),
        "part": DeliveryItem(PartFactory.create().pk, d(5)),
        "line": DeliveryItem(shelf.part.pk, d(5), purchase_order_line_id=placed.line_ids[0]),
        "warehouse": DeliveryItem(shelf.part.pk, d(5)),
    }[change]
    elsewhere = {"warehouse_id": WarehouseFactory.create().pk} if change == "warehouse" else {}

    with pytest.raises(DeliveryNoteUsed) as refusal:
        book(shelf, supplier, other, **elsewhere)

    assert refusal.value.extra["delivery_id"] == str(first.delivery_id)
    assert shelf.balance() == balance(5)


def test_two_suppliers_may_use_the_same_note_number(shelf: Shelf, supplier: Supplier) -> None:
    book(shelf, supplier, 5)
    book(shelf, SupplierFactory.create(), 5)

    assert shelf.balance() == balance(10)


# --- What is refused -------------------------------------------------------------------------------------------------


def test_a_delivery_is_undone_when_whoever_waits_cannot_take_it(shelf: Shelf, supplier: Supplier, ear: Ear) -> None:
    placed = order(shelf, supplier, 5)
    ear.fails = True

    with pytest.raises(ReceiverFailed):
        book(shelf, supplier, 5)

    assert not Delivery.objects.exists()
    assert not StockLevel.objects.exists()
    assert (received(placed), status(placed)) == ([d(0)], "ordered")


def test_booking_needs_its_permission(shelf: Shelf, supplier: Supplier) -> None:
    with pytest.raises(Forbidden) as refusal:
        book(shelf, supplier, 5, by=NOBODY)
    assert refusal.value.extra["permission"] == "parts.receive_delivery"

    book(shelf, supplier, 5, by=only("parts.receive_delivery"))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"quantity": "0"}, "quantity"),
        ({"quantity": "-1"}, "quantity"),
        ({"quantity": "1.5"}, "quantity"),
        ({"quantity": "NaN"}, "quantity"),
        ({"quantity": "sNaN"}, "quantity"),
        ({"quantity": "Infinity"}, "quantity"),
        ({"unfit": "2"}, "unfit_quantity"),
        ({"unfit": "-1"}, "unfit_quantity"),
        ({"condition": "shiny"}, "condition"),
        ({"owner": " "}, "owner"),
        ({"owner": "x" * 41}, "owner"),
    ],
)
def test_a_malformed_item_is_refused_by_field(
    shelf: Shelf, supplier: Supplier, wrong: dict[str, str], field: str
) -> None:
    item = DeliveryItem(
        shelf.part.pk,
        d(wrong.get("quantity", "1")),
        d(wrong.get("unfit", "0")),
        condition=wrong.get("condition", "new"),
        owner=wrong.get("owner", "own"),
    )

    with pytest.raises(Invalid) as refusal:
        book(shelf, supplier, 1, item)

    assert list(refusal.value.extra["fields"]) == [f"lines.1.{field}"]
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"note_number": ""}, "note_number"),
        ({"note_number": "x" * 61}, "note_number"),
        ({"note_number": "a\x00b"}, "note_number"),
        ({"received_at": NOW.replace(tzinfo=None)}, "received_at"),
        ({"at": NOW.replace(tzinfo=None)}, "at"),
        ({"lines": []}, "lines"),
    ],
)
def test_a_malformed_delivery_is_refused_by_field(
    shelf: Shelf, supplier: Supplier, wrong: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        book(shelf, supplier, 1, **wrong)

    assert list(refusal.value.extra["fields"]) == [field]


def test_nothing_is_booked_from_to_or_of_something_unknown(shelf: Shelf, supplier: Supplier) -> None:
    for wrong in ({"supplier_id": new_key()}, {"warehouse_id": new_key()}):
        with pytest.raises(NotFound):
            book(shelf, supplier, 1, **wrong)
    with pytest.raises(NotFound):
        book(shelf, supplier, DeliveryItem(new_key(), d(1)))
    assert not Delivery.objects.exists()


def test_a_named_line_must_be_of_the_supplier_and_the_part_and_on_order(shelf: Shelf, supplier: Supplier) -> None:
    of_another = order(shelf, SupplierFactory.create(), 5).line_ids[0]
    of_another_part = order(shelf, supplier, lines=[PurchaseLine(PartFactory.create().pk, d(5))]).line_ids[0]
    cancelled = order(shelf, supplier, 5).line_ids[0]
    cancel_purchase_order_line(line_id=cancelled, **TOLD)

    for line_id in (of_another, of_another_part, cancelled, new_key()):
        with pytest.raises(NotOnOrder) as refusal:
            book(shelf, supplier, DeliveryItem(shelf.part.pk, d(1), purchase_order_line_id=line_id))
        assert refusal.value.extra["purchase_order_line_id"] == str(line_id)
    assert not DeliveryLine.objects.exists()


def test_a_delivery_takes_as_many_statements_for_twenty_lines_as_for_two(shelf: Shelf, supplier: Supplier) -> None:
    parts = PartFactory.create_batch(22)
    order(shelf, supplier, lines=[PurchaseLine(part.pk, d(5)) for part in parts])
    items = [DeliveryItem(part.pk, d(6)) for part in parts]

    with statements() as for_two:
        book(shelf, supplier, *items[:2], note_number="DN-2")
    with statements() as for_twenty:
        book(shelf, supplier, *items[2:], note_number="DN-20")

    assert len(for_two) == len(for_twenty) <= 8
