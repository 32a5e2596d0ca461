"""What a cell of an import file may say."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from parts.importing import CellError, Column, choice, day, money, quantity, read_rows, text, yes_or_no
from parts.progress import silent
from parts.sheets import UnreadableFile

COLUMNS = (Column("number", text(5), is_needed=True), Column("counted", quantity), Column("on", day))


@pytest.mark.parametrize(
    ("understand", "cell", "value"),
    [
        (quantity, "5", Decimal(5)),
        (quantity, "1.000", Decimal(1)),
        (quantity, "12,5", Decimal("12.5")),
        (quantity, "0,25", Decimal("0.25")),
        (money, "+9,90", Decimal("9.90")),
        (day, "2026-03-02", date(2026, 3, 2)),
        (yes_or_no, "Yes", True),
        (yes_or_no, "0", False),
        (choice(("A", "B"), upper=True), "b", "B"),
        (choice(("new", "used")), "NEW", "new"),
        (text(3), "abc", "abc"),
    ],
)
def test_a_cell_is_understood(understand: Callable[[str], Any], cell: str, value: object) -> None:
    assert understand(cell) == value


@pytest.mark.parametrize(
    ("understand", "cell"),
    [
        (quantity, "1,000"),
        (quantity, "1.000,5"),
        (quantity, "1 000"),
        (quantity, "-1"),
        (quantity, "1e5"),
        (quantity, "NaN"),
        (quantity, "1.0001"),
        (quantity, "١٢"),
        (quantity, "100000000000"),
        (money, "1.005"),
        (day, "02.03.2026"),
        (day, "2026-02-30"),
        (day, "20260302"),
        (day, "2026-W10-1"),
        (yes_or_no, "maybe"),
        (choice(("A", "B"), upper=True), "C"),
        (text(3), "abcd"),
    ],
)
def test_what_could_mean_something_else_is_refused(understand: Callable[[str], Any], cell: str) -> None:
    with pytest.raises(CellError):
        understand(cell)


def read(content: str) -> Any:
    return read_rows(io.BytesIO(content.encode()), COLUMNS, silent)


def test_columns_come_in_any_order_and_an_empty_cell_says_nothing() -> None:
    rows, errors = read("Counted,NUMBER,on\n5,A,\n,B,2026-03-02\n7,C\n")

    assert errors == []
    assert [(row.line, dict(row.values)) for row in rows] == [
        (2, {"counted": Decimal(5), "number": "A"}),
        (3, {"number": "B", "on": date(2026, 3, 2)}),
        (4, {"counted": Decimal(7), "number": "C"}),
    ]


def test_every_cell_that_is_wrong_is_named_with_its_line() -> None:
    rows, errors = read("number,counted,on\nA,x,y\n,1,\nB,1,2026-03-02,more\nC,1,\n")

    assert [(error.line, error.column) for error in errors] == [(2, "counted"), (2, "on"), (3, "number"), (4, "")]
    assert str(errors[0]) == "line 2, counted: must be a number like 12.5, not 'x'"
    assert [row.line for row in rows] == [5]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("number,conted\nA,1\n", "Unknown columns: 'conted'. Known are number, counted, on."),
        ("counted,on\n1,\n", "missing: number"),
        ("number,Number\nA,B\n", "twice: number"),
        ("number,,counted\nA,,1\n", "Unknown columns: ''"),
        ("number,counted\n", "nothing below"),
    ],
)
def test_a_heading_row_that_is_wrong_is_refused(content: str, reason: str) -> None:
    with pytest.raises(UnreadableFile) as refusal:
        read(content)

    assert reason in refusal.value.detail
