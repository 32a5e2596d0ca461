"""The log of another system beside what came in: after an outage, the end is that of an undisturbed day."""

from __future__ import annotations

import io
import json
import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.actions import reconciling, working_off
from integrations.inbox import step
from integrations.models import InboundMessage, Interface, Reconciliation, ReconciliationItem
from integrations.statuses import ItemKind, ItemStatus, ReconciliationStatus
from orders.models import OrderEvent, OrderLine
from parts.actors import Actor
from parts.errors import Forbidden, Invalid, NotFound
from tests.api.world import World
from tests.integrations.sending import connect, later, said, send

BY = Actor.system("test")

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> World:
    connect()
    return World()


def reference(world: World, **more: Any) -> str:
    line = OrderLine.objects.select_related("order").get(pk=world.placed(**more).lines[0].id)
    return f"{line.order.reference}/{line.position}"


def ask(log: list[dict[str, Any]], **how: Any) -> Reconciliation:
    now = timezone.now()
    asked = reconciling.ask(
        interface=Interface.objects.get(),
        file=io.BytesIO(json.dumps(log).encode()),
        name="wms.json",
        begins=how.pop("begins", now - timedelta(days=1)),
        ends=how.pop("ends", now + timedelta(days=1)),
        by=how.pop("by", BY),
        at=now,
        **how,
    )
    while reconciling.compare_next() is not None:
        pass
    asked.refresh_from_db()
    return asked


def sent(letter: dict[str, Any]) -> None:
    send(json.dumps(letter).encode())


def counts(row: Reconciliation) -> tuple[int, ...]:
    return (row.logged, row.matched, row.missing_here, row.missing_there, row.different, row.unworked)


def keys_of(row: Reconciliation, kind: ItemKind) -> list[str]:
    return list(row.items.filter(kind=kind).values_list("key", flat=True))


def test_each_message_of_the_log_is_matched_missing_different_or_not_accepted(world: World) -> None:
    first, second, third = (reference(world) for _ in range(3))
    here, there, changed, waits = said(first), said(second), said(third, "packed"), said("P-999999/1")
    ours = said(first, "delivered")
    for letter in (here, changed, waits, ours):
        sent(letter)
    row = ask([here, there, changed | {"status": "shipped"}, waits, here])
    assert row.status == ReconciliationStatus.COMPARED
    assert counts(row) == (4, 1, 1, 1, 1, 1)
    assert keys_of(row, ItemKind.MISSING_HERE) == [there["id"]]
    assert keys_of(row, ItemKind.MISSING_THERE) == [ours["id"]]
    assert keys_of(row, ItemKind.DIFFERENT) == [changed["id"]]
    assert keys_of(row, ItemKind.UNWORKED) == [waits["id"]]


def test_a_message_under_another_key_is_matched_by_what_the_ledger_tells_of_it(world: World) -> None:
    letter = said(reference(world))
    sent(letter)
    row = ask([letter | {"id": "log-1"}])
    assert counts(row) == (1, 1, 0, 0, 0, 0)
    later_one = (timezone.now() + timedelta(minutes=1)).isoformat()
    assert counts(ask([letter | {"id": "log-1", "occurred_at": later_one}]))[:3] == (1, 0, 1)


def test_a_repair_takes_in_what_was_missed_once(world: World) -> None:
    letter = said(reference(world))
    row = ask([letter])
    [item] = row.items.all()
    done = reconciling.repair(items=[item.pk], by=BY, at=timezone.now(), reason="Network was down")
    assert (done.accepted, done.others) == (1, 0)
    assert OrderLine.objects.get(is_split=False).status == "shipped"
    item.refresh_from_db()
    assert (item.status, item.outcome, item.reason) == (ItemStatus.REPAIRED, "accepted", "Network was down")
    with pytest.raises(NotFound):
        reconciling.repair(items=[item.pk], by=BY, at=timezone.now(), reason="Again")
    assert counts(ask([letter])) == (1, 1, 0, 0, 0, 0)


def test_a_repair_that_was_stopped_before_it_was_noted_ends_the_same(world: World) -> None:
    letter = said(reference(world))
    row = ask([letter])
    reconciling.repair(items=[row.items.get().pk], by=BY, at=timezone.now(), reason="First")
    events = OrderEvent.objects.count()
    ReconciliationItem.objects.update(status=ItemStatus.OPEN, decided_at=None)
    done = reconciling.repair(items=[row.items.get().pk], by=BY, at=timezone.now(), reason="Second")
    assert (done.accepted, OrderEvent.objects.count()) == (1, events)


def test_what_differs_is_taken_in_beside_ours_or_left_with_a_reason(world: World) -> None:
    letter = said(reference(world), "packed")
    sent(letter)
    row = ask([letter | {"status": "shipped"}])
    reconciling.repair(items=[row.items.get().pk], by=BY, at=timezone.now(), reason="Theirs is right")
    assert OrderLine.objects.get(is_split=False).status == "shipped"
    assert InboundMessage.objects.filter(status="accepted").count() == 2
    other = ask([letter | {"status": "delivered"}])
    reconciling.explain(
        items=[other.items.get(kind="different").pk], by=BY, at=timezone.now(), reason="A test of theirs"
    )
    assert OrderLine.objects.get(is_split=False).status == "shipped"
    assert other.items.get(kind="different").status == ItemStatus.EXPLAINED


def test_an_outage_is_repaired_to_the_state_of_an_undisturbed_day(world: World) -> None:
    day = [
        [
            said(reference(world), status, occurred_at=(timezone.now() - timedelta(minutes=60 - number)).isoformat())
            for number, status in enumerate(("released", "picking", "packed", "shipped", "delivered"))
        ]
        for _line in range(12)
    ]
    calm, rough = day[:6], day[6:]
    for letters in calm:
        for letter in letters:
            sent(letter)
    chance = random.Random(7)
    log = [letter for letters in rough for letter in letters]
    came = [letter for letter in log if chance.random() > 0.1]
    came += chance.sample(came, 3)
    for _swap in range(len(came) // 10):
        one, two = chance.sample(range(len(came)), 2)
        came[one], came[two] = came[two], came[one]
    assert len(log) - len({letter["id"] for letter in came}) > 0
    for letter in came:
        sent(letter)
    row = ask(log, repairs_at_once=True)
    while step(timezone.now()):
        pass
    working_off.wake(at=later(hours=2), waits_for=[])
    while step(later(hours=2)):
        pass
    assert row.missing_here == len(log) - len({letter["id"] for letter in came})
    assert {how_it_went(letters) for letters in rough} == {how_it_went(letters) for letters in calm}
    assert counts(ask(log))[:3] == (len(log), len(log), 0)


def how_it_went(letters: list[dict[str, Any]]) -> tuple[Any, ...]:
    """Return where a line stands, and which statuses were reached when, in the order of the sender's clock."""
    order, _slash, position = letters[0]["reference"].partition("/")
    line = OrderLine.objects.get(order__reference=order, position=position, is_split=False)
    moments = {datetime.fromisoformat(letter["occurred_at"]): letter["status"] for letter in letters}
    events = OrderEvent.objects.filter(subject_id=line.pk, source="wms-north", occurred_at__in=moments)
    told = {(moments[event.occurred_at], event.to_status) for event in events}
    return line.status, tuple(sorted(status for status, to in told if status == to))


def test_a_log_that_is_none_and_a_period_that_is_none_are_refused(world: World) -> None:
    now = timezone.now()
    with pytest.raises(Invalid, match="begins before"):
        ask([], begins=now, ends=now)
    with pytest.raises(Invalid, match="31 days"):
        ask([], begins=now - timedelta(days=32), ends=now)
    row = reconciling.ask(
        interface=Interface.objects.get(),
        file=io.BytesIO(b"[{"),
        name="x",
        begins=now - timedelta(days=1),
        ends=now,
        by=BY,
        at=now,
    )
    reconciling.compare_next()
    row.refresh_from_db()
    assert row.status == ReconciliationStatus.REFUSED
    assert row.refused_because
    assert reconciling.compare_next() is None


def test_whoever_may_not_is_refused(world: World, technician) -> None:
    nobody = Actor.user(technician)
    with pytest.raises(Forbidden):
        ask([], by=nobody)
    letter = said(reference(world))
    item = ask([letter]).items.get()
    for decide in (reconciling.repair, reconciling.explain):
        with pytest.raises(Forbidden):
            decide(items=[item.pk], by=nobody, at=timezone.now(), reason="Mine")
    with pytest.raises(Invalid, match="why"):
        reconciling.repair(items=[item.pk], by=BY, at=timezone.now(), reason=" ")


def test_a_long_log_costs_as_many_statements_as_a_short_one(world: World) -> None:
    def cost(count: int) -> int:
        with CaptureQueriesContext(connection) as seen:
            ask([said(f"P-99{number:04}/1") for number in range(count)])
        return len(seen)

    cost(1)
    assert cost(2) == cost(50)


def test_a_comparison_that_was_killed_begins_anew(world: World) -> None:
    letter = said(reference(world))
    sent(letter)
    now = timezone.now()
    row = reconciling.ask(
        interface=Interface.objects.get(),
        file=io.BytesIO(json.dumps([letter]).encode()),
        name="x",
        begins=now - timedelta(days=1),
        ends=now + timedelta(days=1),
        by=BY,
        at=now,
    )
    assert reconciling._claim(timezone.now()) is not None
    assert reconciling.compare_next() is None
    Reconciliation.objects.update(claimed_until=timezone.now())
    assert reconciling.compare_next() is not None
    row.refresh_from_db()
    assert (row.status, row.attempts, row.matched) == (ReconciliationStatus.COMPARED, 2, 1)
