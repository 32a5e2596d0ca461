"""The words in which customers read a status, from one table for every face: the link, messages, the API, the phone.

The table is `CustomerWord`: each wording is in force from its moment until the next one begins. Where it says nothing,
`orders.statuses` does. It is read anew each time, once for a page or a batch, so that a new word is new everywhere at
the same moment; `WORDS` does it inside a larger statement.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone, translation

from orders.models import CustomerWord
from orders.statuses import (
    LINE_CUSTOMER_WORDS,
    LINE_NEXT_STEPS,
    SERVICE_ORDER_CUSTOMER_WORDS,
    SERVICE_ORDER_NEXT_STEPS,
    LineStatus,
    ServiceOrderStatus,
    SubjectKind,
)
from parts.sentences import Says

SERVICE_ORDER, LINE = SubjectKind.SERVICE_ORDER.value, SubjectKind.LINE.value
#: What Backline says by itself: of what → (words, next steps), each by status.
DEFAULTS: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    SERVICE_ORDER: (SERVICE_ORDER_CUSTOMER_WORDS, SERVICE_ORDER_NEXT_STEPS),
    LINE: (LINE_CUSTOMER_WORDS, LINE_NEXT_STEPS),
}
#: What the house calls the statuses.
LABELS: Mapping[str, Mapping[str, Any]] = {
    SERVICE_ORDER: dict(ServiceOrderStatus.choices),
    LINE: dict(LineStatus.choices),
}
#: From when on Backline's own words are in force: from before there was anything to say.
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)

#: A jsonb object of status → word, evaluated once however many rows ask it. Parameters: those of `words_parameters`.
WORDS = """(
    SELECT %s::jsonb || coalesce(jsonb_object_agg(status, word), jsonb_build_object())
    FROM (
        SELECT DISTINCT ON (status) status, word
        FROM orders_customerword
        WHERE subject = %s AND language = %s AND withdrawn_at IS NULL AND effective_from <= %s
        ORDER BY status, effective_from DESC
    ) AS in_force
)"""

_READ = """
SELECT DISTINCT ON (subject, status) subject, status, word, next_step
FROM orders_customerword
WHERE language = %s AND withdrawn_at IS NULL AND effective_from <= %s
ORDER BY subject, status, effective_from DESC
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


@dataclass(frozen=True, slots=True)
class Gap:
    """A status that says nothing in a language, from a moment on."""

    subject: str
    status: str
    language: str
    at: datetime


def own_words(subject: str, language: str) -> dict[str, str]:
    """Return Backline's own words of a language, by status."""
    with translation.override(language):
        return {status: str(word) for status, word in DEFAULTS[subject][0].items()}


def own_next_steps(subject: str, language: str) -> dict[str, str]:
    """Return Backline's own sentences of a language, by status."""
    with translation.override(language):
        return {status: str(sentence) for status, sentence in DEFAULTS[subject][1].items()}


def label_of(subject: str, status: str) -> Says:
    """Return what the house calls a status."""
    label: Says = LABELS[subject].get(status, status)
    return label


def present_language() -> str:
    """Return the language that is spoken now."""
    return translation.get_language() or "en"


def read(language: str | None = None, at: datetime | None = None) -> Wording:
    """Return the words of a language (default: the one spoken now) in force at a moment (default: now). One query."""
    language = language or present_language()
    words = {subject: own_words(subject, language) for subject in DEFAULTS}
    next_steps = {subject: own_next_steps(subject, language) for subject in DEFAULTS}
    with connection.cursor() as cursor:
        cursor.execute(_READ, [language, at or timezone.now()])
        for subject, status, word, next_step in cursor.fetchall():
            words[subject][status] = word
            next_steps[subject][status] = next_step
    return Wording(language, words, next_steps)


def word_of(status: str) -> str:
    """Return, in SQL, what a customer reads for a column with a status; with the parameters of one WORDS."""
    return f"coalesce({WORDS} ->> {status}, {status})"


def words_parameters(subject: str, language: str | None = None) -> list[Any]:
    """Return the parameters of one WORDS, for the words in force now."""
    language = language or present_language()
    return [json.dumps(own_words(subject, language), ensure_ascii=False), subject, language, timezone.now()]


# --- The table itself -------------------------------------------------------------------------------------------------


def standing(**which: str) -> list[CustomerWord]:
    """Return what was published and not withdrawn, the newest first of each status and language. One query."""
    return list(
        CustomerWord.objects.filter(withdrawn_at=None, **which).order_by(
            "subject", "status", "language", "-effective_from"
        )
    )


def in_force(rows: Iterable[CustomerWord], at: datetime) -> dict[tuple[str, str, str], CustomerWord]:
    """Return, of rows with the newest first, which was in force at a moment, by (subject, status, language)."""
    found: dict[tuple[str, str, str], CustomerWord] = {}
    for row in rows:
        if row.effective_from <= at:
            found.setdefault((row.subject, row.status, row.language), row)
    return found


def moments(rows: Iterable[CustomerWord], at: datetime) -> list[datetime]:
    """Return a moment and all after it at which other words come into force, the earliest first."""
    return sorted({at, *(row.effective_from for row in rows if row.effective_from > at)})


def gaps(rows: Iterable[CustomerWord], at: datetime) -> list[Gap]:
    """Return which status says nothing in which language, now or from a coming moment on: none where all is complete.

    Of each status and language, the earliest moment is named.
    """
    kept = list(rows)
    found: dict[tuple[str, str, str], Gap] = {}
    for moment in moments(kept, at):
        said = in_force(kept, moment)
        for subject, (words, _next_steps) in DEFAULTS.items():
            for status in words:
                for language, _name in settings.LANGUAGES:
                    key = (subject, status, language)
                    if key not in said:
                        found.setdefault(key, Gap(subject, status, language, moment))
    return list(found.values())
