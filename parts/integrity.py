"""The laws of the ground floor: what must be true of its rows at any time, each one question to the whole database."""

from __future__ import annotations

from parts.sql.law import Law

LAWS: list[Law] = [
    Law(
        "level_is_the_sum_of_its_movements",
        "On hand, reserved and unfit of every stock level are the sums of its movements.",
        """
        SELECT 'stock level ' || level.id,
            format('on hand %s, reserved %s, unfit %s', level.on_hand, level.reserved, level.unfit),
            format('on hand %s, reserved %s, unfit %s',
                coalesce(moved.on_hand, 0.000), coalesce(moved.reserved, 0.000), coalesce(moved.unfit, 0.000))
        FROM parts_stocklevel AS level
        LEFT JOIN (
            SELECT level_id, sum(on_hand_change) AS on_hand, sum(reserved_change) AS reserved,
                sum(unfit_change) AS unfit
            FROM parts_stockmovement
            GROUP BY level_id
        ) AS moved ON moved.level_id = level.id
        WHERE (level.on_hand, level.reserved, level.unfit)
            <> (coalesce(moved.on_hand, 0), coalesce(moved.reserved, 0), coalesce(moved.unfit, 0))
        """,
    ),
    Law(
        "level_promises_nothing_twice",
        "Of every stock level, reserved and unfit together are at most what is on hand, and nothing is negative.",
        """
        SELECT 'stock level ' || id,
            format('on hand %s, reserved %s, unfit %s', on_hand, reserved, unfit),
            'reserved and unfit at least 0 and together at most on hand'
        FROM parts_stocklevel
        WHERE reserved < 0 OR unfit < 0 OR reserved + unfit > on_hand
        """,
    ),
    Law(
        "reserved_is_the_sum_of_live_reservations",
        "What is reserved on every stock level is the sum of the reservations that still hold it.",
        """
        SELECT 'stock level ' || level.id, 'reserved ' || level.reserved, 'reserved ' || coalesce(held.quantity, 0.000)
        FROM parts_stocklevel AS level
        LEFT JOIN (
            SELECT level_id, sum(quantity) AS quantity
            FROM parts_reservation
            WHERE status IN ('active', 'picked')
            GROUP BY level_id
        ) AS held ON held.level_id = level.id
        WHERE level.reserved <> coalesce(held.quantity, 0)
        """,
    ),
    Law(
        "demand_holds_one_reservation",
        "A demand holds at most one live reservation, and so stock of one level only.",
        """
        SELECT 'order line ' || demand_id,
            format('%s live reservations on %s levels', count(*), count(DISTINCT level_id)), 'at most 1'
        FROM parts_reservation
        WHERE status IN ('active', 'picked')
        GROUP BY demand_id
        HAVING count(*) > 1
        """,
    ),
    Law(
        "reservation_ends_by_one_movement",
        "A reservation given back has one release, an issued one has one goods issue, of its whole quantity and on its"
        " level; a live one has neither.",
        """
        SELECT 'reservation ' || reservation.id,
            format('%s of %s, moved %s by %s movements', reservation.status, reservation.quantity,
                coalesce(ended.quantity, 0.000), coalesce(ended.movements, 0)),
            CASE reservation.status
                WHEN 'released' THEN 'one release of ' || reservation.quantity
                WHEN 'issued' THEN 'one issue of ' || reservation.quantity
                ELSE 'no release and no issue'
            END
        FROM parts_reservation AS reservation
        LEFT JOIN (
            SELECT reservation_id, count(*) AS movements, -sum(reserved_change) AS quantity, min(kind) AS kind,
                min(level_id::text) AS level_id
            FROM parts_stockmovement
            WHERE kind IN ('release', 'issue')
            GROUP BY reservation_id
        ) AS ended ON ended.reservation_id = reservation.id
        WHERE CASE reservation.status
            WHEN 'released' THEN (ended.movements, ended.kind, ended.quantity, ended.level_id)
                IS DISTINCT FROM (1, 'release', reservation.quantity, reservation.level_id::text)
            WHEN 'issued' THEN (ended.movements, ended.kind, ended.quantity, ended.level_id)
                IS DISTINCT FROM (1, 'issue', reservation.quantity, reservation.level_id::text)
            ELSE ended.movements IS NOT NULL
        END
        """,
    ),
    Law(
        "no_more_comes_back_than_was_issued",
        "What came back of a goods issue is at most what was issued, and came back to the level it was issued from.",
        """
        SELECT 'reservation ' || reservation.id,
            format('%s of %s, came back %s', reservation.status, reservation.quantity, sum(movement.on_hand_change)),
            format('issued, and at most %s back to level %s', reservation.quantity, reservation.level_id)
        FROM parts_reservation AS reservation
        JOIN parts_stockmovement AS movement ON movement.reservation_id = reservation.id AND movement.kind = 'return'
        GROUP BY reservation.id
        HAVING sum(movement.on_hand_change) > reservation.quantity OR reservation.status <> 'issued'
            OR bool_or(movement.level_id <> reservation.level_id)
        """,
    ),
    Law(
        "correction_has_one_movement",
        "Every stock correction made one movement, on its level.",
        """
        SELECT 'stock correction ' || correction.id,
            format('%s movements on level %s', count(movement.id), coalesce(min(movement.level_id::text), '-')),
            '1 movement on level ' || correction.level_id
        FROM parts_stockcorrection AS correction
        LEFT JOIN parts_stockmovement AS movement ON movement.correction_id = correction.id
        GROUP BY correction.id
        HAVING count(movement.id) <> 1 OR bool_or(movement.level_id <> correction.level_id)
        """,
    ),
    Law(
        "transfer_cancels_out",
        "Every transfer is two movements of the same part: its quantity out of its source, and the same into its"
        " destination.",
        """
        SELECT 'stock transfer ' || transfer.id,
            format('%s movements, %s out of the source, %s into the destination',
                count(movement.id),
                coalesce(-sum(movement.on_hand_change) FILTER (WHERE movement.level_id = source.id), 0.000),
                coalesce(sum(movement.on_hand_change) FILTER (WHERE movement.level_id = destination.id), 0.000)),
            format('2 movements of %s of one part', transfer.quantity)
        FROM parts_stocktransfer AS transfer
        JOIN parts_stocklevel AS source ON source.id = transfer.source_id
        JOIN parts_stocklevel AS destination ON destination.id = transfer.destination_id
        LEFT JOIN parts_stockmovement AS movement ON movement.transfer_id = transfer.id
        GROUP BY transfer.id, source.id, destination.id
        HAVING count(movement.id) <> 2
            OR coalesce(sum(movement.on_hand_change) FILTER (WHERE movement.level_id = source.id), 0)
                <> -transfer.quantity
            OR coalesce(sum(movement.on_hand_change) FILTER (WHERE movement.level_id = destination.id), 0)
                <> transfer.quantity
            OR source.part_id <> destination.part_id
        """,
    ),
    Law(
        "no_more_is_taken_back_than_arrived",
        "Of what arrived for an order line on a stock level, at most that much was taken back from it.",
        """
        SELECT 'order line ' || demand_id, 'arrived ' || sum(on_hand_change) || ' on level ' || level_id, 'at least 0'
        FROM parts_stockmovement
        WHERE demand_id IS NOT NULL
        GROUP BY demand_id, level_id
        HAVING sum(on_hand_change) < 0
        """,
    ),
    Law(
        "delivery_line_is_its_receipt",
        "Every delivery line brought its quantity, and the unfit of it, in one receipt onto the level of its part,"
        " warehouse, condition and owner.",
        """
        SELECT 'delivery line ' || line.id,
            format('%s receipts of %s, unfit %s', count(movement.id), coalesce(sum(movement.on_hand_change), 0.000),
                coalesce(sum(movement.unfit_change), 0.000)),
            format('1 receipt of %s, unfit %s, on the right level', line.quantity, line.unfit_quantity)
        FROM parts_deliveryline AS line
        JOIN parts_delivery AS delivery ON delivery.id = line.delivery_id
        LEFT JOIN parts_stockmovement AS movement ON movement.delivery_line_id = line.id
        LEFT JOIN parts_stocklevel AS level ON level.id = movement.level_id
        GROUP BY line.id, delivery.id
        HAVING count(movement.id) <> 1
            OR coalesce(sum(movement.on_hand_change), 0) <> line.quantity
            OR coalesce(sum(movement.unfit_change), 0) <> line.unfit_quantity
            OR bool_or((level.part_id, level.warehouse_id, level.condition, level.owner)
                <> (line.part_id, delivery.warehouse_id, line.condition, line.owner))
        """,
    ),
    Law(
        "delivery_line_has_no_more_serials_than_units",
        "A delivery line has at most one serial number for each of its units.",
        """
        SELECT 'delivery line ' || line.id, count(*) || ' serial numbers', 'at most ' || line.quantity
        FROM parts_deliveryline AS line
        JOIN parts_deliveryserial AS serial ON serial.line_id = line.id
        GROUP BY line.id
        HAVING count(*) > line.quantity
        """,
    ),
    Law(
        "purchase_order_line_received_what_was_delivered",
        "What every purchase order line has received is the sum of the delivery lines booked on it.",
        """
        SELECT 'purchase order line ' || line.id, 'received ' || line.received,
            'received ' || coalesce(sum(delivered.quantity), 0.000)
        FROM parts_purchaseorderline AS line
        LEFT JOIN parts_deliveryline AS delivered ON delivered.purchase_order_line_id = line.id
        GROUP BY line.id
        HAVING line.received <> coalesce(sum(delivered.quantity), 0)
        """,
    ),
    Law(
        "delivery_line_is_of_its_order",
        "A delivery line booked on a purchase order line has the same part and supplier.",
        """
        SELECT 'delivery line ' || line.id,
            format('part %s of supplier %s', line.part_id, delivery.supplier_id),
            format('part %s of supplier %s', ordered.part_id, purchase_order.supplier_id)
        FROM parts_deliveryline AS line
        JOIN parts_delivery AS delivery ON delivery.id = line.delivery_id
        JOIN parts_purchaseorderline AS ordered ON ordered.id = line.purchase_order_line_id
        JOIN parts_purchaseorder AS purchase_order ON purchase_order.id = ordered.purchase_order_id
        WHERE (line.part_id, delivery.supplier_id) <> (ordered.part_id, purchase_order.supplier_id)
        """,
    ),
    Law(
        "purchase_order_is_closed_when_done",
        "A purchase order is open as long as one of its lines waits for something, and no longer.",
        """
        SELECT 'purchase order ' || purchase_order.number,
            format('%s with %s open lines', purchase_order.status, count(line.id) FILTER (WHERE line.is_open)),
            'ordered while lines are open, closed or cancelled when none is'
        FROM parts_purchaseorder AS purchase_order
        LEFT JOIN parts_purchaseorderline AS line ON line.purchase_order_id = purchase_order.id
        WHERE purchase_order.status <> 'draft'
        GROUP BY purchase_order.id
        HAVING (purchase_order.status = 'ordered') <> (count(line.id) FILTER (WHERE line.is_open) > 0)
        """,
    ),
]

__all__ = ["LAWS", "Law"]
