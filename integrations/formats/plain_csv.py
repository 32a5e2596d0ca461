"""Plain CSV of anybody's: a header, then a row for each fact, read by the field map that the interface declares.

The map is data of the interface, with a version of its own:

    {"version": "2026-11", "fact": "shipped", "delimiter": ";",
     "columns": {"line": "Order line", "quantity": "Qty", "occurred_at": "Left at"}, "fixed": {"carrier": "DHL"}}

Each row is a message of its own, with the header that it is read by. What a fact may be told of stands in FACTS.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from integrations.facts import (
    Code,
    Dated,
    Fact,
    Piece,
    Reading,
    Shipped,
    ShippedItem,
    StatusReached,
    StockConfirmed,
    StockState,
    Subject,
    SupplyDated,
    Unreadable,
)
from integrations.formats.form import Form, Speech
from integrations.formats.json_parts import MOST_BYTES
from parts.sentences import Says, sentence

MOST_COLUMNS, LONGEST_CELL, MOST_ROWS = 200, 2000, 100_000
DELIMITERS = (",", ";", "\t", "|")
_QUANTITY = re.compile(r"[0-9]{1,15}(\.[0-9]{0,6})?", re.ASCII)


def split(body: bytes) -> list[Piece]:
    """Cut a file into its rows, each with the header before it. None has a key but the hash of what it says."""
    header, *rows = _records(_text(body))
    if not rows:
        raise Unreadable(sentence("There is nothing in it."))
    return [Piece("", f"{header}\n{row}\n".encode()) for row in rows]


def read(body: bytes, speech: Speech) -> Reading:
    """Read one row by the interface's map."""
    if faults := faults_of(speech.fields):
        raise Unreadable(faults[0], "fields")
    fields: Mapping[str, Any] = speech.fields
    try:
        table = list(csv.reader(io.StringIO(_text(body), newline=""), delimiter=fields.get("delimiter", ",")))
    except csv.Error as error:
        raise Unreadable(sentence("This is no CSV.")) from error
    if len(table) != 2 or len(table[0]) != len(table[1]) or len(table[0]) > MOST_COLUMNS:
        raise Unreadable(sentence("The row has not as many fields as the header."))
    cells = dict(zip((name.strip() for name in table[0]), (cell.strip() for cell in table[1]), strict=True))
    row = _Row(cells, fields, speech)
    return Reading((FACTS[fields["fact"]][0](row),))


class _Row:
    """A row as its interface's map reads it. Its methods raise Unreadable, naming the column."""

    def __init__(self, cells: Mapping[str, str], fields: Mapping[str, Any], speech: Speech) -> None:
        self._cells, self._columns, self._fixed = cells, fields.get("columns", {}), fields.get("fixed", {})
        self.speech = speech

    def text(self, name: str, *, needed: bool = False) -> str:
        """Return what the row says of a field: in its column, else what is fixed for all rows."""
        column = self._columns.get(name)
        if column is not None and column not in self._cells:
            raise Unreadable(sentence("There is no column {name}.", name=column), column)
        said = self._cells[column] if column is not None else self._fixed.get(name, "")
        if len(said) > LONGEST_CELL:
            raise Unreadable(sentence("It is longer than {most} characters.", most=LONGEST_CELL), column or name)
        if needed and not said:
            raise Unreadable(sentence("Must not be empty."), column or name)
        return str(said)

    def quantity(self, name: str, *, needed: bool = False) -> Decimal | None:
        """Return a quantity, with a point before its decimals."""
        said = self.text(name, needed=needed)
        if not said:
            return None
        if not _QUANTITY.fullmatch(said):
            raise Unreadable(sentence("{text} is no quantity.", text=said[:40]), self._columns.get(name, name))
        return Decimal(said)

    def moment(self, name: str) -> datetime:
        """Return a time as ISO 8601 writes it; without a zone, in that of the system."""
        said = self.text(name, needed=True)
        try:
            moment = datetime.fromisoformat(said)
        except ValueError as error:
            raise Unreadable(
                sentence("Must be a time, as 2026-11-22T09:00:00Z."), self._columns.get(name, name)
            ) from error
        if not 1900 <= moment.year <= 2200:
            raise Unreadable(sentence("Must be a time, as 2026-11-22T09:00:00Z."), self._columns.get(name, name))
        return moment if moment.utcoffset() is not None else moment.replace(tzinfo=self.speech.zone)

    def day(self, name: str) -> date | None:
        """Return a day as 2026-11-22."""
        said = self.text(name)
        if not said:
            return None
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", said, re.ASCII):
            raise Unreadable(sentence("{text} is no day.", text=said[:20]), self._columns.get(name, name))
        try:
            return date.fromisoformat(said)
        except ValueError as error:
            raise Unreadable(sentence("{text} is no day.", text=said), self._columns.get(name, name)) from error

    def subject(self, kind: str, name: str, *, by: str = "reference") -> Subject:
        """Return whom a field names: by our reference, or (field `<name>_by`) by a kind of number of the sender's."""
        return Subject(kind, self.text(f"{name}_by") or by, self.text(name, needed=True)[:120])

    def codes(self) -> tuple[Code, ...]:
        """Return the code that a row carries, of the interface's list."""
        said = self.text("code")
        return (Code(self.speech.code_list, self.speech.release, said[:40]),) if said else ()


def _status(row: _Row) -> Fact:
    status, codes = row.text("status"), row.codes()
    if bool(status) == bool(codes):
        raise Unreadable(sentence("Name either a status or a code."), "status")
    kind = row.text("subject_kind") or "line"
    if kind not in ("line", "service_order"):
        raise Unreadable(sentence("Must be one of {allowed}.", allowed=["line", "service_order"]), "subject_kind")
    return StatusReached(row.subject(kind, "subject"), row.moment("occurred_at"), status, codes, row.text("note"))


def _shipped(row: _Row) -> Fact:
    serials = tuple(serial for serial in row.text("serials").split() if serial)
    item = ShippedItem(row.subject("line", "line"), row.quantity("quantity"), serials=serials)
    return Shipped(
        (item,),
        row.moment("occurred_at"),
        row.text("shipment_number")[:120],
        row.text("carrier"),
        row.text("tracking_number"),
        row.text("note"),
    )


def _dated(row: _Row) -> Fact:
    day, quantity = row.day("expected_on"), row.quantity("quantity")
    return SupplyDated(
        row.subject("purchase_order_line", "line"),
        row.moment("occurred_at"),
        (Dated(day, quantity),) if day is not None else (),
        row.text("answer"),
        row.codes(),
    )


def _confirmed(row: _Row) -> Fact:
    quantity = row.quantity("quantity", needed=True)
    assert quantity is not None, "it is needed"
    return StockConfirmed(
        warehouse=row.subject("warehouse", "warehouse", by="plant"),
        part=row.subject("part", "part"),
        quantity=quantity,
        from_state=_state(row, "from_state"),
        to_state=_state(row, "to_state"),
        occurred_at=row.moment("occurred_at"),
        document=row.text("document"),
        note=row.text("note"),
    )


def _state(row: _Row, name: str) -> StockState:
    said = row.text(name, needed=True)
    if said not in list(StockState):
        raise Unreadable(sentence("Must be one of {allowed}.", allowed=[state.value for state in StockState]), name)
    return StockState(said)


#: What a row can tell: how it is read, which fields it needs, and which it may have.
FACTS: dict[str, tuple[Callable[[_Row], Fact], frozenset[str], frozenset[str]]] = {
    "status": (
        _status,
        frozenset({"subject", "occurred_at"}),
        frozenset({"subject_by", "subject_kind", "status", "code", "note"}),
    ),
    "shipped": (
        _shipped,
        frozenset({"line", "occurred_at"}),
        frozenset({"line_by", "quantity", "shipment_number", "carrier", "tracking_number", "serials", "note"}),
    ),
    "supply_dated": (
        _dated,
        frozenset({"line", "occurred_at"}),
        frozenset({"line_by", "expected_on", "quantity", "answer", "code"}),
    ),
    "stock_confirmed": (
        _confirmed,
        frozenset({"warehouse", "part", "quantity", "from_state", "to_state", "occurred_at"}),
        frozenset({"warehouse_by", "part_by", "document", "note"}),
    ),
}


def faults_of(fields: Any) -> list[Says]:
    """Return what is wrong with a field map; nothing for one that rows can be read by."""
    if not isinstance(fields, dict) or not fields:
        return [sentence("The interface declares no field map.")]
    if unknown := sorted(set(fields) - {"version", "fact", "delimiter", "columns", "fixed"}):
        return [sentence("Unknown: {names}.", names=unknown)]
    if not isinstance(fields.get("version"), str) or not fields["version"].strip():
        return [sentence("A field map has a version.")]
    if fields.get("fact") not in FACTS:
        return [sentence("Must be one of {allowed}.", allowed=sorted(FACTS))]
    if fields.get("delimiter", ",") not in DELIMITERS:
        return [sentence("Must be one of {allowed}.", allowed=list(DELIMITERS))]
    given: set[str] = set()
    for name in ("columns", "fixed"):
        rows = fields.get(name, {})
        if not isinstance(rows, dict) or not all(isinstance(each, str) for each in (*rows, *rows.values())):
            return [sentence("Columns and fixed values are texts by the name of their field.")]
        given |= set(rows)
    _read, needed, optional = FACTS[fields["fact"]]
    if missing := sorted(needed - given):
        return [sentence("Missing: {names}.", names=missing)]
    if unknown := sorted(given - needed - optional):
        return [sentence("Unknown: {names}.", names=unknown)]
    return []


def _records(text: str) -> list[str]:
    """Return each record as it is written; one may go over several lines within quotes."""
    records: list[str] = []
    begun: list[str] = []
    is_open = False
    for line in text.split("\n"):
        begun.append(line.removesuffix("\r"))
        is_open ^= line.count('"') % 2 == 1
        if not is_open:
            if any(each.strip() for each in begun):
                records.append("\n".join(begun))
            begun = []
    if is_open:
        raise Unreadable(sentence("A quoted field does not end."), str(len(records) + 1))
    if not records:
        raise Unreadable(sentence("There is nothing in it."))
    if len(records) > MOST_ROWS:
        raise Unreadable(sentence("At most {most} rows.", most=MOST_ROWS))
    return records


def _text(body: bytes) -> str:
    if len(body) > MOST_BYTES:
        raise Unreadable(sentence("At most {most} bytes.", most=MOST_BYTES))
    if b"\x00" in body:
        raise Unreadable(sentence("This is no text."))
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(sentence("This is not UTF-8, from byte {place} on.", place=error.start)) from error


FORM = Form(
    code="plain-csv",
    name=_("Plain CSV, by a map of its fields"),
    versions=("1",),
    content_types=("text/csv",),
    split=split,
    read=read,
)
