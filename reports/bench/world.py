"""The rows that are measured on: made in bulk, in the shapes that the actions make, in a database of their own."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from django.db import connection

from orders.models import Customer
from parts.actions import stock
from parts.actors import Actor
from parts.models import Part, Region, StockLevel, Warehouse

BENCH = Actor.system("bench")


@dataclass(frozen=True, slots=True)
class Place:
    """A region with a warehouse and a customer."""

    region_id: UUID
    warehouse_id: UUID
    customer_id: UUID


def new_place() -> Place:
    """Make a region, a warehouse and a customer with a name of their own."""
    name = secrets.token_hex(4)
    region = Region.objects.create(code=name, name=name)
    warehouse = Warehouse.objects.create(code=name, name=name, region=region)
    customer = Customer.objects.create(code=name, name=name, region=region)
    return Place(region.id, warehouse.id, customer.id)


def new_parts(place: Place, count: int, on_hand: int, every_fifth: int | None = None) -> list[UUID]:
    """Make parts with stock; with `every_fifth`, each fifth part (the 1st, 6th, …) has that much instead."""
    name = secrets.token_hex(4)
    parts = [Part(number=f"{name}-{index:05}", description="measured") for index in range(count)]
    Part.objects.bulk_create(parts)
    quantities = [every_fifth if every_fifth is not None and index % 5 == 0 else on_hand for index in range(count)]
    corrections = [
        stock.Correction(
            part_id=part.id, warehouse_id=place.warehouse_id, on_hand_change=Decimal(quantity), reason="opening"
        )
        for part, quantity in zip(parts, quantities, strict=True)
        if quantity
    ]
    if corrections:
        stock.correct_stock_many(corrections=corrections, by=BENCH, source="bench", at=datetime.now(UTC))
    return [part.id for part in parts]


#: Orders of one line that is short of one unit: header, parent line, child line, back order, the newest first in rank.
_WAITING = """
WITH item AS MATERIALIZED (
    SELECT
        number, (%(parts)s::uuid[])[1 + number %% cardinality(%(parts)s::uuid[])] AS part_id,
        gen_random_uuid() AS order_id, gen_random_uuid() AS root_id, gen_random_uuid() AS child_id,
        %(prefix)s || number AS reference, sha256(number::text::bytea) AS hash
    FROM generate_series(1, %(count)s) AS number
),
orders AS (
    INSERT INTO orders_partsorder (
        id, kind, status, progress, revision, customer_id, region_id, external_reference, requested_on,
        complete_delivery_only, on_hold, is_test, reference, version, chain_hash, status_since, created_at
    )
    SELECT order_id, 'service', 'back_ordered', 0, 0, %(customer)s, %(region)s, '', current_date, false, false,
        false, 'P-' || reference, 1, hash, now(), now()
    FROM item
),
lines AS (
    INSERT INTO orders_orderline (
        id, order_id, parent_id, position, child_number, part_id, quantity, status, is_split, progress, requested_on,
        reference, version, chain_hash, status_since, created_at
    )
    SELECT root_id, order_id, NULL, 1, 0, part_id, 1, 'back_ordered', true, 0, current_date,
        'P-' || reference || '/1', 1, hash, now(), now()
    FROM item
    UNION ALL
    SELECT child_id, order_id, root_id, 1, 1, part_id, 1, 'back_ordered', false, 0, current_date,
        'P-' || reference || '/1.1', 1, hash, now(), now()
    FROM item
)
INSERT INTO backorders_backorder (
    id, line_id, part_id, customer_id, region_id, is_test, status, quantity, opened_quantity, minimum_fill, on_hold,
    rank, rank_facts, opened_at, reference, version, chain_hash, status_since, created_at
)
SELECT gen_random_uuid(), child_id, part_id, %(customer)s, %(region)s, false, 'open', 1, 1, 0, false, random() * 1000,
    '{}'::jsonb, now(), 'B-' || reference || '/1.1', 1, hash, now(), now()
FROM item
"""


def new_stock_unseen(place: Place, part_ids: list[UUID], quantity: int) -> None:
    """Put stock on the shelf without telling the queue, so that an allocation can be measured by itself."""
    StockLevel.objects.bulk_create(
        [
            StockLevel(part_id=part_id, warehouse_id=place.warehouse_id, on_hand=Decimal(quantity))
            for part_id in part_ids
        ]
    )


def new_waiting(place: Place, part_ids: list[UUID], count: int) -> None:
    """Make waiting back orders of one unit each, spread over the parts."""
    with connection.cursor() as cursor:
        cursor.execute(
            _WAITING,
            {
                "parts": part_ids,
                "count": count,
                "prefix": secrets.token_hex(4),
                "customer": place.customer_id,
                "region": place.region_id,
            },
        )


#: Orders of three open lines each, without stock: only for reading.
_LISTED = """
WITH item AS MATERIALIZED (
    SELECT number, gen_random_uuid() AS order_id, %(prefix)s || number AS reference
    FROM generate_series(1, %(count)s) AS number
),
orders AS (
    INSERT INTO orders_partsorder (
        id, kind, status, progress, revision, customer_id, region_id, external_reference, requested_on,
        complete_delivery_only, on_hold, is_test, reference, version, chain_hash, status_since, created_at
    )
    SELECT order_id, 'service', 'open', 0, 0, %(customer)s, %(region)s, '', current_date, false, false, false,
        'P-' || reference, 1, '\\x00', now(), now()
    FROM item
)
INSERT INTO orders_orderline (
    id, order_id, position, child_number, part_id, quantity, status, is_split, progress, requested_on, reference,
    version, chain_hash, status_since, created_at
)
SELECT gen_random_uuid(), order_id, position, 0, (%(parts)s::uuid[])[position], position, 'open', false, 0,
    current_date, 'P-' || reference || '/' || position, 1, '\\x00', now(), now()
FROM item CROSS JOIN generate_series(1, 3) AS position
"""


def new_listed(place: Place, part_ids: list[UUID], count: int) -> None:
    """Make orders with three open lines each, in slices, to be listed."""
    with connection.cursor() as cursor:
        for start in range(0, count, 100_000):
            cursor.execute(
                _LISTED,
                {
                    "parts": part_ids[:3],
                    "count": min(100_000, count - start),
                    "prefix": secrets.token_hex(4),
                    "customer": place.customer_id,
                    "region": place.region_id,
                },
            )


def analyze() -> None:
    """Give the planner its figures after bulk work."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
