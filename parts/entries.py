"""A part's numbers in other systems and its relations, as a change of a controlled part keeps them: as text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import DecimalField, Field, ForeignKey, JSONField

from parts.errors import Invalid
from parts.models import PartNumber, PartRelation
from parts.sentences import Says, sentence

#: What a part has beside its own fields, by the name under which a change keeps it.
KINDS: dict[str, type[PartNumber] | type[PartRelation]] = {"number": PartNumber, "relation": PartRelation}


@dataclass(frozen=True, slots=True)
class Entry:
    """A number or a relation as it is (`before`, None: to be added) and as it is to be (`after`, None: removed)."""

    what: str
    key: UUID
    before: Mapping[str, str] | None
    after: Mapping[str, str] | None

    @property
    def verb(self) -> str:
        """Return what is done to it, as rights are named: add, change, delete."""
        if self.before is None:
            return "add"
        return "delete" if self.after is None else "change"

    def parts(self) -> list[UUID]:
        """Return the parts that it touches; those that it is to be of come first."""
        found = [
            texts[name] for texts in (self.after, self.before) if texts for name in ("part", "other") if name in texts
        ]
        return [UUID(key) for key in dict.fromkeys(found) if key]

    def kept(self) -> dict[str, Any]:
        """Return plain JSON to keep it by."""
        return {"what": self.what, "id": str(self.key), "before": self.before, "after": self.after}


def from_kept(kept: Mapping[str, Any]) -> Entry:
    """Return what was kept."""
    return Entry(kept["what"], UUID(kept["id"]), kept["before"], kept["after"])


def kind_of(row: PartNumber | PartRelation) -> str:
    """Return the name under which a change keeps such a row."""
    return "number" if isinstance(row, PartNumber) else "relation"


def texts_of(row: PartNumber | PartRelation) -> dict[str, str]:
    """Return a row's fields as text: a key for what points elsewhere, JSON for lists, empty for nothing."""
    return {field.name: _text(field, getattr(row, field.attname)) for field in _fields(type(row))}


def give(row: PartNumber | PartRelation, texts: Mapping[str, str]) -> None:
    """Give a row what the texts say, and check it whole, without saving it. Raises Invalid naming the fields."""
    problems: dict[str, list[Says]] = {}
    for field in _fields(type(row)):
        try:
            setattr(row, field.attname, _value(field, texts[field.name]))
        except (ValidationError, ValueError):
            problems[field.name] = [sentence("cannot be so")]
    if problems:
        raise Invalid(sentence("It cannot be so."), problems)
    try:
        row.full_clean()
    except ValidationError as error:
        raise Invalid(
            sentence("It cannot be so: {problem}", problem=" ".join(error.messages)), error.message_dict
        ) from error


def parts_of(entries: Iterable[Entry]) -> list[UUID]:
    """Return the parts that entries touch, those that they are to be of first."""
    return list(dict.fromkeys(key for entry in entries for key in entry.parts()))


def _fields(model: type[PartNumber] | type[PartRelation]) -> list[Field[Any, Any]]:
    return [field for field in model._meta.concrete_fields if field.name != "id"]


def _text(field: Field[Any, Any], value: Any) -> str:
    if value is None:
        return ""
    if isinstance(field, JSONField):
        return json.dumps(value, sort_keys=True, ensure_ascii=False)
    if isinstance(field, DecimalField):
        return f"{Decimal(str(value)):.{field.decimal_places}f}"
    return str(value)


def _value(field: Field[Any, Any], text: str) -> Any:
    if text == "" and field.null:
        return None
    if isinstance(field, JSONField):
        return json.loads(text)
    source = field.target_field if isinstance(field, ForeignKey) else field
    return source.to_python(text)
