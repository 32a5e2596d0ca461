"""A desk to try orders on: a part, a warehouse, a customer, and the few words that tests of orders need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.dispatch import Signal
from django.test.utils import CaptureQueriesContext

from backorders.models import AllocationPolicy, BackOrder
from orders.actions import lines, placing, service_orders
from orders.actions.placing import Placed, PlacedLine, Wanted
from orders.models import Customer, OrderEvent, OrderLine, PartsOrder, ServiceOrder
from parts.actions.stock import correct_stock
from parts.actors import Actor
from parts.models import Part, StockLevel, Warehouse
from parts.rules import Balance
from tests.factories.orders import CustomerFactory
from tests.factories.parts import PartFactory, WarehouseFactory

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
TODAY = NOW.date()
OURSELVES = Actor.system("test")
NOBODY = Actor(reference="user:1", permissions=frozenset())
#: What every action is told besides its own business.
TOLD: dict[str, Any] = {"by": OURSELVES, "source": "test", "at": NOW}
#: The way of a line from the shelf to the door.
TO_THE_DOOR = ("released", "picking", "packed")


def d(value: int | str | Decimal) -> Decimal:
    """Return a quantity."""
    return Decimal(value)


def told(*, hours: float = 0, **changes: Any) -> dict[str, Any]:
    """Return what every action is told, some hours later, or by somebody else."""
    return TOLD | {"at": NOW + timedelta(hours=hours)} | changes


def only(*permissions: str) -> Actor:
    """Return a person who holds just these permissions."""
    return Actor(reference="user:2", permissions=frozenset(permissions))


def statements() -> CaptureQueriesContext:
    """Record the statements that are sent."""
    return CaptureQueriesContext(connection)


class ReceiverFailed(Exception):
    """The floor above could not do its part."""


@contextmanager
def failing(signal: Signal) -> Iterator[None]:
    """Let a receiver of a signal fail; the queue's own has done its work by then."""

    def fail(**_facts: object) -> None:
        raise ReceiverFailed

    signal.connect(fail, weak=False)
    try:
        yield
    finally:
        signal.disconnect(fail)


@dataclass
class Desk:
    """A part in a warehouse and a customer who orders it; others can be named where a test needs them."""

    part: Part = field(default_factory=PartFactory.create)
    warehouse: Warehouse = field(default_factory=WarehouseFactory.create)
    customer: Customer = field(default_factory=CustomerFactory.create)

    def __post_init__(self) -> None:
        AllocationPolicy.objects.get_or_create(name="default")  # a test that really commits was cleaned up after

    def put(self, quantity: int | str, *, part: Part | None = None, at: Warehouse | None = None, **facts: Any) -> None:
        """Put stock on the shelf (or, below zero, take it away)."""
        correct_stock(
            part_id=(part or self.part).pk,
            warehouse_id=(at or self.warehouse).pk,
            on_hand_change=d(quantity),
            reason="opening",
            **TOLD | facts,
        )

    def place(self, *quantities: int | str, kind: str = "service", **facts: Any) -> Placed:
        """Order these quantities of the part, a line each."""
        wanted = [Wanted(quantity=d(quantity), part_id=self.part.pk) for quantity in quantities]
        return self.order(wanted, kind=kind, **facts)

    def order(self, wanted: Sequence[Wanted], *, kind: str = "service", **facts: Any) -> Placed:
        """Place an order, for the customer unless it is for a warehouse."""
        asked: dict[str, Any] = {"kind": kind, "lines": wanted, "requested_on": TODAY}
        if kind not in placing.SOFT_KINDS:
            asked["customer_id"] = self.customer.pk
        return placing.place(**asked | TOLD | facts)

    def transfer(self, *quantities: int | str, to: Warehouse, **facts: Any) -> Placed:
        """Order these quantities of the part for another warehouse: soft demand."""
        return self.place(*quantities, kind="transfer", destination_id=to.pk, **facts)

    def job(self, status: str = "draft", *, begins: str = "draft", **facts: Any) -> ServiceOrder:
        """Open a job of the customer (as a draft, or as new) and walk it to a status."""
        whose: dict[str, Any] = {"customer_id": self.customer.pk, "title": "Pump leaks", "status": begins}
        job = service_orders.create(**whose | TOLD | facts)
        if status == "cancelled":
            service_orders.move(service_order_id=job.pk, to=status, note="Not needed", **TOLD)
        elif status not in ("draft", begins):
            service_orders.fast_forward(service_order_id=job.pk, to=status, **TOLD)
        return ServiceOrder.objects.get(pk=job.pk)

    def pack(self, line_id: UUID, to: str = "packed") -> None:
        """Walk a reserved line towards the door."""
        for status in TO_THE_DOOR[: TO_THE_DOOR.index(to) + 1]:
            lines.move(line_id=line_id, to=status, **TOLD)

    def ship(
        self, line_id: UUID, quantity: int | str | None = None, serials: tuple[str, ...] = (), **facts: Any
    ) -> None:
        """Ship a held line, or some of it, straight away."""
        order_id = OrderLine.objects.get(pk=line_id).order_id
        item = lines.ShipItem(line_id, None if quantity is None else d(quantity), serials)
        lines.ship(order_id=order_id, items=[item], walk=True, **TOLD | facts)

    def balance(self, part: Part | None = None, at: Warehouse | None = None) -> Balance:
        """Read what is on hand, reserved and unfit now."""
        level = StockLevel.objects.get(part=part or self.part, warehouse=at or self.warehouse)
        return Balance(level.on_hand, level.reserved, level.unfit)


def balance(on_hand: int | str, reserved: int | str = 0, unfit: int | str = 0) -> Balance:
    """Return a balance to compare with."""
    return Balance(d(on_hand), d(reserved), d(unfit))


def leaf(placed: Placed, status: str = "reserved", position: int = 1) -> PlacedLine:
    """Return the leaf of a placed line that stood in this status when it was placed."""
    line = placed.lines[position - 1]
    return next(each for each in (line.children or (line,)) if each.status == status)


def child(placed: Placed, number: str) -> OrderLine:
    """Read a line of a placed order by its number within the order."""
    return OrderLine.objects.get(order_id=placed.id, reference=f"{placed.reference}/{number}")


def line(line_id: UUID) -> OrderLine:
    """Read a line as it is now."""
    return OrderLine.objects.get(pk=line_id)


def order(order_id: UUID) -> PartsOrder:
    """Read a parts order as it is now."""
    return PartsOrder.objects.get(pk=order_id)


def tree(order_id: UUID) -> list[tuple[str, str, Decimal]]:
    """Read the lines of an order: number within the order, status, quantity."""
    rows = OrderLine.objects.filter(order_id=order_id).order_by("position", "child_number")
    return [(row.reference.split("/")[1], row.status, row.quantity) for row in rows]


def queue(part: Part) -> list[tuple[str, Decimal]]:
    """Read the back orders of a part that wait: reference of the order line, and what is missing."""
    rows = BackOrder.objects.filter(part=part).waiting().by_rank().select_related("line")
    return [(row.line.reference, row.quantity) for row in rows]


def back_order(line_id: UUID) -> BackOrder:
    """Read the back order of a line."""
    return BackOrder.objects.get(line_id=line_id)


def events(subject_id: UUID) -> list[OrderEvent]:
    """Read what happened to a subject, in order."""
    return list(OrderEvent.objects.filter(subject_id=subject_id).order_by("version"))


def kinds(subject_id: UUID) -> list[str]:
    """Read the kinds of a subject's events, in order, those that move it with where they lead."""
    return [f"{event.kind} {event.to_status}".strip() for event in events(subject_id)]


def days(count: int) -> date:
    """Return a day so many days from today."""
    return TODAY + timedelta(days=count)
