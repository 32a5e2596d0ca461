"""The technician's day in the demo: a van with stock, addresses to drive to, parts on their way, jobs nobody has."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from simple_history.utils import bulk_update_with_history

from config.demo.jobs import SOURCE
from config.demo.people import Cast
from integrations.actions.counting import count_van
from orders.actions import jobs, lines, service_orders
from orders.actions.placing import Wanted, place
from orders.models import Customer, Equipment, ServiceContract, ServiceOrder
from parts.actions.stock import Found, transfer
from parts.actors import Actor
from parts.models import StockLevel, Warehouse

STREETS = ("Steinbruchstraße", "Hafenweg", "Am Gleisdreieck", "Kiesgrube", "Industriestraße", "Werkhof")
#: Jobs that nobody has: how many hours ago they came in, what is wrong, and whether the machine stands still.
UNCLAIMED = (
    (2, "Loses pressure under load", True),
    (7, "Warning lamp after the wash", False),
    (26, "Replace the fan belt", False),
)
#: How much must be free of a part that the technician gets.
ENOUGH = 8
#: Quantities of parts in the van.
LOADED = (2, 4, 1, 6, 3)


def _facts(by: Actor, at: datetime) -> dict[str, Any]:
    return {"by": by, "source": SOURCE, "at": at}


def tell(cast: Cast, now: datetime) -> None:
    """Let the technician have a day."""
    _give_addresses()
    van = _give_van(cast)
    _load_and_count(cast, van, now)
    _send_parts(cast, van, now)
    _call_in(cast, now)


def _give_addresses() -> None:
    customers = list(Customer.objects.order_by("code"))
    for number, customer in enumerate(customers):
        customer.address = f"{STREETS[number % len(STREETS)]} {3 + 4 * number}, Tor {1 + number % 3}"
        customer.phone = f"+49 69 5550 {100 + number}"
    bulk_update_with_history(customers, Customer, ["address", "phone"])


def _give_van(cast: Cast) -> Warehouse:
    van = Warehouse.objects.get(code="VAN-07")
    van.technician = User.objects.get(pk=cast.technician_id)
    van.save(update_fields=["technician"])
    return van


def _stocked(count: int) -> list[StockLevel]:
    """Return levels outside of vans with enough that is free, each of another part."""
    free = StockLevel.objects.free().filter(warehouse__mode="digital").exclude(warehouse__kind="van")
    found: dict[Any, StockLevel] = {}
    for level in free.order_by("part__number", "warehouse__code", "pk"):
        if level.on_hand - level.unfit - level.reserved >= ENOUGH:
            found.setdefault(level.part_id, level)
    return list(found.values())[:count]


def _load_and_count(cast: Cast, van: Warehouse, now: datetime) -> None:
    """Load the van two days ago, and count it yesterday: one part is missing."""
    levels = _stocked(len(LOADED))
    for level, quantity in zip(levels, LOADED, strict=False):
        transfer(
            part_id=level.part_id,
            from_warehouse_id=level.warehouse_id,
            to_warehouse_id=van.pk,
            quantity=Decimal(quantity),
            reason="Van loaded for the week",
            **_facts(cast.manager, now - timedelta(days=2)),
        )
    in_van = list(StockLevel.objects.filter(warehouse=van, on_hand__gt=1, reserved=0).order_by("part__number", "pk"))
    found = [Found(level.part_id, level.on_hand, None, level.condition, level.owner) for level in in_van]
    if found:
        short = in_van[0]
        found[0] = Found(short.part_id, short.on_hand - 1, None, short.condition, short.owner)
        count_van(
            warehouse_id=van.pk,
            found=found,
            note="Filter used on Monday, not booked",
            **_facts(cast.technician, now - timedelta(days=1)),
        )


def _send_parts(cast: Cast, van: Warehouse, now: datetime) -> None:
    """Send parts to two of the technician's jobs and to the van; one job is planned for today."""
    mine = list(ServiceOrder.objects.open_of(cast.technician_id).order_by("id"))
    working = [job for job in mine if job.status == "in_progress"] or mine
    parts = [level.part_id for level in _stocked(len(LOADED) + 4)[len(LOADED) :]]
    goes: list[dict[str, Any]] = [
        {"kind": "service", "service_order_id": job.pk} for job in (working[:1] or mine[:1]) * 2
    ]
    goes.append({"kind": "transfer", "destination_id": van.pk})
    for number, (part_id, to) in enumerate(zip(parts, goes, strict=False)):
        at = now - timedelta(hours=20 - number)
        placed = place(
            lines=[Wanted(quantity=Decimal(1 + number), part_id=part_id)],
            requested_on=now.date(),
            **to,
            **_facts(cast.dispatcher, at),
        )
        shippable = [leaf for line in placed.lines for leaf in (line, *line.children) if leaf.status == "reserved"]
        if shippable and number != 1:
            lines.ship(
                order_id=placed.id,
                items=[lines.ShipItem(leaf.id) for leaf in shippable],
                carrier="Nordfracht",
                tracking_number=f"NF{4471000 + number}",
                walk=True,
                **_facts(cast.dispatcher, at + timedelta(hours=2)),
            )
    for job in [one for one in mine if one.status == "new"][:1]:
        jobs.reschedule(service_order_id=job.pk, scheduled_for=now.date(), **_facts(cast.dispatcher, now))


def _call_in(cast: Cast, now: datetime) -> None:
    """Let jobs come in that nobody has yet, in the region of the van."""
    machines = list(
        Equipment.objects.filter(customer__region__code="EU").select_related("customer").order_by("serial_number")
    )
    contracts = dict(ServiceContract.objects.values_list("customer_id", "id"))
    for number, (hours, title, down) in enumerate(UNCLAIMED):
        machine = machines[(number * 5 + 2) % len(machines)]
        service_orders.create(
            customer_id=machine.customer_id,
            equipment_id=machine.pk,
            contract_id=contracts.get(machine.customer_id),
            title=f"{machine.model}: {title}",
            description="Called in by the shift leader. Ask for the key at the gate.",
            machine_down=down,
            status="new",
            **_facts(cast.dispatcher, now - timedelta(hours=hours)),
        )
