"""What customers and our own dispatchers do in a day: order, promise, change their minds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import F

from backorders.models import BackOrder
from backorders.querysets import BackOrderQuerySet
from orders.actions import lines, parts_orders
from orders.actions.placing import Placed, Wanted, place
from orders.models import OrderLine
from orders.signals import Opened
from parts.errors import Refused
from reports.replay import jobs
from reports.replay.day import Stage, told, told_at
from reports.replay.plan import PlannedCancel, PlannedOrder

#: From the day on which supply is expected to the promised one: put away, packed, on the road, a Sunday.
ROAD_DAYS = 6
MONDAY = 0


@dataclass(slots=True)
class Taken:
    """What was ordered in a day; `short` counts back orders."""

    orders: int = 0
    lines: int = 0
    units: int = 0
    short: int = 0


def take_orders(stage: Stage, day: date) -> Taken:
    """Place the orders of a day; what is short and has an expected date is promised at once."""
    taken = Taken()
    for order in stage.plan.orders.get(day, ()):
        if order.machine is not None:
            jobs.begin(stage, order)
        placed = _place(stage, order)
        taken.orders += 1
        taken.lines += len(order.lines)
        taken.units += sum(line.quantity for line in order.lines)
        for opened in _opened(placed):
            taken.short += 1
            if opened.expected_on:
                promised_on = _promised(opened.expected_on, day)
                facts = told(order.at + timedelta(seconds=1))
                lines.promise(line_id=opened.line_id, promised_on=promised_on, **facts)
    return taken


def _place(stage: Stage, order: PlannedOrder) -> Placed:
    world = stage.world
    return place(
        kind=order.kind,
        lines=[
            Wanted(
                quantity=Decimal(line.quantity),
                part_id=world.key("part", line.part),
                minimum_fill=Decimal(line.minimum_fill),
            )
            for line in order.lines
        ],
        requested_on=order.requested_on,
        customer_id=world.key("customer", order.customer) if order.customer else None,
        service_order_id=order.job_key if order.machine is not None else None,
        destination_id=world.key("warehouse", order.destination) if order.destination else None,
        complete_delivery_only=order.complete_delivery_only,
        key=order.key,
        **told(order.at),
    )


def _opened(placed: Placed) -> Iterator[Opened]:
    for line in placed.lines:
        for leaf in (line, *line.children):
            if leaf.back_order:
                yield leaf.back_order


def _promised(expected_on: date, day: date) -> date:
    return max(expected_on, day) + timedelta(days=ROAD_DAYS)


def promise_dated(day: date) -> int:
    """Promise what waits and got an expected date only now; return how many lines that were."""
    undated = BackOrder.objects.waiting().filter(line__first_promised_on__isnull=True, expected_on__isnull=False)
    waiting = _lines_of(undated)
    for line_id, expected_on in waiting:
        lines.promise(line_id=line_id, promised_on=_promised(expected_on, day), **told_at(day, 18, 30))
    return len(waiting)


def promise_anew(day: date) -> int:
    """On Mondays, promise a later date where the expected one has moved beyond the promise; return how many."""
    if day.weekday() != MONDAY:
        return 0
    moved = _lines_of(BackOrder.objects.waiting().filter(expected_on__gt=F("line__promised_on")))
    for line_id, expected_on in moved:
        lines.promise(
            line_id=line_id,
            promised_on=_promised(expected_on, day),
            reason="The supplier moved the date.",
            **told_at(day, 18, 40),
        )
    return len(moved)


def _lines_of(back_orders: BackOrderQuerySet) -> list[tuple[UUID, date]]:
    in_order = back_orders.order_by("line__order_id", "line__position", "line__child_number")
    return list(in_order.values_list("line_id", "expected_on"))


def cancel_unwanted(stage: Stage, day: date) -> int:
    """Cancel what customers no longer want, where it has not left yet; return how many came in time."""
    unwanted = stage.plan.cancels.get(day, ())
    keys = [cancel.order_key for cancel in unwanted]
    roots: dict[tuple[UUID, int], UUID] = {
        (order_id, position): line_id
        for order_id, position, line_id in OrderLine.objects.roots()
        .filter(order_id__in=keys)
        .values_list("order_id", "position", "id")
    }
    in_time = 0
    for cancel in unwanted:
        try:
            _cancel(cancel, roots, day)
        except Refused:  # it has left, in part or whole: the customer keeps it
            continue
        in_time += 1
    return in_time


def _cancel(cancel: PlannedCancel, roots: dict[tuple[UUID, int], UUID], day: date) -> None:
    reason, facts = "The customer no longer needs it.", told_at(day, 17, 10)
    if cancel.position is None:
        parts_orders.cancel(order_id=cancel.order_key, reason=reason, **facts)
        return
    quantity = None if cancel.quantity is None else Decimal(cancel.quantity)
    lines.cancel(line_id=roots[cancel.order_key, cancel.position], reason=reason, quantity=quantity, **facts)
