"""Reads what people paste from a spreadsheet, and quantities as they are written in the reader's language. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from django.utils.formats import get_format
from django.utils.translation import gettext as _

from orders.actions.placing import MOST_LINES

#: What columns are called in the languages we speak, but for case: what they hold → names.
HEADINGS = {
    "part": (
        *("part", "part number", "part no", "part no.", "number", "item", "article", "sku", "material", "p/n", "pn"),
        *("teil", "teilenummer", "teile-nr.", "teilenr.", "artikel", "artikelnummer", "artikel-nr.", "sachnummer"),
        *("pieza", "número de pieza", "numero de pieza", "referencia", "artículo", "articulo", "código", "codigo"),
    ),
    "quantity": (
        *("quantity", "qty", "qty.", "amount", "pcs", "pieces"),
        *("menge", "anzahl", "stück", "stueck", "stk"),
        *("cantidad", "cant.", "cant", "unidades"),
    ),
    "least": (
        *("at least", "minimum", "min", "min.", "minimum fill", "min fill"),
        *("mindestens", "mindestmenge", "mindestteilmenge"),
        *("mínimo", "minimo", "al menos", "cantidad mínima", "cantidad minima"),
    ),
    "needed_on": (
        *("date", "needed", "needed on", "needed by", "need by", "need date", "due", "due date", "required"),
        *("required by", "required date", "requested", "requested on", "delivery", "delivery date"),
        *("datum", "termin", "bedarf", "bedarfstermin", "wunschtermin", "liefertermin", "lieferdatum", "benötigt am"),
        *("fecha", "fecha de entrega", "fecha necesaria", "fecha requerida", "entrega", "necesario"),
    ),
}
_SPACES = str.maketrans("", "", " \u00a0\u202f\u2009'’")
_PLAIN = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]*)?|[+-]?[.,][0-9]+")
_DAYS = ("%Y-%m-%d", "%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%d %b %Y", "%d-%m-%Y")


@dataclass(frozen=True, slots=True)
class Pasted:
    """A row as it was written: all of it text, to be shown again as it is."""

    part: str
    quantity: str = ""
    needed_on: str = ""
    least: str = ""


def read_quantity(text: str) -> Decimal | None:
    """Return a quantity as the reader's language writes it; None for what is none.

    `2,5` and `2.5` mean the same wherever that is beyond doubt; where one mark could also part thousands (`1.250`), the
    reader's language decides.
    """
    compact = text.translate(_SPACES)
    mark = get_format("DECIMAL_SEPARATOR")
    other = "." if mark == "," else ","
    if other in compact and mark in compact:
        if compact.rfind(mark) < compact.rfind(other) or compact.count(mark) > 1:
            return None
        if not re.fullmatch(rf"[+-]?\d{{1,3}}(?:{re.escape(other)}\d{{3}})+{re.escape(mark)}\d*", compact):
            return None
        compact = compact.replace(other, "")
    elif re.fullmatch(rf"[+-]?\d{{1,3}}(?:{re.escape(other)}\d{{3}})+", compact):
        compact = compact.replace(other, "")
    if not _PLAIN.fullmatch(compact):
        return None
    try:
        return Decimal(compact.replace(",", "."))
    except InvalidOperation:
        return None


def read_day(text: str) -> date | None:
    """Return a day as people write it: the year first, or the day; None for anything else."""
    for form in _DAYS:
        try:
            return datetime.strptime(text.strip(), form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    return None


def read_pasted(text: str) -> list[Pasted]:
    """Return the rows of a pasted table, one more than may be ordered at most. Empty rows are left out.

    Columns are parted by tabs, semicolons, commas or, failing these, blanks; a row of headings tells which is which,
    otherwise the part comes first, then quantity and day. A row without a quantity means one.
    """
    rows = _rows(text)
    if not rows:
        return []
    columns = _columns(rows[0])
    if columns:
        rows = rows[1:]
    else:
        columns = {"part": 0, "quantity": 1, "needed_on": 2}
    return [_pasted(row, columns) for row in rows[: MOST_LINES + 1]]


def left_out(text: str) -> list[str]:
    """Return the headings of a pasted table's columns that are not taken over though something stands in them."""
    rows = _rows(text)
    columns = _columns(rows[0]) if rows else {}
    if not columns:
        return []
    taken = set(columns.values())
    return [
        heading
        for index, heading in enumerate(rows[0])
        if heading and index not in taken and any(index < len(row) and row[index] for row in rows[1:])
    ]


def too_many() -> str:
    """Return what to say of a table that is too long."""
    return _("At most %(most)s lines at once; split the order.") % {"most": MOST_LINES}


def _rows(text: str) -> list[list[str]]:
    rows = [[cell.strip() for cell in row] for row in _split(text)]
    return [row for row in rows if any(row)]


def _split(text: str) -> list[Sequence[str]]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    delimiter = _delimiter(lines)
    if delimiter == " ":
        return [line.rsplit(None, 1) if _ends_in_quantity(line) else [line] for line in lines.split("\n")]
    try:
        return list(csv.reader(io.StringIO(lines), delimiter=delimiter))
    except csv.Error:
        return [line.split(delimiter) for line in lines.split("\n")]


def _ends_in_quantity(line: str) -> bool:
    words = line.rsplit(None, 1)
    return len(words) == 2 and read_quantity(words[1]) is not None


def _delimiter(text: str) -> str:
    """Return what parts the columns. A comma that could be a decimal one does not, where blanks part them."""
    first = [line for line in text.split("\n") if line.strip()][:20]
    if any("\t" in line for line in first):
        return "\t"
    if any(";" in line for line in first):
        return ";"
    commas = [line for line in first if "," in line]
    if commas and len(commas) * 2 >= len(first) and not all(_ends_in_quantity(line) for line in first):
        return ","
    return " "


def _columns(row: Sequence[str]) -> dict[str, int]:
    """Return which column holds what, by its headings; empty where the first row holds no headings."""
    found: dict[str, int] = {}
    for index, cell in enumerate(row):
        name = cell.lower().strip(" :*\ufeff")
        for what, names in HEADINGS.items():
            if name in names and what not in found:
                found[what] = index
    return found if "part" in found else {}


def _pasted(row: Sequence[str], columns: dict[str, int]) -> Pasted:
    def cell(what: str) -> str:
        index = columns.get(what, len(row))
        return row[index] if index < len(row) else ""

    return Pasted(cell("part")[:200], cell("quantity")[:40] or "1", cell("needed_on")[:20], cell("least")[:40])
