"""What a list of the back office finds by a term that is no reference of ours, by the indexes that the desk has."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import models
from django.urls import reverse

from backorders.actions import moving
from backorders.models import BackOrder
from orders.actions import service_orders
from orders.models import OrderLine, PartsOrder, ServiceOrder
from tests.admin.desk import desk_of
from tests.admin.world import World, cause
from tests.factories.orders import CustomerFactory, EquipmentFactory

pytestmark = pytest.mark.django_db


def found(person: User, model: type[models.Model], term: str, **query: str) -> list[Any]:
    """Return the rows that a list shows."""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    answer = desk_of(person).get(address, {"q": term, **query})
    assert answer.status_code == 200
    return list(answer.context["cl"].result_list)


def test_back_orders_are_found_by_their_customer_and_by_their_part_while_they_wait(world: World, manager: User) -> None:
    row, other = world.short(), world.short()
    assert found(manager, BackOrder, row.part.number.lower()) == [row]
    assert set(found(manager, BackOrder, world.customer.name[:6])) == {row, other}
    assert found(manager, BackOrder, row.reference) == [row]
    moving.cancel(back_order_id=row.pk, quantity=row.quantity, reason="Sold", **cause())
    assert found(manager, BackOrder, row.part.number) == []
    assert set(found(manager, BackOrder, world.customer.code)) == {row, other}


def test_all_back_orders_stand_the_newest_first_and_those_that_wait_as_the_queue_does(
    world: World, manager: User
) -> None:
    rows = [world.short() for _ in range(3)]
    for row, rank in zip(rows, (2, 3, 1), strict=True):
        BackOrder.objects.filter(pk=row.pk).update(rank=rank)
    assert found(manager, BackOrder, "") == rows[::-1]
    assert found(manager, BackOrder, "", view="waiting") == [rows[1], rows[0], rows[2]]
    assert found(manager, BackOrder, "", age="0-3") == [rows[1], rows[0], rows[2]]


def test_lines_are_found_by_their_order_by_their_own_reference_and_by_their_part(world: World, manager: User) -> None:
    row, _other = world.short(), world.short()
    line = OrderLine.objects.select_related("order", "part").get(pk=row.line_id)
    family = set(OrderLine.objects.filter(order=line.order))
    assert len(family) == 2
    assert set(found(manager, OrderLine, line.order.reference)) == family
    assert found(manager, OrderLine, line.reference) == [line]
    assert set(found(manager, OrderLine, line.part.number)) == family
    assert found(manager, OrderLine, "P-999999/1") == []


def test_parts_orders_and_jobs_are_found_by_the_customer_their_reference_and_the_machine(
    world: World, manager: User
) -> None:
    order = world.short().line.order
    PartsOrder.objects.filter(pk=order.pk).update(external_reference="MAIL 4711")
    assert found(manager, PartsOrder, "mail-47") == [order]
    assert found(manager, PartsOrder, world.customer.code) == [order]
    customer = CustomerFactory.create(name="Quarry Nine")
    machine = EquipmentFactory.create(customer=customer, serial_number="ZX-900-1")
    job = service_orders.create(
        customer_id=customer.pk, equipment_id=machine.pk, title="Boom drifts", status="new", **cause()
    )
    for term in ("quarry", "zx9001", "boom dri"):
        assert [one.pk for one in found(manager, ServiceOrder, term)] == [job.pk], term
    assert found(manager, ServiceOrder, "nothing like it") == []
