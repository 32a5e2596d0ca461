"""All that belongs to a job or a parts order, for one page: its lines with their dates, what they wait for, what left.

A constant number of statements, however many lines there are.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from backorders.prospects import Prospect, prospects
from backorders.statuses import BACK_ORDER_WAITING
from orders.boxes import Box, carried_with_serials
from orders.models import OrderLine, PartsOrder, ServiceOrder, Shipment

#: How many lines a page shows at once.
MOST_LINES = 50


@dataclass(slots=True)
class Row:
    """A line on a page: itself, the back order of it and what that can expect, what it left in."""

    line: Any
    back_order: Any = None
    prospect: Prospect | None = None
    boxes: list[Box] = field(default_factory=list)
    children: list[Row] = field(default_factory=list)


@dataclass(slots=True)
class Sent:
    """A shipment on a page, and the serial numbers in it by the number of their part."""

    shipment: Shipment
    serials: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dossier:
    """Parts orders with their lines: `rows` by order, each line with its children.

    `subjects` is all that has a history, each with the number of its part (empty for an order). `next_position` tells
    where more lines begin, None where all are here.
    """

    orders: list[Any]
    rows: dict[UUID, list[Row]]
    shipments: list[Sent]
    subjects: dict[UUID, str]
    next_position: int | None = None

    def leaves(self) -> list[Row]:
        """Return what holds stock or waits: lines that were not split, and the parts of those that were."""
        found: list[Row] = []
        for rows in self.rows.values():
            for row in rows:
                found += row.children or [row]
        return found


def parts_orders_of(job: ServiceOrder) -> QuerySet[Any]:
    """Return the parts orders of a job, the oldest first."""
    return PartsOrder.objects.filter(service_order=job).order_by("id")


def dossier(orders: Sequence[Any], *, from_position: int = 1, most: int = MOST_LINES) -> Dossier:
    """Return the lines of these orders. Of a single order with more than `most`, those from a position on."""
    keys = [order.pk for order in orders]
    lines = _lines(keys, from_position, most)
    lines, next_position = _cut(lines, most) if len(orders) == 1 else (lines, None)
    waiting = [line.back_order.pk for line in lines if _waits(line)]
    found, left = prospects(waiting), _shipments(keys)
    rows = _rows(lines, found, left)
    subjects = subjects_of(keys)
    return Dossier(
        orders=list(orders),
        rows=rows,
        shipments=_sent(left, subjects),
        subjects=subjects,
        next_position=next_position,
    )


def _lines(order_ids: Collection[UUID], from_position: int, most: int) -> list[Any]:
    lines = OrderLine.objects.filter(order_id__in=order_ids).select_related("part__unit", "warehouse", "back_order")
    if len(order_ids) == 1:
        lines = lines.filter(position__gte=from_position, position__lte=from_position + most)
    return list(lines.order_by("order_id", "position", "child_number", "id"))


def _cut(lines: list[Any], most: int) -> tuple[list[Any], int | None]:
    positions = sorted({line.position for line in lines})
    if len(positions) <= most:
        return lines, None
    return [line for line in lines if line.position < positions[most]], positions[most]


def _waits(line: Any) -> bool:
    back_order = getattr(line, "back_order", None)
    return back_order is not None and back_order.status in BACK_ORDER_WAITING


def _shipments(order_ids: Collection[UUID]) -> dict[UUID, list[Box]]:
    carried: dict[UUID, list[Box]] = {}
    rows = carried_with_serials().filter(shipment__order_id__in=order_ids).select_related("shipment__warehouse")
    for row in rows.order_by("shipment_id", "id"):
        carried.setdefault(row.line_id, []).append(Box(row.shipment, row.serial_numbers))
    return carried


def _sent(left: dict[UUID, list[Box]], parts: dict[UUID, str]) -> list[Sent]:
    """Return each shipment once, in the order they left; `parts` are the numbers of the lines' parts."""
    found: dict[UUID, Sent] = {}
    for line_id, boxes in left.items():
        for box in boxes:
            sent = found.setdefault(box.shipment.pk, Sent(box.shipment))
            if box.serials:
                sent.serials.setdefault(parts.get(line_id, ""), []).extend(box.serials)
    return sorted(found.values(), key=lambda sent: (sent.shipment.shipped_at, sent.shipment.pk))


def _rows(lines: Sequence[Any], found: dict[UUID, Prospect], left: dict[UUID, list[Box]]) -> dict[UUID, list[Row]]:
    made: dict[UUID, Row] = {}
    rows: dict[UUID, list[Row]] = {}
    for line in lines:
        back_order = getattr(line, "back_order", None)
        row = Row(line, back_order, found.get(back_order.pk) if back_order else None, left.get(line.pk, []))
        made[line.pk] = row
        parent = made.get(line.parent_id)
        if parent is not None:
            parent.children.append(row)
        else:
            rows.setdefault(line.order_id, []).append(row)
    return rows


def subjects_of(order_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the keys of the orders, of all their lines and of the back orders of these: all that has a history.

    Each with the number of its part, which is empty for an order.
    """
    lines = OrderLine.objects.filter(order_id__in=order_ids).order_by()
    keys = lines.values_list("pk", "back_order__pk", "part__number")
    found = dict.fromkeys(order_ids, "")
    found |= {key: number for line, back_order, number in keys for key in (line, back_order) if key}
    return found
