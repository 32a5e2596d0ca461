"""Finds rows by what people have in hand: the beginning of a number, without case and separators, or words of a name.

Each way to find something is an index scan that ends after a few rows; several ways together are one statement. Here
too: parts, by their number in any system, their supplier's number, or words of the description.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import CharField, F, QuerySet, Value
from django.db.models.functions import Concat

from parts.lookups import Key, beginnings, key_of
from parts.models import Part, PartNumber, SupplierPart

#: The shortest key that is looked for: a shorter one begins nearly everything.
SHORTEST = 2
NOTHING = Value("")
#: Rows of (key of the row, text that it was found by, a word about that text).
Way = QuerySet[Any, Any]


def by_key(rows: QuerySet[Any], field: str, text: str, most: int, *, row: str = "pk", via: Any = NOTHING) -> Way:
    """Find rows by the beginning of a field's key."""
    found = rows.filter(**{f"{field}__key_begins": text}).annotate(found=_text(F(field)), via=_text(via))
    return found.order_by(Key(field)).values_list(row, "found", "via")[:most]


def by_words(rows: QuerySet[Any], field: str, text: str, most: int) -> Way:
    """Find rows by the beginnings of a field's words."""
    found = rows.filter(**{f"{field}__has_words": text}).annotate(found=_text(NOTHING), via=_text(NOTHING))
    return found.order_by().values_list("pk", "found", "via")[:most]


def together(ways: Sequence[Way], *texts: str) -> dict[Any, tuple[bool, str]]:
    """Return what any of the ways finds: key of the row → whether it is exactly one of the texts, and what it is.

    One statement.
    """
    wanted = {key_of(text) for text in texts}
    found: dict[Any, tuple[bool, str]] = {}
    for key, number, via in ways[0].union(*ways[1:], all=True) if len(ways) > 1 else ways[0]:
        exact = key_of(number) in wanted
        if key not in found or (exact and not found[key][0]):
            found[key] = (exact, f"{via} {number}" if via else "")
    return found


def is_searchable(text: str) -> bool:
    """Tell whether a text is long enough to look for, and one that PostgreSQL can hold."""
    return len(key_of(text)) >= SHORTEST and len(text) <= 200 and "\x00" not in text


def _text(value: Any) -> Concat:
    """Give a column one type, so that several ways to find something make one list."""
    return Concat(value, NOTHING, output_field=CharField())


@dataclass(frozen=True, slots=True)
class FoundPart:
    """A part, whether its number is exactly this, and its number in another system where it was found by that."""

    part: Part
    is_exact: bool
    elsewhere: str = ""


def find_parts(text: str, most: int) -> list[FoundPart]:
    """Return parts with a number anywhere that begins so, or a description with these words; exact ones first.

    Two statements, however much is found; none for a text that is too short.
    """
    if not is_searchable(text):
        return []
    offers = SupplierPart.objects.exclude(supplier_number="")
    ways = [
        by_key(Part.objects.all(), "number", text, most),
        by_key(PartNumber.objects.all(), "number", text, most, row="part_id", via=F("system")),
        by_key(offers, "supplier_number", text, most, row="part_id", via=F("supplier__code")),
    ]
    if beginnings(text):
        ways.append(by_words(Part.objects.all(), "description", text, most))
    found = together(ways, text)
    rows = Part.objects.select_related("unit").in_bulk(list(found))
    hits = [FoundPart(rows[key], exact, elsewhere) for key, (exact, elsewhere) in found.items() if key in rows]
    return sorted(hits, key=lambda hit: (not hit.is_exact, not hit.part.is_active))[:most]
