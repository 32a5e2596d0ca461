"""A work order of field service becomes a service order and a parts order by itself, once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from integrations.effects.statuses import reach
from integrations.effects.task import Task
from integrations.effects.work_orders import create
from integrations.facts import StatusReached, Subject, WantedPart, WorkOrderCreated
from integrations.models import NumberElsewhere
from orders.models import Equipment, OrderEvent, OrderLine, PartsOrder, ServiceOrder
from parts.models import PartNumber
from tests.api.world import World
from tests.integrations.sending import connect, sender

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> World:
    connect("field", time_zone="Europe/Berlin")
    return World()


@pytest.fixture
def machine(world: World) -> Equipment:
    return Equipment.objects.create(serial_number="X-99 12", model="Press", customer=world.ours)


def _want(number: str, quantity: int = 2) -> WantedPart:
    return WantedPart(Subject("part", "reference", number), Decimal(quantity))


def _work(world: World, *wanted: WantedPart, number: str = "WO-1", **more: Any) -> WorkOrderCreated:
    return WorkOrderCreated(
        **{
            "number": number,
            "occurred_at": timezone.now() - timedelta(minutes=5),
            "title": "Press loses pressure",
            "customer": Subject("customer", "sold_to", "OURS"),
            "wanted": wanted,
            **more,
        }
    )


def _told(*facts: WorkOrderCreated) -> list[Task[WorkOrderCreated]]:
    tasks = [Task(fact, f"m-{place}") for place, fact in enumerate(facts)]
    create(tasks, sender("field"), timezone.now())
    return tasks


def _outcomes(tasks: Sequence[Task[Any]]) -> list[str]:
    return [result.outcome for task in tasks for result in task.results]


def test_it_becomes_a_job_and_an_order_for_what_it_needs(world: World, machine: Equipment) -> None:
    day = timezone.now().date() + timedelta(days=2)
    fact = _work(
        world,
        _want(world.parts[0].number),
        _want(world.parts[4].number, 5),
        equipment=Subject("equipment", "reference", "x9912"),
        machine_down=True,
        problem="Oil on the floor.",
        needed_by=day,
    )
    [task] = _told(fact)
    job, order = ServiceOrder.objects.get(), PartsOrder.objects.get()
    assert [(result.outcome, result.reference) for result in task.results] == [
        ("moved", job.reference),
        ("moved", order.reference),
    ]
    assert (job.customer, job.equipment, job.status, job.machine_down) == (world.ours, machine, "new", True)
    assert (job.description, job.external_reference) == ("Oil on the floor.", "WO-1")
    assert (order.service_order, order.kind, order.requested_on) == (job, "emergency", day)
    assert sorted(order.lines.filter(parent=None).values_list("part__number", "quantity")) == sorted(
        [(world.parts[0].number, 2), (world.parts[4].number, 5)]
    )
    assert set(OrderEvent.objects.filter(subject_id=job.pk).values_list("source", flat=True)) >= {"field"}


def test_the_same_number_again_makes_nothing_more(world: World) -> None:
    fact = _work(world, _want(world.parts[0].number))
    assert _outcomes(_told(fact, fact)) == ["moved", "moved", "repeated"]
    assert _outcomes(_told(fact)) == ["repeated"]
    assert (ServiceOrder.objects.count(), PartsOrder.objects.count()) == (1, 1)


def test_later_messages_name_the_job_by_the_senders_number(world: World) -> None:
    _told(_work(world))
    assert NumberElsewhere.objects.get().number == "WO-1"
    report = StatusReached(Subject("service_order", "work_order", "WO-1"), timezone.now(), "in_progress")
    task = Task(report, "m-9")
    reach([task], sender("field"), timezone.now())
    assert [(result.outcome, result.status) for result in task.results] == [("moved", "in_progress")]


def test_whose_machine_it_is_says_the_machine(world: World, machine: Equipment) -> None:
    _told(_work(world, customer=None, equipment=Subject("equipment", "reference", "X-99 12")))
    assert ServiceOrder.objects.get().customer == world.ours
    [task] = _told(_work(world, customer=None, number="WO-2"))
    assert [result.refusal.code for result in task.results if result.refusal] == ["invalid"]


def test_a_part_that_nobody_knows_waits_alone_and_is_ordered_when_it_is_known(world: World) -> None:
    fact = _work(world, _want(world.parts[0].number), _want("THEIRS-7"))
    [task] = _told(fact)
    assert _outcomes([task]) == ["refused", "moved", "moved"]
    assert task.waits_for == ["part:reference:THEIRS-7"]
    PartNumber.objects.create(part=world.parts[1], system="FIELD", number="THEIRS-7")
    assert _outcomes(_told(fact)) == ["moved"]
    assert ServiceOrder.objects.count() == 1
    assert sorted(OrderLine.objects.filter(parent=None).values_list("part_id", flat=True)) == sorted(
        [world.parts[0].pk, world.parts[1].pk]
    )
    assert _outcomes(_told(fact)) == ["repeated"]


def test_a_customer_who_is_not_here_yet_is_waited_for_and_nothing_is_made(world: World) -> None:
    [task] = _told(_work(world, customer=Subject("customer", "sold_to", "4711")))
    assert task.waits_for == ["customer:sold_to:4711"]
    assert not ServiceOrder.objects.exists()


def test_a_refused_one_leaves_nothing_of_itself_and_hinders_no_other(world: World) -> None:
    wrong = _work(world, _want(world.parts[0].number, -1))
    late = _work(world, number="WO-3", occurred_at=timezone.now() - timedelta(days=40))
    tasks = _told(wrong, _work(world, number="WO-2"), late)
    assert _outcomes(tasks) == ["refused", "moved", "refused"]
    assert [job.external_reference for job in ServiceOrder.objects.all()] == ["WO-2"]
    assert NumberElsewhere.objects.get().number == "WO-2"


def test_a_partners_system_makes_jobs_for_its_own_customers_only(world: World) -> None:
    account = sender("field").account
    type(account).objects.filter(pk=account.pk).update(is_staff=False)
    [task] = _told(_work(world))
    assert task.waits_for == ["customer:sold_to:OURS"]
