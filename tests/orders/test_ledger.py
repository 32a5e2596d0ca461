"""The ledger: one event per change, append-only, chained, and honest about time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from orders.actions import lines, service_orders
from orders.ledger import text_of_data
from orders.models import EventText, OrderEvent
from tests.laws.checking import broken_chains
from tests.orders.desk import NOW, TOLD, Desk, events, kinds, leaf, told

WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
VALUES = st.none() | st.booleans() | st.integers(-(10**12), 10**12) | WORDS
DATA = st.dictionaries(WORDS, VALUES | st.lists(VALUES, max_size=3) | st.dictionaries(WORDS, VALUES, max_size=3))


def test_each_change_of_a_job_is_one_event_in_order(desk: Desk) -> None:
    job = desk.job()
    for status in ("scheduled", "new", "in_progress"):
        service_orders.move(service_order_id=job.pk, to=status, **TOLD)
    service_orders.add_note(service_order_id=job.pk, text="Rang the customer", **TOLD)
    assert kinds(job.pk) == [
        "service_order.created draft",
        "service_order.status_changed scheduled",
        "service_order.status_changed new",
        "service_order.status_changed in_progress",
        "note.added",
    ]
    assert [event.version for event in events(job.pk)] == [1, 2, 3, 4, 5]
    assert [event.from_status for event in events(job.pk)] == ["", "draft", "scheduled", "new", ""]


def test_dwell_is_the_time_spent_in_the_status_that_ends(desk: Desk) -> None:
    job = desk.job()
    service_orders.move(service_order_id=job.pk, to="scheduled", **told(hours=2))
    service_orders.add_note(service_order_id=job.pk, text="Rang the customer", **told(hours=3))
    service_orders.move(service_order_id=job.pk, to="new", **told(hours=5.5))
    assert [event.dwell for event in events(job.pk)] == [None, timedelta(hours=2), None, timedelta(hours=3.5)]


def test_a_status_that_was_only_passed_through_took_no_time(desk: Desk) -> None:
    job = desk.job("in_progress")
    service_orders.fast_forward(service_order_id=job.pk, to="ready_for_return", **told(hours=4))
    last = events(job.pk)[-3:]
    assert [(event.to_status, event.passed_through, event.dwell) for event in last] == [
        ("awaiting_parts", True, None),
        ("with_manufacturer", True, None),
        ("ready_for_return", False, timedelta(hours=4)),
    ]


def test_a_clock_that_goes_back_takes_no_time(desk: Desk) -> None:
    job = desk.job()
    service_orders.move(service_order_id=job.pk, to="scheduled", **told(hours=-3))
    assert events(job.pk)[-1].dwell == timedelta(0)


def test_an_event_tells_who_through_what_and_when_by_both_clocks(desk: Desk) -> None:
    event = events(desk.job().pk)[0]
    assert (event.actor, event.source, event.occurred_at) == ("system:test", "test", NOW)
    assert event.recorded_at > NOW
    assert event.transaction_id > 0


def test_events_sort_by_key_as_they_were_written(desk: Desk) -> None:
    desk.put(5)
    placed = desk.place(7)
    desk.ship(leaf(placed).id, 2)
    for subject in OrderEvent.objects.values_list("subject_id", flat=True).distinct():
        assert [event.version for event in OrderEvent.objects.filter(subject_id=subject).order_by("id")] == [
            event.version for event in events(subject)
        ]


def test_erasing_what_was_written_leaves_the_chain_whole(desk: Desk) -> None:
    job = desk.job()
    service_orders.add_note(service_order_id=job.pk, text="Mrs Meier is at home after 5", **TOLD)
    assert EventText.objects.get(event__subject_id=job.pk).text == "Mrs Meier is at home after 5"
    EventText.objects.filter(event__subject_id=job.pk).delete()
    assert broken_chains() == []


@pytest.mark.parametrize("table", ["orders_orderevent", "orders_ledgeranchor"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_the_ledger_is_only_ever_added_to(desk: Desk, table: str, statement: str) -> None:
    desk.job()
    with connection.cursor() as cursor:
        if statement.startswith("TRUNCATE"):  # the tests clean up by TRUNCATE, so its trigger is off elsewhere
            cursor.execute(f"SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE {table} ENABLE TRIGGER {table}_no_truncate")
        with pytest.raises(DatabaseError, match="append_only"), transaction.atomic():
            cursor.execute(statement.format(table))


@pytest.mark.parametrize(
    "table", ["orders_serviceorder", "orders_partsorder", "orders_orderline", "backorders_backorder"]
)
def test_what_has_a_ledger_is_never_deleted(desk: Desk, table: str) -> None:
    desk.job()
    desk.place(1)
    with connection.cursor() as cursor, pytest.raises(DatabaseError, match="append_only"), transaction.atomic():
        cursor.execute(f"DELETE FROM {table}")


@pytest.mark.parametrize("table", ["backorders_allocationdecision"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET place = 1", "DELETE FROM {}"])
def test_a_decision_is_kept_as_it_was_made(desk: Desk, table: str, statement: str) -> None:
    desk.place(1)
    desk.put(1)
    with connection.cursor() as cursor, pytest.raises(DatabaseError, match="append_only"), transaction.atomic():
        cursor.execute(statement.format(table))


def test_a_changed_event_breaks_the_chain(desk: Desk) -> None:
    job = desk.job("in_progress")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE orders_orderevent DISABLE TRIGGER orders_orderevent_append_only")
        cursor.execute("UPDATE orders_orderevent SET actor = 'user:9' WHERE subject_id = %s AND version = 2", [job.pk])
        assert len(broken_chains()) == 1
        cursor.execute("DELETE FROM orders_orderevent WHERE subject_id = %s AND version = 2", [job.pk])
        assert broken_chains()
        transaction.set_rollback(True)


def test_every_event_of_a_busy_day_verifies(desk: Desk) -> None:
    desk.put(5)
    job = desk.job("in_progress")
    placed = desk.place(3, 4, 2, service_order_id=job.pk)
    desk.put(10)
    desk.ship(leaf(placed).id, 1)
    lines.cancel(line_id=placed.lines[2].id, reason="Verschraubung \N{DOUBLE PRIME} doppelt bestellt", **TOLD)
    assert OrderEvent.objects.count() > 30
    assert broken_chains() == []


@given(data=DATA)
def test_data_is_hashed_as_the_database_prints_it(django_db_blocker, data: dict[str, object]) -> None:
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("SELECT %s::text::jsonb::text", [text_of_data(data)])
        assert cursor.fetchone()[0] == text_of_data(data)


def test_a_float_is_refused_as_data() -> None:
    with pytest.raises(ValueError, match="no one text"):
        text_of_data({"quantity": [1, 0.1]})
