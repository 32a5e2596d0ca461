"""Statements by which an import compares its file with what is there, and writes the catalogue."""

from __future__ import annotations

from parts.sql.statement import Statement

_PARTS_BY_NUMBER = """
SELECT part.number, part.id, part.description, part.category_id, category.path, part.criticality, part.ved_class,
    part.unit_id, part.unit_cost, part.core_charge, part.is_active, part.is_controlled,
    EXISTS (SELECT FROM parts_partchange AS change WHERE change.part_id = part.id AND change.status = 'waiting')
FROM parts_part AS part
LEFT JOIN parts_category AS category ON category.id = part.category_id
WHERE part.number = ANY(%(numbers)s::text[])
ORDER BY part.id
"""

#: Reads the catalogue's rows of these part numbers.
READ_PARTS = Statement("parts.import_read_parts", _PARTS_BY_NUMBER)

#: The same under a lock, for an import that is being applied.
LOCK_PARTS = Statement("parts.import_lock_parts", _PARTS_BY_NUMBER + "FOR NO KEY UPDATE OF part")

#: Writes the catalogue's rows as the document's `parts` have them; the number stays.
UPDATE_PARTS = Statement(
    "parts.import_update_parts",
    """
UPDATE parts_part AS part
SET description = n.description, category_id = n.category_id, criticality = n.criticality, ved_class = n.ved_class,
    unit_cost = n.unit_cost, core_charge = n.core_charge, is_active = n.is_active
FROM jsonb_to_recordset(%(document)s::jsonb -> 'parts') AS n(
    id uuid, description text, category_id uuid, criticality text, ved_class text, unit_cost numeric,
    core_charge numeric, is_active boolean
)
WHERE part.id = n.id
""",
)

#: Finds part, warehouse and level of each of the document's `rows` by their names.
READ_LEVELS = Statement(
    "parts.import_read_levels",
    """
SELECT part.id, unit.decimals, warehouse.id, level.id, level.on_hand, level.reserved, level.unfit
FROM jsonb_to_recordset(%(document)s::jsonb -> 'rows') AS n(
    place int, part_number text, warehouse text, condition text, owner text
)
LEFT JOIN parts_part AS part ON part.number = n.part_number
LEFT JOIN parts_unitofmeasure AS unit ON unit.code = part.unit_id
LEFT JOIN parts_warehouse AS warehouse ON warehouse.code = n.warehouse
LEFT JOIN parts_stocklevel AS level
    ON level.part_id = part.id AND level.warehouse_id = warehouse.id
    AND level.condition = n.condition AND level.owner = n.owner
ORDER BY n.place
""",
)

#: Finds part, warehouse, supplier and number of each of the document's `rows` of purchase orders by their names.
READ_ORDER_ROWS = Statement(
    "parts.import_read_order_rows",
    """
SELECT part.id, unit.decimals, warehouse.id, supplier.id, supplier.is_active
FROM jsonb_to_recordset(%(document)s::jsonb -> 'rows') AS n(
    place int, part_number text, warehouse text, supplier text
)
LEFT JOIN parts_part AS part ON part.number = n.part_number
LEFT JOIN parts_unitofmeasure AS unit ON unit.code = part.unit_id
LEFT JOIN parts_warehouse AS warehouse ON warehouse.code = n.warehouse
LEFT JOIN parts_supplier AS supplier ON supplier.code = n.supplier
ORDER BY n.place
""",
)

#: Reads the lines of the purchase orders with these numbers, in order.
READ_ORDERS = Statement(
    "parts.import_read_orders",
    """
SELECT purchase_order.number, purchase_order.supplier_id, purchase_order.warehouse_id, purchase_order.status,
    purchase_order.ordered_at, line.id, line.part_id, line.quantity, line.unit_cost, line.expected_on, line.is_open
FROM parts_purchaseorder AS purchase_order
JOIN parts_purchaseorderline AS line ON line.purchase_order_id = purchase_order.id
WHERE purchase_order.number = ANY(%(numbers)s::text[])
ORDER BY purchase_order.number, line.position
""",
)

#: Let the planner know at once what a large import has made of these tables: until then it takes them for as small as
#: they were, and the next large import may take minutes instead of seconds.
ANALYZE_CATALOGUE = Statement("parts.import_analyze_catalogue", " ANALYZE parts_part, parts_category")
ANALYZE_STOCK = Statement(
    "parts.import_analyze_stock", " ANALYZE parts_stocklevel, parts_stockmovement, parts_stockcorrection"
)
ANALYZE_PURCHASE_ORDERS = Statement(
    "parts.import_analyze_purchase_orders", " ANALYZE parts_purchaseorder, parts_purchaseorderline"
)
