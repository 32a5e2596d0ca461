"""The words in which customers read a status: drafted, published from a moment on, withdrawn, used again.

Nothing that was in force is ever changed: other words are published from a moment on that has not passed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from orders import wording
from orders.models import CustomerWord, CustomerWordDraft
from orders.models.words import SHIPPED
from orders.wording import BEGINNING, DEFAULTS
from parts.actors import Actor
from parts.errors import Invalid, NotFound, Refused, VersionConflict
from parts.sentences import Says, sentence

DRAFT, PUBLISH = "orders.change_customerword", "orders.publish_customerword"
LONGEST_WORD, LONGEST_NEXT_STEP, LONGEST_WHY = 60, 200, 300


@dataclass(frozen=True, slots=True)
class Words:
    """What is said of a status in one language."""

    word: str
    next_step: str


class NothingNew(Refused):
    """These words are in force then already."""

    code = "nothing_new"


class AlreadyBegun(Refused):
    """These words are in force already, or were; they can only be followed by others."""

    code = "already_begun"


def write_rows(at: datetime | None = None) -> int:
    """Add Backline's own words where a status has none, and its new ones where nobody wrote others; return how many.

    What people wrote stays. A repeat adds nothing.
    """
    at = at or timezone.now()
    newest: dict[tuple[str, str, str], CustomerWord] = {}
    for row in wording.standing():
        newest.setdefault((row.subject, row.status, row.language), row)
    missing = []
    for subject in DEFAULTS:
        for language, _name in settings.LANGUAGES:
            next_steps = wording.own_next_steps(subject, language)
            for status, word in wording.own_words(subject, language).items():
                last = newest.get((subject, status, language))
                is_ours = last is not None and last.why == SHIPPED
                if last is None or (is_ours and (last.word, last.next_step) != (word, next_steps[status])):
                    missing.append(
                        CustomerWord(
                            subject=subject,
                            status=status,
                            language=language,
                            word=word,
                            next_step=next_steps[status],
                            effective_from=at if last else BEGINNING,
                            why=SHIPPED,
                            published_by=Actor.system("backline").reference,
                            published_at=at,
                        )
                    )
    return len(CustomerWord.objects.bulk_create(missing, ignore_conflicts=True))


def save_draft(
    *,
    subject: str,
    status: str,
    words: Mapping[str, Words],
    effective_from: datetime | None,
    why: str,
    seen: datetime | None,
    by: Actor,
    source: str,
    at: datetime,
) -> CustomerWordDraft:
    """Keep words for a status as its draft, which nobody reads, and return it.

    `seen` is when the draft was written that the writer began with; None: there was none. Raises Forbidden, NotFound,
    Invalid, VersionConflict where somebody else wrote meanwhile.
    """
    by.require(DRAFT)
    _require_status(subject, status)
    kept = _cleaned(words)
    if len(why) > LONGEST_WHY:
        raise _not_so({"why": [sentence("At most {most} characters.", most=LONGEST_WHY)]})
    with transaction.atomic():
        _lock(subject, status)
        draft = CustomerWordDraft.objects.filter(subject=subject, status=status).first()
        if (draft.written_at if draft else None) != seen:
            raise VersionConflict(sentence("Somebody else has written here since. Compare it with yours."))
        draft = draft or CustomerWordDraft(subject=subject, status=status)
        draft.words = {language: {"word": one.word, "next_step": one.next_step} for language, one in kept.items()}
        draft.effective_from, draft.why = effective_from, why.strip()
        draft.written_by, draft.written_at = by.reference, at
        draft.save()
    return draft


def discard_draft(*, subject: str, status: str, by: Actor, source: str, at: datetime) -> bool:
    """Throw the draft of a status away; return whether there was one. Raises Forbidden."""
    by.require(DRAFT)
    thrown, _by_model = CustomerWordDraft.objects.filter(subject=subject, status=status).delete()
    return bool(thrown)


def publish(
    *,
    subject: str,
    status: str,
    words: Mapping[str, Words],
    effective_from: datetime | None,
    why: str,
    by: Actor,
    source: str,
    at: datetime,
) -> list[CustomerWord]:
    """Let customers read these words for a status from a moment on (None: at once); return what is new by language.

    A language that would read the same then as before is left out; the draft of the status is thrown away. Raises
    Forbidden, NotFound, Invalid for a moment that has passed or that has other words already, and for words that are
    missing or too long, and NothingNew.
    """
    by.require(PUBLISH)
    _require_status(subject, status)
    kept, why = _cleaned(words), _required(why)
    if effective_from is not None and effective_from < at:
        said = sentence("This has passed. Words that were read cannot be changed afterwards.")
        raise _not_so({"effective_from": [said]})
    with transaction.atomic():
        new = _put(subject, status, kept, effective_from or at, why, by, at)
        CustomerWordDraft.objects.filter(subject=subject, status=status).delete()
    return new


def use_again(*, word_id: UUID, why: str, by: Actor, source: str, at: datetime) -> CustomerWord:
    """Let customers read older words again from now on, in their language; return them.

    Raises Forbidden, NotFound, Invalid without a reason, NothingNew where they are in force.
    """
    by.require(PUBLISH)
    old = CustomerWord.objects.filter(pk=word_id).first()
    if old is None:
        raise NotFound(sentence("There are no such words."), id=str(word_id))
    why = _required(why)
    with transaction.atomic():
        words = {old.language: Words(old.word, old.next_step)}
        [new] = _put(old.subject, old.status, words, at, why, by, at)
    return new


def withdraw(*, word_id: UUID, by: Actor, source: str, at: datetime) -> CustomerWord:
    """Take words back before they come into force; a repeat changes nothing.

    Raises Forbidden, NotFound, AlreadyBegun.
    """
    by.require(PUBLISH)
    with transaction.atomic():
        row = CustomerWord.objects.select_for_update().filter(pk=word_id).first()
        if row is None:
            raise NotFound(sentence("There are no such words."), id=str(word_id))
        if row.withdrawn_at is None:
            if row.effective_from <= at:
                raise AlreadyBegun(sentence("These words are in force already. Publish others instead."))
            row.withdrawn_at, row.withdrawn_by = at, by.reference
            row.save(update_fields=["withdrawn_at", "withdrawn_by"])
    return row


def _put(
    subject: str, status: str, words: Mapping[str, Words], moment: datetime, why: str, by: Actor, at: datetime
) -> list[CustomerWord]:
    """Publish words that differ from those in force at a moment. Raises Invalid, NothingNew."""
    _lock(subject, status)
    rows = wording.standing(subject=subject, status=status)
    before = wording.in_force(rows, moment)
    new = [
        CustomerWord(
            subject=subject,
            status=status,
            language=language,
            word=one.word,
            next_step=one.next_step,
            effective_from=moment,
            why=why,
            published_by=by.reference,
            published_at=at,
        )
        for language, one in words.items()
        if (old := before.get((subject, status, language))) is None
        or (old.word, old.next_step) != (one.word, one.next_step)
    ]
    if not new:
        raise NothingNew(sentence("It says the same as what is in force then."))
    taken = {row.language for row in rows if row.effective_from == moment}
    if taken & {row.language for row in new}:
        raise _not_so({"effective_from": [sentence("Other words begin at this moment already. Choose another.")]})
    return CustomerWord.objects.bulk_create(new)


def _lock(subject: str, status: str) -> None:
    """Let who writes words for a status do so one after the other. Must be used inside a transaction."""
    rows = CustomerWord.objects.select_for_update().filter(subject=subject, status=status)
    list(rows.order_by("id").values_list("id"))


def _require_status(subject: str, status: str) -> None:
    if subject not in DEFAULTS or status not in DEFAULTS[subject][0]:
        raise NotFound(sentence("There is no such status."), subject=subject, status=status)


def _cleaned(words: Mapping[str, Words]) -> dict[str, Words]:
    """Return words without the spaces around them. Raises Invalid; `fields` are named <what>_<language>."""
    faults: dict[str, Sequence[Says]] = {}
    kept: dict[str, Words] = {}
    for language, one in words.items():
        if language not in dict(settings.LANGUAGES):
            raise _not_so({"language": [sentence("We do not write in this language.")]})
        kept[language] = Words(" ".join(one.word.split()), " ".join(one.next_step.split()))
        for name, said, most in (
            ("word", kept[language].word, LONGEST_WORD),
            ("next_step", kept[language].next_step, LONGEST_NEXT_STEP),
        ):
            if not said:
                faults[f"{name}_{language}"] = [sentence("This is missing.")]
            elif len(said) > most:
                faults[f"{name}_{language}"] = [sentence("At most {most} characters.", most=most)]
            elif not said.isprintable():
                faults[f"{name}_{language}"] = [sentence("Write it in plain text.")]
    if faults:
        raise _not_so(faults)
    return kept


def _not_so(faults: Mapping[str, Sequence[Says]]) -> Invalid:
    return Invalid(sentence("These words cannot be kept as they are."), faults)


def _required(why: str) -> str:
    if not why.strip():
        raise Invalid(sentence("Say why."), {"why": [sentence("Say why.")]})
    return why.strip()[:LONGEST_WHY]
