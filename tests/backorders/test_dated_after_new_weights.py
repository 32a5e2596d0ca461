"""After new weights every queue is dated anew: whatever dies in between, and however many there are."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from backorders import whatif
from backorders.actions import pegging, policy
from backorders.models import AllocationPolicy, BackOrder, DueQueue
from backorders.tasks import date_due_queues
from orders.statuses import Tier
from parts.sql import stock
from tests.backorders.test_whatif import days, expected, ordered, waiting
from tests.factories.orders import CustomerFactory
from tests.orders.desk import NOW, TOLD, Desk, d
from tests.racing import PATIENCE

pytestmark = pytest.mark.django_db


def two() -> list[BackOrder]:
    """Two wait for a part, gold before bronze; two of it come in 5 days, two in 20."""
    desk = Desk()
    rows = [waiting(desk, customer_id=CustomerFactory.create(tier=tier).pk) for tier in (Tier.GOLD, Tier.BRONZE)]
    ordered(desk, 2, days(5))
    ordered(desk, 2, days(20))
    return rows


NOW_FIRST: list[date | None] = [days(20), days(5)]


def test_a_process_killed_after_the_weights_changed_leaves_no_wrong_days_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Killed(BaseException):
        pass

    def killed(**_facts: object) -> None:
        raise Killed

    rows = two()
    with monkeypatch.context() as patched:
        patched.setattr(pegging, "repeg", killed)
        with pytest.raises(Killed):
            policy.change_weights(changes={"bronze": d(500)}, reason="Storm", **TOLD)
    assert expected(rows) == [days(5), days(20)]
    assert date_due_queues(NOW) == 2
    assert expected(rows) == NOW_FIRST
    assert date_due_queues(NOW) == 0


def test_queues_beyond_those_that_a_preview_looks_at_are_dated_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = two(), two()
    monkeypatch.setattr(whatif, "MOST", 2)
    policy.change_weights(changes={"bronze": d(500)}, reason="Storm", **TOLD)
    assert (expected(first), expected(second)) == (NOW_FIRST, NOW_FIRST)
    assert not DueQueue.objects.exists()


def test_what_one_call_does_not_reach_is_dated_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = two(), two()
    monkeypatch.setattr(pegging, "_PEGGED_AT_ONCE", 1)
    monkeypatch.setattr(pegging, "_BATCHES", 1)
    policy.change_weights(changes={"bronze": d(500)}, reason="Storm", **TOLD)
    assert sorted([expected(first), expected(second)], key=str) == sorted([[days(5), days(20)], NOW_FIRST], key=str)
    assert date_due_queues(NOW) == 2
    assert (expected(first), expected(second)) == (NOW_FIRST, NOW_FIRST)


def test_weights_that_come_while_a_queue_is_dated_leave_it_due(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = two()
    repeg = pegging.repeg
    done: list[int] = []

    def slow(**facts: Any) -> list[pegging.NewDate]:
        dated = repeg(**facts)
        if not done:
            done.append(1)
            with monkeypatch.context() as patched:  # another process has only just written its new ranks
                patched.setattr(pegging, "date_due", lambda **_facts: 0)
                policy.change_weights(changes={"bronze": d(-500)}, reason="Over", **TOLD)
        return dated

    monkeypatch.setattr(pegging, "repeg", slow)
    policy.change_weights(changes={"bronze": d(500)}, reason="Storm", **TOLD)
    assert expected(rows) == [days(5), days(20)]


def test_a_queue_that_counts_on_nothing_is_not_due(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()
    for tier in (Tier.GOLD, Tier.BRONZE):
        waiting(desk, customer_id=CustomerFactory.create(tier=tier).pk)
    monkeypatch.setattr(pegging, "date_due", lambda **_facts: 0)
    assert policy.change_weights(changes={"bronze": d(500)}, reason="Storm", **TOLD) == 1
    assert not DueQueue.objects.exists()


def weighed_while_a_part_is_held(row: BackOrder) -> int:
    """Change the weights on another connection, while this one is about to add a level of the part."""

    def weigh() -> int:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '2s'")
            return policy.change_weights(changes={"bronze": d(500)}, reason="Storm", **TOLD)
        finally:
            connection.close()

    with transaction.atomic(), ThreadPoolExecutor() as others:
        stock.LOCK_PARTS.rows(part_ids=[row.part_id])
        return others.submit(weigh).result(PATIENCE)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_new_weights_never_wait_for_whoever_holds_a_part() -> None:
    """Who adds a level holds its part and asks for the policy later: who holds the policy must not ask for the part."""
    AllocationPolicy.objects.get_or_create(name="default")
    assert weighed_while_a_part_is_held(two()[0]) == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_with_a_foreign_key_new_weights_would_wait_for_whoever_holds_a_part() -> None:
    """The twin: a queue that is due and refers to its part by a constraint."""
    AllocationPolicy.objects.get_or_create(name="default")
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE backorders_duequeue ADD CONSTRAINT due_part FOREIGN KEY (part_id) REFERENCES parts_part (id)"
            " DEFERRABLE INITIALLY DEFERRED"
        )
        try:
            with pytest.raises(OperationalError, match="lock timeout"):
                weighed_while_a_part_is_held(two()[0])
        finally:
            cursor.execute("ALTER TABLE backorders_duequeue DROP CONSTRAINT due_part")
