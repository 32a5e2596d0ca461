"""A year of orders for the figures to be measured on: every event that they read, in the shapes that the actions make.

Each parts order has three lines; one line in five is short and waits, nearly all were shipped and delivered, each with
all its steps. That makes about 21 events an order. Only for reading: chains and stock are left out.
"""

from __future__ import annotations

import secrets

from django.db import connection

from orders.models import Customer
from parts.models import Part, Region, Warehouse

#: About so many events come with one order.
EVENTS_PER_ORDER = 21
REGIONS = 5

_ORDERS = """
WITH item AS MATERIALIZED (
    SELECT
        number, gen_random_uuid() AS id, %(prefix)s || number AS reference,
        (%(customers)s::uuid[])[1 + number %% cardinality(%(customers)s::uuid[])] AS customer_id,
        (%(regions)s::uuid[])[1 + number %% %(places)s] AS region_id,
        (%(warehouses)s::uuid[])[1 + number %% %(places)s] AS warehouse_id,
        now() - (number::float8 / %(count)s * interval '365 days') AS placed_at
    FROM generate_series(1, %(count)s) AS number
),
line AS MATERIALIZED (
    SELECT
        item.*, position, gen_random_uuid() AS line_id, gen_random_uuid() AS child_id, gen_random_uuid() AS queue_id,
        (%(parts)s::uuid[])[1 + (number * 3 + position) %% cardinality(%(parts)s::uuid[])] AS part_id,
        (number * 3 + position) %% 5 = 0 AS is_short,
        (number * 3 + position) %% 50 = 0 OR placed_at > now() - interval '3 days' AS still_waits
    FROM item CROSS JOIN generate_series(1, 3) AS position
),
orders AS (
    INSERT INTO orders_partsorder (
        id, kind, status, progress, revision, customer_id, region_id, external_reference, requested_on,
        complete_delivery_only, on_hold, is_test, reference, version, chain_hash, status_since, created_at
    )
    SELECT id, 'service', 'delivered', 1, 0, customer_id, region_id, '', placed_at, false, false, number %% 50 = 0,
        'P-' || reference, 1, '', placed_at, placed_at
    FROM item
),
lines AS (
    INSERT INTO orders_orderline (
        id, order_id, parent_id, position, child_number, part_id, quantity, status, is_split, progress, warehouse_id,
        requested_on, first_promised_on, promised_on, reference, version, chain_hash, status_since, created_at
    )
    SELECT line_id, id, NULL, position, 0, part_id, 2,
        CASE WHEN is_short AND still_waits THEN 'back_ordered' ELSE 'delivered' END, is_short, 1,
        CASE WHEN NOT is_short THEN warehouse_id END, placed_at::date, placed_at::date + 3, placed_at::date + 3,
        'P-' || reference || '/' || position, 1, '\\x00'::bytea, placed_at, placed_at
    FROM line
    UNION ALL
    SELECT child_id, id, line_id, position, 1, part_id, 2,
        CASE WHEN still_waits THEN 'back_ordered' ELSE 'delivered' END, false, 1,
        CASE WHEN NOT still_waits THEN warehouse_id END, placed_at::date, placed_at::date + 9, placed_at::date + 9,
        'P-' || reference || '/' || position || '.1', 1, '\\x00'::bytea, placed_at, placed_at
    FROM line WHERE is_short
),
queue AS (
    INSERT INTO backorders_backorder (
        id, line_id, part_id, customer_id, region_id, is_test, status, quantity, opened_quantity, minimum_fill, on_hold,
        rank, rank_facts, opened_at, closed_at, reference, version, chain_hash, status_since, created_at
    )
    SELECT queue_id, child_id, part_id, customer_id, region_id, number %% 50 = 0,
        CASE WHEN still_waits THEN 'open' ELSE 'fulfilled' END, 2, 2, 0, false, 0, '{}'::jsonb, placed_at,
        CASE WHEN NOT still_waits THEN placed_at + interval '8 days' END,
        'B-' || reference || '/' || position || '.1', 1, '\\x00'::bytea,
        CASE WHEN still_waits THEN placed_at ELSE placed_at + interval '8 days' END, placed_at
    FROM line WHERE is_short
),
event AS (
    SELECT 'parts_order' AS subject_kind, id AS subject_id, 'P-' || reference AS reference, 1 AS version,
        'parts_order.placed' AS kind, '' AS from_status, 'reserved' AS to_status, placed_at AS at,
        NULL::interval AS dwell
    FROM item
    UNION ALL
    SELECT 'line', line_id, 'P-' || reference || '/' || position, 1, 'line.placed', '',
        CASE WHEN is_short THEN 'back_ordered' ELSE 'reserved' END, placed_at, NULL
    FROM line
    UNION ALL
    SELECT 'line', child_id, 'P-' || reference || '/' || position || '.1', 1, 'line.split_off', '', 'back_ordered',
        placed_at, NULL
    FROM line WHERE is_short
    UNION ALL
    SELECT 'back_order', queue_id, 'B-' || reference || '/' || position || '.1', step, CASE step WHEN 1 THEN
        'back_order.opened' ELSE 'back_order.status_changed' END, from_status, to_status, placed_at + after, dwell
    FROM line JOIN (VALUES
        (1, '', 'open', interval '0', NULL::interval), (2, 'open', 'allocated', interval '7 days', interval '7 days'),
        (3, 'allocated', 'fulfilled', interval '8 days', interval '1 day')
    ) AS steps (step, from_status, to_status, after, dwell) ON step = 1 OR NOT still_waits
    WHERE is_short
    UNION ALL
    SELECT 'line', CASE WHEN is_short THEN child_id ELSE line_id END, 'P-' || reference || '/' || position, step,
        'line.status_changed', from_status, to_status,
        placed_at + after + CASE WHEN is_short THEN interval '7 days' ELSE interval '0' END, dwell
    FROM line CROSS JOIN (VALUES
        (2, 'reserved', 'released', interval '4 hours', interval '4 hours'),
        (3, 'released', 'picking', interval '10 hours', interval '6 hours'),
        (4, 'picking', 'packed', interval '11 hours', interval '1 hour'),
        (5, 'packed', 'shipped', interval '20 hours', interval '9 hours'),
        (6, 'shipped', 'delivered', interval '60 hours', interval '40 hours')
    ) AS steps (step, from_status, to_status, after, dwell)
    WHERE NOT (is_short AND still_waits)
)
INSERT INTO orders_orderevent (
    id, subject_kind, subject_id, reference, version, kind, from_status, to_status, occurred_at, recorded_at, dwell,
    actor, source, message_id, visibility, override_reference, is_override, passed_through, data, previous_hash, hash
)
SELECT gen_random_uuid(), subject_kind, subject_id, reference, version, kind, from_status, to_status, at, at, dwell,
    'bench', 'bench', '', 'internal', '', false, false, '{"quantity": "2"}'::jsonb, '', ''
FROM event
"""


def new_year(events: int) -> int:
    """Make a year of orders with about so many events, in slices; return how many events it made."""
    made, name = 0, secrets.token_hex(4)
    regions = Region.objects.bulk_create(
        [Region(code=f"{name}{number}", name=f"Region {number}") for number in range(REGIONS)]
    )
    warehouses = Warehouse.objects.bulk_create(
        [Warehouse(code=f"{name}{region.name[-1]}", name=f"{region.name} depot", region=region) for region in regions]
    )
    tiers = ("platinum", "gold", "silver", "bronze")
    customers = Customer.objects.bulk_create(
        [
            Customer(
                code=f"{name}{number}",
                name=f"Customer {number}",
                region=regions[number % REGIONS],
                tier=tiers[number % 4],
            )
            for number in range(400)
        ]
    )
    parts = Part.objects.bulk_create(
        [
            Part(number=f"{name}-{number:05}", description="measured", criticality="ABC"[number % 3])
            for number in range(999)
        ]
    )
    orders = max(events // EVENTS_PER_ORDER, 1)
    with connection.cursor() as cursor:
        for start in range(0, orders, 20_000):
            cursor.execute(
                _ORDERS,
                {
                    "prefix": f"{name}{start}-",
                    "count": min(20_000, orders - start),
                    "customers": [row.pk for row in customers],
                    "parts": [row.pk for row in parts],
                    "regions": [row.pk for row in regions],
                    "warehouses": [row.pk for row in warehouses],
                    "places": REGIONS,
                },
            )
            made += cursor.rowcount
    return made
