"""An order and the end of the job it is for, at once: a job that is over gets no new orders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from orders.actions import parts_rule, reporting, service_orders, work
from orders.actions.placing import draft
from orders.ledger import Cause
from orders.models import OrderLine, PartsOrder, ServiceOrder
from parts.errors import Refused
from tests.orders.desk import NOW, TOLD, Desk
from tests.racing import Halt, Racer, overtake, race

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk(db: None) -> Desk:
    desk = Desk()
    desk.put(5)
    return desk


def completing(job: ServiceOrder) -> Callable[[], object]:
    return lambda: service_orders.move(service_order_id=job.pk, to="completed", **TOLD)


def ordering(desk: Desk, job: ServiceOrder) -> Callable[[], object]:
    return lambda: desk.place(1, service_order_id=job.pk)


def complete_against_order(desk: Desk) -> tuple[Racer, Racer]:
    job = desk.job("ready_for_return")
    return race(completing(job), ordering(desk, job))


def test_a_job_that_ends_while_it_is_ordered_for_gets_no_order(desk: Desk) -> None:
    completed, ordered = complete_against_order(desk)

    assert completed.error is None
    assert isinstance(ordered.error, Refused)
    assert not PartsOrder.objects.exists()


def test_without_its_lock_an_order_is_placed_for_a_job_that_is_over(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlocked = draft._PLACE.replace(
        "WHERE id = %(service_order_id)s FOR NO KEY UPDATE", "WHERE id = %(service_order_id)s"
    )
    assert unlocked != draft._PLACE
    monkeypatch.setattr(draft, "_PLACE", unlocked)

    completed, ordered = complete_against_order(desk)

    assert (completed.error, ordered.error) == (None, None)
    assert PartsOrder.objects.get().service_order_id == ServiceOrder.objects.get(status="completed").pk


def test_two_orders_for_one_job_at_once_both_stand_and_pause_it(desk: Desk) -> None:
    job = desk.job("in_progress")

    first, second = race(lambda: desk.place(9, service_order_id=job.pk), lambda: desk.place(9, service_order_id=job.pk))

    assert (first.error, second.error) == (None, None)
    assert ServiceOrder.objects.get().status == "awaiting_parts"


# --- Reports about lines and jobs in one batch -----------------------------------------------------------------------


def mixed_reports_against_a_move_of_both_jobs(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> tuple[Racer, Racer]:
    """Report on a line, whose job follows, and on another job, while somebody moves both jobs."""
    first, second = desk.job("new", begins="new"), desk.job("in_progress")
    assert first.pk < second.pk
    placed = desk.place(9, complete_delivery_only=True, service_order_id=second.pk)
    desk.put(4)
    line = OrderLine.objects.filter(order_id=placed.id, is_split=False).latest("child_number")
    reports = [
        reporting.Report("line", line.pk, "delivered", NOW),
        reporting.Report("service_order", first.pk, "in_progress", NOW),
    ]
    steps = [service_orders.Step(first.pk, "in_progress"), service_orders.Step(second.pk, "new")]
    halt, run = Halt(), reporting._Intake._run_jobs

    def halt_and_run(intake: reporting._Intake, *rest: Any) -> None:
        halt()
        run(intake, *rest)

    monkeypatch.setattr(reporting._Intake, "_run_jobs", halt_and_run)
    return overtake(
        halt,
        lambda: reporting.report_many(reports=reports, **TOLD),
        lambda: service_orders.move_many(steps=steps, **TOLD),
    )


def test_reports_about_lines_and_jobs_meet_nobody_half_way(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    reported, moved = mixed_reports_against_a_move_of_both_jobs(desk, monkeypatch)

    assert (reported.error, moved.error) == (None, None)


def test_with_jobs_locked_in_two_rounds_one_of_them_is_lost(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def at_once(cause: Cause) -> Iterator[parts_rule.Jobs]:
        jobs = parts_rule.Jobs(cause)
        yield jobs
        jobs.follow()

    monkeypatch.setattr(work, "jobs_last", at_once)
    racers = mixed_reports_against_a_move_of_both_jobs(desk, monkeypatch)

    assert sum("deadlock" in str(racer.error) for racer in racers) == 1
