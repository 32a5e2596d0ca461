"""A small world to turn upside down: three parts, three warehouses, two customers, a supplier and a job."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from backorders.actions import allocating, moving, pegging, policy
from backorders.models import AllocationPolicy, BackOrder
from orders.actions import expiring, lines, overriding, parts_orders, placing, reporting, service_orders
from orders.actions.placing import Wanted
from orders.models import Customer, OrderLine, PartsOrder, ServiceOrder
from orders.statuses import Tier
from parts.actions.stock import correct_stock, transfer
from parts.actions.supply import DeliveryItem, PurchaseLine, place_purchase_order, receive_delivery
from parts.models import Part, Supplier, Warehouse
from tests.factories.orders import CustomerFactory, EquipmentFactory
from tests.factories.parts import PartFactory, SupplierFactory, UnitOfMeasureFactory, WarehouseFactory
from tests.orders.desk import NOW, OURSELVES

WEIGHTS = ("emergency", "service", "platinum", "bronze", "ageing_per_day")


class World:
    """Everything that may happen in it, by the same actions that the doors call.

    Whom or what an action is about is named by a number: the world takes it modulo what there is, so that any number
    means somebody. An action that has nobody to be done to does nothing.
    """

    def __init__(self) -> None:
        AllocationPolicy.objects.get_or_create(name="default")  # a test that really commits was cleaned up after
        litre = UnitOfMeasureFactory.create(code="LTR", name="Litre", decimals=3)
        self.parts: list[Part] = [
            PartFactory.create(criticality="A"),
            PartFactory.create(),
            PartFactory.create(unit=litre),
        ]
        self.warehouses: list[Warehouse] = [
            WarehouseFactory.create(),
            WarehouseFactory.create(),
            WarehouseFactory.create(mode="paper"),
        ]
        self.customers: list[Customer] = [
            CustomerFactory.create(tier=Tier.PLATINUM),
            CustomerFactory.create(tier=Tier.BRONZE),
        ]
        self.supplier: Supplier = SupplierFactory.create()
        machine = EquipmentFactory.create(customer=self.customers[0])
        self.now: datetime = NOW
        self.notes = 0
        job = service_orders.create(
            customer_id=self.customers[0].pk, title="Pump leaks", equipment_id=machine.pk, **self.told
        )
        service_orders.fast_forward(service_order_id=job.pk, to="in_progress", **self.told)
        self.job: ServiceOrder = job

    @property
    def told(self) -> dict[str, Any]:
        return {"by": OURSELVES, "source": "world", "at": self.now}

    def quantity(self, part: Part, tenths: int) -> Decimal:
        """Return a quantity that the part's unit has: whole pieces, or litres with decimals."""
        return Decimal(tenths) / 8 if part.unit_id == "LTR" else Decimal(tenths)

    def line(self, number: int, *statuses: str) -> OrderLine | None:
        rows = OrderLine.objects.filter(is_split=False).order_by("reference")
        found = list(rows.filter(status__in=statuses) if statuses else rows)
        return found[number % len(found)] if found else None

    def order(self, number: int) -> PartsOrder | None:
        found = list(PartsOrder.objects.order_by("reference"))
        return found[number % len(found)] if found else None

    def back_order(self, number: int) -> BackOrder | None:
        found = list(BackOrder.objects.order_by("reference"))
        return found[number % len(found)] if found else None

    # --- Demand ------------------------------------------------------------------------------------------------------

    def place(self, kind: str, wanted: list[tuple[int, int]], whose: int, complete: bool, for_job: bool) -> None:
        soft = kind in placing.SOFT_KINDS
        items = []
        for part_number, eighths in wanted:
            part = self.parts[part_number % 3]
            quantity = self.quantity(part, eighths)
            least = self.quantity(part, eighths // 2) if whose % 2 else Decimal(0)
            items.append(Wanted(quantity, part.pk, minimum_fill=least))
        placing.place(
            kind=kind,
            lines=items,
            requested_on=self.now.date(),
            customer_id=None if soft or for_job else self.customers[whose % 2].pk,
            service_order_id=self.job.pk if for_job and not soft else None,
            destination_id=self.warehouses[whose % 3].pk if soft or whose == 5 else None,
            complete_delivery_only=complete,
            **self.told,
        )

    def cancel(self, number: int, eighths: int | None, parent: bool) -> None:
        row = self.line(number)
        if row:
            target = row.parent if parent and row.parent else row
            quantity = None if eighths is None else self.quantity(row.part, eighths)
            lines.cancel(line_id=target.pk, reason="Not needed", quantity=quantity, **self.told)

    def cancel_order(self, number: int) -> None:
        if row := self.order(number):
            parts_orders.cancel(order_id=row.pk, reason="Not needed", **self.told)

    def hold_order(self, number: int) -> None:
        if row := self.order(number):
            if row.on_hold:
                parts_orders.let_go(order_id=row.pk, **self.told)
            else:
                parts_orders.hold(order_id=row.pk, reason="Credit limit", **self.told)

    # --- Stock -------------------------------------------------------------------------------------------------------

    def deliver(self, part: int, warehouse: int, eighths: int, unfit: int) -> None:
        item = self.parts[part % 3]
        quantity = self.quantity(item, eighths)
        self.notes += 1
        receive_delivery(
            supplier_id=self.supplier.pk,
            warehouse_id=self.warehouses[warehouse % 3].pk,
            note_number=f"DN-{self.notes}",
            lines=[DeliveryItem(item.pk, quantity, min(quantity, self.quantity(item, unfit)))],
            received_at=self.now,
            **self.told,
        )

    def correct(self, part: int, warehouse: int, eighths: int) -> None:
        item = self.parts[part % 3]
        correct_stock(
            part_id=item.pk,
            warehouse_id=self.warehouses[warehouse % 3].pk,
            on_hand_change=self.quantity(item, eighths),
            reason="count",
            **self.told,
        )

    def move_stock(self, part: int, warehouse: int, to: int, eighths: int) -> None:
        item = self.parts[part % 3]
        transfer(
            part_id=item.pk,
            from_warehouse_id=self.warehouses[warehouse % 3].pk,
            to_warehouse_id=self.warehouses[to % 3].pk,
            quantity=self.quantity(item, eighths),
            **self.told,
        )

    def buy(self, part: int, warehouse: int, eighths: int, in_days: int) -> None:
        item = self.parts[part % 3]
        self.notes += 1
        place_purchase_order(
            supplier_id=self.supplier.pk,
            warehouse_id=self.warehouses[warehouse % 3].pk,
            number=f"PO-{self.notes}",
            lines=[
                PurchaseLine(
                    part_id=item.pk,
                    quantity=self.quantity(item, eighths),
                    expected_on=(self.now + timedelta(days=in_days)).date(),
                )
            ],
            ordered_at=self.now,
            **self.told,
        )

    # --- On the way --------------------------------------------------------------------------------------------------

    def step(self, number: int, choice: int) -> None:
        if row := self.line(number):
            steps = lines.allowed_by_hand(row.status) or ["shipped"]
            lines.move(line_id=row.pk, to=steps[choice % len(steps)], note="So be it", **self.told)

    def ship(self, number: int, eighths: int | None) -> None:
        if row := self.line(number, "reserved", "released", "picking", "awaiting_kitting", "packed"):
            quantity = None if eighths is None else self.quantity(row.part, eighths)
            item = lines.ShipItem(row.pk, quantity)
            lines.ship(order_id=row.order_id, items=[item], walk=True, **self.told)

    def return_to_stock(self, number: int, eighths: int, unfit: int) -> None:
        if row := self.line(number, "shipped", "delivered"):
            quantity = self.quantity(row.part, eighths)
            bad = min(quantity, self.quantity(row.part, unfit))
            lines.return_to_stock(line_id=row.pk, quantity=quantity, unfit=bad, **self.told)

    def override(self, number: int, to: str) -> None:
        if row := self.line(number):
            overriding.override(line_id=row.pk, to=to, reason="As it is", reference="CASE-1", **self.told)

    def report(self, reports: list[tuple[int, str, int, int]]) -> list[reporting.Result]:
        """Report statuses of lines (or, for a negative number, of the job): late, twice, from hours ago or ahead."""
        told = []
        for number, status, hours, message in reports:
            row = self.line(number) if number >= 0 else self.job
            if row:
                subject = "line" if number >= 0 else "service_order"
                at = self.now + timedelta(hours=hours)
                told.append(reporting.Report(subject, row.pk, status, at, f"M{message}" if message else "", "Told"))
        return reporting.report_many(reports=told, **self.told)

    def release(self, to: str) -> None:
        ready = parts_orders.ready_orders(limit=5)
        parts_orders.release_ready(order_ids=ready, to=to, **self.told)

    def expire(self, in_days: int = 0) -> None:
        at = self.now + timedelta(days=in_days)
        expiring.expire(line_ids=expiring.expired_lines(at=at, limit=9), **self.told | {"at": at})

    def promise(self, number: int, in_days: int) -> None:
        if row := self.line(number):
            day = (self.now + timedelta(days=in_days)).date()
            lines.promise(line_id=row.pk, promised_on=day, reason="Supplier says so", **self.told)

    # --- The queue ---------------------------------------------------------------------------------------------------

    def allocate(self) -> None:
        allocating.allocate_parts(part_ids=[part.pk for part in self.parts], **self.told)

    def repeg(self) -> None:
        pegging.repeg(part_ids=[part.pk for part in self.parts], today=self.now.date())

    def hold_back_order(self, number: int) -> None:
        if row := self.back_order(number):
            if row.on_hold:
                moving.let_go(back_order_id=row.pk, **self.told)
            else:
                moving.hold(back_order_id=row.pk, reason="Credit limit", **self.told)

    def move_back_order(self, number: int, to: str) -> None:
        if row := self.back_order(number):
            moving.move(back_order_id=row.pk, to=to, **self.told)

    def override_back_order(self, number: int, to: str) -> None:
        if row := self.back_order(number):
            moving.override(back_order_id=row.pk, to=to, reason="As it is", reference="CASE-2", **self.told)

    def weigh(self, weight: int, value: int) -> None:
        policy.change_weights(changes={WEIGHTS[weight % len(WEIGHTS)]: Decimal(value)}, reason="Season", **self.told)

    # --- The job and the clock ---------------------------------------------------------------------------------------

    def move_job(self, to: str) -> None:
        service_orders.fast_forward(service_order_id=self.job.pk, to=to, **self.told)

    def wait(self, hours: int) -> None:
        """Let time pass, or (below zero) let the next one who acts have a clock that is behind."""
        self.now += timedelta(hours=hours)
