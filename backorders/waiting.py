"""What somebody waits for: the open lines of a customer, an order, a machine or a part, with all that decides when.

A constant number of statements, however many lines there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser, User

from backorders.dossiers import Row
from backorders.prospects import prospects
from backorders.statuses import BACK_ORDER_WAITING
from orders.boxes import Box, carried_with_serials
from orders.models import Customer, Equipment, OrderLine, PartsOrder, ServiceOrder
from orders.querysets import OrderLineQuerySet, ServiceOrderQuerySet
from orders.statuses import LINE_OPEN
from parts.models import Part

#: How many lines and jobs one answer holds.
MOST = 100


@dataclass(frozen=True, slots=True)
class Case:
    """A job, or a parts order without one, with its open lines."""

    job: Any
    order: Any
    rows: list[Row]

    @property
    def subject(self) -> Any:
        """What people call it by."""
        return self.job or self.order


@dataclass(frozen=True, slots=True)
class Waiting:
    """All cases, and whether there are more lines than MOST."""

    cases: list[Case]
    is_cut: bool


def waits_of(subject: Customer | Equipment | Part | ServiceOrder | PartsOrder, person: User | AnonymousUser) -> Waiting:
    """Return what is open of a customer, a machine, a part or an order, as far as a person may see it.

    Four statements; five where jobs without a line belong to it.
    """
    lines, jobs = _scope(subject)
    open_lines = lines.leaves().filter(status__in=LINE_OPEN).visible_to(person)
    found = list(
        open_lines.select_related(
            "order__customer", "order__service_order__equipment", "part__unit", "warehouse", "back_order"
        ).order_by("order_id", "position", "child_number", "id")[: MOST + 1]
    )
    rows = _rows(found[:MOST])
    cases: dict[Any, Case] = {}
    if jobs is not None:
        for job in jobs.visible_to(person).select_related("customer", "equipment", "technician").order_by("id")[:MOST]:
            cases[job.pk] = Case(job, None, [])
    for row in rows:
        order = row.line.order
        key = order.service_order_id or order.pk
        case = cases.setdefault(key, Case(order.service_order, order, []))
        case.rows.append(row)
    return Waiting(list(cases.values()), len(found) > MOST)


def _scope(subject: Any) -> tuple[OrderLineQuerySet, ServiceOrderQuerySet | None]:
    """Return the lines of a subject, and its jobs that stand for themselves (None: it has none)."""
    lines = OrderLine.objects.all()
    if isinstance(subject, Customer):
        mine = lines.filter(order__customer=subject, order__status__in=LINE_OPEN)
        return mine, ServiceOrder.objects.open().filter(customer=subject)
    if isinstance(subject, Equipment):
        mine = lines.filter(order__service_order__equipment=subject, order__status__in=LINE_OPEN)
        return mine, ServiceOrder.objects.open().filter(equipment=subject)
    if isinstance(subject, ServiceOrder):
        return lines.filter(order__service_order=subject), ServiceOrder.objects.filter(pk=subject.pk)
    if isinstance(subject, Part):
        return lines.filter(part=subject), None
    return lines.filter(order=subject), None


def _rows(lines: list[Any]) -> list[Row]:
    waiting = {line.pk: line.back_order for line in lines if _waits(line)}
    found = prospects([back_order.pk for back_order in waiting.values()])
    left: dict[Any, list[Box]] = {}
    shipped = [line.pk for line in lines if line.status == "shipped"]
    carried = carried_with_serials().filter(line__in=shipped).select_related("shipment__warehouse")
    for item in carried.order_by("id"):
        left.setdefault(item.line_id, []).append(Box(item.shipment, item.serial_numbers))
    return [
        Row(
            line,
            getattr(line, "back_order", None),
            found.get(waiting[line.pk].pk) if line.pk in waiting else None,
            left.get(line.pk, []),
        )
        for line in lines
    ]


def _waits(line: Any) -> bool:
    back_order = getattr(line, "back_order", None)
    return back_order is not None and back_order.status in BACK_ORDER_WAITING
