"""Messages: how fast events become messages, and how long a person waits for what has happened."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.bench import telling_world
from config.bench.telling_world import EVENTS_OF_A_JOB, TELL, House
from config.bench.waiting import seconds_until_handed_over
from config.consumers import telling
from notifications.models import Message, Notice
from notifications.readers import bring_up_to_date
from orders.cursors import process
from reports.bench import world
from reports.bench.measures import Effort, Measured

BATCH = 500
_RULES = 5
#: Both sides take turns, with so many events each.
_TURN = 5_000
_EVENTS_A_SECOND = 50


def messages(effort: Effort) -> Iterator[Measured]:
    """Drain events with five rules each beside one statement per batch that writes the same rows; wait for some."""
    jobs = effort.told_events // EVENTS_OF_A_JOB
    house = telling_world.new_house(jobs)
    bring_up_to_date(
        customers=[customer.pk for customer in house.customers],
        users=[user.pk for user in house.technicians],
        at=datetime.now(UTC),
    )
    _drain_once(house)  # the readers that roles bring
    few = _statements(house, 20)
    many = _statements(house, BATCH)
    yield _drained(house, effort, many)
    yield Measured(
        f"statements for {BATCH} events against 20", many, few, "statements", many / few, "= 1", many == few, many
    )
    waited = seconds_until_handed_over(house, _EVENTS_A_SECOND, effort.told_seconds)
    late = statistics.quantiles(waited, n=20)[-1]
    name = f"commit to handed over, {_EVENTS_A_SECOND} events/s: {statistics.median(waited):.2f} s median, p95"
    yield Measured(name, late, 2.0, "seconds", late / 2, "< 2 s", late < 2)


def _drain_once(house: House) -> None:
    telling_world.cursor_to_the_end("telling")
    telling_world.new_events(telling_world.new_jobs(house, 1), 1)
    process(name="telling", handler=telling, limit=BATCH)


def _statements(house: House, events: int) -> int:
    """Return what a batch of so many events sends to PostgreSQL."""
    telling_world.cursor_to_the_end("telling")
    telling_world.new_events(telling_world.new_jobs(house, events), 1)
    with CaptureQueriesContext(connection) as seen:
        _check(process(name="telling", handler=telling, limit=BATCH).read, events)
    return len(seen)


def _drained(house: House, effort: Effort, statements: int) -> Measured:
    """Return how fast the consumer is beside the yardstick; each drains its own events of its own jobs, in turns."""
    turns = max(effort.told_events // _TURN, 1)
    ratios, ours, base = [], [], []
    for _turn in range(turns):
        base.append(_by_yardstick(house))
        ours.append(_by_consumer(house))
        ratios.append(ours[-1] / base[-1])
    ratio = statistics.median(ratios)
    name = f"write messages of {turns * _TURN:,} events, {_RULES} rules each, by {BATCH}"
    return Measured(
        name,
        statistics.median(ours),
        statistics.median(base),
        "events/s",
        ratio,
        "≥ 0.30",
        ratio >= 0.3,
        statements,
    )


def _prepare(house: House, consumer: str) -> None:
    telling_world.cursor_to_the_end(consumer)
    telling_world.new_events(telling_world.new_jobs(house, _TURN // EVENTS_OF_A_JOB), EVENTS_OF_A_JOB)
    world.analyze()


def _by_consumer(house: House) -> float:
    _prepare(house, "telling")
    before, start, read = _written(), time.perf_counter(), 0
    while got := process(name="telling", handler=telling, limit=BATCH).read:
        read += got
    rate = read / (time.perf_counter() - start)
    _check(read, _TURN)
    _check_written(before)
    return rate


def _by_yardstick(house: House) -> float:
    _prepare(house, "yardstick")
    before, start = _written(), time.perf_counter()
    with connection.cursor() as cursor:
        for _batch in range(_TURN // BATCH):
            cursor.execute(TELL)
            _check(cursor.fetchone()[0], BATCH * _RULES)
    rate = _TURN / (time.perf_counter() - start)
    _check_written(before)
    return rate


def _written() -> tuple[int, int]:
    return Message.objects.count(), Notice.objects.count()


def _check_written(before: tuple[int, int]) -> None:
    """Raise where the rows are not those that both sides are to write: this would measure nothing."""
    after = _written()
    _check(after[0] - before[0], _TURN * _RULES)
    _check(after[1] - before[1], _TURN // EVENTS_OF_A_JOB * _RULES)


def _check(found: int, wanted: int) -> None:
    if found != wanted:
        raise RuntimeError(f"{found} instead of {wanted}: this would measure nothing.")
