"""What there is of a part, where, and what comes when: the answer to "when can I have it?"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from orders.visibility import MAY_BE_SEEN, SPECIAL_KIND, Sight, parameters

#: Parameters: part_ids, part_numbers, today, and who looks. One row per part; stock and supply as JSON. `promisable` is
#: what an order could be promised now; an open purchase order line into a warehouse that serves orders counts with what
#: no back order is pegged to, and with no day where it is overdue.
_READ = f"""
SELECT
    part.id, part.number, part.is_active,
    coalesce(stock.on_hand, 0), coalesce(stock.reserved, 0), coalesce(stock.unfit, 0), coalesce(stock.promisable, 0),
    coalesce(stock.places, '[]'), coalesce(supply.days, '[]')
FROM parts_part AS part
LEFT JOIN LATERAL (
    SELECT
        sum(place.on_hand) AS on_hand, sum(place.reserved) AS reserved, sum(place.unfit) AS unfit,
        sum(place.promisable) AS promisable,
        json_agg(json_build_array(
            place.id, place.code, place.allocatable, place.on_hand::text, place.reserved::text, place.unfit::text,
            place.promisable::text, place.consigned::text, place.loaner::text, place.in_repair::text,
            place.ordinary::text
        ) ORDER BY place.code) AS places
    FROM (
        SELECT
            warehouse.id, warehouse.code, warehouse.allocatable,
            sum(level.on_hand) AS on_hand, sum(level.reserved) AS reserved, sum(level.unfit) AS unfit,
            coalesce(sum(level.on_hand - level.unfit - level.reserved) FILTER (
                WHERE warehouse.allocatable AND level.condition IN ('new', 'refurbished') AND level.owner = 'own'
            ), 0) AS promisable,
            coalesce(sum(level.on_hand) FILTER (WHERE special.kind = 'consigned'), 0) AS consigned,
            coalesce(sum(level.on_hand) FILTER (WHERE special.kind = 'loaner'), 0) AS loaner,
            coalesce(sum(level.on_hand) FILTER (WHERE special.kind = 'in_repair'), 0) AS in_repair,
            coalesce(sum(level.on_hand - level.unfit - level.reserved) FILTER (WHERE special.kind IS NULL), 0)
                AS ordinary
        FROM parts_stocklevel AS level
        JOIN parts_warehouse AS warehouse ON warehouse.id = level.warehouse_id
        CROSS JOIN LATERAL (SELECT {SPECIAL_KIND} AS kind) AS special
        WHERE level.part_id = part.id AND ({MAY_BE_SEEN})
        GROUP BY warehouse.id
    ) AS place
) AS stock ON true
LEFT JOIN LATERAL (
    SELECT json_agg(json_build_array(day.expected_on, day.quantity::text) ORDER BY day.expected_on NULLS LAST) AS days
    FROM (
        SELECT
            CASE WHEN line.expected_on >= %(today)s THEN line.expected_on END AS expected_on,
            sum(line.quantity - line.received - line.cancelled - coalesce(pegged.quantity, 0)) AS quantity
        FROM parts_purchaseorderline AS line
        JOIN parts_purchaseorder AS purchase_order ON purchase_order.id = line.purchase_order_id
        JOIN parts_warehouse AS warehouse ON warehouse.id = purchase_order.warehouse_id AND warehouse.allocatable
        LEFT JOIN LATERAL (
            SELECT sum(peg.quantity) AS quantity FROM backorders_peg AS peg WHERE peg.purchase_order_line_id = line.id
        ) AS pegged ON true
        WHERE line.part_id = part.id AND line.is_open AND purchase_order.status = 'ordered'
        GROUP BY 1
    ) AS day
    WHERE day.quantity > 0
) AS supply ON true
WHERE part.id = ANY(%(part_ids)s::uuid[]) OR part.number = ANY(%(part_numbers)s::text[])
ORDER BY part.number
"""


@dataclass(frozen=True, slots=True)
class Place:
    """What lies in one warehouse, as far as it may be seen. `serves_orders`: whether its stock may be promised to any
    order. `consigned`, `loaner` and `in_repair` say how much of what is on hand is that, and is promised to nobody;
    `ordinary` is what is available of all other."""

    warehouse: UUID
    code: str
    serves_orders: bool
    on_hand: Decimal
    reserved: Decimal
    unfit: Decimal
    available: Decimal
    promisable: Decimal
    consigned: Decimal
    loaner: Decimal
    in_repair: Decimal
    ordinary: Decimal

    @property
    def kept_from_orders(self) -> Decimal:
        """What is ordinary stock and available, and yet no order may have: in a van, or used."""
        return self.ordinary - self.promisable


@dataclass(frozen=True, slots=True)
class Incoming:
    """What comes on a day (None: no date, or one that has passed) and is not yet spoken for by a back order."""

    expected_on: date | None
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Availability:
    """A part's stock everywhere that it may be seen. available = on hand - unfit - reserved; `promisable` is what an
    order could have of it now: fit, our own, in a warehouse that serves orders."""

    part: UUID
    number: str
    is_active: bool
    on_hand: Decimal
    reserved: Decimal
    unfit: Decimal
    available: Decimal
    promisable: Decimal
    warehouses: tuple[Place, ...]
    expected: tuple[Incoming, ...]


def availability(
    *, sight: Sight, part_ids: Sequence[UUID] = (), part_numbers: Sequence[str] = (), today: date
) -> list[Availability]:
    """Return what there is of these parts for whoever looks, sorted by number. One statement.

    Parts that do not exist are left out; so is special stock that no rule lets them see (`orders.visibility`).
    """
    asked: dict[str, Any] = {"part_ids": list(part_ids), "part_numbers": list(part_numbers), "today": today}
    with connection.cursor() as cursor:
        cursor.execute(_READ, {**parameters(sight), **asked})
        rows = cursor.fetchall()
    return [
        Availability(
            part=part_id,
            number=number,
            is_active=is_active,
            on_hand=on_hand,
            reserved=reserved,
            unfit=unfit,
            available=on_hand - unfit - reserved,
            promisable=promisable,
            warehouses=tuple(_place(*place) for place in places),
            expected=tuple(
                Incoming(date.fromisoformat(day) if day else None, Decimal(quantity)) for day, quantity in days
            ),
        )
        for part_id, number, is_active, on_hand, reserved, unfit, promisable, places, days in rows
    ]


def _place(key: str, code: str, serves: bool, on_hand: str, reserved: str, unfit: str, *rest: str) -> Place:
    there, held, bad = Decimal(on_hand), Decimal(reserved), Decimal(unfit)
    return Place(UUID(key), code, serves, there, held, bad, there - bad - held, *map(Decimal, rest))
