"""Read a table out of a CSV or XLSX file: a heading row and rows of text, each with the line it stands on."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import BinaryIO
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from parts import workbooks
from parts.errors import Refused
from parts.sentences import Figure, sentence

MAX_BYTES = 50 * 1024 * 1024
MAX_ROWS = 500_000
MAX_LINES = 1_048_576  # as many as Excel has; gaps count
MAX_COLUMNS = 60
DELIMITERS = (",", ";", "\t")


class UnreadableFile(Refused):
    """The file as a whole cannot be read: too big, damaged, of another kind, or without the columns it needs."""

    code = "unreadable_file"
    status = 400


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row with something in it; `line` is the line or row number that a person sees in their editor."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: its headings as they were written, and its rows, which are read as they are asked for."""

    headings: tuple[str, ...]
    rows: Iterator[SheetRow]


def read_sheet(file: BinaryIO, known_columns: Iterable[str]) -> Sheet:
    """Read the first table of a file, CSV or XLSX by its content. Raises UnreadableFile, also while rows are read.

    `known_columns` help to tell which of comma, semicolon and tab a CSV file uses.
    """
    content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise UnreadableFile(sentence("The file is larger than {most} MB; split it.", most=MAX_BYTES // 1024 // 1024))
    if not content.strip():
        raise UnreadableFile(sentence("The file is empty."))
    if content.startswith(b"PK\x03\x04"):
        lines = _xlsx_lines(content)
    elif content.startswith(b"\xd0\xcf\x11\xe0"):
        raise UnreadableFile(sentence("The file is an old or encrypted Excel file; save it as XLSX or CSV."))
    else:
        lines = _csv_lines(_decoded(content), set(known_columns))
    rows = _with_something_in_them(lines)
    headings = next(rows, None)
    if headings is None:
        raise UnreadableFile(sentence("The file has no rows."))
    return Sheet(headings.cells, _limited(rows))


def _with_something_in_them(lines: Iterable[SheetRow]) -> Iterator[SheetRow]:
    for row in lines:
        cells = tuple(cell.strip() for cell in row.cells)
        while cells and not cells[-1]:
            cells = cells[:-1]
        if cells:
            yield SheetRow(row.line, cells)


def _limited(rows: Iterator[SheetRow]) -> Iterator[SheetRow]:
    for count, row in enumerate(rows, start=1):
        if count > MAX_ROWS:
            raise UnreadableFile(sentence("The file has more than {most} rows; split it.", most=Figure(MAX_ROWS)))
        yield row


# --- CSV -------------------------------------------------------------------------------------------------------------


def _decoded(content: bytes) -> str:
    """Return the text: UTF-8 with or without a mark, else Windows' western encoding."""
    if b"\x00" in content:
        raise UnreadableFile(
            sentence("The file is not text in UTF-8 or Windows-1252 (UTF-16?), nor XLSX; save it as CSV UTF-8.")
        )
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UnreadableFile(sentence("The file is not text in UTF-8 or Windows-1252, nor XLSX."))


def _csv_lines(text: str, known_columns: set[str]) -> Iterator[SheetRow]:
    delimiter = _delimiter(text, known_columns)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise UnreadableFile(
                sentence("Line {line} cannot be read: {error}.", line=line, error=error), line=line
            ) from error
        if cells is None:
            return
        yield SheetRow(line, tuple(cells))


def _delimiter(text: str, known_columns: set[str]) -> str:
    """Return the delimiter that makes the most known columns out of the first line with something in it."""
    first = next((line for line in text.splitlines() if line.strip()), "")

    def known(delimiter: str) -> int:
        return sum(column_name(cell) in known_columns for cell in first.replace('"', "").split(delimiter))

    return max(DELIMITERS, key=known)


def column_name(heading: str) -> str:
    """Return a heading as column names are compared: `Part Number` is `part_number`."""
    return heading.strip().lower().replace(" ", "_").replace("-", "_")


# --- XLSX ------------------------------------------------------------------------------------------------------------


def _xlsx_lines(content: bytes) -> Iterator[SheetRow]:
    """Read the first sheet of a workbook; formulas as the value Excel last worked out."""
    try:
        workbooks.refuse_a_bomb(content)
    except workbooks.TooMuch as error:
        raise UnreadableFile(sentence("The file {problem}; split it or save it as CSV.", problem=error.says)) from error
    except workbooks.Damaged as error:
        raise UnreadableFile(sentence("The file looks like XLSX but is damaged.")) from error
    damaged = (
        InvalidFileException,
        zipfile.BadZipFile,
        zlib.error,
        ParseError,
        EOFError,
        LookupError,
        ValueError,
        TypeError,
        OverflowError,
    )
    try:
        workbook = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        sheet = workbook.worksheets[0]
        sheet.reset_dimensions()  # what the file says of its own size is not to be relied on
        for line, values in enumerate(sheet.iter_rows(max_col=MAX_COLUMNS, values_only=True), start=1):
            if line > MAX_LINES:
                raise UnreadableFile(sentence("The file has more than {most} lines.", most=Figure(MAX_LINES)))
            if values.count(None) < len(values):
                yield SheetRow(line, tuple(_text(value) for value in values))
        workbook.close()
    except damaged as error:
        raise UnreadableFile(sentence("The file looks like XLSX but is damaged.")) from error


def _text(value: object) -> str:
    """Return a cell as a person would have typed it: whole numbers without a point, dates as 2026-03-02."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else format(Decimal(repr(value)), "f")
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
