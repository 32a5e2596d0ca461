"""Suppliers answer on our purchase orders: the expected day follows the newest answer, what was promised does not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from backorders.models import BackOrder
from integrations.effects.supply import date as let_date
from integrations.effects.supply import send as let_send
from integrations.effects.task import Task
from integrations.facts import Code, Dated, Subject, SupplyDated, SupplyShipped, SupplyShippedItem
from integrations.models import Discrepancy, ExternalSystem, StatusCode
from parts.actions.supply.answers import day_of
from parts.models import PurchaseOrder, PurchaseOrderLine
from tests.api.world import World
from tests.factories.parts import SupplierFactory
from tests.integrations.sending import connect, sender

pytestmark = pytest.mark.django_db
TODAY = timezone.now().date()
SOON, LATER = TODAY + timedelta(days=10), TODAY + timedelta(days=30)


@pytest.fixture
def world(db: None) -> World:
    connect()
    return World()


def _line(world: World, **more: Any) -> PurchaseOrderLine:
    placed = world.bought(**more)
    return PurchaseOrderLine.objects.select_related("purchase_order").get(pk=placed.line_ids[0])


def _named(line: PurchaseOrderLine) -> Subject:
    return Subject("purchase_order_line", "reference", f"{line.purchase_order.number}/{line.position}")


def _dated(line: PurchaseOrderLine, *schedule: tuple[date, int | None], ago: int = 0, **more: Any) -> SupplyDated:
    pieces = tuple(Dated(day, None if quantity is None else Decimal(quantity)) for day, quantity in schedule)
    return SupplyDated(_named(line), timezone.now() - timedelta(minutes=ago), pieces, **more)


def _told(*facts: SupplyDated) -> list[Task[SupplyDated]]:
    tasks = [Task(fact, f"m-{place}") for place, fact in enumerate(facts)]
    let_date(tasks, sender(), timezone.now())
    return tasks


def _outcomes(tasks: Sequence[Task[Any]]) -> list[str]:
    return [result.outcome for task in tasks for result in task.results]


def test_the_expected_day_moves_and_what_waits_for_the_line_follows(world: World) -> None:
    line = _line(world, quantity=10, expected_on=SOON)
    order = world.placed(quantity=5, part=4)
    waiting = BackOrder.objects.get(line__order=order.id)
    assert waiting.expected_on == SOON
    [task] = _told(_dated(line, (LATER, None), answer="changed"))
    assert [(result.outcome, result.status) for result in task.results] == [("moved", LATER.isoformat())]
    line.refresh_from_db()
    assert (line.expected_on, line.first_confirmed_on) == (LATER, LATER)
    waiting.refresh_from_db()
    assert waiting.expected_on == LATER
    newest = line.history.latest()
    assert (newest.history_change_reason, newest.expected_on) == ("wms-north", LATER)


def test_an_older_answer_that_comes_later_moves_nothing_back(world: World) -> None:
    line = _line(world)
    newer, older = _dated(line, (LATER, None)), _dated(line, (SOON, None), ago=60)
    assert _outcomes(_told(newer)) == ["moved"]
    assert _outcomes(_told(older)) == ["filed"]
    line.refresh_from_db()
    assert line.expected_on == LATER
    assert _outcomes(_told(newer)) == ["repeated"]


def test_in_any_order_within_a_batch_the_newest_counts(world: World) -> None:
    line = _line(world)
    assert _outcomes(_told(_dated(line, (LATER, None)), _dated(line, (SOON, None), ago=60))) == ["moved", "moved"]
    line.refresh_from_db()
    assert (line.first_confirmed_on, line.expected_on) == (SOON, LATER)


@pytest.mark.parametrize(
    ("schedule", "stands", "day"),
    [
        ([], SOON, SOON),
        ([(SOON, None)], LATER, SOON),
        ([(SOON, Decimal(4)), (LATER, Decimal(6))], None, LATER),
        ([(SOON, Decimal(4))], LATER, LATER),
        ([(LATER, Decimal(4))], SOON, LATER),
        ([(SOON, Decimal(4))], None, None),
    ],
)
def test_a_line_is_expected_when_all_of_it_has_come(schedule: Any, stands: date | None, day: date | None) -> None:
    assert day_of(schedule, Decimal(10), stands) == day


def test_what_will_not_be_delivered_is_taken_off_and_somebody_has_to_look(world: World) -> None:
    line = _line(world, quantity=10, expected_on=SOON)
    world.placed(quantity=5, part=4)
    assert _outcomes(_told(_dated(line, answer="rejected"))) == ["moved"]
    line.refresh_from_db()
    assert (line.cancelled, line.is_open) == (10, False)
    assert PurchaseOrder.objects.get().status == "cancelled"
    assert BackOrder.objects.get().expected_on is None
    case = Discrepancy.objects.get()
    assert (case.expected, case.found) == ("10 to come", "Will not be delivered, reported by wms-north")
    assert case.purchase_order_line_id == line.pk
    assert _outcomes(_told(_dated(line, answer="rejected"))) == ["filed"]
    assert _outcomes(_told(_dated(line, (SOON, None), answer="accepted"))) == ["refused"]
    assert Discrepancy.objects.count() == 2


def test_its_case_shows_both_sides_and_the_order(world: World, manager: User, client: Client) -> None:
    line = _line(world, quantity=10)
    _told(_dated(line, answer="rejected"))
    client.force_login(manager)
    for address in (
        reverse("admin:integrations_discrepancy_changelist"),
        reverse("admin:integrations_discrepancy_change", args=[Discrepancy.objects.get().pk]),
    ):
        page = client.get(address)
        assert page.status_code == 200
        assert line.purchase_order.number in page.content.decode()


def test_codes_say_what_the_answer_is(world: World) -> None:
    line = _line(world)
    for code, status, effect in (("IA", "accepted", "status"), ("IR", "rejected", "status"), ("IP", "", "information")):
        StatusCode.objects.create(
            code_list="test-668",
            code=code,
            subject="purchase_order_line",
            status=status,
            effect=effect,
            certainty="read",
            source="A test",
            effective_from="2020-01-01",
        )
    accepted, told, unknown, rejected = (
        _dated(line, (SOON, None), codes=(Code("test-668", "", code),)) for code in ("IA", "IP", "ZZ", "IR")
    )
    tasks = _told(accepted, told, unknown)
    assert _outcomes(tasks) == ["moved", "noted", "refused"]
    assert tasks[2].waits_for == ["code:test-668:ZZ"]
    assert _outcomes(_told(rejected)) == ["moved"]
    line.refresh_from_db()
    assert line.cancelled == line.quantity


def test_what_a_supplier_sends_is_expected_when_it_arrives(world: World) -> None:
    line, partly = _line(world, quantity=10, expected_on=LATER), _line(world, quantity=10, expected_on=LATER)
    items = (SupplyShippedItem(_named(line), Decimal(10)), SupplyShippedItem(_named(partly), Decimal(3)))
    task = Task(SupplyShipped(items, timezone.now(), "LS-1", SOON), "m-1")
    let_send([task], sender(), timezone.now())
    assert _outcomes([task]) == ["moved", "moved"]
    days = dict(PurchaseOrderLine.objects.values_list("pk", "expected_on"))
    assert (days[line.pk], days[partly.pk]) == (SOON, LATER)


def test_a_supplier_speaks_of_its_own_orders_only(world: World) -> None:
    line = _line(world)
    ExternalSystem.objects.update(supplier=SupplierFactory())
    [task] = _told(_dated(line, (SOON, None)))
    assert task.waits_for == [f"purchase_order_line:reference:{_named(line).value}"]
    ExternalSystem.objects.update(supplier=world.supplier)
    assert _outcomes(_told(_dated(line, (SOON, None)))) == ["moved"]


def test_a_system_without_the_right_moves_no_day(world: World) -> None:
    line = _line(world)
    sender().account.groups.clear()
    [task] = _told(_dated(line, (SOON, None)))
    assert [result.refusal.code for result in task.results if result.refusal] == ["forbidden"]


def test_a_time_that_cannot_be_is_refused_and_hinders_no_other(world: World) -> None:
    line, other = _line(world), _line(world)
    wrong = SupplyDated(_named(line), datetime(2999, 1, 1, tzinfo=UTC), (Dated(SOON),))
    assert _outcomes(_told(wrong, _dated(other, (SOON, None)))) == ["refused", "moved"]


def test_the_number_of_statements_does_not_depend_on_how_many_answers_there_are(world: World) -> None:
    def _statements(count: int) -> int:
        facts = [_dated(_line(world), (SOON, None)) for _ in range(count)]
        with CaptureQueriesContext(connection) as captured:
            assert _outcomes(_told(*facts)) == ["moved"] * count
        return len(captured)

    assert _statements(2) == _statements(8)
