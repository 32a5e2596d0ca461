"""The service orders of a replay: a machine is to be repaired, its parts are ordered for it, and it is completed."""

from __future__ import annotations

from datetime import date, timedelta

from orders.actions import service_orders
from orders.models import ServiceOrder
from orders.statuses import LINE_OPEN
from reports.replay.day import Stage, told, told_at
from reports.replay.plan import PlannedOrder


def begin(stage: Stage, order: PlannedOrder) -> None:
    """Open the service order that a parts order is for, and begin to work on it."""
    if order.customer is None or order.machine is None:
        return
    plan = stage.world.customers[order.customer]
    model, serial, _risk, _cost = plan.machines[order.machine]
    is_down = order.kind == "emergency"
    facts = told(order.at - timedelta(seconds=2))
    service_orders.create(
        customer_id=stage.world.key("customer", order.customer),
        title=f"{model} {serial} {'stands still' if is_down else 'needs parts'}",
        status="new",
        equipment_id=stage.world.machine_key(order.customer, order.machine),
        contract_id=stage.world.contract_key(order.customer),
        machine_down=is_down,
        key=order.job_key,
        **facts,
    )
    service_orders.move(service_order_id=order.job_key, to="in_progress", **told(order.at - timedelta(seconds=1)))


def complete_served(day: date) -> int:
    """Complete the service orders for which nothing is to come any more; return how many that were."""
    facts = told_at(day, 19)
    served = (
        ServiceOrder.objects.filter(status="in_progress", parts_orders__isnull=False)
        .exclude(parts_orders__status__in=LINE_OPEN)
        .order_by("id")
        .distinct()
    )
    cancelled = set(
        served.exclude(parts_orders__status__in=["delivered", "returned"]).values_list("pk", flat=True).order_by()
    )
    keys = list(served.values_list("pk", flat=True))
    for key in keys:
        if key in cancelled:
            note = "The customer no longer wants the parts."
            service_orders.move(service_order_id=key, to="cancelled", note=note, **facts)
        else:
            service_orders.fast_forward(service_order_id=key, to="completed", public=True, **facts)
    return len(keys)
