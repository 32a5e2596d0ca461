"""What a code on a box stands for, and what is on its way to a technician."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q, QuerySet

from orders.models import OrderLine, ServiceOrder, Shipment, ShipmentLine, ShippedSerial
from orders.statuses import LineStatus
from parts.models import Part, PartNumber, Warehouse


@dataclass(frozen=True, slots=True)
class Box:
    """What a line left in, and the serial numbers that were read off its units then."""

    shipment: Shipment
    serials: list[str]


@dataclass(frozen=True, slots=True)
class Bound:
    """Where a technician's parts go: their open jobs, and their van (None: they have none)."""

    job_ids: tuple[UUID, ...]
    van_id: UUID | None

    def lines(self) -> QuerySet[Any]:
        """Return the leaves that go there, whatever their status."""
        return OrderLine.objects.leaves().bound_for(self.job_ids, self.van_id)


def bound_for(person_id: int) -> Bound:
    """Return where the parts of a technician go. Two queries."""
    jobs = ServiceOrder.objects.open_of(person_id).order_by("id").values_list("pk", flat=True)
    van = Warehouse.objects.filter(technician=person_id).values_list("pk", flat=True).first()
    return Bound(tuple(jobs), van)


def on_its_way(bound: Bound) -> QuerySet[Any]:
    """Return what has left for a technician and has not been confirmed, by order and place in it."""
    rows = (
        bound.lines().filter(status=LineStatus.SHIPPED).select_related("order__service_order__customer", "part__unit")
    )
    return rows.order_by("order_id", "position", "child_number", "id")


def carried_with_serials() -> QuerySet[Any, Any]:
    """Return what shipments carry, each with its `serial_numbers` in the order they were read. No further query."""
    serials = ShippedSerial.objects.filter(shipment_line=OuterRef("pk")).order_by("id").values("serial")
    return ShipmentLine.objects.annotate(serial_numbers=ArraySubquery(serials))


def labels_of(lines: list[Any]) -> dict[UUID, list[Box]]:
    """Return by line what it left in. A line that was split afterwards left with its parent's. One query."""
    family = {line.pk: (line.pk, line.parent_id) for line in lines}
    keys = {key for keys in family.values() for key in keys if key}
    carried: dict[UUID, list[Box]] = {}
    rows = carried_with_serials().filter(line__in=keys).select_related("shipment")
    for row in rows.order_by("shipment_id", "id"):
        carried.setdefault(row.line_id, []).append(Box(row.shipment, row.serial_numbers))
    return {line: [box for key in keys if key for box in carried.get(key, [])] for line, keys in family.items()}


def lines_of_code(code: str, *, person_id: int | None, job_id: UUID | None = None) -> tuple[str, list[Any]]:
    """Return how a code was meant (box, line, order, part; empty for nothing) and the leaves that it stands for.

    A shipment, a tracking number, a line or a parts order is meant wherever it goes; the number of a part only among
    what goes to the person's own open jobs and van. `job_id` narrows all of it to one job. Case and separators do not
    count. At most seven queries.
    """
    leaves = OrderLine.objects.leaves().select_related("order")
    if job_id is not None:
        leaves = leaves.filter(order__service_order=job_id)
    for meaning, condition in (("box", _box), ("line", _line), ("order", _order)):
        wanted = condition(code)
        rows = [] if wanted is None else list(leaves.filter(wanted).order_by("order_id", "position", "child_number"))
        if rows:
            return meaning, rows
    going = Bound((job_id,), None) if job_id else (bound_for(person_id) if person_id is not None else None)
    if going is None:
        return "", []
    parts = list(Part.objects.filter(number__key_is=code).values_list("pk", flat=True))
    parts += PartNumber.objects.filter(number__key_is=code).values_list("part_id", flat=True)
    rows = list(going.lines().filter(part__in=parts).select_related("order").order_by("order_id", "position", "id"))
    return ("part", rows) if rows else ("", [])


def _box(code: str) -> Q | None:
    keys = [
        *Shipment.objects.filter(reference__key_is=code).values_list("pk", flat=True),
        *Shipment.objects.filter(tracking_number__key_is=code).exclude(tracking_number="").values_list("pk", flat=True),
    ]
    if not keys:
        return None
    carried = list(ShipmentLine.objects.filter(shipment__in=keys).values_list("line_id", flat=True))
    return Q(pk__in=carried) | Q(parent__in=carried)


def _line(code: str) -> Q | None:
    order, slash, _ = code.partition("/")
    if not slash:
        return None
    lines = OrderLine.objects.filter(order__reference__key_is=order, reference__key_is=code)
    keys = list(lines.values_list("pk", flat=True))
    return Q(pk__in=keys) | Q(parent__in=keys)


def _order(code: str) -> Q | None:
    return None if "/" in code else Q(order__reference__key_is=code)
