"""The statements that fill a house of service parts: set-based, in the shapes that the actions make, without chains."""

#: The key that something made then bears (UUIDv7).
KEYS = """
CREATE OR REPLACE FUNCTION pg_temp.key_of(made timestamptz) RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT (
        lpad(to_hex((extract(epoch FROM made) * 1000)::bigint), 12, '0') || '7'
        || substr(md5(random()::text), 1, 3) || '8' || substr(md5(random()::text), 1, 15)
    )::uuid
$$
"""

#: Customers, machines and parts. Parameters: customers, machines, parts, regions.
MASTERS = (
    """
    INSERT INTO orders_customer (
        id, code, name, tier, region_id, language, time_zone, email, phone, address, is_active
    )
    SELECT
        pg_temp.key_of(now() - interval '2 years' + number * interval '1 hour'), 'C' || lpad(number::text, 6, '0'),
        (%(first)s::text[])[1 + number %% cardinality(%(first)s::text[])] || ' '
            || (%(second)s::text[])[1 + number / 7 %% cardinality(%(second)s::text[])] || ' ' || number,
        (ARRAY['platinum', 'gold', 'silver', 'bronze'])[1 + number %% 4],
        (%(regions)s::uuid[])[1 + number %% cardinality(%(regions)s::uuid[])], 'en', 'UTC', '', '', '', true
    FROM generate_series(1, %(customers)s) AS number
    """,
    """
    INSERT INTO orders_equipment (id, serial_number, model, criticality, downtime_cost_per_hour, customer_id)
    SELECT
        pg_temp.key_of(now() - interval '1 year'), 'SN-' || lpad((number * 7919)::text, 9, '0'),
        'HX-' || (100 + number %% 40), (ARRAY['A', 'B', 'C'])[1 + number %% 3], number %% 900, customer.id
    FROM generate_series(1, %(machines)s) AS number
    JOIN (SELECT id, row_number() OVER (ORDER BY code) AS place FROM orders_customer)
        AS customer ON customer.place = 1 + number %% %(customers)s
    """,
    """
    INSERT INTO parts_part (
        id, number, description, criticality, ved_class, unit_id, unit_cost, core_charge, is_active, is_controlled
    )
    SELECT
        pg_temp.key_of(now() - interval '3 years'), 'HP-' || lpad(number::text, 5, '0'),
        (%(things)s::text[])[1 + number %% cardinality(%(things)s::text[])] || ' '
            || (%(kinds)s::text[])[1 + number / 11 %% cardinality(%(kinds)s::text[])] || ' ' || number,
        (ARRAY['A', 'B', 'B', 'C', 'C', 'C'])[1 + number %% 6], 'D', 'C62',
        CASE WHEN number %% 20 = 0 THEN 0 ELSE 5 + number %% 700 END, 0, true, false
    FROM generate_series(1, %(parts)s) AS number
    """,
)

#: Stock of the parts behind the first `short`, in three warehouses each; of the others there is none.
STOCK = """
INSERT INTO parts_stocklevel (id, part_id, warehouse_id, condition, owner, on_hand, reserved, unfit)
SELECT
    gen_random_uuid(), part.id, (%(warehouses)s::uuid[])[1 + (place * 5 + turn) %% cardinality(%(warehouses)s::uuid[])],
    'new', 'own', CASE WHEN place > %(short)s THEN 1000 ELSE 0 END, 0, 0
FROM (SELECT id, row_number() OVER (ORDER BY number) AS place FROM parts_part) AS part
CROSS JOIN generate_series(0, 2) AS turn
"""

#: Purchase orders of twenty lines that cover each part that is short twice. A fifth of the lines has no day, a tenth a
#: day that has passed. Parameters: short, suppliers, warehouses.
SUPPLY = """
WITH item AS MATERIALIZED (
    SELECT number, gen_random_uuid() AS id FROM generate_series(0, %(short)s * 2 / 20 - 1) AS number
),
orders AS (
    INSERT INTO parts_purchaseorder (id, number, supplier_id, warehouse_id, status, ordered_at)
    SELECT
        id, 'PO-' || lpad(number::text, 6, '0'),
        (%(suppliers)s::uuid[])[1 + number %% cardinality(%(suppliers)s::uuid[])],
        (%(warehouses)s::uuid[])[1 + number %% cardinality(%(warehouses)s::uuid[])], 'ordered',
        now() - number %% 60 * interval '1 day'
    FROM item
)
INSERT INTO parts_purchaseorderline (
    id, purchase_order_id, position, part_id, quantity, received, cancelled, unit_cost, first_confirmed_on, expected_on
)
SELECT
    gen_random_uuid(), item.id, position, part.id, 5 + number %% 4, 0, 0, 10, NULL,
    CASE
        WHEN position = 20 THEN current_date - 3 WHEN position %% 5 = 0 THEN NULL
        ELSE current_date + 3 + (number * 3 + position) %% 90
    END
FROM item
CROSS JOIN generate_series(1, 20) AS position
JOIN (SELECT id, row_number() OVER (ORDER BY number) AS place FROM parts_part) AS part
    ON part.place = 1 + (number * 20 + position) %% %(short)s
"""

#: A year of jobs, the newest last: each closed one with its eight events, the open ones (of the last numbers) with
#: those that they have had. Parameters: first, last, jobs, open (about so many are open), technicians, path.
JOBS = """
WITH item AS MATERIALIZED (
    SELECT
        number, number > %(jobs)s - %(open)s AS is_open, made, pg_temp.key_of(made) AS id,
        'SO-' || lpad(number::text, 6, '0') AS reference, machine.id AS machine_id, machine.customer_id,
        customer.region_id,
        CASE WHEN number > %(jobs)s - %(open)s THEN 1 + number %% 7 WHEN number %% 20 = 0 THEN 9 ELSE 8 END AS stage,
        least(interval '1 day', (now() - made) / 9) AS step,
        CASE WHEN number %% 9 > 1
            THEN (%(technicians)s::integer[])[1 + number %% cardinality(%(technicians)s::integer[])]
        END AS technician_id
    FROM (
        SELECT number, now() - ((%(jobs)s - number + 1)::float8 / %(jobs)s * interval '365 days') AS made
        FROM generate_series(%(first)s::integer, %(last)s::integer) AS number
    ) AS dated
    JOIN (
        SELECT id, customer_id, row_number() OVER (ORDER BY serial_number) AS place
        FROM orders_equipment
    ) AS machine ON machine.place = 1 + number %% %(machines)s
    JOIN orders_customer AS customer ON customer.id = machine.customer_id
),
jobs AS (
    INSERT INTO orders_serviceorder (
        id, reference, version, chain_hash, status_since, created_at, status, title, description, external_reference,
        machine_down, scheduled_for, is_test, customer_id, equipment_id, region_id, technician_id, response_due_at,
        repair_due_at
    )
    SELECT
        id, reference, least(stage, 8), '\\x00', made + step * least(stage, 8), made,
        (%(path)s::text[])[stage],
        (ARRAY['Boom does not lift', 'Leaks oil', 'Does not start', 'Alarm 42', 'Yearly service', 'Brake drags'])
            [1 + number %% 6] || ' ' || number, '', CASE WHEN number %% 5 = 0 THEN 'CR-' || number ELSE '' END,
        number %% 12 = 0, made::date + 2, number %% 200 = 0, customer_id, machine_id, region_id, technician_id,
        CASE WHEN number %% 3 > 0 THEN made + interval '8 hours' + number %% 30 * interval '1 day' END,
        CASE WHEN number %% 3 > 0 THEN made + number %% 40 * interval '1 day' END
    FROM item
)
INSERT INTO orders_orderevent (
    id, subject_kind, subject_id, reference, version, kind, from_status, to_status, occurred_at, recorded_at, dwell,
    actor, source, message_id, visibility, override_reference, is_override, passed_through, data, previous_hash, hash
)
SELECT
    pg_temp.key_of(made + step * version), 'service_order', id, reference, version,
    CASE WHEN version = 1 THEN 'service_order.created' ELSE 'service_order.status_changed' END,
    CASE WHEN version = 1 THEN '' ELSE (%(path)s::text[])[version - 1] END,
    CASE WHEN version = 8 AND stage = 9 THEN 'cancelled' ELSE (%(path)s::text[])[version] END,
    made + step * version, made + step * version, CASE WHEN version > 1 THEN step END,
    CASE WHEN technician_id IS NULL THEN 'system:desk' ELSE 'user:' || technician_id END, 'desk', '', 'public', '',
    false, false, '{}'::jsonb, '\\x00', '\\x00'
FROM item CROSS JOIN generate_series(1, 8) AS version
WHERE version <= stage
"""

#: Parts orders of two lines. Those of `waiting` numbers wait for both, each line in the queue; the others were
#: delivered, each line with its six events. One order in ten is for an open job, where it waits, or for a closed one.
#: Parameters: first, last, waiting (numbers from the last back), orders, short, warehouses, jobs (its first waiting).
ORDERS = """
WITH item AS MATERIALIZED (
    SELECT
        number, number > %(orders)s - %(waiting)s AS waits, coalesce(greatest(dated.made, job.created_at), dated.made)
            AS made, pg_temp.key_of(dated.made) AS id, lpad(number::text, 6, '0') AS digits,
        coalesce(job.customer_id, customer.id) AS customer_id, coalesce(job.region_id, customer.region_id) AS region_id,
        customer.tier, job.id AS job_id, job.machine_down
    FROM (
        SELECT number, CASE
            WHEN number > %(orders)s - %(waiting)s
            THEN now() - power((%(orders)s - number + 1)::float8 / %(waiting)s, 2) * interval '120 days'
            ELSE now() - interval '10 days' - (%(orders)s - number)::float8 / %(orders)s * interval '350 days'
        END AS made
        FROM generate_series(%(first)s::integer, %(last)s::integer) AS number
    ) AS dated
    JOIN (
        SELECT id, region_id, tier, row_number() OVER (ORDER BY code) AS place
        FROM orders_customer
    ) AS customer ON customer.place = 1 + number * 17 %% %(customers)s
    LEFT JOIN orders_serviceorder AS job ON number %% 10 = 0
        AND job.reference = 'SO-' || lpad((%(jobs)s - (%(orders)s - number) / 10)::text, 6, '0')
),
line AS MATERIALIZED (
    SELECT
        item.*, position, pg_temp.key_of(made) AS line_id, pg_temp.key_of(made) AS child_id,
        pg_temp.key_of(made) AS queue_id, part.id AS part_id, part.criticality, 1 + number %% 3 AS quantity,
        CASE WHEN number %% 5 < 2 THEN made::date + 20 END AS promised_on
    FROM item
    CROSS JOIN generate_series(1, 2) AS position
    JOIN (SELECT id, criticality, row_number() OVER (ORDER BY number) AS place FROM parts_part)
        AS part ON part.place = CASE
            WHEN waits THEN 1 + floor(%(short)s * power(((number * 31 + position * 7) %% 997) / 997.0, 3))::integer
            ELSE 1 + (number * 2 + position) %% %(parts)s
        END
),
orders AS (
    INSERT INTO orders_partsorder (
        id, kind, status, progress, revision, customer_id, service_order_id, region_id, external_reference,
        requested_on, complete_delivery_only, on_hold, is_test, reference, version, chain_hash, status_since, created_at
    )
    SELECT id, CASE WHEN machine_down THEN 'emergency' ELSE 'service' END,
        CASE WHEN waits THEN 'back_ordered' ELSE 'delivered' END, CASE WHEN waits THEN 0 ELSE 1 END, 0, customer_id,
        job_id, region_id, CASE WHEN number %% 5 = 0 THEN 'ORD-' || digits ELSE '' END, made::date, false, false,
        number %% 200 = 0, 'P-' || digits, 1, '\\x00', made, made
    FROM item
),
lines AS (
    INSERT INTO orders_orderline (
        id, order_id, parent_id, position, child_number, part_id, quantity, status, is_split, progress, warehouse_id,
        requested_on, first_promised_on, promised_on, reference, version, chain_hash, status_since, created_at
    )
    SELECT line_id, id, NULL, position, 0, part_id, quantity, CASE WHEN waits THEN 'back_ordered' ELSE 'delivered' END,
        waits, CASE WHEN waits THEN 0 ELSE 1 END,
        CASE WHEN NOT waits THEN (%(warehouses)s::uuid[])[1 + number %% cardinality(%(warehouses)s::uuid[])] END,
        made::date, promised_on, promised_on, 'P-' || digits || '/' || position, CASE WHEN waits THEN 1 ELSE 6 END,
        '\\x00'::bytea, made, made
    FROM line
    UNION ALL
    SELECT child_id, id, line_id, position, 1, part_id, quantity, 'back_ordered', false, 0, NULL, made::date,
        promised_on, promised_on, 'P-' || digits || '/' || position || '.1', 1, '\\x00'::bytea, made, made
    FROM line WHERE waits
),
queue AS (
    INSERT INTO backorders_backorder (
        id, line_id, part_id, customer_id, region_id, is_test, status, quantity, opened_quantity, minimum_fill, on_hold,
        rank, rank_facts, opened_at, reference, version, chain_hash, status_since, created_at
    )
    SELECT queue_id, child_id, part_id, customer_id, region_id, number %% 200 = 0,
        (ARRAY['open', 'open', 'open', 'sourcing', 'supply_confirmed'])[1 + number %% 5], quantity, quantity, 0,
        number %% 100 = 0, 0, jsonb_build_object(
            'kind', CASE WHEN machine_down THEN 'emergency' ELSE 'service' END, 'tier', tier,
            'criticality', criticality, 'downtime_cost', (number %% 300)::text, 'contract_points', '0'
        ),
        made, 'B-' || digits || '/' || position || '.1', 1, '\\x00', made, made
    FROM line WHERE waits
),
event AS (
    SELECT 'parts_order' AS subject_kind, id AS subject_id, 'P-' || digits AS reference, 1 AS version,
        'parts_order.placed' AS kind, '' AS from_status, CASE WHEN waits THEN 'back_ordered' ELSE 'reserved' END
        AS to_status, made AS at, NULL::interval AS dwell, 0 AS quantity, number
    FROM item
    UNION ALL
    SELECT 'line', line_id, 'P-' || digits || '/' || position, 1, 'line.placed', '',
        CASE WHEN waits THEN 'back_ordered' ELSE 'reserved' END, made, NULL, quantity, number
    FROM line
    UNION ALL
    SELECT 'line', child_id, 'P-' || digits || '/' || position || '.1', 1, 'line.split_off', '', 'back_ordered', made,
        NULL, quantity, number
    FROM line WHERE waits
    UNION ALL
    SELECT 'back_order', queue_id, 'B-' || digits || '/' || position || '.1', 1, 'back_order.opened', '', 'open', made,
        NULL, quantity, number
    FROM line WHERE waits
    UNION ALL
    SELECT 'line', line_id, 'P-' || digits || '/' || position, step, 'line.status_changed', from_status, to_status,
        made + after, dwell, quantity, number
    FROM line CROSS JOIN (VALUES
        (2, 'reserved', 'released', interval '4 hours', interval '4 hours'),
        (3, 'released', 'picking', interval '10 hours', interval '6 hours'),
        (4, 'picking', 'packed', interval '11 hours', interval '1 hour'),
        (5, 'packed', 'shipped', interval '20 hours', interval '9 hours'),
        (6, 'shipped', 'delivered', interval '60 hours', interval '40 hours')
    ) AS steps (step, from_status, to_status, after, dwell)
    WHERE NOT waits
)
INSERT INTO orders_orderevent (
    id, subject_kind, subject_id, reference, version, kind, from_status, to_status, occurred_at, recorded_at, dwell,
    actor, source, message_id, visibility, override_reference, is_override, passed_through, data, previous_hash, hash
)
SELECT
    pg_temp.key_of(at), subject_kind, subject_id, reference, version, kind, from_status, to_status, at, at, dwell,
    CASE WHEN number %% 3 = 0 THEN 'user:' || (%(technicians)s::integer[])[1] ELSE 'system:warehouse' END, 'desk', '',
    'internal', '', false, false, jsonb_build_object('quantity', quantity::text), '\\x00', '\\x00'
FROM event
"""

#: Deliveries of five lines each over the year. Parameters: deliveries, suppliers, warehouses.
DELIVERIES = """
WITH item AS MATERIALIZED (
    SELECT number, pg_temp.key_of(at) AS id, at
    FROM (
        SELECT number, now() - number::float8 / %(deliveries)s * interval '365 days' AS at
        FROM generate_series(1, %(deliveries)s) AS number
    ) AS dated
),
deliveries AS (
    INSERT INTO parts_delivery (
        id, supplier_id, warehouse_id, note_number, received_at, recorded_at, actor, source, content_digest
    )
    SELECT
        id, (%(suppliers)s::uuid[])[1 + number %% cardinality(%(suppliers)s::uuid[])],
        (%(warehouses)s::uuid[])[1 + number %% cardinality(%(warehouses)s::uuid[])], 'DN-' || number, at, at,
        'user:' || (%(technicians)s::integer[])[1], 'admin', ''
    FROM item
)
INSERT INTO parts_deliveryline (
    id, delivery_id, position, part_id, quantity, unfit_quantity, condition, owner
)
SELECT gen_random_uuid(), item.id, position, part.id, 5, 0, 'new', 'own'
FROM item CROSS JOIN generate_series(1, 5) AS position
JOIN (SELECT id, row_number() OVER (ORDER BY number) AS place FROM parts_part) AS part
    ON part.place = 1 + (item.number * 5 + position) %% %(parts)s
"""
