"""Wait for the horizon: what was written is read only when all transactions that began earlier are over."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

from django.db import connection

#: Tests that run beside this one, in other databases of the same server, hold the horizon as long as they last.
LONG = 240.0


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait until something is so."""
    for _ in range(int(LONG / 0.02)):
        if condition():
            return
        Event().wait(0.02)
    raise AssertionError(f"never came true: {what}")


def all_is_over() -> None:
    """Wait until every transaction that has begun by now is over. Must not be inside one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        (now,) = cursor.fetchone()

        def is_over() -> bool:
            cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint > %s", [now])
            return bool(cursor.fetchone()[0])

        until(is_over, "all earlier transactions are over")
