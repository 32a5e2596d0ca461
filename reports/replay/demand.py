"""Read monthly demand from a file, all of it or nothing: every bad row is named with its line and the reason."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from io import StringIO
from pathlib import Path

from parts.errors import Invalid

COLUMNS = ("part_number", "month", "units")
#: More than this in one month of one part is taken for a mistake.
MOST_UNITS = 9_999
#: A longer span than this is taken for a mistyped year.
MOST_MONTHS = 600
LONGEST_NUMBER = 60
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class Demand:
    """Units asked for, per part and month (the first day stands for it).

    `units` None is a month of which nothing is known; a month that is not there is a true zero. `months` has no gap.
    """

    name: str
    checksum: str
    months: tuple[date, ...]
    parts: tuple[str, ...]
    units: Mapping[tuple[str, date], int | None]

    @property
    def total(self) -> int:
        """All units that are asked for."""
        return sum(units or 0 for units in self.units.values())

    def of(self, part: str, month: date) -> int | None:
        """Return the units of a part in a month: zero where none are listed, None where it is not known."""
        return self.units.get((part, month), 0)

    def narrowed(self, *, months: int | None = None, parts: int | None = None) -> Demand:
        """Return the first so many months of the first so many parts."""
        kept_months, kept_parts = self.months[:months], self.parts[:parts]
        in_months, in_parts = set(kept_months), set(kept_parts)
        units = {key: value for key, value in self.units.items() if key[0] in in_parts and key[1] in in_months}
        return Demand(self.name, self.checksum, kept_months, kept_parts, units)


class BadRows(Invalid):
    """The file cannot be used as it is; `extra['rows']` has (line, reason) of each bad row."""

    code = "bad_rows"

    def __init__(self, name: str, rows: list[tuple[int, str]]) -> None:
        lines = "\n".join(f"  line {line}: {reason}" for line, reason in rows)
        word = "row" if len(rows) == 1 else "rows"
        super().__init__(f"{name}: {len(rows)} bad {word}, nothing was loaded.\n{lines}", rows=rows)


def read_demand(path: Path) -> Demand:
    """Read `part_number,month,units`. Raises BadRows, and Invalid where it is no such file at all."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Invalid(f"{path}: {error.strerror}.") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"{path}: is not UTF-8 text (byte {error.start}).") from error
    return parse_demand(text, name=path.name, checksum=hashlib.sha256(content).hexdigest())


def parse_demand(text: str, *, name: str, checksum: str) -> Demand:
    """Read demand from CSV text. Raises as `read_demand`."""
    units: dict[tuple[str, date], int | None] = {}
    first_seen: dict[tuple[str, date], int] = {}
    bad: list[tuple[int, str]] = []
    for line, row in _rows(text, name):
        number, month, amount, reasons = _parsed(row)
        if number and month and (number, month) in first_seen:
            reasons.append(f"{number} in {month:%Y-%m} stands in line {first_seen[number, month]} already")
        if reasons or month is None:
            bad.append((line, "; ".join(reasons)))
            continue
        first_seen[number, month] = line
        units[number, month] = amount
    if bad:
        raise BadRows(name, bad)
    if not units:
        raise Invalid(f"{name}: there is no row in it.")
    return Demand(name, checksum, _span(units, name), tuple(dict.fromkeys(number for number, _month in units)), units)


def _rows(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each row with the line it begins on, in the order of COLUMNS; empty lines are passed by."""
    if "\x00" in text:
        raise Invalid(f"{name}: holds null characters; is it a text file?")
    reader = csv.reader(StringIO(text), strict=True)
    try:
        header = [cell.strip() for cell in next(reader, [])]
        if missing := [column for column in COLUMNS if column not in header]:
            raise Invalid(f"{name}: the first line must name the columns; missing: {', '.join(missing)}.")
        places = [header.index(column) for column in COLUMNS]
        line = reader.line_num + 1
        for row in reader:
            if row:
                yield line, [row[place].strip() for place in places] if len(row) == len(header) else []
            line = reader.line_num + 1
    except csv.Error as error:
        raise Invalid(f"{name}: line {reader.line_num} is not CSV ({error}).") from error


def _parsed(row: list[str]) -> tuple[str, date | None, int | None, list[str]]:
    """Return number, month and units of a row, and what is wrong with it."""
    if not row:
        return "", None, None, ["has another number of cells than the first line"]
    number, month_text, units_text = row
    reasons = []
    if not number:
        reasons.append("part_number is empty")
    elif len(number) > LONGEST_NUMBER:
        reasons.append(f"part_number has more than {LONGEST_NUMBER} characters")
    month = None
    if found := _MONTH.fullmatch(month_text):
        year = int(found[1])
        month = date(year, int(found[2]), 1) if 1900 <= year <= 2200 else None
    if month is None:
        reasons.append(f"month is {month_text!r}; it must look like 1998-01")
    units = None
    if units_text:
        if not (units_text.isascii() and units_text.isdecimal()):
            reasons.append(f"units is {units_text!r}; it must be a whole number, not below zero, or empty")
        elif len(units_text) > 9 or int(units_text) > MOST_UNITS:
            reasons.append(f"units is {units_text}; more than {MOST_UNITS} in a month is taken for a mistake")
        else:
            units = int(units_text)
    return number, month, units, reasons


def _span(units: Mapping[tuple[str, date], int | None], name: str) -> tuple[date, ...]:
    """Return every month from the first to the last. Raises Invalid for a span that can only be a mistake."""
    first, last = min(month for _, month in units), max(month for _, month in units)
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    if count > MOST_MONTHS:
        raise Invalid(f"{name}: from {first:%Y-%m} to {last:%Y-%m} are {count} months; at most {MOST_MONTHS}.")
    return tuple(months_from(first, count))


def months_from(first: date, count: int) -> Iterator[date]:
    """Yield the first days of so many months."""
    for offset in range(first.year * 12 + first.month - 1, first.year * 12 + first.month - 1 + count):
        yield date(offset // 12, offset % 12 + 1, 1)
