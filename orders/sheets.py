"""Tables of events for people to read in a spreadsheet, in which no cell can act."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from parts.errors import Invalid
from parts.sentences import Figure, sentence

#: What a spreadsheet would take for the beginning of a formula (OWASP, "CSV Injection"); the last four are the wide
#: forms of the first four, which some of them read as the same.
_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
NEUTRALISED = "A cell that a spreadsheet would run (it begins with = + - @, a tab or a line break) has ' before it."

#: A sheet holds 1,048,576 rows, its heading among them; a round number is told more easily.
SHEET_ROWS = 1_000_000
#: What a file holds at most: a worker writes some 3,000 rows a second, and half an hour is as long as anybody waits.
MOST_ROWS = 5 * SHEET_ROWS
#: What a cell holds at most.
_LONGEST = 32_767

Rows = Iterable[Mapping[str, str | None]]


def neutral(value: str | None) -> str:
    """Return a cell that no spreadsheet takes for a formula: an apostrophe before what would be one."""
    text = value or ""
    return f"'{text}" if text.startswith(_RUNS) else text


def csv_lines(columns: Sequence[str], rows: Rows) -> Iterator[bytes]:
    """Give the lines of a CSV: the names of the columns, then a line for each row."""
    yield _csv_line(columns)
    for row in rows:
        yield _csv_line([neutral(row.get(name)) for name in columns])


def _csv_line(cells: Sequence[str]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue().encode()


def write_sheet(path: Path, columns: Sequence[str], rows: Rows, about: Callable[[], Iterable[tuple[str, str]]]) -> None:
    """Write an Excel file with the memory of a row; `about` is asked in the end for what a last sheet says.

    After SHEET_ROWS rows the next sheet begins (`Events 2`), with the same heading. Raises Invalid for more than
    MOST_ROWS rows.
    """
    book = Workbook(write_only=True)
    sheet = _new_sheet(book, "Events", columns)
    try:
        for number, row in enumerate(rows, start=1):
            if number > MOST_ROWS:
                raise Invalid(
                    sentence(
                        "An Excel file is made for {most} events at most. Narrow it, or take CSV.",
                        most=Figure(MOST_ROWS),
                    )
                )
            if number > 1 and number % SHEET_ROWS == 1:
                sheet.close()
                sheet = _new_sheet(book, f"Events {number // SHEET_ROWS + 1}", columns)
            sheet.append([_sheet_cell(row.get(name)) for name in columns])
        second = book.create_sheet("About")
        for name, text in about():
            second.append([name, _sheet_cell(text)])
    finally:
        book.save(path)  # also where it was stopped: what was begun must be ended, or its temporary files would stay


def _new_sheet(book: Workbook, name: str, columns: Sequence[str]) -> Any:
    sheet = book.create_sheet(name)
    sheet.freeze_panes = "A2"
    sheet.append(list(columns))
    return sheet


def _sheet_cell(value: str | None) -> str:
    """Return a cell without what XML cannot hold."""
    return neutral(ILLEGAL_CHARACTERS_RE.sub("�", value or ""))[:_LONGEST]
