"""What a code that nobody has decided on could mean: what others say who have the same code, or the same words.

A suggestion is never acted upon. It says where it comes from and why it may fit; a person decides.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q

from integrations.facts import Code
from integrations.models import StatusCode
from integrations.statuses import Certainty
from parts.sentences import Says, sentence

MOST_SUGGESTIONS = 6
#: So many of the words that two codes have between them must be in both, for them to say the same.
ALIKE = 0.5
#: Rows that are compared by their words: what is shipped, and what the systems of a large house have of their own.
MOST_COMPARED = 5000
_WORD = re.compile(r"[^\W\d_]{3,}")
_EMPTY = {"the", "and", "for", "has", "was", "with", "from", "item", "code", "date", "been", "der", "die", "das", "und"}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A row that may say what a code means, and why it may."""

    row: StatusCode
    why: Says


def suggestions_for(code: Code, says: str = "") -> list[Suggestion]:
    """Return what a code could mean, the likeliest first: the same list elsewhere, the same words, the same code.

    `says` is what the code is said to mean, where something is known of that. Two queries.
    """
    rows = list(
        StatusCode.objects.filter(code=code.code)
        .select_related("system")
        .order_by("code_list", "release", "-effective_from", "id")[:MOST_COMPARED]
    )
    here = [row for row in rows if row.code_list == code.code_list]
    found = [Suggestion(row, _same_list(row)) for row in sorted(here, key=_doubt)]
    wordings = {says, *(row.says for row in here)} - {""}
    seen = {row.pk for row in rows}
    if wordings:
        found += [
            Suggestion(row, sentence("{list} says the same in words:", list=str(row)))
            for row in _alike(wordings)
            if row.pk not in seen
        ]
    elsewhere = [row for row in rows if row.code_list != code.code_list and row.is_certain]
    found += [Suggestion(row, sentence("{list} has the same code.", list=row.code_list)) for row in elsewhere]
    return found[:MOST_SUGGESTIONS]


def _same_list(row: StatusCode) -> Says:
    if row.system is not None:
        return sentence("{system} uses this list, and it was decided for it.", system=row.system.name)
    if not row.is_certain:
        return sentence("The list has it, and it is still to be checked.")
    if row.release:
        return sentence("The list has it in its release {release}.", release=row.release)
    return sentence("The list has it, in force from {day} on.", day=row.effective_from.isoformat())


def _doubt(row: StatusCode) -> int:
    return [Certainty.DECIDED.value, Certainty.READ.value, Certainty.TO_CHECK.value].index(row.certainty)


def _alike(wordings: Collection[str]) -> list[StatusCode]:
    """Return rows that are certain and say the same in words, the likest first."""
    wanted = [_words(wording) for wording in wordings]
    some = Q()
    for word in {word for words in wanted for word in words}:
        some |= Q(says__icontains=word)
    if not some:
        return []
    rows = StatusCode.objects.filter(some).exclude(certainty=Certainty.TO_CHECK).select_related("system")
    rated = [(_likeness(_words(row.says), wanted), row) for row in rows.order_by("id")[:MOST_COMPARED]]
    return [row for share, row in sorted(rated, key=lambda one: -one[0]) if share >= ALIKE]


def _likeness(words: set[str], wanted: list[set[str]]) -> float:
    return max((len(words & others) / len(words | others) for others in wanted if words | others), default=0.0)


def _words(text: str) -> set[str]:
    return {word for word in _WORD.findall(text.lower()) if word not in _EMPTY}
