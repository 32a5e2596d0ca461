"""What left by a warehouse's word: whole or in part, once, in any order, and never more than there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.effects.shipments import ship
from integrations.effects.task import Task
from integrations.facts import Shipped, ShippedItem, Subject
from integrations.models import Discrepancy
from orders.models import OrderEvent, OrderLine, Shipment, ShippedSerial
from tests.api.world import World
from tests.integrations.sending import connect, sender

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> World:
    """Two warehouses with stock, and a warehouse's system that is connected."""
    connect()
    return World()


def _line(world: World, quantity: int = 10) -> OrderLine:
    placed = world.placed(quantity=quantity)
    return OrderLine.objects.select_related("order").get(pk=placed.lines[0].id)


def _item(line: OrderLine, quantity: str | None = None, **more: Any) -> ShippedItem:
    named = Subject("line", "reference", f"{line.order.reference}/{line.position}")
    return ShippedItem(named, Decimal(quantity) if quantity else None, **more)


def _left(*items: ShippedItem, at: datetime | None = None, number: str = "", **more: Any) -> Shipped:
    return Shipped(tuple(items), at or timezone.now(), number, **more)


def _told(*facts: Shipped, ids: Sequence[str] = ("m-1", "m-2", "m-3")) -> list[Task[Shipped]]:
    tasks = [Task(fact, name) for fact, name in zip(facts, ids, strict=False)]
    ship(tasks, sender(), timezone.now())
    return tasks


def _outcomes(tasks: Sequence[Task[Shipped]]) -> list[str]:
    return [result.outcome for task in tasks for result in task.results]


def _parts(line: OrderLine) -> list[tuple[str, Decimal]]:
    """The parts of a line, in their order, with where each stands."""
    rows = OrderLine.objects.filter(parent=line).order_by("child_number")
    return [(row.status, row.quantity) for row in rows]


def test_a_line_leaves_whole_with_carrier_and_number(world: World) -> None:
    line = _line(world)
    [task] = _told(_left(_item(line), carrier="DHL", tracking_number="JD014", note="Dock 3"))
    assert [(result.outcome, result.status, result.behind) for result in task.results] == [("moved", "shipped", 0)]
    line.refresh_from_db()
    assert (line.status, line.is_split) == ("shipped", False)
    shipment = Shipment.objects.get()
    assert (shipment.carrier, shipment.tracking_number, shipment.lines.get().quantity) == ("DHL", "JD014", 10)
    newest = OrderEvent.objects.filter(subject_id=line.pk).latest("version")
    assert (newest.message_id, newest.visibility) == ("m-1", "public")


def test_what_was_not_shipped_stays_and_leaves_with_the_next(world: World) -> None:
    line = _line(world)
    _told(_left(_item(line, "4"), tracking_number="A"))
    assert sorted(_parts(line)) == [("reserved", 6), ("shipped", 4)]
    _told(_left(_item(line, "6"), tracking_number="B"), ids=["m-2"])
    assert sorted(_parts(line)) == [("shipped", 4), ("shipped", 6)]
    line.refresh_from_db()
    assert line.status == "shipped"
    quantities = Shipment.objects.order_by("tracking_number").values_list("tracking_number", "lines__quantity")
    assert list(quantities) == [("A", 4), ("B", 6)]


def test_two_shipments_of_one_batch_are_two_shipments(world: World) -> None:
    line, other = _line(world, 3), _line(world, 2)
    tasks = _told(
        _left(_item(line, "1"), _item(other), carrier="DHL", tracking_number="A"),
        _left(_item(line, "2"), carrier="UPS", tracking_number="B"),
    )
    assert _outcomes(tasks) == ["moved"] * 3
    found = Shipment.objects.order_by("carrier", "lines__quantity").values_list("carrier", "lines__quantity")
    assert list(found) == [("DHL", 1), ("DHL", 2), ("UPS", 2)]


def test_a_line_that_a_shipment_names_twice_leaves_with_both_quantities(world: World) -> None:
    line = _line(world, 5)
    by_key = replace(_item(line, "2"), line=Subject("line", "id", str(line.pk)))
    [task] = _told(_left(_item(line, "3"), by_key))
    assert [(result.outcome, result.behind) for result in task.results] == [("moved", 0)]


@pytest.mark.parametrize("number", ["", "80001234"])
def test_the_same_again_has_no_second_effect(world: World, number: str) -> None:
    line = _line(world)
    fact = _left(_item(line, "4"), number=number)
    _told(fact)
    events = OrderEvent.objects.count()
    assert _outcomes(_told(fact)) == ["repeated"]
    assert OrderEvent.objects.count() == events
    assert sorted(_parts(line)) == [("reserved", 6), ("shipped", 4)]


def test_a_shipment_has_its_effect_once_in_however_many_messages_it_comes(world: World) -> None:
    line = _line(world)
    fact = _left(_item(line, "4"), number="80001234")
    assert _outcomes(_told(fact, fact, fact)) == ["moved", "repeated", "repeated"]
    assert _outcomes(_told(fact, ids=["another"])) == ["repeated"]
    assert sorted(_parts(line)) == [("reserved", 6), ("shipped", 4)]


def test_a_line_that_left_already_is_filed(world: World) -> None:
    line = _line(world)
    _told(_left(_item(line)))
    before = OrderEvent.objects.filter(subject_id=line.pk).count()
    tasks = _told(_left(_item(line, "10"), at=timezone.now() - timedelta(hours=2)), ids=["carrier-1"])
    assert _outcomes(tasks) == ["filed"]
    newest = OrderEvent.objects.filter(subject_id=line.pk).latest("version")
    assert (newest.kind, newest.version) == ("line.status_filed", before + 1)


def test_more_than_there_is_to_leave_moves_nothing_and_becomes_a_case_with_both_sides(world: World) -> None:
    line = _line(world)
    [task] = _told(_left(_item(line, "12")))
    assert [result.refusal.code for result in task.results if result.refusal] == ["shipped_too_much"]
    assert not task.waits_for
    case = Discrepancy.objects.get()
    assert (case.expected, case.found) == ("10 still to leave", "12 left, reported by wms-north")
    assert case.line_id == line.pk
    _told(_left(_item(line, "12")))
    assert Discrepancy.objects.count() == 1
    line.refresh_from_db()
    assert line.status == "reserved"


def test_a_sender_who_says_that_nothing_more_comes_while_something_is_to_come_opens_a_case(world: World) -> None:
    line = _line(world)
    [task] = _told(_left(_item(line, "7", is_complete=True)))
    assert [(result.outcome, result.behind) for result in task.results] == [("moved", 3)]
    case = Discrepancy.objects.get()
    assert (case.expected, case.found) == ("3 still to leave", "all has left, reported by wms-north")


def test_what_waits_for_stock_may_leave_later(world: World) -> None:
    line = _line(world, 1000)
    there = sum(quantity for status, quantity in _parts(line) if status == "reserved")
    assert 0 < there < 1000
    [task] = _told(_left(_item(line, str(there + 1))))
    assert [result.outcome for result in task.results] == ["refused"]
    assert task.waits_for == [f"line:{line.pk}"]
    assert task.contradiction is not None
    assert not Shipment.objects.exists()


def test_a_line_that_is_not_here_yet_hinders_no_other(world: World) -> None:
    line = _line(world)
    unknown = ShippedItem(Subject("line", "delivery_item", "80009999/10"))
    [task] = _told(_left(unknown, _item(line)))
    assert [result.outcome for result in task.results] == ["refused", "moved"]
    assert task.waits_for == ["line:delivery_item:80009999/10"]


def test_serial_numbers_leave_with_the_part_that_leaves_and_no_unit_leaves_twice(world: World) -> None:
    line, other = _line(world, 5), _line(world, 5)
    _told(_left(_item(line, "2", serials=("S-1", "S-2"))))
    assert sorted(ShippedSerial.objects.values_list("serial", flat=True)) == ["S-1", "S-2"]
    tasks = _told(
        _left(_item(other, "1", serials=("S-2",))), _left(_item(other, "1", serials=("S-3",))), ids=["x", "y"]
    )
    assert _outcomes(tasks) == ["refused", "moved"]
    assert Discrepancy.objects.get().expected == "S-2 left before"


def test_the_number_of_statements_does_not_depend_on_how_many_have_left(world: World) -> None:
    def _statements(count: int) -> int:
        lines = [_line(world, 2) for _ in range(count)]
        facts = [_left(_item(line, "1", serials=(f"{line.pk}",)), number=str(line.pk)) for line in lines]
        with CaptureQueriesContext(
            connection,
        ) as captured:
            tasks = [Task(fact, f"{count}-{place}") for place, fact in enumerate(facts)]
            ship(tasks, sender(), timezone.now())
        assert _outcomes(tasks) == ["moved"] * count
        return len(captured)

    assert _statements(2) == _statements(9)
