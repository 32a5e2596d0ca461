"""A warehouse confirms what came, went or is unfit: availability follows at once, and each document counts once."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.effects.stock import confirm
from integrations.effects.task import Task
from integrations.facts import StockConfirmed, StockState, Subject
from integrations.models import Discrepancy
from orders.models import OrderLine
from parts.models import Delivery, PurchaseOrderLine, StockCorrection, StockLevel
from tests.api.world import World
from tests.integrations.sending import connect, sender

pytestmark = pytest.mark.django_db
OUTSIDE, AVAILABLE, UNFIT = StockState.OUTSIDE, StockState.AVAILABLE, StockState.UNFIT


@pytest.fixture
def world(db: None) -> World:
    connect()
    return World()


def _fact(
    world: World, quantity: int, way: tuple[StockState, StockState] = (OUTSIDE, AVAILABLE), part: int = 4, **more: Any
) -> StockConfirmed:
    return StockConfirmed(
        **{
            "warehouse": Subject("warehouse", "plant", "FAR"),
            "part": Subject("part", "reference", world.parts[part].number),
            "quantity": Decimal(quantity),
            "from_state": way[0],
            "to_state": way[1],
            "occurred_at": timezone.now(),
            "document": "4900000001",
            **more,
        }
    )


def _told(*facts: StockConfirmed) -> list[Task[StockConfirmed]]:
    tasks = [Task(fact, f"m-{place}") for place, fact in enumerate(facts)]
    confirm(tasks, sender(), timezone.now())
    return tasks


def _outcomes(tasks: Sequence[Task[Any]]) -> list[str]:
    return [result.outcome for task in tasks for result in task.results]


def _level(world: World) -> tuple[Decimal, Decimal, Decimal]:
    row = StockLevel.objects.get(part=world.parts[4], warehouse=world.far)
    return row.on_hand, row.reserved, row.unfit


def test_what_is_put_away_serves_whoever_waits_for_it_at_once(world: World) -> None:
    order = world.placed(quantity=5, part=4)
    assert OrderLine.objects.leaves().get(order=order.id, status="back_ordered").quantity == 3
    assert _outcomes(_told(_fact(world, 10))) == ["moved"]
    assert not OrderLine.objects.filter(order=order.id, status="back_ordered").exists()
    assert _level(world) == (12, 5, 0)
    correction = StockCorrection.objects.latest("created_at")
    assert (correction.reason, correction.reference, correction.actor) == ("system", "4900000001", "client:wms-north")


def test_a_document_counts_once_however_often_it_comes(world: World) -> None:
    fact = _fact(world, 10)
    assert _outcomes(_told(fact, fact)) == ["moved", "repeated"]
    assert _outcomes(_told(fact)) == ["repeated"]
    assert _level(world) == (12, 0, 0)


@pytest.mark.parametrize(
    ("ways", "ends"),
    [
        ([(OUTSIDE, UNFIT)], (3, 0, 1)),
        ([(AVAILABLE, UNFIT)], (2, 0, 1)),
        ([(AVAILABLE, UNFIT), (UNFIT, AVAILABLE)], (2, 0, 0)),
        ([(AVAILABLE, UNFIT), (UNFIT, OUTSIDE)], (1, 0, 0)),
        ([(AVAILABLE, OUTSIDE)], (1, 0, 0)),
    ],
)
def test_each_way_from_state_to_state(world: World, ways: Any, ends: Any) -> None:
    tasks = _told(*(_fact(world, 1, way, document=f"D-{place}") for place, way in enumerate(ways)))
    assert _outcomes(tasks) == ["moved"] * len(ways)
    assert _level(world) == ends


def test_what_is_promised_cannot_go_and_becomes_a_case(world: World) -> None:
    world.placed(quantity=2, part=4)
    gone, other = _fact(world, 1, (AVAILABLE, OUTSIDE)), _fact(world, 1, document="D-2")
    assert _outcomes(_told(gone, other)) == ["refused", "moved"]
    case = Discrepancy.objects.get()
    assert case.expected.startswith("2.000 on hand, 2.000 reserved")
    assert case.found == "1 gone or unfit, reported by wms-north"


def test_the_receipt_of_a_delivery_is_booked_on_its_order_once(world: World) -> None:
    placed = world.bought(quantity=10)
    number = PurchaseOrderLine.objects.get(pk=placed.line_ids[0]).purchase_order.number
    fact = _fact(
        world,
        4,
        warehouse=Subject("warehouse", "reference", "NEAR"),
        purchase_order_line=Subject("purchase_order_line", "reference", f"{number}/1"),
        delivery_note="LS-77",
    )
    assert _outcomes(_told(fact)) == ["moved"]
    assert _outcomes(_told(fact)) == ["repeated"]
    assert PurchaseOrderLine.objects.get().received == 4
    delivery = Delivery.objects.get()
    assert (delivery.note_number, delivery.actor) == ("LS-77", "client:wms-north")
    other = StockConfirmed(**{name: getattr(fact, name) for name in fact.__slots__} | {"quantity": Decimal(5)})
    assert _outcomes(_told(other)) == ["refused"]
    assert Discrepancy.objects.get().delivery_id == delivery.pk


def test_what_nobody_knows_here_is_waited_for(world: World) -> None:
    [task] = _told(_fact(world, 1, part=4, warehouse=Subject("warehouse", "plant", "1000/0001")))
    assert task.waits_for == ["warehouse:plant:1000/0001"]


def test_the_number_of_statements_does_not_depend_on_how_many_there_are(world: World) -> None:
    def _statements(count: int) -> int:
        facts = [_fact(world, 1, document=f"{count}-{place}", part=place % 4) for place in range(count)]
        with CaptureQueriesContext(connection) as captured:
            assert _outcomes(_told(*facts)) == ["moved"] * count
        return len(captured)

    _statements(4)  # adds the levels
    assert _statements(8) == _statements(16)
