"""What placing reads before it locks stock: the parts, and who the order is for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from orders import sql
from orders.actions.placing.wanted import Header, Wanted, refuse_if_any
from orders.errors import word_of
from orders.sourcing import Destination
from orders.statuses import SERVICE_ORDER_CLOSED
from parts.errors import Refused
from parts.sentences import Says, sentence


class AlreadyPlaced(Exception):
    """An order of this key exists."""

    def __init__(self, key: UUID) -> None:
        super().__init__(str(key))
        self.key = key


@dataclass(slots=True)
class PartFacts:
    """A part that can be ordered; `decimals` is how many its unit of measure allows."""

    id: UUID
    number: str
    criticality: str
    decimals: int


@dataclass(slots=True)
class Facts:
    """What placing read before it locked stock."""

    number: int
    customer_id: UUID | None
    tier: str
    region_id: UUID
    service_order_id: UUID | None
    downtime_cost: Decimal
    contract_points: Decimal
    destination: Destination
    destination_id: UUID | None
    parts: dict[UUID, PartFacts] = field(default_factory=dict)
    by_number: dict[str, PartFacts] = field(default_factory=dict)


class _Row(NamedTuple):
    """A row of READ_FOR_PLACING: a part, and in each row the same of all that the order is for."""

    part_id: UUID
    part_number: str
    criticality: str
    is_active: bool
    decimals: int
    order_number: int
    customer_id: UUID | None
    tier: str | None
    customer_is_active: bool | None
    region_id: UUID
    customer_latitude: float | None
    customer_longitude: float | None
    service_order_id: UUID | None
    service_order_status: str | None
    downtime_cost: Decimal | None
    contract_points: Decimal | None
    destination_id: UUID | None
    destination_latitude: float | None
    destination_longitude: float | None
    is_placed: bool
    service_order_customer_id: UUID | None


def read(lines: Sequence[Wanted], header: Header, at: datetime, key: UUID | None) -> Facts:
    """Read what placing must know. Raises AlreadyPlaced where an order of this key exists, Invalid and Refused."""
    parameters: dict[str, Any] = {
        "part_ids": [line.part_id for line in lines if line.part_id],
        "part_numbers": [line.part_number for line in lines if line.part_number],
        "customer_id": header.customer_id,
        "service_order_id": header.service_order_id,
        "destination_id": header.destination_id,
        "key": key,
        "today": at.date(),
    }
    with connection.cursor() as cursor:
        cursor.execute(sql.READ_FOR_PLACING, parameters)
        rows = [_Row._make(row) for row in cursor.fetchall()]
    if not rows:
        refuse_if_any({f"lines.{index}.part": [sentence("There is no such part.")] for index in range(len(lines))})
    first = rows[0]
    if first.is_placed and key:
        raise AlreadyPlaced(key)
    _check_parties(first, header)
    facts = Facts(
        number=first.order_number,
        customer_id=first.customer_id,
        tier=first.tier or "",
        region_id=first.region_id,
        service_order_id=first.service_order_id,
        downtime_cost=first.downtime_cost or Decimal(0),
        contract_points=first.contract_points or Decimal(0),
        destination_id=first.destination_id,
        destination=_destination(first, at),
    )
    for row in rows:
        if row.is_active:
            part = PartFacts(row.part_id, row.part_number, row.criticality, row.decimals)
            facts.parts[part.id] = facts.by_number[part.number] = part
    return facts


def _destination(row: _Row, at: datetime) -> Destination:
    """Say where the goods go: to the warehouse of an internal order, else to the customer."""
    if row.destination_id is None:
        return Destination(row.region_id, row.customer_latitude, row.customer_longitude, at)
    return Destination(row.region_id, row.destination_latitude, row.destination_longitude, at)


def refuse_closed(status: str | None) -> None:
    """Raise Refused for the status of a job that nothing more can be ordered for."""
    if status in SERVICE_ORDER_CLOSED:
        raise Refused(
            sentence("The service order is {status}; nothing more can be ordered for it.", status=word_of(status)),
            current=status,
        )


def _check_parties(row: _Row, header: Header) -> None:
    fields: dict[str, list[Says]] = {}
    if header.service_order_id and row.service_order_id is None:
        fields["service_order"] = [sentence("There is no such service order.")]
    elif header.service_order_id:
        refuse_closed(row.service_order_status)
        if header.customer_id not in (None, row.service_order_customer_id):
            fields["service_order"] = [sentence("This service order is another customer's.")]
    if header.customer_id and row.customer_id is None:
        fields["customer"] = [sentence("There is no such customer.")]
    elif row.customer_id is not None and not row.customer_is_active:
        fields["customer"] = [sentence("This customer is not active.")]
    if header.destination_id and row.destination_id is None:
        fields["destination"] = [sentence("There is no such warehouse.")]
    refuse_if_any(fields)
