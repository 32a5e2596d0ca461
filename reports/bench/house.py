"""A house at work, for its pages to be measured in: a year of jobs and orders behind it, and a long queue before it.

The masses are made by SQL; what the pages look at closely (a long order, a delivery, a link) by the actions themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Group, User
from django.db import connection

from backorders.actions import pegging, policy
from orders.actions import lines, placing, service_orders, tracking
from orders.actions.placing import Wanted
from orders.models import Customer, Equipment, OrderEvent, OrderLine, PartsOrder, ServiceOrder
from orders.statuses import SERVICE_ORDER_PATH
from parts.actions.supply.deliveries import DeliveryItem, receive_delivery
from parts.models import Part, PurchaseOrderLine, Region, Supplier, Warehouse
from parts.statuses import WarehouseKind
from reports.actions import rollups
from reports.bench import house_sql
from reports.bench.world import BENCH, analyze

REGIONS, VANS, SUPPLIERS, CUSTOMERS, MACHINES, DELIVERIES = 6, 40, 60, 5_000, 20_000, 3_000
#: Of so many parts there is no stock; of the others there is plenty.
SHORT, PARTS = 6_000, 10_000
#: About so many jobs are on the board.
OPEN_JOBS = 4_000
#: Two lines each: so many orders were delivered; the others wait.
DELIVERED = 15_000
_FIRST = ("Quarry", "Harbour", "Northern", "Alpine", "Delta", "Summit", "Granite", "Coastal", "Union", "Prairie")
_SECOND = ("Works", "Logistics", "Mining", "Timber", "Cranes", "Paper", "Foods", "Energy", "Rail", "Cement")
_THINGS = ("Pump", "Seal", "Valve", "Filter", "Bearing", "Hose", "Cylinder", "Sensor", "Relay", "Gasket", "Belt")
_KINDS = ("hydraulic", "front", "rear", "cooling", "main", "auxiliary", "steel", "rubber", "high pressure")


@dataclass(frozen=True, slots=True)
class House:
    """What pages are asked for, by name."""

    people: dict[str, User]
    events: int
    waiting: int
    jobs: int
    job: ServiceOrder
    long_job: ServiceOrder
    long_order: PartsOrder
    customer: Customer
    machine: Equipment
    order: PartsOrder
    line: OrderLine
    part: Part
    parts: list[Part]
    delivery_id: UUID
    token: str


def new_house(jobs: int, waiting: int) -> House:
    """Make a house with so many jobs and so many back orders that wait."""
    people = _people()
    facts = _masters(people)
    with connection.cursor() as cursor:
        for statement in (house_sql.STOCK, house_sql.SUPPLY, house_sql.DELIVERIES):
            cursor.execute(statement, facts)
        for first in range(1, jobs + 1, 20_000):
            cursor.execute(house_sql.JOBS, facts | _slice(first, jobs) | {"jobs": jobs})
        orders = DELIVERED + waiting // 2
        analyze()  # or the orders' jobs are looked for without knowing how many there are
        for first in range(1, orders + 1, 20_000):
            cursor.execute(
                house_sql.ORDERS,
                facts | _slice(first, orders) | {"orders": orders, "waiting": waiting // 2, "jobs": jobs},
            )
        cursor.execute(f"SELECT setval('orders_service_order_number', {jobs})")
        cursor.execute(f"SELECT setval('orders_parts_order_number', {orders})")
    analyze()
    policy.rerank()
    parts = list(Part.objects.order_by("number"))
    today = datetime.now(UTC).date()
    for start in range(0, SHORT, 500):
        pegging.repeg(part_ids=[part.pk for part in parts[start : start + 500]], today=today)
    house = _named(people, parts, jobs, waiting)
    rollups.roll_up(by=BENCH, at=datetime.now(UTC))
    analyze()
    return house


def _slice(first: int, last: int) -> dict[str, int]:
    return {"first": first, "last": min(first + 19_999, last)}


def _people() -> dict[str, User]:
    """One person per role, and those who drive the vans."""
    people = {}
    for role in ("Parts manager", "Dispatcher", "Technician", "Auditor"):
        person = User.objects.create(username=role.lower().replace(" ", "-"), first_name=role, is_staff=True)
        person.groups.add(Group.objects.get(name=role))
        people[role] = person
    technicians = Group.objects.get(name="Technician")
    drivers = User.objects.bulk_create(
        [User(username=f"driver-{number}", first_name=f"Driver {number}") for number in range(VANS - 1)]
    )
    technicians.user_set.add(*drivers)
    return people


def _masters(people: dict[str, User]) -> dict[str, Any]:
    """Make regions, warehouses, suppliers, customers, machines and parts; return what the statements need of them."""
    regions = Region.objects.bulk_create(
        [Region(code=f"R{number}", name=f"Region {number}") for number in range(REGIONS)]
    )
    warehouses = Warehouse.objects.bulk_create(
        [
            Warehouse(code=f"W{number:02}", name=f"Warehouse {number}", region=regions[number % REGIONS], dock="dock 2")
            for number in range(REGIONS * 2)
        ]
    )
    drivers = list(User.objects.filter(groups__name="Technician").order_by("pk"))
    Warehouse.objects.bulk_create(
        [
            Warehouse(
                code=f"VAN-{number:02}",
                name=f"Van {number}",
                region=regions[number % REGIONS],
                kind=WarehouseKind.VAN,
                allocatable=False,
                technician=driver,
            )
            for number, driver in enumerate(drivers)
        ]
    )
    suppliers = Supplier.objects.bulk_create(
        [Supplier(code=f"S{number:03}", name=f"Supplier {number}") for number in range(SUPPLIERS)]
    )
    facts: dict[str, Any] = {
        "regions": [row.pk for row in regions],
        "warehouses": [row.pk for row in warehouses],
        "suppliers": [row.pk for row in suppliers],
        "technicians": [driver.pk for driver in drivers],
        "customers": CUSTOMERS,
        "machines": MACHINES,
        "parts": PARTS,
        "short": SHORT,
        "open": OPEN_JOBS,
        "deliveries": DELIVERIES,
        "path": [*SERVICE_ORDER_PATH, "cancelled"],
        "first": list(_FIRST),
        "second": list(_SECOND),
        "things": list(_THINGS),
        "kinds": list(_KINDS),
    }
    with connection.cursor() as cursor:
        cursor.execute(house_sql.KEYS)
        for statement in house_sql.MASTERS:
            cursor.execute(statement, facts)
            cursor.execute("ANALYZE")  # or the next statement joins without knowing how many there are
    return facts


def _named(people: dict[str, User], parts: Sequence[Part], jobs: int, waiting: int) -> House:
    """Make what the pages look at closely."""
    at = datetime.now(UTC)
    told: dict[str, Any] = {"by": BENCH, "source": "bench", "at": at}
    machine = Equipment.objects.select_related("customer").order_by("serial_number")[MACHINES // 2]
    long_job = service_orders.create(
        customer_id=machine.customer_id, equipment_id=machine.pk, title="Overhaul", status="new", **told
    )
    long_order = _long_order(long_job, parts, told)
    waits = PartsOrder.objects.filter(status="back_ordered", service_order__status="awaiting_parts")
    order = waits.select_related("service_order__customer").order_by("-id")[10]
    assert order.service_order is not None
    link = tracking.issue(service_order_id=order.service_order.pk, **told)
    line = OrderLine.objects.filter(order=order, is_split=False).select_related("part").order_by("reference")[0]
    return House(
        people=people,
        events=OrderEvent.objects.count(),
        waiting=waiting,
        jobs=jobs,
        job=order.service_order,
        long_job=long_job,
        long_order=long_order,
        customer=machine.customer,
        machine=machine,
        order=order,
        line=line,
        part=line.part,
        parts=[*parts[:25], *parts[-25:]],
        delivery_id=_delivery(told),
        token=link.token,
    )


def _long_order(job: ServiceOrder, parts: Sequence[Part], told: dict[str, Any]) -> PartsOrder:
    """Place 200 lines, half of them short, and release the others: 500 events."""
    wanted = [Wanted(Decimal(2), part_id=part.pk) for part in (*parts[:100], *parts[-100:])]
    placed = placing.place(
        kind="service", lines=wanted, requested_on=told["at"].date(), service_order_id=job.pk, **told
    )
    held = OrderLine.objects.filter(order=placed.id, status="reserved").values_list("pk", flat=True)
    later = told | {"at": told["at"] + timedelta(seconds=1)}
    lines.move_many(steps=[lines.Step(key, "released") for key in held], **later)
    return PartsOrder.objects.get(pk=placed.id)


def _delivery(told: dict[str, Any]) -> UUID:
    """Book a delivery of fifty lines that people wait for."""
    due = PurchaseOrderLine.objects.filter(is_open=True).select_related("purchase_order")
    first = due.order_by("purchase_order__number", "position")[0].purchase_order
    theirs = due.filter(purchase_order__supplier=first.supplier_id, purchase_order__warehouse=first.warehouse_id)
    items = [
        DeliveryItem(line.part_id, line.quantity, purchase_order_line_id=line.pk)
        for line in theirs.order_by("purchase_order__number", "position")[:50]
    ]
    booked = receive_delivery(
        supplier_id=first.supplier_id,
        warehouse_id=first.warehouse_id,
        note_number="DN-MEASURED",
        lines=items,
        received_at=told["at"],
        **told,
    )
    return booked.delivery_id
