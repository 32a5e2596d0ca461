"""What Python hashes is, letter by letter, what the database gives back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from orders import chains, sql
from orders.ledger import Cause, Ledger, text_of_data, text_of_time
from orders.models import OrderEvent
from orders.verifier import digest_of
from parts.actors import Actor
from tests.ledger.test_cursors import a_job

#: All text that PostgreSQL can hold: no surrogates, no NUL.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=6),
    max_leaves=20,
)
DATA = st.dictionaries(TEXT, VALUES, max_size=8)
IN_ONE_TRANSACTION = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
ODD = "\x01\x1f\x7f\x80\u2028\ufeff\ufffe\U0001f69c e\u0301 é ß İ \u202e\\ \" ' ,:{}[]"


@IN_ONE_TRANSACTION
@given(documents=st.lists(DATA, min_size=1, max_size=20))
@example(documents=[{ODD: ODD, "": None, "b": [], "a": {}, "aa": [{"é": -0, "ee": 10**40}]}])
def test_data_is_written_as_the_database_prints_it(db: None, documents: list[dict[str, Any]]) -> None:
    texts = [text_of_data(document) for document in documents]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT text::jsonb::text FROM unnest(%s::text[]) WITH ORDINALITY AS t (text, n) ORDER BY n", [texts]
        )
        assert [row[0] for row in cursor.fetchall()] == texts


@IN_ONE_TRANSACTION
@given(moment=st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.timezones()))  # noqa: DTZ001
def test_a_time_is_written_as_the_database_prints_it(db: None, moment: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT to_char(%s::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
            [text_of_time(moment)],
        )
        assert cursor.fetchone()[0] == text_of_time(moment)


@IN_ONE_TRANSACTION
@given(
    data=DATA,
    texts=st.lists(TEXT, min_size=5, max_size=5),
    at=st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    later=st.integers(0, 10**17),
)
@example(data={ODD: ODD}, texts=[ODD] * 5, at=datetime(2, 1, 1, tzinfo=UTC), later=63_872_000_000_000_001)
def test_an_event_that_was_stored_has_the_hash_that_was_made_for_it(
    db: None, data: dict[str, Any], texts: list[str], at: datetime, later: int
) -> None:
    before = OrderEvent.objects.count()
    job = a_job()
    job.reference, job.status_since = texts[0][:40], at
    cause = Cause(by=Actor(reference=texts[1]), source=texts[2], at=at, message_id=texts[3])
    ledger = Ledger(cause)
    ledger.record(job, "service_order.created", to="draft", data=data, note=texts[4])
    job.status_since = at
    end = min(
        at + timedelta(microseconds=min(later, 9 * 10**16)) if at.year < 5000 else at, datetime(9999, 1, 1, tzinfo=UTC)
    )
    ledger.record(job, "service_order.status_changed", to="scheduled", at=end, data={"a": data}, message_id="")
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {sql.APPEND_EVENTS} SELECT 1", ledger.parameters())

    stored = [event for event in chains.events() if event["subject_id"] == str(job.id)]

    assert len(stored) == 2
    assert OrderEvent.objects.count() == before + 2
    for event in stored:
        assert digest_of(event, bytes.fromhex(event["previous_hash"])).hex() == event["hash"]
    assert stored[0]["note"] == (texts[4] or None)
