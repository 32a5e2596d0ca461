"""What the pages of customers' words show, read in a constant number of queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.utils.translation import get_language_info

from notifications.previewing import Preview as MessagePreview
from notifications.previewing import previews_of_status
from orders import wording
from orders.actions.wording import Words
from orders.models import CustomerWord, CustomerWordDraft
from orders.models.words import SHIPPED
from parts.labels import names_of

#: So many versions of a status are shown.
MOST = 90


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the words for a status stand: those in force by language (None: missing), and what is to come."""

    subject: str
    status: str
    label: Any
    words: list[tuple[str, CustomerWord | None]]
    changes_at: datetime | None
    draft: CustomerWordDraft | None

    @property
    def code(self) -> str:
        """What names the status in addresses."""
        return f"{self.subject}-{self.status}"


@dataclass(frozen=True, slots=True)
class Version:
    """Words that were published: `state` is in force, to come, past or withdrawn."""

    row: CustomerWord
    state: str
    by: str
    is_shipped: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """Words as a customer reads them, in one language."""

    language: str
    name: str
    words: Words
    message: MessagePreview | None = None


def overview(at: datetime, now: datetime) -> dict[str, Any]:
    """Return every status with its words at a moment, and what is missing from now on. Two queries."""
    rows = wording.standing()
    said = wording.in_force(rows, at)
    drafts = {(draft.subject, draft.status): draft for draft in CustomerWordDraft.objects.all()}
    coming: dict[tuple[str, str], datetime] = {}
    for row in rows:
        if row.effective_from > at:
            place = (row.subject, row.status)
            coming[place] = min(coming.get(place, row.effective_from), row.effective_from)
    groups = [
        (
            subject,
            [
                Standing(
                    subject,
                    status,
                    wording.label_of(subject, status),
                    [(code, said.get((subject, status, code))) for code, _name in settings.LANGUAGES],
                    coming.get((subject, status)),
                    drafts.get((subject, status)),
                )
                for status in words
            ],
        )
        for subject, (words, _next_steps) in wording.DEFAULTS.items()
    ]
    missing = [
        (wording.label_of(gap.subject, gap.status), get_language_info(gap.language)["name_local"], gap.at)
        for gap in wording.gaps(rows, now)
    ]
    upcoming = [moment for moment in wording.moments(rows, now) if moment > now]
    return {"groups": groups, "missing": missing, "upcoming": upcoming}


def said_of(rows: Iterable[CustomerWord], subject: str, status: str, at: datetime) -> dict[str, dict[str, str]]:
    """Return the words for a status in force at a moment, by language; Backline's own where there are none."""
    said = wording.in_force(rows, at)
    found = {}
    for code, _name in settings.LANGUAGES:
        row = said.get((subject, status, code))
        own = (wording.own_words(subject, code)[status], wording.own_next_steps(subject, code)[status])
        found[code] = {"word": row.word if row else own[0], "next_step": row.next_step if row else own[1]}
    return found


def previews(subject: str, words: Mapping[str, Words], user: User | AnonymousUser) -> list[Preview]:
    """Return words as they would be read: on the page of a link, in an email and in an SMS."""
    told = previews_of_status(subject, {code: (one.word, one.next_step) for code, one in words.items()}, user)
    return [Preview(code, get_language_info(code)["name_local"], one, told.get(code)) for code, one in words.items()]


def versions(subject: str, status: str, rows: Iterable[CustomerWord], now: datetime) -> list[Version]:
    """Return what was ever published for a status, the latest to begin first. Two queries."""
    current = {row.pk for row in wording.in_force(rows, now).values()}
    every = list(
        CustomerWord.objects.filter(subject=subject, status=status).order_by("-effective_from", "language", "-id")[
            :MOST
        ]
    )
    names = names_of(row.published_by for row in every)

    def state(row: CustomerWord) -> str:
        if row.withdrawn_at is not None:
            return "withdrawn"
        if row.effective_from > now:
            return "to come"
        return "in force" if row.pk in current else "past"

    return [Version(row, state(row), names[row.published_by], row.why == SHIPPED) for row in every]
