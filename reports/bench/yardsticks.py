"""The yardstick: each operation's effect as one hand-written statement, run through psycopg with autocommit.

They write the rows that the actions write (order, lines, reservations, movements, levels, back order, hashed events),
without the actions' checks, rules, permissions and choices: what the database alone costs.
"""

#: Place an order of some parts; each has one level. Parameters: customer, parts (uuid[]), quantities (numeric[]), at.
PLACE = """
WITH customer AS (
    SELECT id, tier, region_id FROM orders_customer WHERE id = %(customer)s
),
level AS MATERIALIZED (
    SELECT id, part_id, warehouse_id, on_hand - unfit - reserved AS free
    FROM parts_stocklevel WHERE part_id = ANY(%(parts)s::uuid[]) ORDER BY id FOR NO KEY UPDATE
),
parts_order AS MATERIALIZED (
    SELECT gen_random_uuid() AS id, 'P-' || lpad(nextval('orders_parts_order_number')::text, 6, '0') AS reference
),
root AS MATERIALIZED (
    SELECT
        gen_random_uuid() AS id, wanted.part_id, wanted.quantity, wanted.position, level.id AS level_id,
        level.warehouse_id, least(wanted.quantity, level.free) AS got,
        parts_order.reference || '/' || wanted.position AS reference
    FROM unnest(%(parts)s::uuid[], %(quantities)s::numeric[]) WITH ORDINALITY AS wanted (part_id, quantity, position)
    JOIN level ON level.part_id = wanted.part_id
    CROSS JOIN parts_order
),
line AS MATERIALIZED (
    SELECT
        id, NULL::uuid AS parent_id, part_id, quantity, position, 0 AS child_number, level_id,
        CASE WHEN got = quantity THEN warehouse_id END AS warehouse_id, got < quantity AS is_split, reference,
        CASE WHEN got = quantity THEN 'reserved' ELSE 'back_ordered' END AS status, 'line.placed' AS kind
    FROM root
    UNION ALL
    SELECT gen_random_uuid(), id, part_id, got, position, 1, level_id, warehouse_id, false, reference || '.1',
        'reserved', 'line.split_off'
    FROM root WHERE got < quantity AND got > 0
    UNION ALL
    SELECT gen_random_uuid(), id, part_id, quantity - got, position, 2, NULL, NULL, false, reference || '.2',
        'back_ordered', 'line.split_off'
    FROM root WHERE got < quantity
),
short AS MATERIALIZED (
    SELECT gen_random_uuid() AS id, line.id AS line_id, line.part_id, line.quantity, 'B' || substr(line.reference, 2)
        AS reference
    FROM line WHERE line.status = 'back_ordered' AND NOT line.is_split
),
held AS MATERIALIZED (
    SELECT gen_random_uuid() AS id, id AS demand_id, level_id, quantity
    FROM line WHERE status = 'reserved' AND NOT is_split
),
event AS MATERIALIZED (
    SELECT
        gen_random_uuid() AS id, 'parts_order' AS subject_kind, parts_order.id AS subject_id, parts_order.reference,
        'parts_order.placed' AS kind, (SELECT min(status) FROM line) AS status, '{}'::jsonb AS data
    FROM parts_order
    UNION ALL
    SELECT gen_random_uuid(), 'line', id, reference, kind, status, jsonb_build_object('quantity', quantity::text)
    FROM line
    UNION ALL
    SELECT gen_random_uuid(), 'back_order', id, reference, 'back_order.opened', 'open',
        jsonb_build_object('quantity', quantity::text)
    FROM short
),
hashed AS MATERIALIZED (
    SELECT event.*, sha256(convert_to(concat_ws(',', id, subject_kind, subject_id, reference, 1, kind, status,
        %(at)s::timestamptz, 'bench', 'bench', data), 'UTF8')) AS hash
    FROM event
),
new_events AS (
    INSERT INTO orders_orderevent (
        id, subject_kind, subject_id, reference, version, kind, from_status, to_status, occurred_at, recorded_at,
        actor, source, message_id, visibility, override_reference, is_override, passed_through, data, previous_hash,
        hash
    )
    SELECT id, subject_kind, subject_id, reference, 1, kind, '', status, %(at)s, %(at)s, 'bench', 'bench', '',
        'internal', '', false, false, data, '', hash
    FROM hashed
),
new_order AS (
    INSERT INTO orders_partsorder (
        id, kind, status, progress, revision, customer_id, region_id, external_reference, requested_on,
        complete_delivery_only, on_hold, is_test, reference, version, chain_hash, status_since, created_at
    )
    SELECT hashed.subject_id, 'service', hashed.status, 0, 0, customer.id, customer.region_id, '', current_date, false,
        false, false, hashed.reference, 1, hashed.hash, %(at)s, %(at)s
    FROM hashed, customer WHERE hashed.subject_kind = 'parts_order'
),
new_lines AS (
    INSERT INTO orders_orderline (
        id, order_id, parent_id, position, child_number, part_id, quantity, status, is_split, progress, warehouse_id,
        requested_on, reference, version, chain_hash, status_since, created_at
    )
    SELECT line.id, parts_order.id, line.parent_id, line.position, line.child_number, line.part_id, line.quantity,
        line.status, line.is_split, 0, line.warehouse_id, current_date, line.reference, 1, hashed.hash, %(at)s, %(at)s
    FROM line JOIN hashed ON hashed.subject_id = line.id CROSS JOIN parts_order
),
new_reservations AS (
    INSERT INTO parts_reservation (id, level_id, demand_id, purpose, strength, status, quantity, created_at)
    SELECT id, level_id, demand_id, 'service', 'hard', 'active', quantity, %(at)s FROM held
),
new_movements AS (
    INSERT INTO parts_stockmovement (
        id, level_id, kind, on_hand_change, reserved_change, unfit_change, reservation_id, occurred_at, recorded_at,
        actor, source
    )
    SELECT gen_random_uuid(), level_id, 'reservation', 0, quantity, 0, id, %(at)s, %(at)s, 'bench', 'bench' FROM held
),
levels AS (
    UPDATE parts_stocklevel AS level SET reserved = level.reserved + held.quantity
    FROM held WHERE level.id = held.level_id
),
new_back_orders AS (
    INSERT INTO backorders_backorder (
        id, line_id, part_id, customer_id, region_id, is_test, status, quantity, opened_quantity, minimum_fill, on_hold,
        rank, rank_facts, opened_at, reference, version, chain_hash, status_since, created_at
    )
    SELECT short.id, short.line_id, short.part_id, customer.id, customer.region_id, false, 'open', short.quantity,
        short.quantity, 0, false, policy.service + policy.silver - policy.ageing_per_day
            * extract(epoch FROM %(at)s::timestamptz - timestamptz '2000-01-01 00:00+00') / 86400,
        '{}'::jsonb, %(at)s, short.reference, 1, hashed.hash, %(at)s, %(at)s
    FROM short JOIN hashed ON hashed.subject_id = short.id CROSS JOIN customer
    CROSS JOIN backorders_allocationpolicy AS policy
)
SELECT reference FROM parts_order
"""

#: Take one step of a service order. Parameters: id, to, at.
MOVE = """
WITH job AS MATERIALIZED (
    SELECT id, reference, version + 1 AS version, status, chain_hash, %(at)s::timestamptz - status_since AS dwell,
        gen_random_uuid() AS event_id
    FROM orders_serviceorder WHERE id = %(id)s FOR NO KEY UPDATE
),
hashed AS MATERIALIZED (
    SELECT job.*, sha256(chain_hash || convert_to(concat_ws(',', event_id, 'service_order', id, reference, version,
        'service_order.status_changed', status, %(to)s::text, %(at)s::timestamptz, dwell, 'bench', 'bench'), 'UTF8'))
        AS hash
    FROM job
),
changed AS (
    UPDATE orders_serviceorder AS service_order
    SET status = %(to)s, version = hashed.version, chain_hash = hashed.hash, status_since = %(at)s
    FROM hashed WHERE service_order.id = hashed.id
)
INSERT INTO orders_orderevent (
    id, subject_kind, subject_id, reference, version, kind, from_status, to_status, occurred_at, recorded_at, dwell,
    actor, source, message_id, visibility, override_reference, is_override, passed_through, data, previous_hash, hash
)
SELECT event_id, 'service_order', id, reference, version, 'service_order.status_changed', status, %(to)s, %(at)s,
    %(at)s, dwell, 'bench', 'bench', '', 'internal', '', false, false, '{}'::jsonb, chain_hash, hash
FROM hashed
"""

#: Give what is free of some parts to their queues by rank; every back order is of one unit and one level.
#: Parameters: parts, at.
ALLOCATE = """
WITH level AS MATERIALIZED (
    SELECT id, part_id, warehouse_id, on_hand - unfit - reserved AS free
    FROM parts_stocklevel WHERE part_id = ANY(%(parts)s::uuid[]) ORDER BY id FOR NO KEY UPDATE
),
chosen AS MATERIALIZED (
    SELECT
        queue.*, line.id AS child_id, line.parent_id, line.order_id, line.version AS line_version,
        line.chain_hash AS line_hash, line.reference AS line_reference, line.status_since AS line_since
    FROM (
        SELECT
            back_order.id, back_order.line_id, back_order.part_id, back_order.quantity, back_order.rank,
            back_order.version, back_order.chain_hash, back_order.reference, back_order.status_since,
            level.id AS level_id, level.warehouse_id, level.free,
            sum(back_order.quantity) OVER (
                PARTITION BY back_order.part_id ORDER BY back_order.rank DESC, back_order.id
            ) AS upto,
            gen_random_uuid() AS reservation_id, gen_random_uuid() AS movement_id, gen_random_uuid() AS decision_id,
            row_number() OVER (PARTITION BY back_order.part_id ORDER BY back_order.rank DESC, back_order.id) AS place
        FROM level
        CROSS JOIN LATERAL (
            SELECT * FROM backorders_backorder AS waiting
            WHERE waiting.part_id = level.part_id AND waiting.status IN ('open', 'sourcing', 'supply_confirmed')
            ORDER BY waiting.rank DESC, waiting.id
            LIMIT level.free::bigint
        ) AS back_order
    ) AS queue
    JOIN orders_orderline AS line ON line.id = queue.line_id
    WHERE queue.upto <= queue.free
),
subject AS MATERIALIZED (
    SELECT 'line' AS kind, child_id AS id, line_reference AS reference, line_version AS version,
        line_hash AS chain_hash, line_since AS since, 'back_ordered' AS from_status, 'reserved' AS to_status,
        'line.status_changed' AS event, warehouse_id
    FROM chosen
    UNION ALL
    SELECT 'line', root.id, root.reference, root.version, root.chain_hash, root.status_since, root.status, 'reserved',
        'line.status_derived', NULL
    FROM orders_orderline AS root JOIN chosen ON chosen.parent_id = root.id
    UNION ALL
    SELECT 'parts_order', parts_order.id, parts_order.reference, parts_order.version, parts_order.chain_hash,
        parts_order.status_since, parts_order.status, 'reserved', 'parts_order.status_derived', NULL
    FROM orders_partsorder AS parts_order JOIN chosen ON chosen.order_id = parts_order.id
    UNION ALL
    SELECT 'back_order', id, reference, version, chain_hash, status_since, 'open', 'allocated',
        'back_order.status_changed', NULL
    FROM chosen
),
hashed AS MATERIALIZED (
    SELECT subject.*, %(at)s::timestamptz - since AS dwell, gen_random_uuid() AS event_id,
        sha256(chain_hash || convert_to(concat_ws(',', kind, id, reference, version, event, from_status, to_status,
            %(at)s::timestamptz, 'bench', 'bench'), 'UTF8')) AS hash
    FROM subject
),
new_events AS (
    INSERT INTO orders_orderevent (
        id, subject_kind, subject_id, reference, version, kind, from_status, to_status, occurred_at, recorded_at, dwell,
        actor, source, message_id, visibility, override_reference, is_override, passed_through, data, previous_hash,
        hash
    )
    SELECT event_id, kind, id, reference, version + 1, event, from_status, to_status, %(at)s, %(at)s, dwell, 'bench',
        'bench', '', 'internal', '', false, false, '{}'::jsonb, chain_hash, hash
    FROM hashed
),
lines AS (
    UPDATE orders_orderline AS line
    SET status = 'reserved', version = line.version + 1, chain_hash = hashed.hash, status_since = %(at)s,
        warehouse_id = hashed.warehouse_id
    FROM hashed
    WHERE line.id = hashed.id AND hashed.kind = 'line'
),
orders AS (
    UPDATE orders_partsorder AS parts_order
    SET status = 'reserved', version = parts_order.version + 1, chain_hash = hashed.hash, status_since = %(at)s,
        revision = parts_order.revision + 1
    FROM hashed WHERE parts_order.id = hashed.id AND hashed.kind = 'parts_order'
),
back_orders AS (
    UPDATE backorders_backorder AS back_order
    SET status = 'allocated', version = back_order.version + 1, chain_hash = hashed.hash, status_since = %(at)s,
        closed_at = %(at)s
    FROM hashed WHERE back_order.id = hashed.id AND hashed.kind = 'back_order'
),
new_reservations AS (
    INSERT INTO parts_reservation (id, level_id, demand_id, purpose, strength, status, quantity, created_at)
    SELECT reservation_id, level_id, child_id, 'service', 'hard', 'active', quantity, %(at)s FROM chosen
),
new_movements AS (
    INSERT INTO parts_stockmovement (
        id, level_id, kind, on_hand_change, reserved_change, unfit_change, reservation_id, occurred_at, recorded_at,
        actor, source
    )
    SELECT movement_id, level_id, 'reservation', 0, quantity, 0, reservation_id, %(at)s, %(at)s, 'bench', 'bench'
    FROM chosen
),
levels AS (
    UPDATE parts_stocklevel AS level SET reserved = level.reserved + total.quantity
    FROM (SELECT level_id, sum(quantity) AS quantity FROM chosen GROUP BY level_id) AS total
    WHERE level.id = total.level_id
),
run AS (
    INSERT INTO backorders_allocationrun (id, cause, actor, source, policy_revision, ran_at, parts)
    VALUES (gen_random_uuid(), 'bench', 'bench', 'bench', 1, %(at)s, '[]'::jsonb)
    RETURNING id
),
decisions AS (
    INSERT INTO backorders_allocationdecision (
        id, run_id, back_order_id, part_id, outcome, rule, rank, asked, given, free_before, place
    )
    SELECT decision_id, run.id, chosen.id, part_id, 'given', 'whole', rank, quantity, quantity, free - upto + quantity,
        place
    FROM chosen CROSS JOIN run
),
allocations AS (
    INSERT INTO backorders_allocation (id, back_order_id, line_id, movement_id, decision_id, quantity, allocated_at)
    SELECT gen_random_uuid(), id, child_id, movement_id, decision_id, quantity, %(at)s FROM chosen
)
SELECT count(*) FROM chosen
"""
