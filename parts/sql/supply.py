"""Statements that book deliveries against what is on order."""

from __future__ import annotations

from parts.sql.statement import Statement
from parts.sql.stock import LEVELS_ADDED, LEVELS_CHANGED, MOVEMENTS, MOVEMENTS_ADDED

#: Writes the head of a delivery and so claims its note number; who comes second waits for the first and gets no row.
#: No row either where supplier or warehouse does not exist.
CLAIM_DELIVERY_NOTE = Statement(
    "parts.claim_delivery_note",
    """
INSERT INTO parts_delivery (
    id, supplier_id, warehouse_id, note_number, received_at, actor, source, content_digest
)
SELECT %(id)s::uuid, supplier.id, warehouse.id, %(note_number)s::text, %(received_at)s::timestamptz, %(actor)s::text,
    %(source)s::text, %(content_digest)s::text
FROM parts_supplier AS supplier, parts_warehouse AS warehouse
WHERE supplier.id = %(supplier_id)s::uuid AND warehouse.id = %(warehouse_id)s::uuid
ON CONFLICT (supplier_id, note_number) DO NOTHING
RETURNING id
""",
)

#: Locks the purchase orders a delivery may be booked on and their lines: the lines named, and the open ones of the
#: supplier for these parts and this warehouse. What changed while this waited shows in the columns, not in the choice.
LOCK_LINES_TO_BOOK = Statement(
    "parts.lock_lines_to_book",
    """
SELECT line.id, line.part_id, line.quantity, line.received, line.cancelled, line.position,
    purchase_order.id, purchase_order.supplier_id, purchase_order.warehouse_id,
    purchase_order.status, purchase_order.ordered_at
FROM parts_purchaseorderline AS line
JOIN parts_purchaseorder AS purchase_order ON purchase_order.id = line.purchase_order_id
WHERE line.id = ANY(%(line_ids)s::uuid[]) OR line.id IN (
    SELECT candidate.id
    FROM parts_purchaseorderline AS candidate
    JOIN parts_purchaseorder AS its_order ON its_order.id = candidate.purchase_order_id
    WHERE candidate.is_open AND candidate.part_id = ANY(%(part_ids)s::uuid[])
        AND its_order.supplier_id = %(supplier_id)s::uuid AND its_order.warehouse_id = %(warehouse_id)s::uuid
        AND its_order.status = 'ordered'
)
ORDER BY purchase_order.id, line.id
FOR NO KEY UPDATE OF purchase_order, line
""",
)

#: Writes the lines of a delivery, the stock they bring, and what they do to the purchase orders: an order none of whose
#: lines waits for anything any more is closed.
BOOK_DELIVERY = Statement(
    "parts.book_delivery",
    MOVEMENTS
    + LEVELS_CHANGED
    + LEVELS_ADDED
    + """, line_added AS (
    INSERT INTO parts_deliveryline (
        id, delivery_id, position, part_id, purchase_order_line_id, quantity, unfit_quantity, open_before,
        condition, owner
    )
    SELECT n.id, %(delivery_id)s::uuid, n.position, n.part_id, n.purchase_order_line_id, n.quantity, n.unfit_quantity,
        n.open_before, n.condition, n.owner
    FROM given, jsonb_to_recordset(d -> 'lines') AS n(
        id uuid, position int, part_id uuid, purchase_order_line_id uuid, quantity numeric, unfit_quantity numeric,
        open_before numeric, condition text, owner text
    )
), supply AS (
    SELECT s.*
    FROM given, jsonb_to_recordset(d -> 'supply') AS s(line_id uuid, purchase_order_id uuid, received numeric)
), line_received AS (
    UPDATE parts_purchaseorderline AS line
    SET received = line.received + supply.received
    FROM supply
    WHERE line.id = supply.line_id
), order_closed AS (
    UPDATE parts_purchaseorder AS purchase_order
    SET status = 'closed'
    WHERE purchase_order.status = 'ordered'
        AND purchase_order.id IN (SELECT purchase_order_id FROM supply)
        AND NOT EXISTS (
            SELECT FROM parts_purchaseorderline AS line
            LEFT JOIN supply ON supply.line_id = line.id
            WHERE line.purchase_order_id = purchase_order.id
                AND line.quantity > line.received + line.cancelled + coalesce(supply.received, 0)
        )
)"""
    + MOVEMENTS_ADDED,
)

#: Draws numbers for new purchase orders.
DRAW_NUMBERS = Statement(
    "parts.draw_purchase_order_numbers",
    """
SELECT nextval('parts_purchase_order_number') FROM generate_series(1, %(count)s::int)
""",
)

#: Tells which of these suppliers (to whom one may still order), warehouses and parts exist, and how many decimals the
#: unit of each part has.
READ_ORDER_FACTS = Statement(
    "parts.read_order_facts",
    """
SELECT 'supplier', id, 0 FROM parts_supplier WHERE id = ANY(%(supplier_ids)s::uuid[]) AND is_active
UNION ALL
SELECT 'warehouse', id, 0 FROM parts_warehouse WHERE id = ANY(%(warehouse_ids)s::uuid[])
UNION ALL
SELECT 'part', part.id, unit.decimals
FROM parts_part AS part
JOIN parts_unitofmeasure AS unit ON unit.code = part.unit_id
WHERE part.id = ANY(%(part_ids)s::uuid[])
""",
)

#: Tells which of these numbers purchase orders have.
READ_USED_NUMBERS = Statement(
    "parts.read_used_numbers",
    """
SELECT number FROM parts_purchaseorder WHERE number = ANY(%(numbers)s::text[]) ORDER BY number
""",
)

#: Locks the purchase orders of these lines, then the lines.
LOCK_LINES = Statement(
    "parts.lock_purchase_order_lines",
    """
SELECT line.id
FROM parts_purchaseorderline AS line
JOIN parts_purchaseorder AS purchase_order ON purchase_order.id = line.purchase_order_id
WHERE line.id = ANY(%(line_ids)s::uuid[])
ORDER BY purchase_order.id, line.id
FOR NO KEY UPDATE OF purchase_order, line
""",
)

#: Writes the dates that a supplier confirmed.
CONFIRM_LINES = Statement(
    "parts.confirm_purchase_order_lines",
    """
UPDATE parts_purchaseorderline AS line
SET expected_on = confirmed.expected_on, first_confirmed_on = confirmed.first_confirmed_on
FROM jsonb_to_recordset(%(document)s::jsonb -> 'lines') AS confirmed(
    id uuid, expected_on date, first_confirmed_on date
)
WHERE line.id = confirmed.id
""",
)
