"""The hand-written statements of floor 1's hot paths: read under the lock in one, write everything in one.

Rows come as one JSON document per table (`json_to_recordset`), so that a statement is the same text for one row and
for fifty thousand. Every statement is run by `orders.trees` or an action under the lock that it names.
"""

from parts.lookups import Key

#: The key of a serial number, as its index holds it.
_KEY = Key.template

#: CTEs that append events and their texts. Parameters: events, texts (JSON arrays) and shared (a JSON object with the
#: values that an event leaves out), made by orders.ledger: half as much to parse as whole events would be.
#: Dwell comes in two parts, since an interval is multiplied as a double, which rounds centuries of microseconds.
APPEND_EVENTS = """
new_events AS (
    INSERT INTO orders_orderevent (
        id, subject_kind, subject_id, reference, version, kind, from_status, to_status, occurred_at, recorded_at,
        dwell, actor, source, message_id, note_commitment, visibility, override_reference, is_override,
        passed_through, data, previous_hash, hash
    )
    SELECT
        event.id, coalesce(event.subject_kind, shared.subject_kind), event.subject_id, event.reference, event.version,
        coalesce(event.kind, shared.kind), coalesce(event.from_status, shared.from_status),
        coalesce(event.to_status, shared.to_status), coalesce(event.occurred_at, shared.occurred_at),
        coalesce(event.recorded_at, shared.recorded_at),
        event.dwell / 1000000 * interval '1 second' + mod(event.dwell, 1000000) * interval '1 microsecond',
        coalesce(event.actor, shared.actor), coalesce(event.source, shared.source),
        coalesce(event.message_id, shared.message_id), decode(event.note_commitment, 'hex'),
        coalesce(event.visibility, shared.visibility), coalesce(event.override_reference, shared.override_reference),
        coalesce(event.is_override, shared.is_override), coalesce(event.passed_through, shared.passed_through),
        coalesce(event.data, shared.data)::jsonb, decode(event.previous_hash, 'hex'), decode(event.hash, 'hex')
    FROM json_to_recordset(%(events)s::json) AS event (
        id uuid, subject_kind text, subject_id uuid, reference text, version integer, kind text, from_status text,
        to_status text, occurred_at timestamptz, recorded_at timestamptz, dwell bigint, actor text, source text,
        message_id text, note_commitment text, visibility text, override_reference text, is_override boolean,
        passed_through boolean, data text, previous_hash text, hash text
    )
    CROSS JOIN json_to_record(%(shared)s::json) AS shared (
        subject_kind text, kind text, from_status text, to_status text, occurred_at timestamptz,
        recorded_at timestamptz, actor text, source text, message_id text, visibility text, override_reference text,
        is_override boolean, passed_through boolean, data text
    )
),
new_texts AS (
    INSERT INTO orders_eventtext (id, event_id, salt, text)
    SELECT gen_random_uuid(), event_id, decode(salt, 'hex'), text
    FROM json_to_recordset(%(texts)s::json) AS vault (event_id uuid, salt text, text text)
)"""

#: Lock parts orders by their keys (stock is locked before, if it is needed at all) and read them with all their lines.
#: `seen_revision` is the revision that belongs to the lines as read; where it differs from the locked one, somebody
#: committed while we waited, and the caller reads once more, now with the lock in hand.
LOCK_TREES = """
WITH wanted AS MATERIALIZED (
    SELECT unnest(%(order_ids)s::uuid[]) AS id
    UNION
    SELECT order_id FROM orders_orderline WHERE id = ANY(%(line_ids)s::uuid[])
),
locked AS MATERIALIZED (
    SELECT parts_order.*
    FROM orders_partsorder AS parts_order
    WHERE parts_order.id IN (SELECT id FROM wanted)
    ORDER BY parts_order.id
    FOR NO KEY UPDATE OF parts_order
)
SELECT
    locked.id, locked.reference, locked.version, locked.chain_hash, locked.status, locked.status_since,
    locked.kind, locked.progress, locked.revision, seen.revision, locked.customer_id, locked.service_order_id,
    locked.destination_id, locked.complete_delivery_only, locked.on_hold,
    line.id, line.reference, line.version, line.chain_hash, line.status, line.status_since,
    line.parent_id, line.position, line.child_number, line.part_id, line.quantity, line.is_split, line.progress,
    line.warehouse_id, line.requested_on, line.first_promised_on, line.promised_on, line.minimum_fill, line.kept_back
FROM locked
JOIN orders_partsorder AS seen ON seen.id = locked.id
JOIN orders_orderline AS line ON line.order_id = locked.id
ORDER BY locked.id, line.position, line.child_number
"""

#: Write trees of lines that the caller holds the orders' locks for, with their events.
#: Parameters: orders, new_lines, lines and those of the ledger. Returns how many orders and lines were updated.
WRITE_TREES = f"""
WITH {APPEND_EVENTS},
new_lines AS (
    INSERT INTO orders_orderline (
        id, order_id, parent_id, position, child_number, part_id, quantity, status, is_split, progress, warehouse_id,
        requested_on, first_promised_on, promised_on, minimum_fill, kept_back, reference, version, chain_hash,
        status_since, created_at
    )
    SELECT
        id, order_id, parent_id, position, child_number, part_id, quantity, status, is_split, progress, warehouse_id,
        requested_on, first_promised_on, promised_on, minimum_fill, kept_back, reference, version,
        decode(chain_hash, 'hex'), status_since, %(recorded_at)s
    FROM json_to_recordset(%(new_lines)s::json) AS line (
        id uuid, order_id uuid, parent_id uuid, position integer, child_number integer, part_id uuid,
        quantity numeric, status text, is_split boolean, progress numeric, warehouse_id uuid, requested_on date,
        first_promised_on date, promised_on date, minimum_fill numeric, kept_back boolean, reference text,
        version integer, chain_hash text, status_since timestamptz
    )
),
changed_lines AS (
    UPDATE orders_orderline AS line
    SET quantity = change.quantity, status = change.status, is_split = change.is_split, progress = change.progress,
        warehouse_id = change.warehouse_id, first_promised_on = change.first_promised_on,
        promised_on = change.promised_on, kept_back = change.kept_back, version = change.version,
        chain_hash = decode(change.chain_hash, 'hex'), status_since = change.status_since
    FROM json_to_recordset(%(lines)s::json) AS change (
        id uuid, read_version integer, quantity numeric, status text, is_split boolean, progress numeric,
        warehouse_id uuid, first_promised_on date, promised_on date, kept_back boolean, version integer,
        chain_hash text, status_since timestamptz
    )
    WHERE line.id = change.id AND line.version = change.read_version
    RETURNING 1
),
changed_orders AS (
    UPDATE orders_partsorder AS parts_order
    SET status = change.status, progress = change.progress, revision = parts_order.revision + 1,
        on_hold = change.on_hold,
        hold_event_id = CASE WHEN change.on_hold THEN coalesce(change.hold_event_id, parts_order.hold_event_id) END,
        version = change.version, chain_hash = decode(change.chain_hash, 'hex'), status_since = change.status_since
    FROM json_to_recordset(%(orders)s::json) AS change (
        id uuid, read_version integer, status text, progress numeric, on_hold boolean, hold_event_id uuid,
        version integer, chain_hash text, status_since timestamptz
    )
    WHERE parts_order.id = change.id AND parts_order.version = change.read_version
    RETURNING 1
)
SELECT (SELECT count(*) FROM changed_orders), (SELECT count(*) FROM changed_lines)
"""

#: What placing must know before it locks stock: the parts (held against a new stock level appearing unseen), the
#: customer, the machine and the contract. One row per part; no row at all where none of them exists.
READ_FOR_PLACING = """
WITH part AS MATERIALIZED (
    SELECT part.id, part.number, part.criticality, part.is_active, part.unit_id
    FROM parts_part AS part
    WHERE part.id = ANY(%(part_ids)s::uuid[]) OR part.number = ANY(%(part_numbers)s::text[])
    ORDER BY part.id
    FOR KEY SHARE
)
SELECT
    part.id, part.number, part.criticality, part.is_active, unit.decimals,
    (SELECT nextval('orders_parts_order_number')), customer.id, customer.tier, customer.is_active,
    coalesce(destination.region_id, customer.region_id), customer.latitude, customer.longitude,
    service_order.id, service_order.status, equipment.downtime_cost_per_hour, contract.priority_points,
    destination.id, destination.latitude, destination.longitude,
    EXISTS (SELECT FROM orders_partsorder WHERE id = %(key)s::uuid), service_order.customer_id
FROM part
JOIN parts_unitofmeasure AS unit ON unit.code = part.unit_id
LEFT JOIN orders_serviceorder AS service_order ON service_order.id = %(service_order_id)s::uuid
LEFT JOIN orders_equipment AS equipment ON equipment.id = service_order.equipment_id
LEFT JOIN orders_servicecontract AS contract
    ON contract.id = service_order.contract_id AND contract.valid_from <= %(today)s
    AND coalesce(contract.valid_until, 'infinity') >= %(today)s
LEFT JOIN orders_customer AS customer ON customer.id = coalesce(%(customer_id)s::uuid, service_order.customer_id)
LEFT JOIN parts_warehouse AS destination ON destination.id = %(destination_id)s::uuid
"""

#: Insert a new order, its lines, its reservations (the CTEs of parts.sql) and all events. Stock is locked; the job it
#: is for is locked here, last of all, and its status as it is then is returned (none: no job).
PLACE = f"""
WITH {APPEND_EVENTS},
job AS MATERIALIZED (
    SELECT status FROM orders_serviceorder WHERE id = %(service_order_id)s FOR NO KEY UPDATE
),
new_order AS (
    INSERT INTO orders_partsorder (
        id, kind, status, progress, revision, customer_id, service_order_id, region_id, destination_id,
        external_reference, requested_on, complete_delivery_only, on_hold, is_test, reference, version, chain_hash,
        status_since, created_at
    )
    VALUES (
        %(id)s, %(kind)s, %(status)s, 0, 0, %(customer_id)s, %(service_order_id)s, %(region_id)s, %(destination_id)s,
        %(external_reference)s, %(requested_on)s, %(complete_delivery_only)s, false, %(is_test)s, %(reference)s,
        %(version)s, %(chain_hash)s, %(at)s, %(recorded_at)s
    )
),
new_lines AS (
    INSERT INTO orders_orderline (
        id, order_id, parent_id, position, child_number, part_id, quantity, status, is_split, progress, warehouse_id,
        requested_on, minimum_fill, reference, version, chain_hash, status_since, created_at
    )
    SELECT
        id, %(id)s, parent_id, position, child_number, part_id, quantity, status, is_split, 0, warehouse_id,
        requested_on, minimum_fill, reference, version, decode(chain_hash, 'hex'), %(at)s, %(recorded_at)s
    FROM json_to_recordset(%(new_lines)s::json) AS line (
        id uuid, parent_id uuid, position integer, child_number integer, part_id uuid, quantity numeric, status text,
        is_split boolean, warehouse_id uuid, requested_on date, minimum_fill numeric, reference text, version integer,
        chain_hash text
    )
),
{{reserve}}
SELECT (SELECT status FROM job), (SELECT count(*) FROM reserved_levels)
"""

#: Lock service orders by their keys and read what a move needs. Parameter: ids.
LOCK_SERVICE_ORDERS = """
SELECT
    id, reference, version, chain_hash, status, status_since, customer_id, technician_id, scheduled_for
FROM orders_serviceorder
WHERE id = ANY(%(ids)s::uuid[])
ORDER BY id
FOR NO KEY UPDATE
"""

#: Write service orders whose locks are held, with their events. Parameters: changes and those of the ledger.
WRITE_SERVICE_ORDERS = f"""
WITH {APPEND_EVENTS},
changed AS (
    UPDATE orders_serviceorder AS service_order
    SET status = change.status, version = change.version, chain_hash = decode(change.chain_hash, 'hex'),
        status_since = change.status_since
    FROM json_to_recordset(%(changes)s::json) AS change (
        id uuid, read_version integer, status text, version integer, chain_hash text, status_since timestamptz
    )
    WHERE service_order.id = change.id AND service_order.version = change.read_version
    RETURNING 1
)
SELECT count(*) FROM changed
"""

#: What the queue must know of lines that were not short when they were placed. Parameters: line_ids, today.
READ_FOR_QUEUE = """
SELECT line.id, part.criticality, customer.tier, equipment.downtime_cost_per_hour, contract.priority_points
FROM orders_orderline AS line
JOIN parts_part AS part ON part.id = line.part_id
JOIN orders_partsorder AS parts_order ON parts_order.id = line.order_id
LEFT JOIN orders_customer AS customer ON customer.id = parts_order.customer_id
LEFT JOIN orders_serviceorder AS service_order ON service_order.id = parts_order.service_order_id
LEFT JOIN orders_equipment AS equipment ON equipment.id = service_order.equipment_id
LEFT JOIN orders_servicecontract AS contract
    ON contract.id = service_order.contract_id AND contract.valid_from <= %(today)s
    AND coalesce(contract.valid_until, 'infinity') >= %(today)s
WHERE line.id = ANY(%(line_ids)s::uuid[])
"""

#: Note when shipments arrived: when the last of what they carried was delivered, by the clock of whoever delivered it.
#: Nothing is noted while some of it is on its way, or where none of it was delivered. A line that was split on its way
#: is looked at through its parts. Parameter: line_ids, those that have just been delivered or sent back.
NOTE_ARRIVALS = """
UPDATE orders_shipment AS shipment
SET delivered_at = greatest(carried.arrived_at, shipment.shipped_at)
FROM (
    SELECT
        item.shipment_id, max(line.status_since) FILTER (WHERE line.status = 'delivered') AS arrived_at,
        bool_or(line.status = 'shipped') AS travels
    FROM orders_shipmentline AS item
    JOIN orders_orderline AS line ON (line.id = item.line_id OR line.parent_id = item.line_id) AND NOT line.is_split
    WHERE item.shipment_id IN (SELECT shipment_id FROM orders_shipmentline WHERE line_id = ANY(%(line_ids)s::uuid[]))
    GROUP BY item.shipment_id
) AS carried
WHERE shipment.id = carried.shipment_id AND shipment.delivered_at IS NULL
  AND carried.arrived_at IS NOT NULL AND NOT carried.travels
"""

#: Which of these serial numbers have left and are not known to be back, and what tells that they can be: how many units
#: of their position may be back (what left of it, less what is on its way or with its receiver, less the numbers that
#: were taken back before), and whether a delivery brought the number after it left. What one of our own warehouses has
#: received is with us. `place` counts from 1. Under the lock of the parts' stock.
#: Parameters: part_ids, serials (in pairs), for_our_stock (kinds of orders).
GONE_SERIALS = f"""
SELECT
    given.place, gone.id, shipment.reference, line.order_id, line.position,
    (
        SELECT coalesce(sum(item.quantity), 0)
        FROM orders_shipmentline AS item
        JOIN orders_orderline AS carried ON carried.id = item.line_id
        WHERE carried.order_id = line.order_id AND carried.position = line.position
    ) - (
        SELECT coalesce(sum(leaf.quantity), 0)
        FROM orders_orderline AS leaf
        WHERE leaf.order_id = line.order_id AND leaf.position = line.position AND NOT leaf.is_split AND (
            leaf.status = 'shipped'
            OR leaf.status = 'delivered' AND parts_order.kind <> ALL(%(for_our_stock)s::text[])
        )
    ) - (
        SELECT count(*)
        FROM orders_shippedserial AS back
        JOIN orders_shipmentline AS item ON item.id = back.shipment_line_id
        JOIN orders_orderline AS carried ON carried.id = item.line_id
        WHERE carried.order_id = line.order_id AND carried.position = line.position AND NOT back.is_gone
    ),
    EXISTS (
        SELECT
        FROM parts_deliveryserial AS came
        JOIN parts_deliveryline AS brought ON brought.id = came.line_id
        JOIN parts_delivery AS delivery ON delivery.id = brought.delivery_id
        WHERE {_KEY % {"expressions": "came.serial"}} = {_KEY % {"expressions": "given.serial"}}
            AND brought.part_id = gone.part_id AND delivery.received_at > shipment.shipped_at
    )
FROM unnest(%(part_ids)s::uuid[], %(serials)s::text[]) WITH ORDINALITY AS given (part_id, serial, place)
JOIN orders_shippedserial AS gone
    ON gone.part_id = given.part_id AND gone.is_gone
    AND {_KEY % {"expressions": "gone.serial"}} = {_KEY % {"expressions": "given.serial"}}
JOIN orders_shipmentline AS left_with ON left_with.id = gone.shipment_line_id
JOIN orders_shipment AS shipment ON shipment.id = left_with.shipment_id
JOIN orders_orderline AS line ON line.id = left_with.line_id
JOIN orders_partsorder AS parts_order ON parts_order.id = line.order_id
"""
