"""The laws of the queue: what must be true of back orders at any time, each one question to all rows."""

from __future__ import annotations

from backorders.sql import WAITING
from orders.statuses import LINE_HOLDS_STOCK
from parts.sql.law import Law

_HOLDS = ", ".join(f"'{status}'" for status in LINE_HOLDS_STOCK)

LAWS: list[Law] = [
    Law(
        "back_order_is_exactly_what_is_missing",
        "Every back-ordered leaf has one waiting back order of exactly its quantity.",
        f"""
        SELECT 'line ' || line.reference || ' (' || line.quantity || ')',
            coalesce(format('%s missing, %s', back_order.quantity, back_order.status), 'no back order'),
            line.quantity || ' missing, waiting'
        FROM orders_orderline AS line
        LEFT JOIN backorders_backorder AS back_order ON back_order.line_id = line.id
        WHERE line.status = 'back_ordered' AND NOT line.is_split
            AND (back_order.quantity IS DISTINCT FROM line.quantity OR back_order.status NOT IN {WAITING})
        """,
    ),
    Law(
        "only_missing_lines_wait",
        "A waiting back order belongs to a back-ordered child of the same part.",
        f"""
        SELECT 'back order ' || back_order.reference, format('%s, line %s', back_order.status, line.status),
            'line back_ordered'
        FROM backorders_backorder AS back_order
        JOIN orders_orderline AS line ON line.id = back_order.line_id
        WHERE back_order.status IN {WAITING}
            AND (line.status <> 'back_ordered' OR line.parent_id IS NULL OR line.part_id <> back_order.part_id)
        """,
    ),
    Law(
        "back_orders_know_their_order",
        "A back order keeps customer and region of its order, and whether it is for training, as the order has them.",
        """
        SELECT 'back order ' || back_order.reference,
            format('customer %s, region %s, test %s', back_order.customer_id, back_order.region_id, back_order.is_test),
            format('customer %s, region %s, test %s', parts_order.customer_id, parts_order.region_id,
                parts_order.is_test)
        FROM backorders_backorder AS back_order
        JOIN orders_orderline AS line ON line.id = back_order.line_id
        JOIN orders_partsorder AS parts_order ON parts_order.id = line.order_id
        WHERE (back_order.customer_id, back_order.region_id, back_order.is_test)
            IS DISTINCT FROM (parts_order.customer_id, parts_order.region_id, parts_order.is_test)
        """,
    ),
    Law(
        "allocated_back_orders_are_held",
        "The line of an allocated back order holds stock, of exactly the back order's quantity.",
        f"""
        SELECT 'back order ' || back_order.reference, format('%s allocated', back_order.quantity),
            format('%s %s', line.quantity, line.status)
        FROM backorders_backorder AS back_order
        JOIN orders_orderline AS line ON line.id = back_order.line_id
        WHERE back_order.status = 'allocated'
            AND (line.is_split OR line.status NOT IN ({_HOLDS}) OR line.quantity <> back_order.quantity)
        """,
    ),
    Law(
        "nobody_waits_beside_free_stock",
        "No stock is free that a waiting back order could take: nothing available is promised, nothing promised waits.",
        f"""
        SELECT 'back order ' || waiting.reference, 'free ' || sum(level.on_hand - level.unfit - level.reserved),
            format('free less than its minimum fill of %s', greatest(waiting.minimum_fill, 0))
        FROM backorders_backorder AS waiting
        JOIN parts_stocklevel AS level
            ON level.part_id = waiting.part_id AND level.owner = 'own' AND level.condition IN ('new', 'refurbished')
            AND level.on_hand - level.unfit - level.reserved > 0
            AND level.warehouse_id IS DISTINCT FROM waiting.excluded_warehouse_id
        JOIN parts_warehouse AS warehouse ON warehouse.id = level.warehouse_id AND warehouse.allocatable
        WHERE waiting.status IN {WAITING} AND NOT waiting.on_hold
        GROUP BY waiting.id, waiting.reference, waiting.minimum_fill
        HAVING sum(level.on_hand - level.unfit - level.reserved) >= greatest(waiting.minimum_fill, 0.001)
        """,
    ),
    Law(
        "back_order_stands_where_its_ledger_says",
        "Version, hash and status of every back order are those of its newest event.",
        """
        SELECT 'back order ' || subject.reference, format('version %s, %s', subject.version, subject.status),
            coalesce(format('version %s, %s', newest.version, newest.status), 'an event')
        FROM backorders_backorder AS subject
        LEFT JOIN (
            SELECT
                subject_id, count(*) AS events, max(version) AS version,
                (array_agg(hash ORDER BY version DESC))[1] AS hash,
                (array_agg(to_status ORDER BY version DESC) FILTER (WHERE to_status <> ''))[1] AS status
            FROM orders_orderevent
            WHERE subject_kind = 'back_order'
            GROUP BY subject_id
        ) AS newest ON newest.subject_id = subject.id
        WHERE newest.version IS DISTINCT FROM subject.version
            OR newest.events IS DISTINCT FROM newest.version
            OR newest.hash IS DISTINCT FROM subject.chain_hash
            OR newest.status IS DISTINCT FROM subject.status
        """,
    ),
    Law(
        "allocation_is_a_reserving_movement",
        "Allocations name the movement that reserved their quantity, all of it, for the line that got it.",
        """
        SELECT 'allocation ' || min(allocation.id::text),
            format('%s by movement of %s', sum(allocation.quantity), movement.reserved_change),
            'the same quantity and line'
        FROM backorders_allocation AS allocation
        JOIN parts_stockmovement AS movement ON movement.id = allocation.movement_id
        GROUP BY movement.id
        HAVING movement.kind <> 'reservation' OR movement.reserved_change <> sum(allocation.quantity)
            OR movement.reservation_id IS NULL
        """,
    ),
    Law(
        "delivery_lines_bring_what_they_are_named_for",
        "The allocations that name a delivery line never exceed what of it was fit, and are of its part.",
        """
        SELECT 'delivery line ' || brought.id, 'allocated ' || sum(allocation.quantity),
            format('at most %s of its own part', brought.quantity - brought.unfit_quantity)
        FROM backorders_allocation AS allocation
        JOIN parts_deliveryline AS brought ON brought.id = allocation.delivery_line_id
        JOIN backorders_backorder AS back_order ON back_order.id = allocation.back_order_id
        GROUP BY brought.id
        HAVING sum(allocation.quantity) > brought.quantity - brought.unfit_quantity
            OR count(*) FILTER (WHERE back_order.part_id <> brought.part_id) > 0
        """,
    ),
    Law(
        "decisions_give_what_was_allocated",
        "What a decision gave is the sum of the allocations that carried it out, and never more than was asked.",
        """
        SELECT 'decision ' || decision.id, format('given %s of %s', decision.given, decision.asked),
            'allocated ' || coalesce(sum(allocation.quantity), 0)
        FROM backorders_allocationdecision AS decision
        LEFT JOIN backorders_allocation AS allocation ON allocation.decision_id = decision.id
        GROUP BY decision.id, decision.given, decision.asked
        HAVING decision.given <> coalesce(sum(allocation.quantity), 0) OR decision.given > decision.asked
        """,
    ),
    Law(
        "pegs_fit_both_ends",
        "Pegs never exceed what a purchase order line still brings, nor what a back order still misses.",
        """
        SELECT 'purchase order line ' || line.id, 'pegged ' || sum(peg.quantity),
            'at most ' || greatest(line.quantity - line.received - line.cancelled, 0)
        FROM backorders_peg AS peg
        JOIN parts_purchaseorderline AS line ON line.id = peg.purchase_order_line_id
        GROUP BY line.id
        HAVING sum(peg.quantity) > greatest(line.quantity - line.received - line.cancelled, 0)
        """,
    ),
]
