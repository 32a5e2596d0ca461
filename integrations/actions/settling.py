"""What people do with messages that were not accepted: work on them again, as they are or corrected, or discard."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction

from integrations.models import InboundDeed, InboundMessage
from integrations.statuses import MessageStatus
from orders.errors import NothingToDo, ReasonRequired
from orders.rules import check_texts
from parts.actors import Actor
from parts.errors import Invalid, NotFound
from parts.sentences import sentence

LONGEST_REASON = 300
MOST_AT_ONCE = 10_000
#: A message that a person has to see to.
NEEDS_SOMEBODY = (MessageStatus.REJECTED, MessageStatus.PARKED, MessageStatus.DEAD)
_AGAIN = {"status": MessageStatus.RECEIVED, "settled_at": None, "waits_for": "", "due_at": None, "attempts": 0}


def replay(*, messages: Collection[UUID], by: Actor, at: datetime, reason: str = "") -> int:
    """Let messages that were not accepted be worked on again; return how many. What they did stays done once.

    Raises Forbidden (`integrations.replay_inboundmessage`), Invalid for more than 10,000.
    """
    _check(by, reason, len(messages))
    with transaction.atomic():
        keys = _lock(messages)
        InboundMessage.objects.filter(pk__in=keys).update(**_AGAIN)
        _note(keys, "replayed", by, at, reason)
    return len(keys)


def edit(*, message: UUID, body: bytes, by: Actor, at: datetime, reason: str) -> None:
    """Correct a message that was not accepted and let it be worked on; what came is kept with the deed.

    Raises Forbidden, ReasonRequired, NothingToDo for one that was accepted or is no other, NotFound.
    """
    _check(by, reason)
    _check_reason(reason)
    with transaction.atomic():
        if not _lock([message]):
            raise _nothing_to_do(message)
        row = InboundMessage.objects.get(pk=message)
        if bytes(row.body) == body:
            raise NothingToDo(sentence("Nothing was changed."))
        InboundDeed.objects.create(
            message_id=message, deed="edited", by=by.reference, at=at, reason=reason.strip(), body_before=row.body
        )
        fingerprint = hashlib.sha256(body).digest()
        InboundMessage.objects.filter(pk=message).update(**_AGAIN, body=body, fingerprint=fingerprint)


def discard(*, messages: Collection[UUID], by: Actor, at: datetime, reason: str) -> int:
    """Settle that nothing more is to come of messages; return how many. Raises Forbidden, ReasonRequired, Invalid."""
    _check(by, reason, len(messages))
    _check_reason(reason)
    with transaction.atomic():
        keys = _lock(messages)
        InboundMessage.objects.filter(pk__in=keys).update(
            status=MessageStatus.REJECTED, cause="discarded", waits_for="", due_at=None, settled_at=at
        )
        _note(keys, "discarded", by, at, reason)
    return len(keys)


def _check(by: Actor, reason: str, count: int = 1) -> None:
    by.require("integrations.replay_inboundmessage")
    check_texts(reason=(reason, LONGEST_REASON))
    if count > MOST_AT_ONCE:
        raise Invalid(sentence("At most {most} messages at once.", most=MOST_AT_ONCE))


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise ReasonRequired(sentence("Say why."), fields={"reason": [sentence("A reason is required.")]})


def _lock(messages: Collection[UUID]) -> list[UUID]:
    """Lock those of the messages that somebody has to see to, in one order, and return their keys."""
    rows = InboundMessage.objects.select_for_update(no_key=True).filter(pk__in=messages, status__in=NEEDS_SOMEBODY)
    return list(rows.order_by("id").values_list("pk", flat=True))


def _nothing_to_do(message: UUID) -> Exception:
    if not InboundMessage.objects.filter(pk=message).exists():
        return NotFound(sentence("There is no such message."), id=str(message))
    return NothingToDo(sentence("Nothing has to be done about this message."))


def _note(keys: Collection[UUID], deed: str, by: Actor, at: datetime, reason: str) -> None:
    InboundDeed.objects.bulk_create(
        InboundDeed(message_id=key, deed=deed, by=by.reference, at=at, reason=reason.strip()) for key in keys
    )
