"""Sentences for people, named where something happens and read in the language of whoever reads them.

An action does not know who will read why it refused: a dispatcher in German, a partner's program in English, a log.
So it names a sentence and its values, and looks nothing up. `config.translating` finds what is named by `sentence` and
`sentence_for`; the first argument is the English text itself, never a variable and never an f-string.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext, ngettext, override

#: What people read: a text as it is, or one that is put into words when it is read.
Says = str | Promise


class Sentence(Promise):
    """A sentence with its values, put into words in the language that is active when it is read (`str()`).

    Making one costs what an object costs. Two are equal that name the same, and one equals the text it reads as.
    """

    __slots__ = ("count", "many", "text", "values")

    def __init__(self, text: str, values: Mapping[str, object], many: str = "", count: int | None = None) -> None:
        self.text = text
        self.values = values
        self.many = many
        self.count = count

    def __str__(self) -> str:
        said = gettext(self.text) if self.count is None else ngettext(self.text, self.many, self.count)
        return said.format_map({name: _shown(value) for name, value in self.values.items()}) if self.values else said

    def __repr__(self) -> str:
        return f"<Sentence {in_english(self)!r}>"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Sentence):
            return (self.text, self.values, self.count) == (other.text, other.values, other.count)
        return isinstance(other, str | Promise) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(self.text)

    def kept(self) -> dict[str, Any]:
        """Return plain JSON to keep it by; `from_kept` makes it readable in any language again."""
        values = {name: _kept(value) for name, value in self.values.items()}
        return {"text": self.text, "many": self.many, "count": self.count, "values": values}


def kept(said: Says) -> dict[str, Any]:
    """Return any text as plain JSON to keep it by: a sentence as it is, what has no name in its English."""
    return said.kept() if isinstance(said, Sentence) else Sentence("{text}", {"text": in_english(said)}).kept()


def from_kept(kept: Mapping[str, Any]) -> Sentence:
    """Return a sentence that was kept."""
    values = {name: _again(value) for name, value in kept["values"].items()}
    return Sentence(kept["text"], values, kept["many"], kept["count"])


def sentence(text: str, /, **values: object) -> Sentence:
    """Name a sentence: `sentence("{order} is on hold.", order=order.reference)`.

    Values may be labels and sentences themselves (read together with the whole), decimals (written as the reader
    writes them), and lists of any of these (read with commas between).
    """
    return Sentence(text, values)


def sentence_for(count: int, one: str, many: str, /, **values: object) -> Sentence:
    """Name a sentence that depends on a number, which both forms may name as `{count}`."""
    return Sentence(one, {"count": count, **values}, many, count)


class Figure(Promise):
    """A large whole number inside a sentence, its thousands grouped as the reader groups them."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number

    def __str__(self) -> str:
        return number_format(self.number, use_l10n=True, force_grouping=True)


class Word(Promise):
    """A label inside a sentence, where English writes it small; translations quote it as it stands on the pages."""

    __slots__ = ("label",)

    def __init__(self, label: Says) -> None:
        self.label = label

    def __str__(self) -> str:
        said = str(self.label)
        return said.lower() if (get_language() or "en").startswith("en") else said


def _shown(value: object) -> str:
    if isinstance(value, Decimal):
        return number_format(format(value, "f")) if value.is_finite() else str(value)
    if isinstance(value, list | tuple):
        return ", ".join(_shown(one) for one in value)
    return str(value)


def _kept(value: object) -> object:
    """Return a value as JSON: labels by their English, as which they are looked up again."""
    if isinstance(value, Sentence):
        return {"sentence": value.kept()}
    if isinstance(value, Word):
        return {"word": in_english(value.label)}
    if isinstance(value, Figure):
        return {"figure": value.number}
    if isinstance(value, Promise):
        return {"label": in_english(value)}
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    if isinstance(value, list | tuple):
        return [_kept(one) for one in value]
    return value if isinstance(value, int) else str(value)


def _again(value: Any) -> object:
    if isinstance(value, list):
        return [_again(one) for one in value]
    if not isinstance(value, dict):
        return value
    [(kind, inner)] = value.items()
    return _AGAIN[kind](inner)


_AGAIN: dict[str, Callable[[Any], object]] = {
    "sentence": from_kept,
    "word": lambda label: Word(Sentence(label, {})),
    "label": lambda label: Sentence(label, {}),
    "figure": Figure,
    "decimal": Decimal,
}


def in_english(said: Says) -> str:
    """Return a text in English, whoever is at work: for logs, and for what is kept for others."""
    with override("en"):
        return str(said)


def read(value: Any) -> Any:
    """Return plain JSON with every sentence in it put into words, in the language that is active now."""
    if isinstance(value, Promise):
        return str(value)
    if isinstance(value, Mapping):
        return {name: read(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [read(inner) for inner in value]
    return value
