"""Schedules are one table in the code, and the task queue really runs them."""

from __future__ import annotations

import logging
import signal
from datetime import UTC, datetime, timedelta

import pytest
from django.db.models.signals import post_migrate
from django.utils.module_loading import import_string
from django.utils.translation import override
from django_q.models import Schedule

from config.schedules import PREFIX, SCHEDULES, word_of, write_schedules
from config.tasks import check_integrity
from config.translating import texts
from orders import tasks
from orders.models import LedgerAnchor, OrderEvent
from parts.statuses import WarehouseMode
from tests.ledger.horizon import all_is_over
from tests.ledger.tampering import a_life, tamper
from tests.ledger.test_consuming import PATIENCE, digital, read_until, started
from tests.orders.desk import NOW, Desk, leaf, line

SUNDAY = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def rows() -> dict[str, Schedule]:
    """Return our schedules as the database holds them."""
    return {row.name: row for row in Schedule.objects.filter(name__startswith=PREFIX)}


def test_every_schedule_names_a_task_that_exists_and_can_run_without_arguments(db: None) -> None:
    for planned in SCHEDULES:
        assert callable(import_string(planned.task))
        assert (planned.minutes is None) != (planned.daily_at is None)


def test_migrating_has_written_the_schedules(db: None) -> None:
    assert {PREFIX + planned.name for planned in SCHEDULES} == set(rows())
    assert any("write" in repr(receiver) for receiver in post_migrate.receivers)


def test_writing_again_changes_nothing_not_even_when_they_run_next(db: None) -> None:
    before = {name: (row.pk, row.next_run) for name, row in rows().items()}
    write_schedules(SUNDAY)
    assert {name: (row.pk, row.next_run) for name, row in rows().items()} == before


def test_what_is_new_changed_or_gone_is_put_right_and_an_administrators_own_stays(db: None) -> None:
    name = PREFIX + SCHEDULES[0].name
    Schedule.objects.filter(name=name).update(func="elsewhere.task", minutes=7)
    Schedule.objects.filter(name=PREFIX + SCHEDULES[1].name).delete()
    Schedule.objects.create(name=PREFIX + "long gone", func="gone.task")
    Schedule.objects.create(name="mine", func="my.task")
    write_schedules(SUNDAY)
    assert set(rows()) == {PREFIX + planned.name for planned in SCHEDULES}
    assert (rows()[name].func, rows()[name].minutes) == (SCHEDULES[0].task, SCHEDULES[0].minutes)
    assert Schedule.objects.filter(name="mine").exists()


def test_a_daily_task_runs_at_its_time_today_or_else_tomorrow() -> None:
    daily = next(planned for planned in SCHEDULES if planned.daily_at)
    assert daily.daily_at is not None
    at = datetime.combine(SUNDAY, daily.daily_at, UTC)
    assert daily.first_run(at - timedelta(minutes=1)) == at
    assert daily.first_run(at) == at + timedelta(days=1)


# --- The tasks -------------------------------------------------------------------------------------------------------


def test_the_ledger_is_anchored_once_a_day(committed_desk: Desk) -> None:
    assert tasks.anchor_ledger(at=NOW) == "2026-03-01"
    assert tasks.anchor_ledger(at=NOW + timedelta(hours=5)) == "2026-03-01"
    assert tasks.anchor_ledger(at=NOW + timedelta(days=1)) == "2026-03-02"
    assert LedgerAnchor.objects.count() == 2


def test_what_the_consumer_missed_is_released_by_the_clock(desk: Desk) -> None:
    desk.warehouse.mode = WarehouseMode.DIGITAL
    desk.warehouse.save()
    desk.put(5)
    placed = desk.place(2)
    assert tasks.release_ready_orders(at=NOW) == 1
    assert line(leaf(placed).id).status == "released"
    assert tasks.release_ready_orders(at=NOW) == 0


def test_the_nightly_check_logs_what_is_broken(committed_desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    a_life(committed_desk)
    caplog.set_level(logging.INFO, "config.tasks")
    assert check_integrity() == 0
    assert caplog.records[-1].message == "integrity checked"
    assert caplog.records[-1].levelno == logging.INFO

    first = OrderEvent.objects.filter(subject_kind="service_order", version=1).get()
    tamper("UPDATE orders_orderevent SET source = 'elsewhere' WHERE id = %s", [first.pk])
    assert check_integrity() == 1
    assert caplog.records[-1].levelno == logging.ERROR
    assert f"{first.reference} v1" in str(vars(caplog.records[-2])["finding"])


@pytest.mark.slow
@pytest.mark.once
def test_the_task_queue_runs_a_schedule_that_is_due(committed_desk: Desk) -> None:
    desk = digital(committed_desk)
    desk.put(5)
    placed = desk.place(2)
    Schedule.objects.all().delete()
    Schedule.objects.create(
        name="due", func="config.tasks.consume_events", schedule_type=Schedule.MINUTES, next_run=NOW, repeats=1
    )
    all_is_over()
    with started("qcluster") as cluster:
        said = read_until(cluster, "Processed")
        cluster.send_signal(signal.SIGTERM)
        read_until(cluster, "never said")
        cluster.wait(PATIENCE)
    assert "Processed" in said, said
    assert line(leaf(placed).id).status == "released"


def test_what_runs_by_the_clock_can_be_said_in_every_language() -> None:
    assert {planned.name for planned in SCHEDULES} <= {message.id for message in texts()}
    with override("de"):
        assert word_of("backline: anchor the ledger") == "das Journal verankern"
        assert (word_of("Night report"), word_of(None)) == ("Night report", "")
