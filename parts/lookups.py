"""How people find things: by the key of a number or reference, and by the words of a name, each served by an index.

The key of a text is what is left of it without case and separators, so that `03l 115 562` finds `03L-115-562`. It is
compared byte by byte (collation "C"), so that an index answers "begins with" on every server and in every prepared
plan. Words are those of PostgreSQL's `simple` configuration, found by their beginning.
"""

from __future__ import annotations

import re
from typing import Any

from django.db.models import CharField, DateField, Func, Lookup, UUIDField

#: What separates the groups of a number and says nothing.
SEPARATORS = " -./_#:()+,*"
#: Sorts after every character that a key can go on with.
_LAST = "\U0010ffff"
_WORD = re.compile(r"\w+")
#: What stands between serial numbers that were typed or scanned one after the other.
_BETWEEN = re.compile(r"[\s,;]+")
MOST_WORDS = 6

_KEY = "translate(upper({text}), '" + SEPARATORS + "', '') COLLATE \"C\""


class Key(Func):
    """The key of a text column, as indexes hold it and lists are sorted by it."""

    template = _KEY.format(text="%(expressions)s")
    arity = 1
    output_field = CharField()


class Words(Func):
    """The words of a text column, as indexes hold them."""

    template = "to_tsvector('simple', %(expressions)s)"
    arity = 1
    output_field = CharField()


class UtcDay(Func):
    """The day of a time, in UTC, as indexes hold it."""

    template = "((%(expressions)s AT TIME ZONE 'UTC')::date)"
    arity = 1
    output_field = DateField()


def key_of(text: str) -> str:
    """Return the key of a text as PostgreSQL has it (but for a few letters whose upper case is disputed)."""
    return text.upper().translate(str.maketrans("", "", SEPARATORS))


def serials_in(text: str) -> tuple[str, ...]:
    """Return the serial numbers in a text, with spaces, commas or lines between them."""
    return tuple(serial for serial in _BETWEEN.split(text) if serial)


def beginnings(text: str) -> str:
    """Return the query for everything that has words which begin so; empty where the text holds no word."""
    return " & ".join(f"{word}:*" for word in _WORD.findall(text)[:MOST_WORDS])


@CharField.register_lookup
class KeyIs(Lookup[Any]):
    """`number__key_is="so 12"`: the same but for case and separators."""

    lookup_name = "key_is"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        left, parameters = self.process_lhs(compiler, connection)
        return f"{_KEY.format(text=left)} = {_KEY.format(text='%s::text')}", (*parameters, self.rhs)


@CharField.register_lookup
class KeyBegins(Lookup[Any]):
    """`number__key_begins="so-0"`: begins so but for case and separators. A text without any key begins everything."""

    lookup_name = "key_begins"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        left, parameters = self.process_lhs(compiler, connection)
        key, given = _KEY.format(text=left), _KEY.format(text="%s::text")
        values = (*parameters, self.rhs, *parameters, f"{self.rhs}{_LAST}")
        return f"({key} >= {given} AND {key} < {given})", values


@CharField.register_lookup
class HasWords(Lookup[Any]):
    """`name__has_words="north qua"`: each word given is the beginning of one of its words."""

    lookup_name = "has_words"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        left, parameters = self.process_lhs(compiler, connection)
        sql = f"to_tsvector('simple', {left}) @@ to_tsquery('simple', %s::text)"
        return sql, (*parameters, beginnings(str(self.rhs)))


@UUIDField.register_lookup
class Among(Lookup[Any]):
    """`pk__among=keys`: is one of them, passed as one array; `__in` ends at 65,535, a statement's most parameters."""

    lookup_name = "among"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        left, parameters = self.process_lhs(compiler, connection)
        return f"{left} = ANY(%s::uuid[])", (*parameters, list(self.rhs))
