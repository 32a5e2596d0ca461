"""Each law of orders and of the queue catches its breach, made in SQL that goes round all code."""

from __future__ import annotations

import pytest
from django.db import connection

from backorders.integrity import LAWS as LAWS_OF_THE_QUEUE
from orders.actions import lines, tracking
from orders.integrity import LAWS as LAWS_OF_ORDERS
from parts.actions.supply import DeliveryItem, PurchaseLine, place_purchase_order, receive_delivery
from tests.factories.orders import CustomerFactory
from tests.factories.parts import PartFactory, SupplierFactory, WarehouseFactory
from tests.laws.checking import broken_laws
from tests.orders.desk import NOW, TOLD, Desk, d, days, leaf

#: The name of a law, and what breaks it.
BREACHES = {
    "tree_adds_up": "UPDATE orders_orderline SET quantity = quantity + 1 WHERE parent_id IS NOT NULL",
    "only_split_lines_have_children": "UPDATE orders_orderline SET is_split = false WHERE is_split",
    "parent_status_is_derived": "UPDATE orders_orderline SET status = 'packed' WHERE is_split",
    "order_status_is_derived": "UPDATE orders_partsorder SET status = 'packed'",
    "progress_is_the_shipped_share": "UPDATE orders_orderline SET progress = 0.5 WHERE parent_id IS NOT NULL",
    "held_lines_hold_stock": "UPDATE parts_reservation SET status = 'released', closed_at = now()",
    "other_lines_hold_no_stock": "UPDATE orders_orderline SET status = 'delivered' WHERE status = 'reserved'",
    "subject_stands_where_its_ledger_says": "UPDATE orders_serviceorder SET version = version + 1",
    "job_paused_by_rule_waits_for_a_part": "UPDATE orders_orderline SET status = 'reserved' WHERE NOT is_split",
    "link_is_of_its_orders_customer": (
        "UPDATE orders_trackinglink AS link SET customer_id ="
        " (SELECT id FROM orders_customer WHERE id <> link.customer_id LIMIT 1)"
    ),
    "shipment_carries_its_own_order": (
        "UPDATE orders_shipment SET order_id = (SELECT id FROM orders_partsorder WHERE id <> order_id LIMIT 1)"
    ),
    "shipment_line_has_no_more_serials_than_units": (
        "INSERT INTO orders_shippedserial (id, shipment_line_id, part_id, serial, is_gone)"
        " SELECT gen_random_uuid(), shipment_line_id, part_id, serial || 'X', true FROM orders_shippedserial"
    ),
    "shipped_serial_is_of_its_lines_part": (
        "UPDATE orders_shippedserial SET part_id = (SELECT id FROM parts_part WHERE id <> part_id LIMIT 1)"
    ),
    "delivered_transfers_are_in_stock_once": "DELETE FROM parts_stockmovement WHERE kind = 'arrival'",
    "back_order_is_exactly_what_is_missing": (
        "UPDATE backorders_backorder SET quantity = quantity + 1, opened_quantity = opened_quantity + 1"
    ),
    "only_missing_lines_wait": "UPDATE orders_orderline SET status = 'cancelled' WHERE status = 'back_ordered'",
    "back_orders_know_their_order": "UPDATE backorders_backorder SET is_test = NOT is_test",
    "allocated_back_orders_are_held": "UPDATE backorders_backorder SET status = 'allocated', closed_at = now()",
    "nobody_waits_beside_free_stock": "UPDATE parts_stocklevel SET on_hand = on_hand + 5",
    "back_order_stands_where_its_ledger_says": "UPDATE backorders_backorder SET chain_hash = sha256(chain_hash)",
    "allocation_is_a_reserving_movement": "UPDATE backorders_allocation SET quantity = quantity + 1",
    "delivery_lines_bring_what_they_are_named_for": "UPDATE backorders_allocation SET quantity = quantity + 1",
    "decisions_give_what_was_allocated": "DELETE FROM backorders_allocation",
    "pegs_fit_both_ends": "UPDATE backorders_peg SET quantity = 99",
}
TABLES = {
    statement.replace("DELETE FROM", "UPDATE").replace("INSERT INTO", "UPDATE").split()[1]
    for statement in BREACHES.values()
}


def test_every_law_has_a_breach_to_catch() -> None:
    assert set(BREACHES) == {law.name for law in (*LAWS_OF_ORDERS, *LAWS_OF_THE_QUEUE)}


@pytest.mark.django_db
@pytest.mark.parametrize("name", BREACHES)
def test_a_law_catches_its_breach(name: str) -> None:
    desk = Desk()
    job = desk.job("in_progress")
    desk.put(5)
    desk.ship(leaf(desk.place(1)).id, serials=("SN-1",))
    PartFactory.create()
    arrived = leaf(desk.transfer(1, to=WarehouseFactory.create(allocatable=False))).id
    desk.ship(arrived)
    lines.move(line_id=arrived, to="delivered", **TOLD)
    tracking.issue(parts_order_id=desk.place(2).id, **TOLD)
    CustomerFactory.create()
    desk.place(5, service_order_id=job.pk)
    receive_delivery(
        supplier_id=SupplierFactory.create().pk,
        warehouse_id=desk.warehouse.pk,
        note_number="DN-1",
        lines=[DeliveryItem(desk.part.pk, d(1))],
        received_at=NOW,
        **TOLD,
    )
    place_purchase_order(
        supplier_id=SupplierFactory.create().pk,
        warehouse_id=desk.warehouse.pk,
        lines=[PurchaseLine(part_id=desk.part.pk, quantity=d(2), expected_on=days(8))],
        ordered_at=NOW,
        **TOLD,
    )
    assert broken_laws() == {}
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in sorted(TABLES):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(BREACHES[name])
        assert cursor.rowcount > 0
    found = broken_laws()
    assert name in found
    assert all(breach.subject and breach.what_is and breach.what_should_be for breach in found[name])
