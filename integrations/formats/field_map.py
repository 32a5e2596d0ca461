"""Which field of a form becomes what here: a table that the form reads by and that its page in the documents shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from integrations.facts import Unreadable
from parts.sentences import sentence

LONGEST_FIELD = 200


@dataclass(frozen=True, slots=True)
class Field:
    """One row: what a form calls it (`E1EDL24.POSNR`), what it becomes, and what is done on the way."""

    name: str
    read_from: str
    becomes: str
    how: str = ""


class FieldMap:
    """The fields of one form in one version of the map. A form reads only what stands in its map."""

    def __init__(self, version: str, fields: Sequence[Field]) -> None:
        self.version, self.fields = version, tuple(fields)
        self._places = {field.name: field.read_from.split(".", 1) for field in fields}
        self._froms = {field.name: field.read_from for field in fields}
        assert len(self._places) == len(self.fields), "a name stands twice"

    def of(self, segment: Mapping[str, str], name: str) -> str:
        """Return what a segment says in a field, without the blanks around it; empty where it says nothing.

        Raises Unreadable for what is longer than any field can be.
        """
        text = segment.get(self._places[name][1], "").strip()
        if len(text) > LONGEST_FIELD:
            raise Unreadable(sentence("It is longer than {most} characters.", most=LONGEST_FIELD), self._froms[name])
        return text

    def segment(self, name: str) -> str:
        """Return the segment in which a field stands."""
        return self._places[name][0]

    def as_table(self) -> str:
        """Return the map as the table that stands in the documents."""
        rows = [f"| `{field.read_from}` | {field.becomes} | {field.how} |" for field in self.fields]
        return "\n".join([f"Map {self.version}:", "", "| field | becomes | how |", "|---|---|---|", *rows])
