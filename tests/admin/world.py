"""Rows of every kind for the back office, made by the actions that make them in life."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any
from uuid import uuid4

from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone
from django_q.models import Failure, OrmQ, Schedule, Success
from oauth2_provider.models import AccessToken, Application, Grant, IDToken, RefreshToken

from backorders.models import BackOrder
from config import roles
from integrations.actions import cases, publishing, reconciling, snapshots
from integrations.models import (
    CountTolerance,
    EscalationStep,
    ExternalSystem,
    IdempotentRequest,
    Interface,
    NumberElsewhere,
    OutboundDelivery,
    StatusCode,
)
from notifications.models import LiftedStop, MaintenanceWindow, Recipient, StoppedNumber
from orders.actions import attachments, consents, jobs, lines, placing, service_orders, tracking
from orders.models import (
    ConsentRule,
    Customer,
    CustomerAccess,
    EventCursor,
    LedgerAnchor,
    OrderLine,
    PartsOrder,
    ServiceOrder,
    StockVisibilityRule,
)
from parts.actions import stock
from parts.actions.changing import request_change
from parts.actions.supply.deliveries import DeliveryItem, receive_delivery
from parts.actions.supply.purchase_orders import PurchaseLine, place_purchase_order
from parts.actors import Actor
from parts.models import Part, PartNumber, PartRelation, PurchaseOrder, StockLevel, Warehouse
from reports.models import ReplayRun
from tests.factories.orders import CustomerFactory, EquipmentFactory, ServiceContractFactory
from tests.factories.parts import (
    CategoryFactory,
    PartFactory,
    RegionFactory,
    SupplierFactory,
    SupplierPartFactory,
    UnitOfMeasureFactory,
    WarehouseFactory,
)
from tests.integrations.listening import listen
from tests.integrations.sending import connect, said, send

ON_HAND = Decimal(10)


def cause(person: User | None = None) -> dict[str, Any]:
    """Say who does it (one of our rules, or a person), from where and when."""
    return {"by": Actor.user(person) if person else Actor.system("test"), "source": "test", "at": timezone.now()}


class World:
    """Two warehouses and a customer; `add` brings one more of everything."""

    def __init__(self) -> None:
        self.near: Warehouse = WarehouseFactory.create()
        self.far: Warehouse = WarehouseFactory.create()
        self.customer: Customer = CustomerFactory.create()
        self.person = User.objects.create_user("somebody", first_name="Some", last_name="Body")
        roles.give_role(self.person, roles.TECHNICIAN)
        self.number = 0

    def many(self, count: int) -> None:
        """Add so many of everything."""
        for _ in range(count):
            self.add()

    def add(self) -> None:
        """Add one of everything: stock, orders, a shortage, a delivery that fills it, and what stands around."""
        self.number += 1
        part = self.part()
        self.stocked(part)
        self.bought_and_delivered(part)
        self.worked_on()
        self.around(part)
        self.connected()
        self.snapshot()
        self.reconciled()

    def connected(self) -> None:
        """A system that is connected, a number of its own, a message of it that waits, and what a code of it means."""
        system = connect(f"system-{self.number}")
        line = {"system": system, "kind": "delivery_item", "number": "80/10", "subject_kind": "line"}
        NumberElsewhere.objects.create(**line, subject_id=uuid4(), known_since=timezone.now())
        send(said("P-999999/1"), system=system.code)
        told = publishing.send_test(subscriber=listen().pk, by=Actor.system("test"), at=timezone.now())
        OutboundDelivery.objects.filter(pk=told.pk).update(state="dead", ended_at=timezone.now())
        StatusCode.objects.create(
            code_list="wms", code=f"C{self.number}", status="shipped", effective_from=timezone.now().date()
        )

    def snapshot(self) -> None:
        """A snapshot of its system, in which one stock differs and one part is unknown."""
        system = ExternalSystem.objects.get(code=f"system-{self.number}")
        level = StockLevel.objects.filter(warehouse=self.near).select_related("part").order_by("pk")[0]
        rows = f"part_number,warehouse,on_hand\n{level.part.number},{self.near.code},99\nX-9,{self.near.code},1\n"
        snapshots.receive(
            system=system,
            file=BytesIO(rows.encode()),
            name="stock.csv",
            as_of=timezone.now(),
            by=Actor.system("test"),
            at=timezone.now(),
            is_complete=False,
        )
        snapshots.load_next(share=1)

    def reconciled(self) -> None:
        """A log of its system with a message that did not come."""
        asked = reconciling.ask(
            interface=Interface.objects.get(system__code=f"system-{self.number}"),
            file=BytesIO(json.dumps([said("P-999998/1")]).encode()),
            name="log.json",
            begins=timezone.now() - timedelta(days=1),
            ends=timezone.now(),
            by=Actor.system("test"),
            at=timezone.now(),
        )
        reconciling.compare_next()
        assert asked.items.count() <= 2

    # --- Pieces ------------------------------------------------------------------------------------------------------

    def part(self) -> Part:
        """A part of its own category and unit, with a number elsewhere and something it replaces."""
        unit = UnitOfMeasureFactory.create(code=f"U{self.number:02}"[:3], name=f"Unit {self.number}")
        part: Part = PartFactory.create(unit=unit, category=CategoryFactory.create(path=f"pumps/{self.number}"))
        controlled = PartFactory.create(is_controlled=True)
        told = cause() | {"by": Actor(f"user:{self.person.pk}", frozenset({"parts.change_part"}), self.person.pk)}
        request_change(part_id=controlled.pk, wanted={"unit_cost": "7"}, reason="New price list", **told)
        PartNumber.objects.create(part=part, system="ERP", number=f"4711-{self.number}")
        PartRelation.objects.create(kind="supersedes", part=part, other=PartFactory.create())
        return part

    def stocked(self, part: Part) -> StockLevel:
        """Ten on hand, one of them moved to the other warehouse, and a customer's own region."""
        RegionFactory.create(code=f"R-{self.number}")
        stock.correct_stock(
            part_id=part.pk, warehouse_id=self.near.pk, on_hand_change=ON_HAND, reason="opening", **cause()
        )
        stock.transfer(
            part_id=part.pk,
            from_warehouse_id=self.near.pk,
            to_warehouse_id=self.far.pk,
            quantity=Decimal(1),
            **cause(),
        )
        return StockLevel.objects.get(part=part, warehouse=self.near)

    def placed(self, part: Part, quantity: int, **facts: Any) -> PartsOrder:
        """An order of the customer."""
        placed = placing.place(
            kind="service",
            customer_id=self.customer.pk,
            requested_on=timezone.now().date(),
            lines=[placing.Wanted(quantity=Decimal(quantity), part_id=part.pk)],
            **facts,
            **cause(),
        )
        return PartsOrder.objects.get(pk=placed.id)

    def bought(self, part: Part, quantity: int = 20) -> PurchaseOrder:
        """A purchase order for the near warehouse."""
        offer = SupplierPartFactory.create(part=part, supplier=SupplierFactory.create())
        placed = place_purchase_order(
            supplier_id=offer.supplier_id,
            warehouse_id=self.near.pk,
            lines=[PurchaseLine(part.pk, Decimal(quantity), Decimal(100), timezone.now().date() + timedelta(days=9))],
            ordered_at=timezone.now(),
            **cause(),
        )
        return PurchaseOrder.objects.get(pk=placed.id)

    def short(self) -> BackOrder:
        """A back order that waits: more was ordered than is there."""
        part = PartFactory.create()
        self.placed(part, 3)
        return BackOrder.objects.get(part=part)

    def part_in_stock(self, on_hand: Decimal = ON_HAND) -> Part:
        """A part of which there is enough."""
        part: Part = PartFactory.create()
        stock.correct_stock(
            part_id=part.pk, warehouse_id=self.near.pk, on_hand_change=on_hand, reason="opening", **cause()
        )
        return part

    def shipped(self) -> PartsOrder:
        """An order that has left."""
        order = self.placed(self.part_in_stock(), 1)
        lines.ship(order_id=order.pk, items=[lines.ShipItem(order.lines.get().pk)], walk=True, **cause())
        return order

    def job(self, status: str = "new") -> ServiceOrder:
        """A job of the customer."""
        job = service_orders.create(
            customer_id=self.customer.pk,
            equipment_id=EquipmentFactory.create(customer=self.customer).pk,
            contract_id=ServiceContractFactory.create(customer=self.customer).pk,
            title="Press loses pressure",
            status="new" if status != "draft" else "draft",
            **cause(),
        )
        if status not in ("new", "draft"):
            service_orders.fast_forward(service_order_id=job.pk, to=status, **cause())
        return ServiceOrder.objects.get(pk=job.pk)

    def counted(self, part: Part, person: User) -> None:
        """One of a part, found in somebody's van where the books had none."""
        van = WarehouseFactory.create(kind="van", technician=person)
        by = Actor(f"user:{person.pk}", frozenset({"parts.count_van"}), person.pk)
        stock.count_van(warehouse_id=van.pk, found=[stock.Found(part.pk, Decimal(1))], **cause() | {"by": by})

    # --- One of everything -------------------------------------------------------------------------------------------

    def bought_and_delivered(self, part: Part) -> None:
        """Two orders, short; a purchase order; a delivery that fills the first; its line shipped."""
        first = self.placed(part, 12)
        self.placed(part, 30)
        order = self.bought(part)
        line = order.lines.get()
        receive_delivery(
            supplier_id=order.supplier_id,
            warehouse_id=order.warehouse_id,
            note_number=f"DN-{self.number}",
            lines=[DeliveryItem(part.pk, Decimal(5), purchase_order_line_id=line.pk, serials=(f"SN-{self.number}",))],
            received_at=timezone.now(),
            **cause(),
        )
        held = OrderLine.objects.filter(order=first, status="reserved", is_split=False).first()
        assert held is not None
        lines.ship(
            order_id=first.pk, items=[lines.ShipItem(held.pk, serials=(f"SN-{self.number}",))], walk=True, **cause()
        )

    def worked_on(self) -> None:
        """A job with labour, a finding, a note and equipment on its way."""
        by = cause() | {
            "by": Actor("user:0", frozenset({"orders.add_labourentry", "orders.add_diagnosticnote"}), self.person.pk)
        }
        job = self.job("in_progress")
        jobs.log_labour(service_order_id=job.pk, started_at=by["at"], minutes=30, **by)
        jobs.add_diagnosis(service_order_id=job.pk, text="Seal worn", **by)
        service_orders.add_note(service_order_id=job.pk, text="Called the customer", **cause())
        jobs.send_equipment(
            service_order_id=job.pk,
            direction="to_manufacturer",
            carrier="Parcel",
            tracking_number=f"T{self.number}",
            **cause(),
        )
        tracking.issue(service_order_id=job.pk, **cause())
        self.overridden(job)
        what = cases.Contradiction("message_status", "in progress", "cancelled", {"service_order_id": job.pk})
        cases.open_case(what=what, note="", **cause())
        EscalationStep.objects.create(kind="scan_order", position=10 + self.number, role="Dispatcher", hours=1)
        CountTolerance.objects.get_or_create(criticality="A", defaults={"share": 0, "value": 0})
        told = cause()
        attachments.attach(service_order_id=job.pk, name=f"Note {self.number}.txt", content=b"Seen", **told)

    def overridden(self, job: ServiceOrder) -> None:
        """A job put back by a person, with evidence; and a rule that would have held it up."""
        by = Actor(f"user:{self.person.pk}", frozenset({"orders.override_serviceorder"}), self.person.pk)
        evidence = consents.Evidence("receipt.txt", b"Paid")
        wish = consents.Wish("service_order", job.pk, "new", "It was never begun", f"C-{self.number}", evidence)
        consents.ask(wish=wish, **cause() | {"by": by})
        ConsentRule.objects.create(name=f"Rule {self.number}", is_active=False)

    def around(self, part: Part) -> None:
        """People, machines and what else has a list."""
        person = User.objects.create_user(f"person-{self.number}")
        customer = CustomerFactory.create(region=RegionFactory.create(code=f"R-{self.number}"))
        CustomerAccess.objects.create(user=person, customer=customer)
        StockVisibilityRule.objects.create(stock="loaner", warehouse=self.near, customer=customer, person=person)
        self.counted(part, person)
        now = timezone.now()
        MaintenanceWindow.objects.create(
            name=f"Window {self.number}", reason="Upgrade", starts_at=now, ends_at=now + timedelta(hours=4)
        )
        Recipient.objects.create(customer=self.customer, name=f"Contact {self.number}")
        stopped: dict[str, Any] = {"number": f"+49170{self.number:07}", "stopped_at": timezone.now()}
        StoppedNumber.objects.create(**stopped)
        LiftedStop.objects.create(
            **stopped, lifted_at=timezone.now(), actor=f"user:{self.number}", because="asked", reason="By telephone"
        )
        client = Application.objects.create(
            name=f"client {self.number}",
            user=person,
            client_type="confidential",
            authorization_grant_type="client-credentials",
        )
        token = AccessToken.objects.create(
            application=client, user=person, expires=now, token=f"token-{self.number}", scope="orders:read"
        )
        RefreshToken.objects.create(application=client, user=person, access_token=token, token=f"fresh-{self.number}")
        Grant.objects.create(
            application=client, user=person, code=f"code-{self.number}", expires=now, redirect_uri="https://example.org"
        )
        IDToken.objects.create(application=client, user=person, expires=now)
        IdempotentRequest.objects.create(client="client:1", key=f"{self.number}", fingerprint=b"1", created_at=now)
        EventCursor.objects.create(name=f"consumer {self.number}")
        LedgerAnchor.objects.create(
            day=date(2026, 1, 1) + timedelta(days=self.number),
            made_at=datetime(2026, 1, 2, tzinfo=UTC),
            subjects=1,
            events=1,
            horizon=1,
            head_digest=b"1",
            previous_digest=b"0",
            public_key=b"k",
            signature=b"s",
        )
        kind = ContentType.objects.get_for_model(Part)
        LogEntry.objects.create(user=person, content_type=kind, object_id=str(part.pk), action_flag=ADDITION)
        ReplayRun.objects.create(
            id=uuid4(),
            name="demand.csv",
            seed=self.number,
            months=1,
            parts=1,
            first_day=now,
            last_day=now,
            started_at=now,
        )
        Schedule.objects.create(func=f"tasks.{self.number}")
        OrmQ.objects.create(key="backline", payload="")
        for model, success in ((Success, True), (Failure, False)):
            model.objects.create(
                id=f"{self.number:031}{'s' if success else 'f'}",
                name=f"{self.number}",
                func="tasks.something",
                started=now,
                stopped=now,
                success=success,
            )
