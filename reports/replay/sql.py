"""The replay's own hand-written statements."""

from backorders.sql import WAITING

#: Where each part stands: (part, available in places that serve orders, on order, back-ordered), in units.
#: Parameter: part_ids.
POSITIONS = f"""
SELECT
    part.id,
    coalesce((
        SELECT sum(level.on_hand - level.unfit - level.reserved)
        FROM parts_stocklevel AS level
        JOIN parts_warehouse AS warehouse ON warehouse.id = level.warehouse_id
        WHERE level.part_id = part.id AND warehouse.allocatable
          AND level.owner = 'own' AND level.condition IN ('new', 'refurbished')
    ), 0)::bigint,
    coalesce((
        SELECT sum(line.quantity - line.received - line.cancelled)
        FROM parts_purchaseorderline AS line
        JOIN parts_purchaseorder AS purchase_order ON purchase_order.id = line.purchase_order_id
        WHERE line.part_id = part.id AND line.is_open AND purchase_order.status = 'ordered'
    ), 0)::bigint,
    coalesce((
        SELECT sum(waiting.quantity)
        FROM backorders_backorder AS waiting
        WHERE waiting.part_id = part.id AND waiting.status IN {WAITING}
    ), 0)::bigint
FROM unnest(%(part_ids)s::uuid[]) AS part (id)
"""

#: How many back orders still wait.
OPEN_BACK_ORDERS = f"SELECT count(*) FROM backorders_backorder WHERE status IN {WAITING}"

#: Let the planner know how large the tables have grown that every day reads.
ANALYZE = """
ANALYZE parts_stocklevel, parts_reservation, parts_purchaseorder, parts_purchaseorderline, parts_stockmovement,
    parts_deliveryline, orders_partsorder, orders_orderline, orders_serviceorder, orders_orderevent,
    orders_shipment, orders_shipmentline, backorders_backorder, backorders_peg
"""
