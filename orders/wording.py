"""The words in which customers read a status, from one table for every face: the link, the API, the phone.

The table is `CustomerWord`; where it says nothing, `orders.statuses` does. It is read anew each time, so that a changed
word is changed everywhere at once; `WORDS` does it inside a larger statement.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils import translation

from orders.statuses import (
    LINE_CUSTOMER_WORDS,
    LINE_NEXT_STEPS,
    SERVICE_ORDER_CUSTOMER_WORDS,
    SERVICE_ORDER_NEXT_STEPS,
    SubjectKind,
)

SERVICE_ORDER, LINE = SubjectKind.SERVICE_ORDER.value, SubjectKind.LINE.value
#: What Backline says by itself: of what → (words, next steps), each by status.
DEFAULTS: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    SERVICE_ORDER: (SERVICE_ORDER_CUSTOMER_WORDS, SERVICE_ORDER_NEXT_STEPS),
    LINE: (LINE_CUSTOMER_WORDS, LINE_NEXT_STEPS),
}

#: A jsonb object of status → word, evaluated once however many rows ask it. Parameters: those of `words_parameters`.
WORDS = """(
    SELECT %s::jsonb || coalesce(jsonb_object_agg(status, word) FILTER (WHERE word <> ''), jsonb_build_object())
    FROM orders_customerword
    WHERE subject = %s AND language = %s
)"""

_READ = """
SELECT subject, status, word, next_step
FROM orders_customerword
WHERE language = %s AND (word <> '' OR next_step <> '')
"""


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of one language: of what → status → text."""

    language: str
    words: Mapping[str, Mapping[str, str]]
    next_steps: Mapping[str, Mapping[str, str]]

    def word(self, subject: str, status: str) -> str:
        """Return what a customer reads for a status; a status that no table knows is shown as it is."""
        return self.words[subject].get(status, status)

    def next_step(self, subject: str, status: str) -> str:
        """Return what happens next, empty where no table knows the status."""
        return self.next_steps[subject].get(status, "")


def own_words(subject: str, language: str) -> dict[str, str]:
    """Return Backline's own words of a language, by status."""
    with translation.override(language):
        return {status: str(word) for status, word in DEFAULTS[subject][0].items()}


def own_next_steps(subject: str, language: str) -> dict[str, str]:
    """Return Backline's own sentences of a language, by status."""
    with translation.override(language):
        return {status: str(sentence) for status, sentence in DEFAULTS[subject][1].items()}


def present_language() -> str:
    """Return the language that is spoken now."""
    return translation.get_language() or "en"


def read(language: str | None = None) -> Wording:
    """Return the words of a language (default: the one spoken now) as they are at this moment. One query."""
    language = language or present_language()
    words = {subject: own_words(subject, language) for subject in DEFAULTS}
    next_steps = {subject: own_next_steps(subject, language) for subject in DEFAULTS}
    with connection.cursor() as cursor:
        cursor.execute(_READ, [language])
        for subject, status, word, next_step in cursor.fetchall():
            if word:
                words[subject][status] = word
            if next_step:
                next_steps[subject][status] = next_step
    return Wording(language, words, next_steps)


def word_of(status: str) -> str:
    """Return, in SQL, what a customer reads for a column with a status; with the parameters of one WORDS."""
    return f"coalesce({WORDS} ->> {status}, {status})"


def words_parameters(subject: str, language: str | None = None) -> list[str]:
    """Return the parameters of one WORDS."""
    language = language or present_language()
    return [json.dumps(own_words(subject, language), ensure_ascii=False), subject, language]
