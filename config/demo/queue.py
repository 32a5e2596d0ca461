"""Parts orders and back orders for the demo: of every age, with supply and without, promises, exceptions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import F, Sum
from simple_history.utils import bulk_create_with_history

from backorders.actions import moving
from config.demo.jobs import SOURCE
from config.demo.people import Cast
from orders.actions import lines, overriding, parts_orders, service_orders
from orders.actions.placing import Placed, Wanted, place
from orders.models import ServiceOrder
from parts.actions.supply import (
    Confirmation,
    PurchaseLine,
    confirm_purchase_order_lines,
    place_purchase_order,
)
from parts.models import Part, StockLevel, Supplier, SupplierPart, Warehouse

#: Days ago, a quantity, whether supply is on order, and the promise in days from then (None: none was made).
WAITING = (
    (0, 2, False, None),
    (1, 1, True, 12),
    (5, 3, False, None),
    (6, 1, True, 20),
    (9, 2, True, 5),
    (13, 1, False, 10),
    (19, 4, True, 14),
    (27, 1, False, None),
    (38, 2, True, 30),
    (52, 1, False, 21),
)
SPECIAL = ("Slewing bearing", "Swivel joint", "Cab window", "Hydraulic motor", "Wiring harness")
_PACKED = ("released", "picking", "packed")
#: How far the orders of the day got: the steps of their line, and how it ended otherwise.
ENDINGS: tuple[tuple[tuple[str, ...], str], ...] = (
    ((), ""),
    (("released",), ""),
    (("released", "picking"), ""),
    (("released", "picking", "awaiting_kitting"), ""),
    (_PACKED, ""),
    ((*_PACKED, "shipped"), ""),
    ((*_PACKED, "shipped", "delivered"), ""),
    ((*_PACKED, "shipped", "delivered"), "returned"),
    (("released",), "cancelled"),
    ((), "held"),
)


def special_parts(count: int) -> list[UUID]:
    """Add parts that are never kept in stock, only ordered when somebody needs one; return their keys."""
    supplier = Supplier.objects.order_by("code")[2]
    parts = [
        Part(
            number=f"S-{4100 + 7 * number}",
            description=f"{SPECIAL[number % len(SPECIAL)]} {4100 + 7 * number}",
            criticality="ABC"[number % 3],
            unit_cost=Decimal(180 + 95 * number),
        )
        for number in range(count)
    ]
    bulk_create_with_history(parts, Part)
    offers = [
        SupplierPart(
            supplier=supplier,
            part=part,
            lead_time_days=12 + 3 * number,
            unit_cost=part.unit_cost * Decimal("0.7"),
            is_preferred=True,
        )
        for number, part in enumerate(parts)
    ]
    bulk_create_with_history(offers, SupplierPart)
    return [part.pk for part in parts]


def parts_at_hand(count: int) -> list[UUID]:
    """Return parts of which the most is available in places where a system confirms each step."""
    free = StockLevel.objects.free().filter(warehouse__mode="digital").values("part_id")
    best = free.annotate(total=Sum(F("on_hand") - F("unfit") - F("reserved"))).order_by("-total", "part_id")
    return [row["part_id"] for row in best[:count]]


def _facts(by: Any, at: datetime) -> dict[str, Any]:
    return {"by": by, "source": SOURCE, "at": at}


def fill_queue(cast: Cast, now: datetime, part_ids: Sequence[UUID], customer_ids: Sequence[UUID]) -> list[Placed]:
    """Place orders that wait, each as long ago as WAITING says; order supply for some; promise, and miss, some."""
    placed = []
    for number, ((days, quantity, has_supply, promised), part_id) in enumerate(zip(WAITING, part_ids, strict=True)):
        at = now - timedelta(days=days, hours=1, minutes=7 * number)
        order = place(
            kind="emergency" if number % 4 == 2 else "service",
            lines=[Wanted(quantity=Decimal(quantity), part_id=part_id)],
            requested_on=at.date() + timedelta(days=3),
            customer_id=customer_ids[number % len(customer_ids)],
            **_facts(cast.dispatcher, at),
        )
        placed.append(order)
        if has_supply:
            _order_supply(cast, part_id, Decimal(quantity + 2), at + timedelta(minutes=2), now)
        if promised:
            _promise(cast, order, at + timedelta(minutes=3), promised)
    return placed


def _promise(cast: Cast, order: Placed, at: datetime, days: int) -> None:
    for line in order.lines:
        for leaf in (line, *line.children):
            if leaf.back_order:
                lines.promise(
                    line_id=leaf.id, promised_on=at.date() + timedelta(days=days), **_facts(cast.dispatcher, at)
                )


def _order_supply(cast: Cast, part_id: UUID, quantity: Decimal, at: datetime, now: datetime) -> None:
    offer = SupplierPart.objects.filter(part_id=part_id, is_preferred=True).select_related("supplier").get()
    central = Warehouse.objects.get(kind="central")
    order = place_purchase_order(
        supplier_id=offer.supplier_id,
        warehouse_id=central.pk,
        lines=[PurchaseLine(part_id, quantity, offer.unit_cost)],
        ordered_at=at,
        **_facts(cast.manager, at),
    )
    day = now.date() + timedelta(days=3 + offer.lead_time_days % 17)
    confirm_purchase_order_lines(
        confirmations=[Confirmation(order.line_ids[0], day)], **_facts(cast.manager, at + timedelta(minutes=1))
    )


def work_the_day(cast: Cast, now: datetime, part_ids: Sequence[UUID], customer_ids: Sequence[UUID]) -> None:
    """Place today's orders for what is there, and take each as far as ENDINGS says."""
    for number, (part_id, (steps, ending)) in enumerate(zip(part_ids, ENDINGS, strict=True)):
        at = now - timedelta(minutes=175 - 6 * number)
        order = place(
            kind="service",
            lines=[Wanted(quantity=Decimal(1), part_id=part_id)],
            requested_on=now.date() + timedelta(days=2),
            customer_id=customer_ids[number % len(customer_ids)],
            external_reference=f"4500{1200 + number}",
            **_facts(cast.dispatcher, at),
        )
        line_id = order.lines[0].id
        for status in steps:
            at += timedelta(minutes=12)
            public = status in ("shipped", "delivered")
            lines.move(line_id=line_id, to=status, public=public, **_facts(cast.dispatcher, at))
        facts = _facts(cast.dispatcher, at + timedelta(minutes=12))
        if ending == "held":
            parts_orders.hold(order_id=order.id, reason="Credit limit reached; accounts will call.", **facts)
        elif ending == "cancelled":
            lines.cancel(line_id=line_id, reason="Ordered twice by mistake.", **facts)
        elif ending == "returned":
            lines.return_to_stock(line_id=line_id, quantity=Decimal(1), note="Wrong part for this machine.", **facts)


def make_exceptions(cast: Cast, now: datetime, waiting: Sequence[Placed]) -> None:
    """What people do against the flow: an override of a line and of a job, a held back order, one under sourcing."""
    found = [leaf for order in waiting for line in order.lines for leaf in (line, *line.children) if leaf.back_order]
    facts = _facts(cast.manager, now - timedelta(minutes=20))
    moving.move(back_order_id=_back_order(found[2]), to="sourcing", note="Asked two other suppliers.", **facts)
    moving.hold(back_order_id=_back_order(found[4]), reason="The customer checks the part number.", **facts)
    overriding.override(
        line_id=found[7].id,
        to="delivered",
        reason="The technician bought it at the dealer's counter; receipt is filed.",
        reference="INC-20417",
        **facts,
    )
    done = ServiceOrder.objects.filter(status="completed", title__contains="New radiator").get()
    service_orders.override(
        service_order_id=done.pk,
        to="in_progress",
        reason="It leaks again; the same job goes on.",
        reference="INC-20431",
        **facts,
    )


def _back_order(leaf: Any) -> UUID:
    return leaf.back_order.back_order_id
