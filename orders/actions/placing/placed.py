"""The answer to placing, and the same answer again for an order that was placed before."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from orders.actions.placing.wanted import Header
from orders.models import PartsOrder
from orders.signals import Opened
from parts.errors import NotFound, Refused
from parts.sentences import sentence


@dataclass(frozen=True, slots=True)
class PlacedLine:
    """A line as placed; `parts` are its leaves (itself where it was not split)."""

    id: UUID
    reference: str
    part_id: UUID
    part_number: str
    quantity: Decimal
    status: str
    warehouse_id: UUID | None
    back_order: Opened | None
    children: tuple[PlacedLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Placed:
    """The answer to placing: what is reserved where, what is back-ordered and until when."""

    id: UUID
    reference: str
    status: str
    version: int
    lines: tuple[PlacedLine, ...]
    replayed: bool = False


def as_placed(key: UUID, header: Header) -> Placed:
    """Return an order that was placed before, as it stands now; refuse the key of an order for somebody else."""
    order = PartsOrder.objects.filter(pk=key).first()
    if order is None:
        raise NotFound(sentence("There is no such order."))
    if (order.kind, order.service_order_id, order.destination_id) != (
        header.kind,
        header.service_order_id,
        header.destination_id,
    ) or header.customer_id not in (None, order.customer_id):
        raise Refused(sentence("This key belongs to another order."))
    rows = list(order.lines.select_related("part", "back_order").order_by("position", "child_number"))

    def of(row: Any) -> PlacedLine:
        back = getattr(row, "back_order", None)
        return PlacedLine(
            id=row.id,
            reference=row.reference,
            part_id=row.part_id,
            part_number=row.part.number,
            quantity=row.quantity,
            status=row.status,
            warehouse_id=row.warehouse_id,
            back_order=Opened(row.id, back.id, back.reference, back.expected_on) if back else None,
            children=tuple(of(child) for child in rows if child.parent_id == row.id),
        )

    lines = tuple(of(row) for row in rows if row.parent_id is None)
    return Placed(order.id, order.reference, order.status, order.version, lines, replayed=True)
