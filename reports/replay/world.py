"""Write the world of a replay: places, catalogue, suppliers, customers, opening stock. All keys follow from the run."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from simple_history.utils import bulk_create_with_history

from orders.models import Customer, Equipment, ServiceContract
from parts.actions.stock import Correction, correct_stock_many
from parts.actors import Actor
from parts.models import Category, Part, Region, Supplier, SupplierPart, Warehouse
from parts.statuses import CorrectionReason
from reports.replay import layout
from reports.replay.demand import Demand
from reports.replay.dice import Dice
from reports.replay.replenishment import opening_estimate, opening_stock

BATCH = 5_000
#: What the second place of a part gets of its opening stock.
SECOND_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class World:
    """What a seed makes of the demand, before and after it is written; `key` gives the key of anything by its code."""

    run_id: UUID
    customers: dict[str, layout.CustomerPlan]
    suppliers: dict[str, layout.SupplierPlan]
    parts: dict[str, layout.PartPlan]
    estimates: dict[str, float]
    keys: dict[tuple[str, str], UUID] = field(default_factory=dict)

    def key(self, kind: str, code: str) -> UUID:
        """Return the key of a part, supplier, warehouse, customer or machine."""
        if (kind, code) not in self.keys:
            self.keys[kind, code] = uuid5(self.run_id, f"{kind}/{code}")
        return self.keys[kind, code]

    def machine_key(self, customer: str, index: int) -> UUID:
        """Return the key of a customer's machine."""
        return self.key("machine", f"{customer}/{index}")

    def contract_key(self, customer: str) -> UUID | None:
        """Return the key of a customer's contract, if there is one."""
        return self.key("contract", customer) if self.customers[customer].contract_points else None


def imagine(run_id: UUID, demand: Demand, dice: Dice) -> World:
    """Return the world of a seed; nothing is written."""
    sources = layout.suppliers(dice)
    return World(
        run_id=run_id,
        customers={customer.code: customer for customer in layout.customers(dice)},
        suppliers={supplier.code: supplier for supplier in sources},
        parts={number: layout.part(dice, number, sources) for number in demand.parts},
        estimates={number: opening_estimate(demand, dice, number) for number in demand.parts},
    )


def write(world: World, *, by: Actor, source: str, at: datetime) -> None:
    """Write the world into a database that has none, inside the caller's transaction.

    Master data has no action of its own: people edit it in the admin. It is written with its history; the opening
    stock goes through `correct_stock_many`.
    """
    history: dict[str, Any] = {"batch_size": BATCH, "default_change_reason": source, "default_date": at}
    _write_places(world, history)
    _write_catalogue(world, history)
    _write_customers(world, at, history)
    corrections = [correction for plan in world.parts.values() for correction in _opening(world, plan)]
    correct_stock_many(corrections=corrections, by=by, source=source, at=at)


def _write_places(world: World, history: dict[str, Any]) -> None:
    Region.objects.bulk_create(
        Region(id=world.key("region", code), code=code, name=name, time_zone=zone, currency=currency)
        for code, name, zone, currency in layout.REGIONS
    )
    places = [
        Warehouse(
            id=world.key("warehouse", place.code),
            code=place.code,
            name=place.name,
            region_id=world.key("region", place.region),
            kind=place.kind,
            mode=place.mode,
            allocatable=place.allocatable,
            latitude=place.latitude,
            longitude=place.longitude,
            cut_off=place.cut_off,
        )
        for place in layout.PLACES
    ]
    bulk_create_with_history(places, Warehouse, **history)


def _write_catalogue(world: World, history: dict[str, Any]) -> None:
    Category.objects.bulk_create(
        Category(id=world.key("category", path), path=path, name=name) for path, name, *_ in layout.CATEGORIES
    )
    suppliers = [
        Supplier(id=world.key("supplier", supplier.code), code=supplier.code, name=supplier.name)
        for supplier in world.suppliers.values()
    ]
    bulk_create_with_history(suppliers, Supplier, **history)
    parts = [
        Part(
            id=world.key("part", plan.number),
            number=plan.number,
            description=plan.description,
            category_id=world.key("category", plan.category),
            criticality=plan.criticality,
            ved_class=plan.ved_class,
            unit_cost=plan.unit_cost,
            core_charge=plan.core_charge,
        )
        for plan in world.parts.values()
    ]
    bulk_create_with_history(parts, Part, **history)
    offers = [
        SupplierPart(
            id=world.key("offer", plan.number),
            supplier_id=world.key("supplier", plan.supplier),
            part_id=world.key("part", plan.number),
            supplier_number=f"{plan.supplier[-2:]}-{plan.number}"[:80],
            lead_time_days=plan.lead_days,
            minimum_quantity=plan.minimum,
            order_multiple=plan.multiple,
            unit_cost=purchase_cost(plan),
            is_preferred=True,
        )
        for plan in world.parts.values()
    ]
    bulk_create_with_history(offers, SupplierPart, **history)


def purchase_cost(plan: layout.PartPlan) -> Decimal:
    """Return what the supplier asks for a unit."""
    return (plan.unit_cost * Decimal("0.7")).quantize(Decimal("0.01"))


def _write_customers(world: World, at: datetime, history: dict[str, Any]) -> None:
    customers = [
        Customer(
            id=world.key("customer", plan.code),
            code=plan.code,
            name=plan.name,
            tier=plan.tier,
            region_id=world.key("region", plan.region),
            language=plan.language,
            time_zone=plan.time_zone,
            email=f"parts@{plan.code.lower()}.example",
            latitude=plan.latitude,
            longitude=plan.longitude,
        )
        for plan in world.customers.values()
    ]
    bulk_create_with_history(customers, Customer, **history)
    machines = [
        Equipment(
            id=world.machine_key(plan.code, index),
            model=model,
            serial_number=serial,
            customer_id=world.key("customer", plan.code),
            criticality=criticality,
            downtime_cost_per_hour=cost,
        )
        for plan in world.customers.values()
        for index, (model, serial, criticality, cost) in enumerate(plan.machines)
    ]
    bulk_create_with_history(machines, Equipment, **history)
    contracts = [
        ServiceContract(
            id=world.contract_key(plan.code),
            number=f"K-{plan.code}",
            customer_id=world.key("customer", plan.code),
            name=f"Service {plan.tier}",
            response_hours=24,
            repair_hours=72,
            priority_points=plan.contract_points,
            valid_from=at.date() - timedelta(days=365),
        )
        for plan in world.customers.values()
        if plan.contract_points
    ]
    bulk_create_with_history(contracts, ServiceContract, **history)


def _opening(world: World, plan: layout.PartPlan) -> list[Correction]:
    """Return the opening balances of a part: most of it in its home warehouse, some in a second one."""
    quantity = opening_stock(world.estimates[plan.number], plan.lead_days, plan.ved_class)
    second = int(quantity * SECOND_SHARE)
    return [
        Correction(
            part_id=world.key("part", plan.number),
            warehouse_id=world.key("warehouse", code),
            reason=CorrectionReason.OPENING.value,
            on_hand_change=Decimal(units),
        )
        for code, units in ((plan.home, quantity - second), (plan.second_home, second))
        if units
    ]
