"""What is in a snapshot is told as PostgreSQL tells it."""

from __future__ import annotations

import pytest
from django.db import connection

from orders import chains

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("snapshot", ["10:20:12,15", "10:10:", "7:9:7,8"])
def test_python_and_postgresql_see_the_same_transactions(snapshot: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT array_agg(pg_visible_in_snapshot(number::text::xid8, %s::pg_snapshot) ORDER BY number)"
            " FROM generate_series(5, 25) AS number",
            [snapshot],
        )
        [seen] = cursor.fetchone()
    assert [chains.is_in(snapshot, number) for number in range(5, 26)] == seen


def test_the_present_snapshot_holds_what_is_over_and_nothing_to_come() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        [mine] = cursor.fetchone()
    assert not chains.is_in(chains.snapshot(), mine + 1000)
