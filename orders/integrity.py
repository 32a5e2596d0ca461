"""The laws of floor 1: what must be true of orders, lines and the ledger at any time, each one question to all rows."""

from __future__ import annotations

from orders.statuses import LINE_HOLDS_STOCK, LINE_SHIPPED, LineStatus
from parts.sql.law import Law
from parts.statuses import FOR_OUR_STOCK


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)


_HOLDS = _listed(LINE_HOLDS_STOCK)
_SHIPPED = _listed(LINE_SHIPPED)
#: A status's position in the flow, as in orders.statuses.LINE_POSITION.
_ORDERED = f"ARRAY[{_listed(tuple(LineStatus.values))}]"

LAWS: list[Law] = [
    Law(
        "tree_adds_up",
        "The quantities of a split line's children add up to its own.",
        """
        SELECT 'line ' || parent.reference, 'children ' || coalesce(sum(child.quantity), 0),
            'children ' || parent.quantity
        FROM orders_orderline AS parent
        LEFT JOIN orders_orderline AS child ON child.parent_id = parent.id
        WHERE parent.is_split
        GROUP BY parent.id, parent.reference, parent.quantity
        HAVING coalesce(sum(child.quantity), 0) <> parent.quantity
        """,
    ),
    Law(
        "only_split_lines_have_children",
        "A line has children exactly when it is split, they are of its order, position and part.",
        """
        SELECT 'line ' || child.reference, 'under ' || parent.reference, 'of the same order, position and part'
        FROM orders_orderline AS child
        JOIN orders_orderline AS parent ON parent.id = child.parent_id
        WHERE NOT parent.is_split OR parent.parent_id IS NOT NULL
            OR (child.order_id, child.position, child.part_id) <> (parent.order_id, parent.position, parent.part_id)
        """,
    ),
    Law(
        "parent_status_is_derived",
        "A split line stands where its least advanced child stands.",
        f"""
        SELECT 'line ' || parent.reference, parent.status,
            ({_ORDERED})[min(array_position({_ORDERED}, child.status::text))]
        FROM orders_orderline AS parent
        JOIN orders_orderline AS child ON child.parent_id = parent.id
        WHERE parent.is_split
        GROUP BY parent.id, parent.reference, parent.status
        HAVING parent.status <> ({_ORDERED})[min(array_position({_ORDERED}, child.status::text))]
        """,
    ),
    Law(
        "order_status_is_derived",
        "A parts order stands where its least advanced line stands.",
        f"""
        SELECT 'parts order ' || parts_order.reference, parts_order.status,
            coalesce(({_ORDERED})[min(array_position({_ORDERED}, line.status::text))], 'at least one line')
        FROM orders_partsorder AS parts_order
        LEFT JOIN orders_orderline AS line ON line.order_id = parts_order.id AND line.parent_id IS NULL
        GROUP BY parts_order.id, parts_order.reference, parts_order.status
        HAVING parts_order.status IS DISTINCT FROM ({_ORDERED})[min(array_position({_ORDERED}, line.status::text))]
        """,
    ),
    Law(
        "progress_is_the_shipped_share",
        "The progress of a line is the share of its quantity not cancelled that was shipped.",
        f"""
        SELECT 'line ' || line.reference, line.progress::text, shipped.share::text
        FROM orders_orderline AS line
        CROSS JOIN LATERAL (
            SELECT coalesce(trunc(
                sum(leaf.quantity) FILTER (WHERE leaf.status IN ({_SHIPPED}))
                / nullif(sum(leaf.quantity) FILTER (WHERE leaf.status <> 'cancelled'), 0), 4), 0) AS share
            FROM orders_orderline AS leaf
            WHERE leaf.order_id = line.order_id AND leaf.position = line.position AND NOT leaf.is_split
                AND (line.parent_id IS NULL OR leaf.id = line.id)
        ) AS shipped
        WHERE line.progress <> shipped.share
        """,
    ),
    Law(
        "held_lines_hold_stock",
        "A leaf that stands between reserved and packed holds a live reservation of exactly its quantity and part.",
        f"""
        SELECT 'line ' || line.reference, coalesce('reserved ' || reservation.quantity, 'nothing reserved'),
            'reserved ' || line.quantity
        FROM orders_orderline AS line
        LEFT JOIN parts_reservation AS reservation
            ON reservation.demand_id = line.id AND reservation.status IN ('active', 'picked')
        LEFT JOIN parts_stocklevel AS level ON level.id = reservation.level_id
        WHERE NOT line.is_split AND line.status IN ({_HOLDS})
            AND (reservation.quantity IS DISTINCT FROM line.quantity OR level.part_id IS DISTINCT FROM line.part_id
                OR level.warehouse_id IS DISTINCT FROM line.warehouse_id)
        """,
    ),
    Law(
        "other_lines_hold_no_stock",
        "A line that is a parent, waits, has left or was cancelled holds no live reservation.",
        f"""
        SELECT 'line ' || line.reference || ' (' || line.status || ')', 'reserved ' || reservation.quantity, 'nothing'
        FROM parts_reservation AS reservation
        JOIN orders_orderline AS line ON line.id = reservation.demand_id
        WHERE reservation.status IN ('active', 'picked') AND (line.is_split OR line.status NOT IN ({_HOLDS}))
        """,
    ),
    Law(
        "subject_stands_where_its_ledger_says",
        "Version, hash and status of every service order, parts order and line are those of its newest event.",
        """
        SELECT subject.kind || ' ' || subject.reference,
            format('version %s, %s', subject.version, subject.status),
            coalesce(format('version %s, %s', newest.version, newest.status), 'an event')
        FROM (
            SELECT 'service order' AS kind, id, reference, version, status, chain_hash FROM orders_serviceorder
            UNION ALL
            SELECT 'parts order', id, reference, version, status, chain_hash FROM orders_partsorder
            UNION ALL
            SELECT 'line', id, reference, version, status, chain_hash FROM orders_orderline
        ) AS subject
        LEFT JOIN (
            SELECT
                subject_id, count(*) AS events, max(version) AS version,
                (array_agg(hash ORDER BY version DESC))[1] AS hash,
                (array_agg(to_status ORDER BY version DESC) FILTER (WHERE to_status <> ''))[1] AS status
            FROM orders_orderevent
            GROUP BY subject_id
        ) AS newest ON newest.subject_id = subject.id
        WHERE newest.version IS DISTINCT FROM subject.version
            OR newest.events IS DISTINCT FROM newest.version
            OR newest.hash IS DISTINCT FROM subject.chain_hash
            OR newest.status IS DISTINCT FROM subject.status
        """,
    ),
    Law(
        "job_paused_by_rule_waits_for_a_part",
        "A service order that the rule made await parts has a line that waits.",
        """
        SELECT 'service order ' || job.reference, 'awaiting_parts', 'a line that waits'
        FROM orders_serviceorder AS job
        CROSS JOIN LATERAL (
            SELECT event.actor
            FROM orders_orderevent AS event
            WHERE event.subject_id = job.id AND event.to_status <> ''
            ORDER BY event.version DESC
            LIMIT 1
        ) AS newest
        WHERE job.status = 'awaiting_parts' AND newest.actor = 'system:parts-rule'
            AND NOT EXISTS (
                SELECT
                FROM orders_orderline AS line
                JOIN orders_partsorder AS parts_order ON parts_order.id = line.order_id
                WHERE parts_order.service_order_id = job.id AND NOT line.is_split
                    AND line.status IN ('back_ordered', 'open')
            )
        """,
    ),
    Law(
        "link_is_of_its_orders_customer",
        "A customer's link leads to an order of the customer that it was made for.",
        """
        SELECT 'link ' || link.id, 'made for ' || customer.code, 'of the customer of ' || found.reference
        FROM orders_trackinglink AS link
        JOIN orders_customer AS customer ON customer.id = link.customer_id
        JOIN LATERAL (
            SELECT reference, customer_id FROM orders_serviceorder WHERE id = link.service_order_id
            UNION ALL
            SELECT reference, customer_id FROM orders_partsorder WHERE id = link.parts_order_id
        ) AS found ON true
        WHERE found.customer_id IS DISTINCT FROM link.customer_id
        """,
    ),
    Law(
        "shipment_carries_its_own_order",
        "Every shipment line is a line of the shipment's order.",
        """
        SELECT 'shipment ' || shipment.reference, format('%s of %s (%s)', item.quantity, line.reference, line.status),
            'a line of its own order'
        FROM orders_shipmentline AS item
        JOIN orders_shipment AS shipment ON shipment.id = item.shipment_id
        JOIN orders_orderline AS line ON line.id = item.line_id
        WHERE line.order_id <> shipment.order_id
        """,
    ),
    Law(
        "shipment_line_has_no_more_serials_than_units",
        "A shipment line has at most one serial number for each of its units.",
        """
        SELECT 'shipment ' || shipment.reference, count(*) || ' serial numbers', 'at most ' || item.quantity
        FROM orders_shippedserial AS shipped
        JOIN orders_shipmentline AS item ON item.id = shipped.shipment_line_id
        JOIN orders_shipment AS shipment ON shipment.id = item.shipment_id
        GROUP BY item.id, shipment.id
        HAVING count(*) > item.quantity
        """,
    ),
    Law(
        "shipped_serial_is_of_its_lines_part",
        "A serial number that left is one of the part of the line that it left with.",
        """
        SELECT 'serial number ' || shipped.serial, 'of ' || named.number,
            format('of %s, as %s', part.number, line.reference)
        FROM orders_shippedserial AS shipped
        JOIN orders_shipmentline AS item ON item.id = shipped.shipment_line_id
        JOIN orders_orderline AS line ON line.id = item.line_id
        JOIN parts_part AS part ON part.id = line.part_id
        JOIN parts_part AS named ON named.id = shipped.part_id
        WHERE shipped.part_id <> line.part_id
        """,
    ),
    Law(
        "delivered_transfers_are_in_stock_once",
        "What our own warehouses ordered and was delivered arrived in their stock exactly once, and nothing else did.",
        f"""
        WITH delivered AS (
            SELECT line.order_id, line.position, sum(line.quantity) AS quantity
            FROM orders_orderline AS line
            JOIN orders_partsorder AS parts_order ON parts_order.id = line.order_id
            WHERE parts_order.kind IN ({_listed(FOR_OUR_STOCK)}) AND parts_order.destination_id IS NOT NULL
                AND line.status = 'delivered' AND NOT line.is_split
            GROUP BY line.order_id, line.position
        ),
        arrived AS (
            SELECT line.order_id, line.position, sum(movement.on_hand_change) AS quantity,
                count(*) FILTER (
                    WHERE level.part_id <> line.part_id
                        OR level.warehouse_id IS DISTINCT FROM parts_order.destination_id
                ) AS elsewhere
            FROM parts_stockmovement AS movement
            JOIN parts_stocklevel AS level ON level.id = movement.level_id
            JOIN orders_orderline AS line ON line.id = movement.demand_id
            JOIN orders_partsorder AS parts_order ON parts_order.id = line.order_id
            WHERE movement.demand_id IS NOT NULL
            GROUP BY line.order_id, line.position
        )
        SELECT 'line ' || root.reference,
            format('%s arrived, %s movements in another place', coalesce(arrived.quantity, 0),
                coalesce(arrived.elsewhere, 0)),
            format('%s arrived, none in another place', coalesce(delivered.quantity, 0))
        FROM delivered
        FULL JOIN arrived USING (order_id, position)
        JOIN orders_orderline AS root USING (order_id, position)
        WHERE root.parent_id IS NULL
            AND (coalesce(arrived.quantity, 0) <> coalesce(delivered.quantity, 0) OR arrived.elsewhere > 0)
        """,
    ),
]
