"""Two at once who both serve the queue. Each race has a twin in which the order of locks is broken, and shows why."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError

from backorders import queue
from backorders.actions import allocating, moving
from backorders.models import BackOrder
from orders.actions import overriding, parts_rule, service_orders
from orders.actions.placing import Placed, Wanted
from orders.ledger import Cause
from orders.models import ServiceOrder
from parts.actions.stock import Correction, correct_stock_many
from parts.models import Part
from tests.factories.parts import PartFactory
from tests.orders.desk import TOLD, Desk, d, kinds, leaf, order
from tests.racing import Halt, Racer, overtake

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


@pytest.fixture
def twin_desk(db: None) -> Desk:
    """A desk for twins: what happens at it without a lock need not be lawful."""
    return Desk()


def assert_one_is_lost_to_a_deadlock(racers: Sequence[Racer]) -> None:
    [error] = [racer.error for racer in racers if racer.error]
    assert isinstance(error, OperationalError)
    assert "deadlock detected" in str(error)


def assert_both_end(racers: Sequence[Racer]) -> None:
    assert [racer.error for racer in racers] == [None, None]


# --- Stock of many parts, and orders for several of them -------------------------------------------------------------


def two_parts_and_a_third(desk: Desk) -> tuple[list[Part], Part, list[Placed]]:
    """Place an older order for the second part and a younger for the first; both also wait for the third."""
    first, second, third = PartFactory.create_batch(3)
    older, younger = (desk.order([Wanted(d(1), part.pk), Wanted(d(1), third.pk)]) for part in (second, first))
    assert older.id < younger.id
    return [first, second], third, [older, younger]


def meet_half_way(
    monkeypatch: pytest.MonkeyPatch, desk: Desk, *, in_portions: bool
) -> tuple[Racer, Racer, list[Placed]]:
    """Free the first two parts, and after the first allocation for them the third."""
    parts, third, placed = two_parts_and_a_third(desk)
    corrections = [Correction(part.pk, desk.warehouse.pk, "opening", on_hand_change=d(1)) for part in parts]
    halt, whole = Halt(), allocating.allocate

    def allocate(*, part_ids: Sequence[UUID], why: str, **facts: Any) -> object:
        answers = []
        for portion in [[part_id] for part_id in part_ids] if in_portions else [part_ids]:
            answers.append(whole(part_ids=portion, why=why, **facts))
            if third.pk not in part_ids:
                halt()
        return answers

    monkeypatch.setattr(allocating, "allocate", allocate)
    racers = overtake(
        halt, lambda: correct_stock_many(corrections=corrections, **TOLD), lambda: desk.put(2, part=third)
    )
    return *racers, placed


def test_stock_of_many_parts_that_is_freed_at_once_meets_nobody_half_way(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    *racers, placed = meet_half_way(monkeypatch, desk, in_portions=False)
    assert_both_end(racers)
    assert [order(each.id).status for each in placed] == ["reserved", "reserved"]


def test_freed_in_portions_it_meets_who_serves_the_same_orders(
    twin_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    *racers, _placed = meet_half_way(monkeypatch, twin_desk, in_portions=True)
    assert_one_is_lost_to_a_deadlock(racers)


# --- An override of a back order -------------------------------------------------------------------------------------


def override_against_a_delivery(monkeypatch: pytest.MonkeyPatch, desk: Desk) -> tuple[Racer, Racer]:
    """Override a back order whose order also waits for another part, while stock of that one comes."""
    other = PartFactory.create()
    desk.put(1, part=other)
    desk.order([Wanted(d(1), other.pk)])
    desk.order([Wanted(d(2), desk.part.pk), Wanted(d(2), other.pk)])
    row, halt, lock = BackOrder.objects.get(part=desk.part), Halt(), moving._lock

    def lock_and_halt(back_order_id: UUID, expected_version: int | None) -> queue.Entry:
        entry = lock(back_order_id, expected_version)
        halt()
        return entry

    monkeypatch.setattr(moving, "_lock", lock_and_halt)
    case: dict[str, Any] = {"to": "cancelled", "reason": "Not needed", "reference": "CASE-1"}
    return overtake(
        halt,
        lambda: moving.override(back_order_id=row.pk, expected_version=row.version, **case, **TOLD),
        lambda: desk.put(5, part=other),
    )


def test_an_override_of_a_back_order_and_a_delivery_for_the_same_order_both_end(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_both_end(override_against_a_delivery(monkeypatch, desk))
    assert BackOrder.objects.get(part=desk.part).status == "cancelled"
    assert not BackOrder.objects.waiting().exists()


def test_with_only_its_own_part_s_stock_locked_one_of_them_is_lost(
    twin_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "_parts_of_order", lambda _back_order_id: [twin_desk.part.pk])
    assert_one_is_lost_to_a_deadlock(override_against_a_delivery(monkeypatch, twin_desk))


# --- Jobs that go on, and jobs that are paused -----------------------------------------------------------------------


def a_swap_of_stock_against_a_move_of_both_jobs(
    monkeypatch: pytest.MonkeyPatch, desk: Desk
) -> tuple[Racer, Racer, ServiceOrder, ServiceOrder]:
    """Take a line's stock away, which goes to another job's line, while somebody moves both jobs at once."""
    loser, winner = desk.job("in_progress"), desk.job("in_progress")
    assert loser.pk < winner.pk
    desk.put(2)
    losing = leaf(desk.place(2, service_order_id=loser.pk)).id
    desk.place(2, kind="emergency", service_order_id=winner.pk)
    halt, lock = Halt(), service_orders.lock
    case: dict[str, Any] = {"to": "back_ordered", "reason": "Taken by hand", "reference": "CASE-1"}

    def lock_and_halt(ids: Collection[UUID]) -> dict[UUID, service_orders.Job]:
        jobs = lock(ids)
        halt()
        return jobs

    def lose() -> None:
        monkeypatch.setattr(service_orders, "lock", lock_and_halt)
        overriding.override(line_id=losing, **case, **TOLD)

    def move_both() -> None:
        steps = [service_orders.Step(job.pk, "cancelled", note="Not needed") for job in (loser, winner)]
        service_orders.move_many(steps=steps, **TOLD)

    return *overtake(halt, lose, move_both), loser, winner


def test_a_piece_of_work_that_pauses_one_job_and_lets_another_go_on_meets_nobody_half_way(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    *racers, loser, winner = a_swap_of_stock_against_a_move_of_both_jobs(monkeypatch, desk)
    assert_both_end(racers)
    assert [kinds(job.pk)[-2].split()[1] for job in (loser, winner)] == ["awaiting_parts", "in_progress"]


def test_with_jobs_that_follow_each_on_its_own_one_of_them_is_lost(
    twin_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def at_once(cause: Cause) -> Iterator[parts_rule.Jobs]:
        jobs = parts_rule.Jobs(cause)
        yield jobs
        jobs.follow()

    monkeypatch.setattr(allocating, "jobs_last", at_once)
    *racers, _loser, _winner = a_swap_of_stock_against_a_move_of_both_jobs(monkeypatch, twin_desk)
    assert_one_is_lost_to_a_deadlock(racers)
