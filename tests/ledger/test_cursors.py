"""A cursor below the horizon misses nothing and repeats nothing, whatever order transactions commit in."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from threading import Event
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet

from orders import sql
from orders.cursors import LedgerAhead, Pass, check_numbering, in_version_order, process, read_batch
from orders.ledger import Cause, Ledger, Subject, new_event_id
from orders.models import EventCursor, OrderEvent
from parts.actors import Actor
from parts.keys import new_key
from tests.ledger.horizon import all_is_over
from tests.orders.desk import Desk
from tests.racing import PATIENCE, Racer, race

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
START = UUID(int=0)


class Job(Subject):
    """A job as the ledger sees it; these tests write its events alone."""

    __slots__ = ()
    kind = "service_order"


def a_job() -> Job:
    job = Job()
    job.id, job.reference, job.version, job.chain_hash = new_key(), "SO-1", 0, b""
    job.status, job.status_since = "", NOW
    return job


def append(*jobs: Job, times: int = 1) -> None:
    """Append events to each job, in one statement."""
    ledger = Ledger(Cause(by=Actor.system("test"), source="test", at=NOW))
    for _ in range(times):
        for job in jobs:
            ledger.record(job, "note.added")
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {sql.APPEND_EVENTS} SELECT 1", ledger.parameters())


def nothing(_events: Sequence[OrderEvent]) -> None:
    """Handle events by doing nothing with them."""


class Reader:
    """Reads through a cursor and remembers what it got; beside it a twin that goes by the id alone."""

    def __init__(self) -> None:
        self.seen: Counter[UUID] = Counter()
        self.twin_seen: Counter[UUID] = Counter()
        self.twin_at = START

    def take(self, events: Sequence[OrderEvent]) -> None:
        self.seen.update(event.pk for event in events)

    def poll(self) -> bool:
        """Read on with both; tell whether either got anything."""
        done = process(name="proof", handler=self.take, limit=50)
        twin = list(OrderEvent.objects.filter(pk__gt=self.twin_at).order_by("pk")[:50])
        self.twin_seen.update(event.pk for event in twin)
        self.twin_at = twin[-1].pk if twin else self.twin_at
        return bool(done.read or twin)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_a_cursor_reads_every_event_once_while_its_twin_on_the_id_alone_misses_some() -> None:
    reader, order = Reader(), random.Random(2026)
    for _round in range(15):
        gates = [Event() for _ in range(6)]
        writers = [Racer(lambda: append(a_job(), times=3), gate) for gate in gates]
        for writer in writers:
            writer.start()
            assert writer.acted.wait(PATIENCE)
        reader.poll()
        for place in order.sample(range(6), 6):  # they commit in another order than they wrote
            gates[place].set()
            writers[place].join(PATIENCE)
            assert writers[place].error is None
            reader.poll()
    all_is_over()
    while reader.poll():
        pass

    written = set(OrderEvent.objects.values_list("pk", flat=True))
    assert len(written) == 15 * 6 * 3
    assert set(reader.seen) == written
    assert set(reader.seen.values()) == {1}
    assert set(reader.twin_seen) < written
    assert EventCursor.objects.get(name="proof").events_read == len(written)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_what_a_transaction_wrote_is_not_read_before_all_that_began_earlier_are_over() -> None:
    gate, late, soon = Event(), a_job(), a_job()
    early_bird = Racer(lambda: append(late), gate)
    early_bird.start()
    assert early_bird.acted.wait(PATIENCE)
    append(soon)

    assert process(name="patient", handler=nothing) == Pass(0)

    gate.set()
    early_bird.join(PATIENCE)
    all_is_over()
    got: list[UUID] = []
    process(name="patient", handler=lambda events: got.extend(event.subject_id for event in events))
    assert got == [late.id, soon.id]


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_of_two_workers_one_reads_and_the_other_goes_away() -> None:
    append(a_job(), times=3)
    EventCursor.objects.create(name="shared")
    all_is_over()
    seen: list[UUID] = []

    def work() -> Pass:
        return process(name="shared", handler=lambda events: seen.extend(event.pk for event in events))

    first, second = race(work, work)

    assert (first.result, second.result) == (Pass(3), Pass(0, is_busy=True))
    assert len(seen) == 3


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_without_the_lock_both_workers_read_the_same_events(monkeypatch: pytest.MonkeyPatch) -> None:
    append(a_job(), times=3)
    EventCursor.objects.create(name="shared")
    all_is_over()
    seen: list[UUID] = []
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_: self)

    def work() -> Pass:
        return process(name="shared", handler=lambda events: seen.extend(event.pk for event in events))

    race(work, work)

    assert len(seen) == 6


def test_what_a_handler_wrote_goes_when_it_fails_and_the_events_come_again(committed_desk: Desk) -> None:
    append(a_job(), times=2)
    all_is_over()

    def write_and_fail(events: Sequence[OrderEvent]) -> None:
        EventCursor.objects.create(name="its effect")
        raise HandlerFailed

    with pytest.raises(HandlerFailed):
        process(name="clumsy", handler=write_and_fail)
    assert not EventCursor.objects.filter(name="its effect").exists()
    assert EventCursor.objects.get(name="clumsy").events_read == 0

    assert process(name="clumsy", handler=nothing) == Pass(2)
    assert process(name="clumsy", handler=nothing) == Pass(0)


class HandlerFailed(Exception):
    """A consumer could not do its part."""


def test_a_cursor_goes_on_where_it_stopped_also_within_one_transaction(committed_desk: Desk) -> None:
    append(a_job(), a_job(), times=10)
    all_is_over()
    seen: list[UUID] = []
    sizes = [process(name="slow", handler=lambda events: seen.extend(e.pk for e in events), limit=7) for _ in range(4)]

    assert [each.read for each in sizes] == [7, 7, 6, 0]
    assert len(set(seen)) == 20


# --- The order within a subject --------------------------------------------------------------------------------------


def test_the_ids_of_a_subjects_events_sort_by_version_within_a_millisecond() -> None:
    ids = [new_event_id(1_772_443_800_000, version) for version in range(1, 4096)]
    assert ids == sorted(ids)
    assert {key.version for key in ids} == {7}


def test_the_ids_alone_come_out_of_order_where_the_version_passes_4096() -> None:
    before, after = (new_event_id(1_772_443_800_000, version) for version in (4095, 4096))
    assert after < before


def test_a_batch_holds_a_subjects_events_by_version_also_where_the_counter_wraps(committed_desk: Desk) -> None:
    job, other = a_job(), a_job()
    job.version = 4090  # as if it had lived long
    with transaction.atomic():
        append(job, other, times=12)
    all_is_over()
    versions: list[int] = []
    process(
        name="in order",
        handler=lambda events: versions.extend(e.version for e in events if e.subject_id == job.id),
    )
    raw = [event.version for event in read_batch(0, START, 100) if event.subject_id == job.id]

    assert versions == list(range(4091, 4103))
    assert raw[:7] == list(range(4096, 4103)), "the counter no longer wraps; say so where it is explained"


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_began_first_may_write_a_later_version_so_only_the_version_tells_the_order() -> None:
    job, begun, may_go_on = a_job(), Event(), Event()

    def begin_first_and_write_second() -> None:
        append(a_job())
        begun.set()
        assert may_go_on.wait(PATIENCE)
        append(job)

    slow = Racer(begin_first_and_write_second)
    slow.start()
    assert begun.wait(PATIENCE)
    append(job)
    may_go_on.set()
    slow.join(PATIENCE)
    assert slow.error is None
    all_is_over()

    raw = [event.version for event in read_batch(0, START, 100) if event.subject_id == job.id]
    assert raw == [2, 1]
    assert [event.version for event in in_version_order(read_batch(0, START, 100)) if event.subject_id == job.id] == [
        1,
        2,
    ]


# --- After a restore -------------------------------------------------------------------------------------------------


def test_a_ledger_whose_transactions_this_server_has_not_reached_is_reported(committed_desk: Desk) -> None:
    append(a_job())
    check_numbering()
    EventCursor.objects.create(name="restored", transaction_id=2**40)
    with pytest.raises(LedgerAhead, match="1099511627776"):
        check_numbering()
