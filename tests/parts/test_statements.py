"""Statements that are sent while Python goes on: nothing about their effect, their order or their errors changes."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction

from parts import statements
from parts.models import Region

RENAME = """
WITH changed AS (UPDATE parts_region SET name = %(name)s WHERE code = %(code)s RETURNING 1)
SELECT count(*) FROM changed
"""
REFUSED = RuntimeError("somebody else changed it")


def rename(code: str, name: str, expected: int = 1) -> None:
    statements.write(RENAME, {"code": code, "name": name}, expected=(expected,), otherwise=REFUSED)


@pytest.fixture
def north(db: None) -> Region:
    return Region.objects.create(code="N", name="North")


def test_a_statement_alone_is_looked_at_at_once(north: Region) -> None:
    rename("N", "Norden")
    with pytest.raises(RuntimeError, match="somebody else"):
        rename("nowhere", "Norden")


def test_overlapped_statements_run_in_the_order_they_were_sent(north: Region) -> None:
    with transaction.atomic(), statements.overlapped():
        rename("N", "first")
        rename("N", "second")

    north.refresh_from_db()
    assert north.name == "second"


def test_a_reader_among_overlapped_statements_sees_what_was_sent_before_it(north: Region) -> None:
    with transaction.atomic(), statements.overlapped():
        rename("N", "first")
        assert Region.objects.get(code="N").name == "first"
        rename("N", "second")


def test_an_unexpected_count_is_raised_at_the_end_and_all_is_rolled_back(north: Region) -> None:
    reached = []

    def write_both() -> None:
        with transaction.atomic(), statements.overlapped():
            rename("nowhere", "x")
            rename("N", "second")
            reached.append("the end")

    with pytest.raises(RuntimeError, match="somebody else"):
        write_both()
    assert reached == ["the end"]
    north.refresh_from_db()
    assert north.name == "North"


def test_an_error_of_the_last_statement_comes_out_as_djangos_even_where_nothing_looks_at_its_answer(
    north: Region,
) -> None:
    Region.objects.create(code="S", name="South")

    def write_last() -> None:
        with transaction.atomic(), statements.overlapped(), connection.cursor() as cursor:
            cursor.execute("UPDATE parts_region SET code = 'S' WHERE code = 'N'")

    with pytest.raises(IntegrityError):
        write_last()
    north.refresh_from_db()
    assert north.code == "N"


def test_an_error_of_the_database_comes_out_as_djangos_and_all_is_rolled_back(north: Region) -> None:
    Region.objects.create(code="S", name="South")
    clash = RENAME.replace("name = %(name)s", "code = 'S'")

    def write_all() -> None:
        with transaction.atomic(), statements.overlapped():
            rename("N", "second")
            statements.write(clash, {"code": "N"}, expected=(1,), otherwise=REFUSED)
            rename("S", "third")

    with pytest.raises(IntegrityError):
        write_all()
    assert set(Region.objects.values_list("code", "name")) == {("N", "North"), ("S", "South")}


def test_an_error_of_python_leaves_the_connection_fit_for_use(north: Region) -> None:
    def write_and_fail() -> None:
        with transaction.atomic(), statements.overlapped():
            rename("N", "second")
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    rename("N", "third")
    north.refresh_from_db()
    assert north.name == "third"


def test_rows_come_with_the_types_that_the_actions_work_with(db: None) -> None:
    key, moment = UUID(int=7), datetime(2026, 1, 31, 9, 30, 0, 5, tzinfo=UTC)
    asked = "SELECT %(key)s::uuid, %(moment)s::timestamptz, 12.340::numeric(9, 3), '\\x00ff'::bytea, NULL::uuid"

    with connection.cursor() as cursor:
        cursor.execute("SET TIME ZONE 'UTC'")
    [row] = statements.rows_of(asked, {"key": key, "moment": moment})

    assert row == (key, moment, Decimal("12.340"), b"\x00\xff", None)
    assert isinstance(row[3], bytes)
    assert row[1].utcoffset() is not None
