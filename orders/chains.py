"""The ledger as text, read in order of subject and version from one snapshot, however large it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection, transaction

from orders import verifier
from orders.models.chained import Chained

_TIME = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""

#: How each field of verifier.FIELDS is written as text; what is not named here is text already.
_AS_TEXT = {
    "id": "event.id::text",
    "subject_id": "event.subject_id::text",
    "version": "event.version::text",
    "occurred_at": _TIME.format("event.occurred_at"),
    "recorded_at": _TIME.format("event.recorded_at"),
    "dwell": "(extract(epoch FROM event.dwell) * 1000000)::bigint::text",
    "note_commitment": "encode(event.note_commitment, 'hex')",
    "is_override": "event.is_override::text",
    "passed_through": "event.passed_through::text",
    "data": "event.data::text",
}

#: The columns of an event as text, in this order.
COLUMNS = (*verifier.FIELDS, "transaction_id", "previous_hash", "hash", "salt", "note")

_COUNT = "SELECT count(*) FROM orders_orderevent"
_EXCEEDS = "SELECT EXISTS (SELECT FROM orders_orderevent {fits} OFFSET %(most)s)"
_EVENTS = f"""
SELECT {", ".join(_AS_TEXT.get(name, f"event.{name}") for name in verifier.FIELDS)},
    event.transaction_id::text, encode(event.previous_hash, 'hex'), encode(event.hash, 'hex'),
    encode(vault.salt, 'hex'), vault.text
FROM orders_orderevent AS event
LEFT JOIN orders_eventtext AS vault ON vault.event_id = event.id
"""  # noqa: S608 - made of constants of this module

#: The part of the ledger around what was asked for: no version in between is left out, whatever the clocks said.
_PART = """
JOIN (
    SELECT subject_id, min(version) AS first, max(version) AS last
    FROM orders_orderevent
    WHERE {conditions}
    GROUP BY subject_id
) AS part ON part.subject_id = event.subject_id AND event.version BETWEEN part.first AND part.last
"""

#: How many rows are fetched at a time.
_CHUNK = 2000


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain ends as its subject itself says; all texts."""

    kind: str
    subject_id: str
    reference: str
    version: str
    hash: str
    status: str


@contextmanager
def one_snapshot() -> Iterator[None]:
    """Read in one transaction that sees one state of the database throughout. Must not be inside another one."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        # All rows are fetched in the end, so the plan for all of them is the right one.
        cursor.execute("SET LOCAL cursor_tuple_fraction = 1")
        yield


def stream(statement: str, parameters: Mapping[str, Any] | None = None) -> Iterator[tuple[Any, ...]]:
    """Run a query and hand out its rows with the memory of a few thousand. Must be inside a transaction."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement, parameters)
        while rows := cursor.fetchmany(_CHUNK):
            yield from rows


def events(
    conditions: Sequence[str] = (), parameters: Mapping[str, Any] | None = None, *, exactly: bool = False
) -> Iterator[dict[str, Any]]:
    """Read events with their notes, sorted by subject and version.

    With conditions, the part around those that fit, which can be proved; or `exactly` those, which can only be read.
    """
    part = ""
    if conditions:
        fits = " AND ".join(conditions)
        part = f"WHERE {fits}" if exactly else _PART.format(conditions=fits)
    statement = f"{_EVENTS} {part} ORDER BY event.subject_id, event.version"
    for row in stream(statement, parameters):
        yield dict(zip(COLUMNS, row, strict=True))


def events_of(keys: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """Read single events with their notes, by key."""
    with connection.cursor() as cursor:
        cursor.execute(f"{_EVENTS} WHERE event.id = ANY(%(keys)s::uuid[])", {"keys": list(keys)})
        return {UUID(row[0]): dict(zip(COLUMNS, row, strict=True)) for row in cursor.fetchall()}


def count_events(conditions: Sequence[str] = (), parameters: Mapping[str, Any] | None = None) -> int:
    """Count the events that fit."""
    fits = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    with connection.cursor() as cursor:
        cursor.execute(f"{_COUNT} {fits}", parameters)
        return cursor.fetchone()[0]


def has_more_than(most: int, conditions: Sequence[str] = (), parameters: Mapping[str, Any] | None = None) -> bool:
    """Tell whether more than so many events fit, looking no further than that."""
    fits = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    with connection.cursor() as cursor:
        cursor.execute(_EXCEEDS.format(fits=fits), {**(parameters or {}), "most": most})
        return bool(cursor.fetchone()[0])


def horizon() -> int:
    """Return the transaction below which all others are over, as this snapshot sees it: later ones may not be in it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        return cursor.fetchone()[0]


def snapshot() -> str:
    """Return which transactions are in this snapshot, as PostgreSQL writes it: `xmin:xmax:those still running`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_snapshot()::text")
        return str(cursor.fetchone()[0])


def is_in(snapshot: str, transaction_id: int) -> bool:
    """Tell whether a transaction is in a snapshot (`pg_visible_in_snapshot` of the PostgreSQL manual, 9.27)."""
    first, end, running = snapshot.split(":")
    if transaction_id < int(first):
        return True
    return transaction_id < int(end) and str(transaction_id) not in running.split(",")


def heads(subject_id: UUID | None = None) -> Iterator[Head]:
    """Read where each chain ends, from the rows of all subjects, sorted by subject; or of one subject only."""
    of_one = " WHERE id = %(subject_id)s" if subject_id else ""
    rows = [
        f"SELECT '{model.subject_kind}', id, reference, version::text, encode(chain_hash, 'hex'), status"  # noqa: S608
        f" FROM {model._meta.db_table}{of_one}"
        for model in chained_models()
    ]
    statement = f"{' UNION ALL '.join(rows)} ORDER BY 2"
    for kind, key, *rest in stream(statement, {"subject_id": subject_id} if subject_id else None):
        yield Head(kind, str(key), *rest)


def chained_models() -> list[type[Chained]]:
    """Return the models of all subjects, of this floor and of those above."""
    return [model for model in apps.get_models() if issubclass(model, Chained)]
