"""Read a file of stock row by row, however long it is: a CSV file, in UTF-8, plain or packed with gzip.

Columns (in any order, in any case, separated by comma, semicolon or tab): `part_number`, `warehouse`, `on_hand`, and if
the system has them `condition` (new), `owner` (own) and `unfit`. Other columns (bins, batches, texts) are passed over.
No more than a piece of the file is in memory at any time.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from parts.models.stock import OWN
from parts.sentences import Figure, Sentence, sentence
from parts.sheets import DELIMITERS, UnreadableFile, column_name
from parts.statuses import Condition

NEEDED, OPTIONAL = ("part_number", "warehouse", "on_hand"), ("condition", "owner", "unfit")
#: How much is read of a file that is packed: it may not be a bomb.
MOST_BYTES = 2 * 1024**3
MOST_ROWS = 20_000_000
#: A line longer than this is no line of such a file.
LONGEST_LINE = 100_000
#: Bins may hold less than nothing until they are counted. A comma may stand for the point where it cannot mean
#: thousands.
_QUANTITY = re.compile(r"-?[0-9]{1,11}(?:\.[0-9]{1,3}0*)?|-?[0-9]{1,11},[0-9]{1,2}")
_LONGEST = {"part_number": 80, "warehouse": 20, "condition": 12, "owner": 40}
_CONDITIONS = frozenset(Condition.values)


@dataclass(frozen=True, slots=True)
class Listed:
    """One row of the file; quantities as PostgreSQL reads them, `unfit` None where the file does not say."""

    line: int
    part_number: str
    warehouse: str
    condition: str
    owner: str
    on_hand: str
    unfit: str | None


@dataclass(frozen=True, slots=True)
class Unusable:
    """A row that cannot be understood, and why."""

    line: int
    reason: Sentence


def read(file: BinaryIO) -> Iterator[Listed | Unusable]:
    """Yield each row of a file as it is understood. Raises UnreadableFile, also while rows are read."""
    lines = _Lines(file)
    heading = next((line for line in lines if line.strip()), "")
    if not heading:
        raise UnreadableFile(sentence("The file is empty."))
    delimiter = _delimiter(heading)
    places = _places(next(csv.reader([heading], delimiter=delimiter)))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    count = 0
    try:
        for cells in reader:
            if not any(cells):
                continue
            count += 1
            if count > MOST_ROWS:
                raise UnreadableFile(sentence("The file has more than {most} rows; split it.", most=Figure(MOST_ROWS)))
            yield _understood(cells, places, lines.line)
    except csv.Error as error:
        raise UnreadableFile(
            sentence("Line {line} cannot be read: {error}.", line=lines.line, error=error), line=lines.line
        ) from error


def _delimiter(heading: str) -> str:
    def known(delimiter: str) -> int:
        return sum(column_name(cell) in NEEDED + OPTIONAL for cell in heading.replace('"', "").split(delimiter))

    return max(DELIMITERS, key=known)


def _places(headings: Sequence[str]) -> dict[str, int]:
    """Return where each known column stands. Raises UnreadableFile where one is missing or comes twice."""
    names = [column_name(heading) for heading in headings]
    if doubled := sorted({name for name in names if names.count(name) > 1 and name in NEEDED + OPTIONAL}):
        raise UnreadableFile(sentence("These columns come twice: {doubled}.", doubled=doubled))
    if missing := [name for name in NEEDED if name not in names]:
        raise UnreadableFile(sentence("These columns are missing: {missing}.", missing=missing), columns=list(NEEDED))
    return {name: names.index(name) for name in NEEDED + OPTIONAL if name in names}


def _understood(cells: Sequence[str], places: dict[str, int], line: int) -> Listed | Unusable:
    values = {name: cells[place].strip() if place < len(cells) else "" for name, place in places.items()}
    for name in NEEDED:
        if not values[name]:
            return Unusable(line, sentence("{column}: {reason}", column=name, reason=sentence("must not be empty")))
    for name, longest in _LONGEST.items():
        if len(values.get(name, "")) > longest:
            reason = sentence("must have at most {most} characters", most=longest)
            return Unusable(line, sentence("{column}: {reason}", column=name, reason=reason))
    condition = values.get("condition", "").lower() or Condition.NEW.value
    if condition not in _CONDITIONS:
        reason = sentence(
            "must be one of {allowed}, not {cell}", allowed=sorted(_CONDITIONS), cell=f"{condition!r:.60}"
        )
        return Unusable(line, sentence("{column}: {reason}", column="condition", reason=reason))
    for name in ("on_hand", "unfit"):
        cell = values.get(name, "")
        if cell and not _QUANTITY.fullmatch(cell):
            reason = sentence("must be a number like 12.5, not {cell}", cell=f"{cell!r:.60}")
            return Unusable(line, sentence("{column}: {reason}", column=name, reason=reason))
    return Listed(
        line,
        values["part_number"],
        values["warehouse"],
        condition,
        values.get("owner", "") or OWN,
        values["on_hand"].replace(",", "."),
        values["unfit"].replace(",", ".") if values.get("unfit") else None,
    )


class _Lines(Iterator[str]):
    """The lines of a file, unpacked where it is packed, and how many there were. Raises UnreadableFile."""

    def __init__(self, file: BinaryIO) -> None:
        begins = file.read(2)
        file.seek(0)
        unpacked = gzip.GzipFile(fileobj=file) if begins == b"\x1f\x8b" else file
        buffered = io.BufferedReader(_Bounded(unpacked), 1 << 18)
        self._text = io.TextIOWrapper(buffered, encoding="utf-8-sig", errors="strict", newline="")
        self.line = 0

    def __next__(self) -> str:
        try:
            found = self._text.readline(LONGEST_LINE)
        except UnicodeDecodeError as error:
            raise UnreadableFile(
                sentence("The file is no text in UTF-8 (near line {line}).", line=self.line + 1), line=self.line + 1
            ) from error
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise UnreadableFile(sentence("The file is packed with gzip, but damaged.")) from error
        if not found:
            raise StopIteration
        self.line += 1
        if "\x00" in found or len(found) >= LONGEST_LINE:
            raise UnreadableFile(sentence("Line {line} is no line of a CSV file.", line=self.line), line=self.line)
        return found


class _Bounded(io.RawIOBase):
    """A file that ends in an error where it gets too long. Raises UnreadableFile."""

    def __init__(self, file: BinaryIO | gzip.GzipFile) -> None:
        self._file, self._left = file, MOST_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        found = self._file.read(len(buffer))
        self._left -= len(found)
        if self._left < 0:
            raise UnreadableFile(
                sentence("The file is larger than {most} MB; split it.", most=MOST_BYTES // 1024 // 1024)
            )
        buffer[: len(found)] = found
        return len(found)
