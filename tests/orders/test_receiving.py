"""Parts confirmed on site: whatever code is on the box, once, and only for what is on its way."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.actions import lines, placing, service_orders
from orders.actions.receiving import CodeAmbiguous, Confirmed, NotOnItsWay, confirm_delivery
from orders.models import OrderLine, ServiceOrder, Shipment
from parts.actors import Actor
from parts.errors import Forbidden, Invalid, NotFound
from parts.models import Part, PartNumber, StockLevel
from tests.admin.world import World, cause
from tests.factories.parts import WarehouseFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return World()


def job_of(world: World, person: User) -> ServiceOrder:
    job = world.job("in_progress")
    service_orders.assign(service_order_id=job.pk, technician_id=person.pk, **cause())
    return job


def sent(world: World, job: ServiceOrder | None, *parts: Part, **goes: Any) -> list[OrderLine]:
    """Parts for a job (or for a warehouse) that have left in one box."""
    to: dict[str, Any] = {"kind": "service", "service_order_id": job.pk} if job else {"kind": "transfer", **goes}
    placed = placing.place(
        requested_on=timezone.now().date(),
        lines=[placing.Wanted(quantity=Decimal(2), part_id=part.pk) for part in parts],
        **to,
        **cause(),
    )
    ordered = list(OrderLine.objects.filter(order=placed.id).order_by("position"))
    lines.ship(
        order_id=placed.id,
        items=[lines.ShipItem(line.pk) for line in ordered],
        carrier="Nordfracht",
        tracking_number=f"NF-{placed.id.int % 10**9}",
        walk=True,
        **cause(),
    )
    return ordered


def confirm(person: User, code: str, **more: Any) -> Confirmed:
    told: dict[str, Any] = {"by": Actor.user(person), "source": "phone", "at": timezone.now(), **more}
    return confirm_delivery(code=code, **told)


def statuses(*found: OrderLine) -> list[str]:
    return [OrderLine.objects.get(pk=line.pk).status for line in found]


def test_each_code_on_a_box_stands_for_what_is_in_it(world: World, technician: User) -> None:
    job = job_of(world, technician)
    for name in ("reference", "tracking_number"):
        first, second = sent(world, job, world.part_in_stock(), world.part_in_stock())
        box = Shipment.objects.get(lines__line=first)
        done = confirm(technician, f" {getattr(box, name).lower()} ")
        assert [one.status for one in done.delivered] == ["delivered", "delivered"]
        assert statuses(first, second) == ["delivered", "delivered"]
        assert Shipment.objects.get(pk=box.pk).delivered_at is not None
    first, second = sent(world, job, world.part_in_stock(), world.part_in_stock())
    confirm(technician, first.reference)
    assert statuses(first, second) == ["delivered", "shipped"]
    confirm(technician, first.order.reference)
    assert statuses(second) == ["delivered"]


def test_the_number_of_a_part_in_any_system_means_ones_own(world: World, technician: User) -> None:
    part = world.part_in_stock()
    PartNumber.objects.create(part=part, system="ERP", number="4711-0815")
    [mine] = sent(world, job_of(world, technician), part)
    [theirs] = sent(world, world.job("in_progress"), part)
    confirm(technician, "47110815")
    assert statuses(mine, theirs) == ["delivered", "shipped"]


def test_a_part_on_its_way_to_two_jobs_needs_a_person_to_say_which(world: World, technician: User) -> None:
    part = world.part_in_stock()
    first, second = job_of(world, technician), job_of(world, technician)
    [one], [other] = sent(world, first, part), sent(world, second, part)
    with pytest.raises(CodeAmbiguous) as refusal:
        confirm(technician, part.number)
    assert set(refusal.value.extra["references"]) == {one.reference, other.reference}
    confirm(technician, part.number, service_order_id=second.pk)
    assert statuses(one, other) == ["shipped", "delivered"]


def test_the_same_code_again_changes_nothing(world: World, technician: User) -> None:
    [line] = sent(world, job_of(world, technician), world.part_in_stock())
    confirm(technician, line.reference)
    version = OrderLine.objects.get(pk=line.pk).version
    again = confirm(technician, line.reference)
    assert (again.delivered, [one.reference for one in again.before]) == ((), [line.reference])
    assert OrderLine.objects.get(pk=line.pk).version == version


def test_what_has_not_left_is_not_there(world: World, technician: User) -> None:
    job, part = job_of(world, technician), world.part_in_stock()
    placed = placing.place(
        kind="service",
        service_order_id=job.pk,
        requested_on=timezone.now().date(),
        lines=[placing.Wanted(quantity=Decimal(1), part_id=part.pk)],
        **cause(),
    )
    with pytest.raises(NotOnItsWay) as refusal:
        confirm(technician, part.number)
    assert refusal.value.extra["lines"] == [{"line": placed.lines[0].reference, "status": "reserved"}]


def test_what_comes_for_the_van_is_in_its_stock(world: World, technician: User) -> None:
    part = world.part_in_stock()
    van = WarehouseFactory.create(kind="van", technician=technician, allocatable=False, region=world.near.region)
    [line] = sent(world, None, part, destination_id=van.pk)
    confirm(technician, part.number)
    assert statuses(line) == ["delivered"]
    assert StockLevel.objects.get(part=part, warehouse=van).on_hand == 2


def test_a_split_line_is_confirmed_by_the_code_of_its_box(world: World, technician: User) -> None:
    [line] = sent(world, job_of(world, technician), world.part_in_stock())
    lines.return_to_stock(line_id=line.pk, quantity=Decimal(1), **cause())
    box = Shipment.objects.get(lines__line=line)
    done = confirm(technician, box.reference)
    assert len(done.delivered) == 1
    assert sorted(OrderLine.objects.filter(parent=line).values_list("status", flat=True)) == ["delivered", "returned"]


def test_nothing_arrives_before_it_left_by_the_clock_of_a_phone(world: World, technician: User) -> None:
    [line] = sent(world, job_of(world, technician), world.part_in_stock())
    left = OrderLine.objects.get(pk=line.pk).status_since
    confirm(technician, line.reference, at=left - timedelta(hours=5))
    assert OrderLine.objects.get(pk=line.pk).status_since >= left


@pytest.mark.parametrize("code", ["", "   ", "x" * 121, "null\x00"])
def test_a_code_that_cannot_be_one_is_refused(technician: User, code: str) -> None:
    with pytest.raises(Invalid):
        confirm(technician, code)


@pytest.mark.parametrize("code", ["NOTHING", "P-9/9", "/", "()", "%"])
def test_a_code_that_stands_for_nothing_is_not_found(world: World, technician: User, code: str) -> None:
    sent(world, job_of(world, technician), world.part_in_stock())
    with pytest.raises(NotFound):
        confirm(technician, code)


def test_whoever_may_not_move_lines_confirms_nothing(world: World, technician: User, auditor: User) -> None:
    [line] = sent(world, job_of(world, technician), world.part_in_stock())
    with pytest.raises(Forbidden):
        confirm(auditor, line.reference)
    assert statuses(line) == ["shipped"]


def test_a_box_of_many_lines_costs_no_more_statements(world: World, technician: User) -> None:
    job = job_of(world, technician)
    counts = []
    for size in (1, 2, 8):  # the first time, what is cached is read
        parts = [world.part_in_stock() for _ in range(size)]
        first, *_ = sent(world, job, *parts)
        with CaptureQueriesContext(connection) as queries:
            confirm(technician, first.order.reference)
        counts.append(len(queries))
    assert counts[1] == counts[2]
