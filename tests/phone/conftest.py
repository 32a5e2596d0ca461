"""The technician's phone in front of a world: a job of theirs, a van, and the two ways in which a form comes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponseBase
from django.test import Client
from django.utils import timezone

from orders.actions import lines, placing, service_orders
from orders.models import OrderLine, ServiceOrder
from parts.actions import stock
from parts.models import Part, Warehouse
from tests.admin.world import World, cause
from tests.factories.parts import WarehouseFactory


@pytest.fixture
def world(db: None) -> World:
    return World()


@pytest.fixture
def phone(client: Client, technician: User) -> Client:
    """The technician's browser."""
    client.force_login(technician)
    return client


@pytest.fixture
def van(world: World, technician: User) -> Warehouse:
    return WarehouseFactory.create(
        code="VAN-1", name="Van 1", kind="van", technician=technician, allocatable=False, region=world.near.region
    )


@dataclass
class Said:
    """An answer to the queue."""

    status: int
    document: dict[str, Any]


Send = Callable[..., Said]


@pytest.fixture
def send(phone: Client, technician: User) -> Send:
    """Send a form as the queue in the browser does."""

    def sent(address: str, key: str | None = None, person: int | None = None, waited: int = 0, **fields: Any) -> Said:
        headers = {
            "Accept": "application/json",
            "Idempotency-Key": key or str(uuid4()),
            "X-Backline-Person": str(person or technician.pk),
            "X-Backline-Waited": str(waited),
        }
        answer: HttpResponseBase = phone.post(address, fields, headers=headers)
        return Said(answer.status_code, json.loads(getattr(answer, "content", b"{}")))

    return sent


def job_of(world: World, person: User | None, status: str = "in_progress", **facts: Any) -> ServiceOrder:
    """A job of somebody, or of nobody."""
    job = world.job(status)
    if person is not None:
        service_orders.assign(service_order_id=job.pk, technician_id=person.pk, **cause())
    if facts:
        ServiceOrder.objects.filter(pk=job.pk).update(**facts)
    return ServiceOrder.objects.get(pk=job.pk)


def sent_to(world: World, part: Part, serials: tuple[str, ...] = (), **goes: Any) -> OrderLine:
    """Two of a part that have left for a job or a van."""
    placed = placing.place(
        requested_on=timezone.now().date(),
        lines=[placing.Wanted(quantity=Decimal(2), part_id=part.pk)],
        **goes,
        **cause(),
    )
    lines.ship(
        order_id=placed.id,
        items=[lines.ShipItem(placed.lines[0].id, serials=serials)],
        carrier="Nordfracht",
        tracking_number=f"NF{placed.id.int % 10**9}",
        walk=True,
        **cause(),
    )
    return OrderLine.objects.get(pk=placed.lines[0].id)


def loaded(van: Warehouse, part: Part, quantity: int = 4) -> None:
    """Put stock into the van."""
    stock.correct_stock(
        part_id=part.pk, warehouse_id=van.pk, on_hand_change=Decimal(quantity), reason="opening", **cause()
    )


def address(job: ServiceOrder) -> str:
    return f"/t/jobs/{job.pk}/"
