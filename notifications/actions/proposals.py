"""Proposals for the words of a status: made from an order, accepted as a draft, or declined with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from notifications import readers
from notifications.actions import addresses
from notifications.letters import PROPOSAL
from notifications.models import RootCause, WordProposal
from notifications.statuses import Channel, ProposalState
from orders import wording
from orders.actions.wording import LONGEST_NEXT_STEP, LONGEST_WORD, Words, save_draft
from orders.models import CustomerWordDraft, PartsOrder, ServiceOrder
from orders.rules import check_texts
from orders.wording import LINE, SERVICE_ORDER
from parts.actors import Actor
from parts.errors import Invalid, NotFound, Refused
from parts.sentences import Says, sentence

PROPOSE, REVIEW = "notifications.add_wordproposal", "notifications.review_wordproposal"
LONGEST_SAID, LONGEST_ANSWER = 1000, 300
#: So many one person proposes in a day.
MOST_A_DAY = 30
_DAY = timedelta(days=1)


class AlreadyAnswered(Refused):
    """The proposal was answered the other way."""

    code = "already_answered"


class TooManyProposals(Refused):
    """Somebody proposed as much today as one may."""

    code = "too_many_proposals"
    status = 429


@dataclass(frozen=True, slots=True)
class Proposed:
    """What somebody says of a status. The words may be empty: then only that it does not fit."""

    said: str
    cause_id: UUID
    language: str
    word: str = ""
    next_step: str = ""


def propose(
    *, kind: str, order_id: UUID, status: str, proposed: Proposed, form_key: str, by: Actor, source: str, at: datetime
) -> WordProposal:
    """Say that a status does not say what is happening to an order, and return that; the same form again is the same.

    `kind` is service_order or parts_order, `status` the one that was seen. Raises Forbidden, NotFound for an order that
    this person does not see, Invalid, TooManyProposals.
    """
    by.require(PROPOSE)
    person = User.objects.filter(pk=by.user_id, is_active=True).first() if by.user_id is not None else None
    if person is None:
        raise NotFound(sentence("There is no such person."))
    known = WordProposal.objects.filter(form_key=form_key).first()
    if known is not None:
        if known.proposed_by_id != person.pk:
            raise NotFound(sentence("There is no such order."))
        return known
    rows = ServiceOrder.objects.visible_to(person) if kind == SERVICE_ORDER else PartsOrder.objects.visible_to(person)
    order = rows.filter(pk=order_id).first()
    if order is None:
        raise NotFound(sentence("There is no such order."), id=str(order_id))
    subject = SERVICE_ORDER if kind == SERVICE_ORDER else LINE
    _check(subject, status, proposed, form_key)
    if WordProposal.objects.filter(proposed_by=person, proposed_at__gt=at - _DAY).count() >= MOST_A_DAY:
        raise TooManyProposals(sentence("You have proposed a lot today. Try again tomorrow."))
    row, _is_new = WordProposal.objects.get_or_create(
        form_key=form_key,
        defaults={
            "subject": subject,
            "status": status,
            kind: order,
            "cause_id": proposed.cause_id,
            "said": proposed.said.strip(),
            "language": proposed.language,
            "word": " ".join(proposed.word.split()),
            "next_step": " ".join(proposed.next_step.split()),
            "proposed_by": person,
            "proposed_at": at,
        },
    )
    return row


def accept(
    *, proposal_id: UUID, words: Words, effective_from: datetime | None, by: Actor, source: str, at: datetime
) -> WordProposal:
    """Take a proposal over into the draft of its status, in its language, and tell who proposed it.

    Customers read it when the draft is published. A repeat changes nothing. Raises Forbidden, NotFound, Invalid,
    AlreadyAnswered.
    """
    by.require(REVIEW)
    with transaction.atomic():
        row = _locked(proposal_id)
        if row.state == ProposalState.ACCEPTED:
            return row
        _require_open(row)
        draft = CustomerWordDraft.objects.filter(subject=row.subject, status=row.status).first()
        save_draft(
            subject=row.subject,
            status=row.status,
            words=_all_words(row, draft, at) | {row.language: words},
            effective_from=effective_from or (draft.effective_from if draft else None),
            why=draft.why if draft and draft.why else row.said[:300],
            seen=draft.written_at if draft else None,
            by=by,
            source=source,
            at=at,
        )
        _answer(row, ProposalState.ACCEPTED, "", by, at)
    return row


def decline(*, proposal_id: UUID, answer: str, by: Actor, source: str, at: datetime) -> WordProposal:
    """Decline a proposal with a reason, and tell who proposed it. A repeat changes nothing.

    Raises Forbidden, NotFound, Invalid without a reason, AlreadyAnswered.
    """
    by.require(REVIEW)
    if not answer.strip():
        raise Invalid(sentence("Say why."), {"answer": [sentence("Say why.")]})
    check_texts(answer=(answer, LONGEST_ANSWER))
    with transaction.atomic():
        row = _locked(proposal_id)
        if row.state == ProposalState.DECLINED:
            return row
        _require_open(row)
        _answer(row, ProposalState.DECLINED, answer.strip(), by, at)
    return row


def _all_words(row: WordProposal, draft: CustomerWordDraft | None, at: datetime) -> dict[str, Words]:
    """Return the words of a status in all languages: those drafted, else those in force."""
    found = {}
    for language, _name in settings.LANGUAGES:
        in_force = wording.read(language, at)
        drafted = draft.words.get(language) if draft else None
        found[language] = (
            Words(drafted["word"], drafted["next_step"])
            if drafted
            else Words(in_force.word(row.subject, row.status), in_force.next_step(row.subject, row.status))
        )
    return found


def _locked(proposal_id: UUID) -> WordProposal:
    row = WordProposal.objects.select_for_update(of=("self",)).filter(pk=proposal_id).first()
    if row is None:
        raise NotFound(sentence("There is no such proposal."), id=str(proposal_id))
    return row


def _require_open(row: WordProposal) -> None:
    if row.state != ProposalState.OPEN:
        raise AlreadyAnswered(sentence("Somebody has answered this already."), current=row.state)


def _answer(row: WordProposal, state: ProposalState, answer: str, by: Actor, at: datetime) -> None:
    row.state, row.answer, row.answered_by, row.answered_at = state, answer, by.reference, at
    row.save(update_fields=["state", "answer", "answered_by", "answered_at"])
    if row.proposed_by.is_active:
        reader = readers.of_person(row.proposed_by_id, at)
        addresses.write_letter(reader, PROPOSAL, row.pk, [Channel.INBOX.value], at)


def _check(subject: str, status: str, proposed: Proposed, form_key: str) -> None:
    faults: dict[str, list[Says]] = {}
    if status not in wording.LABELS[subject]:
        faults["status"] = [sentence("There is no such status.")]
    if not proposed.said.strip():
        faults["said"] = [sentence("Say what is happening.")]
    if proposed.language not in dict(settings.LANGUAGES):
        faults["language"] = [sentence("We do not write in this language.")]
    if not RootCause.objects.filter(pk=proposed.cause_id, is_active=True).exists():
        faults["cause"] = [sentence("Choose one.")]
    if faults:
        raise Invalid(sentence("This cannot be proposed as it is."), faults)
    check_texts(
        said=(proposed.said, LONGEST_SAID),
        word=(proposed.word, LONGEST_WORD),
        next_step=(proposed.next_step, LONGEST_NEXT_STEP),
        form_key=(form_key, 60),
    )
