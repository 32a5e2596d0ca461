"""Tables of events for people to read in a spreadsheet, in which no cell can act."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from parts.errors import Invalid
from parts.sentences import Figure, sentence

#: What a spreadsheet would take for the beginning of a formula (OWASP, "CSV Injection"); the last four are the wide
#: forms of the first four, which some of them read as the same.
_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
NEUTRALISED = "A cell that a spreadsheet would run (it begins with = + - @, a tab or a line break) has ' before it."

#: More than a million rows no spreadsheet opens, and before that making them takes longer than anybody waits.
MOST_ROWS = 200_000
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
    """Write an Excel file with the memory of a row; `about` is asked in the end for what a second sheet says.

    Raises Invalid for more than MOST_ROWS rows.
    """
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Events")
    sheet.freeze_panes = "A2"
    sheet.append(list(columns))
    try:
        for number, row in enumerate(rows, start=1):
            if number > MOST_ROWS:
                raise Invalid(
                    sentence(
                        "An Excel file is made for {most} events at most. Narrow it, or take CSV.",
                        most=Figure(MOST_ROWS),
                    )
                )
            sheet.append([_sheet_cell(row.get(name)) for name in columns])
        second = book.create_sheet("About")
        for name, text in about():
            second.append([name, _sheet_cell(text)])
    finally:
        book.save(path)  # also where it was stopped: what was begun must be ended, or its temporary files would stay


def _sheet_cell(value: str | None) -> str:
    """Return a cell without what XML cannot hold."""
    return neutral(ILLEGAL_CHARACTERS_RE.sub("�", value or ""))[:_LONGEST]
