"""What a delivery brought to whom: which units are left where for which order, what goes on the shelf, who is told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from django.contrib.auth.models import User

from backorders.models import Allocation
from orders.models import Customer, OrderLine, PartsOrder, ServiceOrder
from orders.statuses import LINE_HOLDS_STOCK, LINE_SHIPPED
from parts.models import Delivery, DeliveryLine, Warehouse
from parts.rules import ZERO


@dataclass(slots=True)
class Gift:
    """So many units of a delivered line that an order got, and which: their serial numbers, where they were read."""

    quantity: Decimal
    line: OrderLine
    serials: list[str] = field(default_factory=list)

    @property
    def order(self) -> PartsOrder:
        """The parts order that they are for."""
        return self.line.order

    @property
    def job(self) -> ServiceOrder | None:
        """The job that they are for, if any."""
        return self.order.service_order

    @property
    def reference(self) -> str:
        """What is written on the label: the job, where there is one, otherwise the order."""
        return self.job.reference if self.job else self.order.reference

    @property
    def customer(self) -> Customer | None:
        """Who waits for them."""
        return self.job.customer if self.job else self.order.customer

    @property
    def is_held(self) -> bool:
        """Whether they still lie there for it; otherwise they have left, or are for somebody else by now."""
        return self.line.status in LINE_HOLDS_STOCK

    @property
    def has_left(self) -> bool:
        """Whether they were sent."""
        return self.line.status in LINE_SHIPPED


@dataclass(slots=True)
class PutAway:
    """One line of a delivery: who got how much of it, how much goes on the shelf, how much is damaged or wrong."""

    line: DeliveryLine
    gifts: list[Gift]
    shelf: Decimal
    unfit: Decimal
    over: Decimal
    still_open: Decimal
    shelf_serials: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Told:
    """Somebody who waits for what came: the customer or our own warehouse, and the technician, with what it is for."""

    customer: Customer | None
    warehouse: Warehouse | None
    technician: User | None
    references: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Freed:
    """All of a delivery. `place` is where what is for orders is left: the warehouse's dock, or the warehouse."""

    place: str
    warehouse: Warehouse
    lines: list[PutAway]
    told: list[Told]

    @property
    def orders(self) -> int:
        """How many orders it freed."""
        return len({gift.order.pk for line in self.lines for gift in line.gifts})


def freed_by(delivery: Delivery) -> Freed:
    """Return what a delivery brought to whom, as the ledger of allocations has it. Four queries, however long it is.

    Serial numbers are handed out in the order they were read: to the orders by their turn, then to the shelf; the last
    are those of what is damaged.
    """
    lines = DeliveryLine.objects.filter(delivery=delivery).select_related("part__unit").prefetch_related("serials")
    allocations = Allocation.objects.filter(delivery_line__delivery=delivery).select_related(
        "line__order__customer",
        "line__order__destination",
        "line__order__service_order__customer",
        "line__order__service_order__technician",
    )
    gifts: defaultdict[UUID | None, list[Gift]] = defaultdict(list)
    for allocation in allocations.order_by("decision__place", "id"):
        gifts[allocation.delivery_line_id].append(Gift(allocation.quantity, allocation.line))
    put_away = [_put_away(line, gifts[line.pk]) for line in lines.order_by("position")]
    place = delivery.warehouse.dock or delivery.warehouse.code
    return Freed(place, delivery.warehouse, put_away, _told(gift for line in put_away for gift in line.gifts))


def _put_away(line: DeliveryLine, gifts: list[Gift]) -> PutAway:
    serials = [row.serial for row in line.serials.all()]
    for gift in gifts:
        count = int(gift.quantity)
        gift.serials, serials = serials[:count], serials[count:]
    given = sum((gift.quantity for gift in gifts), ZERO)
    shelf = line.quantity - line.unfit_quantity - given
    open_before = line.open_before or ZERO
    return PutAway(
        line,
        gifts,
        shelf,
        line.unfit_quantity,
        max(ZERO, line.quantity - open_before),
        max(ZERO, open_before - line.quantity),
        serials[: int(shelf)],
    )


def _told(gifts: Iterable[Gift]) -> list[Told]:
    found: dict[tuple[object, object, object], Told] = {}
    for gift in gifts:
        if not (gift.is_held or gift.has_left):
            continue
        technician = gift.job.technician if gift.job else None
        warehouse = gift.order.destination if gift.customer is None else None
        key = (gift.customer and gift.customer.pk, warehouse and warehouse.pk, technician and technician.pk)
        told = found.setdefault(key, Told(gift.customer, warehouse, technician))
        if gift.reference not in told.references:
            told.references.append(gift.reference)
    return list(found.values())
