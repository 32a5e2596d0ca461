"""What an import file may say, cell by cell, and the plan that shows what it would change: plain values, no queries."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, BinaryIO

from parts.errors import Refused
from parts.progress import CHUNK, Progress
from parts.rules import MAX_MONEY, MAX_QUANTITY, number_problem, part_of_it_problem, text_problem
from parts.sentences import Says, Sentence, sentence, sentence_for
from parts.sheets import Sheet, SheetRow, UnreadableFile, column_name, read_sheet

NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
YES, NO = {"yes", "true", "1", "y"}, {"no", "false", "0", "n"}


class ImportRefused(Refused):
    """The file as it is cannot be applied, and nothing was; `extra['errors']` has (the first 100) lines and reasons."""

    code = "import_refused"
    status = 422


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong on a line; `column` is empty where it is the row as a whole."""

    line: int
    column: str
    reason: Says

    def __str__(self) -> str:
        return str(self.says)

    @property
    def says(self) -> Sentence:
        """All of it in one text, in the language of whoever reads it."""
        if not self.column:
            return sentence("line {line}: {reason}", line=self.line, reason=self.reason)
        return sentence("line {line}, {column}: {reason}", line=self.line, column=self.column, reason=self.reason)


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of a row that is there, as it is and as the file wants it."""

    field: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class RowChange:
    """What a line would do: add its subject (no fields are listed then) or change it."""

    line: int
    subject: str
    fields: tuple[FieldChange, ...] = ()
    needs_approval: bool = False


@dataclass(slots=True)
class Difference:
    """What a file would do to what is there now."""

    created: list[RowChange] = field(default_factory=list)
    changed: list[RowChange] = field(default_factory=list)
    unchanged: int = 0
    errors: list[RowError] = field(default_factory=list)
    #: What else would come into being: categories, for example.
    along: list[str] = field(default_factory=list)

    @property
    def digest(self) -> str:
        """Return what tells this difference from another one: what it would add and change, from what to what."""
        return hashlib.sha256(repr((self.created, self.changed, self.along)).encode()).hexdigest()

    def refuse_other_than(self, shown: str | None) -> None:
        """Raise ImportRefused if this is not the difference that a person was shown (by its digest; None: nobody)."""
        if shown is not None and shown != self.digest:
            raise ImportRefused(
                sentence("What the file would change is not what was shown: somebody changed the same meanwhile.")
            )

    def refuse_errors(self) -> None:
        """Raise ImportRefused if there are errors."""
        if self.errors:
            raise ImportRefused(
                sentence_for(
                    len(self.errors),
                    "The file has {count} error; nothing was imported.",
                    "The file has {count} errors; nothing was imported.",
                ),
                errors=[error.says for error in self.errors[:100]],
                error_count=len(self.errors),
            )


@dataclass(frozen=True, slots=True)
class ImportedRow:
    """A line of the file with its cells understood; a cell that was empty, or has no column, is not in `values`."""

    line: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What a file of some kind would do, worked out without changing anything; its rows are kept for `apply_import`."""

    kind: str
    name: str
    rows: tuple[ImportedRow, ...]
    difference: Difference


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did, in rows of the file."""

    created: int
    changed: int
    unchanged: int
    #: Rows of controlled parts: their changes wait for the approval of another person.
    asked_for: int = 0


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an import file: how its cells are understood, and whether each row needs one."""

    name: str
    understand: Callable[[str], Any]
    is_needed: bool = False


class CellError(ValueError):
    """A cell that cannot be understood; says why."""

    def __init__(self, reason: Says) -> None:
        super().__init__(reason)
        self.reason = reason


# --- How cells are understood ----------------------------------------------------------------------------------------


def text(longest: int) -> Callable[[str], str]:
    """Return what understands a text of so many characters."""

    def understand(cell: str) -> str:
        if problem := text_problem(cell, longest):
            raise CellError(problem)
        return cell

    return understand


def choice(allowed: Collection[str], *, upper: bool = False) -> Callable[[str], str]:
    """Return what understands one of some words, in whatever case it is written."""

    def understand(cell: str) -> str:
        word = cell.upper() if upper else cell.lower()
        if word not in allowed:
            raise CellError(
                sentence("must be one of {allowed}, not {cell}", allowed=sorted(allowed), cell=f"{cell!r:.60}")
            )
        return word

    return understand


def number(decimals: int, largest: Decimal) -> Callable[[str], Decimal]:
    """Return what understands a number from 0 up; a comma may stand for the point where it cannot mean thousands."""

    def understand(cell: str) -> Decimal:
        if not NUMBER.fullmatch(cell):
            raise CellError(sentence("must be a number like 12.5, not {cell}", cell=f"{cell!r:.60}"))
        whole, comma, rest = cell.partition(",")
        if comma and len(rest) == 3:
            raise CellError(
                sentence(
                    "{cell} can be read in two ways; write a point before decimals and nothing before thousands",
                    cell=cell,
                )
            )
        value = Decimal(f"{whole}.{rest}" if comma else cell)
        if problem := number_problem(value, decimals, largest) or part_of_it_problem(value, decimals):
            raise CellError(problem)
        return value

    return understand


quantity = number(3, MAX_QUANTITY)
money = number(2, MAX_MONEY)


def day(cell: str) -> date:
    """Understand a date, written as 2026-03-02."""
    try:
        if DAY.fullmatch(cell):
            return date.fromisoformat(cell)
    except ValueError:
        pass  # no such day; refused like anything else that is none
    raise CellError(sentence("must be a date like 2026-03-02, not {cell}", cell=f"{cell!r:.60}"))


def yes_or_no(cell: str) -> bool:
    """Understand yes or no."""
    if (word := cell.lower()) not in YES | NO:
        raise CellError(sentence("must be yes or no, not {cell}", cell=f"{cell!r:.60}"))
    return word in YES


# --- Reading a file --------------------------------------------------------------------------------------------------


def read_rows(
    file: BinaryIO, columns: Sequence[Column], progress: Progress
) -> tuple[list[ImportedRow], list[RowError]]:
    """Read all rows of a file and understand their cells; what cannot be understood is among the errors.

    Raises UnreadableFile where the file, or its heading row, is not one for these columns.
    """
    by_name = {column.name: column for column in columns}
    sheet = read_sheet(file, by_name)
    places = _places(sheet, by_name)
    rows: list[ImportedRow] = []
    errors: list[RowError] = []
    for count, row in enumerate(sheet.rows, start=1):
        values: dict[str, Any] = {}
        wrong = list(_row_errors(row, places, values))
        if wrong:
            errors.extend(wrong)
        else:
            rows.append(ImportedRow(row.line, values))
        if count % CHUNK == 0:
            progress("reading", count, None)
    if not rows and not errors:
        raise UnreadableFile(sentence("The file has a heading row and nothing below it."))
    return rows, errors


def _places(sheet: Sheet, columns: Mapping[str, Column]) -> list[Column]:
    """Return the columns in the order of the file. Raises UnreadableFile for unknown, doubled and missing ones."""
    names = [column_name(heading) for heading in sheet.headings]
    if unknown := [heading for heading, name in zip(sheet.headings, names, strict=True) if name not in columns]:
        raise UnreadableFile(
            sentence(
                "Unknown columns: {names}. Known are {columns}.",
                names=[repr(heading[:60]) for heading in unknown],
                columns=list(columns),
            ),
            columns=list(columns),
        )
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise UnreadableFile(sentence("These columns come twice: {doubled}.", doubled=doubled))
    if missing := [column.name for column in columns.values() if column.is_needed and column.name not in names]:
        raise UnreadableFile(sentence("These columns are missing: {missing}.", missing=missing), columns=list(columns))
    return [columns[name] for name in names]


def _row_errors(row: SheetRow, places: Sequence[Column], values: dict[str, Any]) -> Iterator[RowError]:
    """Understand a row's cells into `values`, and yield what is wrong with them."""
    if len(row.cells) > len(places):
        yield RowError(row.line, "", sentence("has more cells than there are headings"))
    for place, column in enumerate(places):
        cell = row.cells[place] if place < len(row.cells) else ""
        if not cell:
            if column.is_needed:
                yield RowError(row.line, column.name, sentence("must not be empty"))
            continue
        try:
            values[column.name] = column.understand(cell)
        except CellError as error:
            yield RowError(row.line, column.name, error.reason)
