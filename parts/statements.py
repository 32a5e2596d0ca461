"""How the hand-written statements of the hot paths are run: read in binary, and written while Python goes on."""

from __future__ import annotations

import select
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import connection
from psycopg.pq import Format

#: What is still to be looked at at the end of `overlapped`; None outside of it.
_unsettled: ContextVar[list[Callable[[], None]] | None] = ContextVar("unsettled", default=None)


def rows_of(statement: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run a statement and return its rows: keys as UUID, quantities as Decimal, times aware in UTC, bytea as bytes.

    They come in PostgreSQL's binary format, so that no text is parsed.
    """
    with connection.cursor() as cursor:
        cursor.cursor.format = Format.BINARY
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def write(statement: str, parameters: Mapping[str, Any], *, expected: tuple[int, ...], otherwise: Exception) -> None:
    """Run a statement whose one row says how many rows it changed; raise `otherwise` where that is not `expected`.

    Inside `overlapped` it is looked at when that ends.
    """
    cursor = connection.cursor()
    cursor.execute(statement, parameters)

    def settle() -> None:
        with cursor:
            if cursor.fetchone() != expected:
                raise otherwise

    unsettled = _unsettled.get()
    if unsettled is None:
        settle()
    else:
        unsettled.append(settle)
        _hand_over()


def _hand_over() -> None:
    """Wait until PostgreSQL has taken in all that was sent, which it does when it begins with the last of it.

    What the client library could not send at once lies with it until somebody asks it to go on, and PostgreSQL waits
    for it as long.
    """
    sent = connection.connection
    while sent.pgconn.flush():
        select.select([], [sent.fileno()], [])


@contextmanager
def overlapped() -> Iterator[None]:
    """Let PostgreSQL work on what is written while Python prepares the next statement; all is settled at the end.

    Must be inside a transaction. Nothing else changes: statements run in the order they are sent, one that reads waits
    for all before it, and the first error is raised as Django's, at the latest at the end. Uses the protocol's pipeline
    mode (https://www.psycopg.org/psycopg3/docs/advanced/pipeline.html).
    """
    unsettled: list[Callable[[], None]] = []
    token = _unsettled.set(unsettled)
    try:
        with connection.wrap_database_errors, connection.connection.pipeline():
            yield
            for settle in unsettled:
                settle()
    finally:
        _unsettled.reset(token)
