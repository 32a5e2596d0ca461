"""What waiting back orders can expect: their place in the queue, who is ahead, and the supply they are pegged to.

`explaining` tells all about one; this tells what a page of orders needs about many, in one statement.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import connection

from backorders.sql import WAITING

#: How far a queue is counted; who stands further back does not need the exact figure.
COUNTED = 1000
#: How many of those ahead are named.
NAMED = 3

#: Parameters: ids, counted, named.
_READ = f"""
SELECT
    back_order.id, queue.ahead, queue.quantity, coalesce(named.rows, '[]'), coalesce(supply.rows, '[]'),
    EXISTS (
        SELECT
        FROM parts_purchaseorderline AS incoming
        JOIN parts_purchaseorder AS purchase_order ON purchase_order.id = incoming.purchase_order_id
        WHERE incoming.part_id = back_order.part_id AND incoming.is_open AND purchase_order.status = 'ordered'
    )
FROM backorders_backorder AS back_order
CROSS JOIN LATERAL (
    SELECT count(*) AS ahead, coalesce(sum(other.quantity), 0) AS quantity
    FROM (
        SELECT other.quantity
        FROM backorders_backorder AS other
        WHERE other.part_id = back_order.part_id AND other.status IN {WAITING}
            AND (other.rank > back_order.rank OR (other.rank = back_order.rank AND other.id < back_order.id))
        ORDER BY other.rank DESC, other.id
        LIMIT %(counted)s + 1
    ) AS other
) AS queue
LEFT JOIN LATERAL (
    SELECT json_agg(json_build_array(
        other.reference, parts_order.reference, customer.name, other.quantity::text
    ) ORDER BY other.rank DESC, other.id) AS rows
    FROM (
        SELECT other.reference, other.line_id, other.quantity, other.rank, other.id
        FROM backorders_backorder AS other
        WHERE other.part_id = back_order.part_id AND other.status IN {WAITING}
            AND (other.rank > back_order.rank OR (other.rank = back_order.rank AND other.id < back_order.id))
        ORDER BY other.rank DESC, other.id
        LIMIT %(named)s
    ) AS other
    JOIN orders_orderline AS line ON line.id = other.line_id
    JOIN orders_partsorder AS parts_order ON parts_order.id = line.order_id
    LEFT JOIN orders_customer AS customer ON customer.id = parts_order.customer_id
) AS named ON true
LEFT JOIN LATERAL (
    SELECT json_agg(json_build_array(
        purchase_order.number, supplier.name, warehouse.code, peg.quantity::text, peg.expected_on, incoming.expected_on
    ) ORDER BY peg.expected_on NULLS LAST, peg.id) AS rows
    FROM backorders_peg AS peg
    JOIN parts_purchaseorderline AS incoming ON incoming.id = peg.purchase_order_line_id
    JOIN parts_purchaseorder AS purchase_order ON purchase_order.id = incoming.purchase_order_id
    JOIN parts_supplier AS supplier ON supplier.id = purchase_order.supplier_id
    JOIN parts_warehouse AS warehouse ON warehouse.id = purchase_order.warehouse_id
    WHERE peg.back_order_id = back_order.id
) AS supply ON true
WHERE back_order.id = ANY(%(ids)s::uuid[]) AND back_order.status IN {WAITING}
"""


@dataclass(frozen=True, slots=True)
class InFront:
    """A back order of the same part that gets the next unit earlier."""

    reference: str
    order: str
    customer: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Coming:
    """A purchase order line that covers some of it. `expected_on` is the day to count on (None: there is none);
    `said` is the day that the supplier last said, which may have passed."""

    purchase_order: str
    supplier: str
    warehouse: str
    quantity: Decimal
    expected_on: date | None
    said: date | None


@dataclass(frozen=True, slots=True)
class Prospect:
    """What a waiting back order can expect. `ahead` counts up to COUNTED, and is more than that where it is longer.

    `is_on_order` tells whether anything of its part is on order, be it for others.
    """

    back_order_id: UUID
    ahead: int
    quantity_ahead: Decimal
    in_front: tuple[InFront, ...]
    supply: tuple[Coming, ...]
    is_on_order: bool

    @property
    def covered(self) -> Decimal:
        """How much of it is ordered from a supplier."""
        return sum((coming.quantity for coming in self.supply), Decimal(0))

    @property
    def is_far_back(self) -> bool:
        """Whether more stand before it than were counted."""
        return self.ahead > COUNTED


def prospects(back_order_ids: Collection[UUID]) -> dict[UUID, Prospect]:
    """Return what these back orders can expect; those that wait no more are left out. One statement, none for none."""
    if not back_order_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_READ, {"ids": list(back_order_ids), "counted": COUNTED, "named": NAMED})
        return {row[0]: _prospect(*row) for row in cursor.fetchall()}


def _prospect(
    key: UUID,
    ahead: int,
    quantity: Decimal,
    in_front: list[list[str]],
    supply: list[list[str | None]],
    is_on_order: bool,
) -> Prospect:
    return Prospect(
        back_order_id=key,
        ahead=ahead,
        quantity_ahead=quantity,
        in_front=tuple(
            InFront(reference, order, customer or "", Decimal(missing))
            for reference, order, customer, missing in in_front
        ),
        supply=tuple(
            Coming(number or "", supplier or "", warehouse or "", Decimal(covers or 0), _day(expected), _day(said))
            for number, supplier, warehouse, covers, expected, said in supply
        ),
        is_on_order=is_on_order,
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
