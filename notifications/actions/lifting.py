"""Letting SMS go to a number again that had stopped them: never by the word of the house alone.

Whoever wrote STOP took their consent back, and only they give it again: by START, or here, where somebody of the house
writes down that they asked for it. Even then nothing goes there but one question, and all else only after a yes.
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction

from notifications.actions import addresses
from notifications.models import Address, LiftedStop, StoppedNumber
from notifications.statuses import AddressState, Channel, LiftedBecause, OffReason
from orders.rules import text_faults
from parts.actors import Actor
from parts.errors import Invalid, NotFound
from parts.sentences import sentence

logger = logging.getLogger(__name__)

LIFT = "notifications.lift_stoppednumber"
_LONGEST = 300
#: A number belongs to few; more are not asked at once.
_MOST = 10


def lift(*, number: str, because: str, reason: str, by: Actor, source: str, at: datetime) -> int:
    """Lift the stop of a number, on record, and ask there whether we may write; return how many were asked.

    Nothing else goes there before somebody says yes. Where the number has another owner now, those whose it was are
    not asked: it is no longer theirs. Raises Forbidden, Invalid, and NotFound for a number that is not stopped.
    """
    by.require(LIFT)
    reason = " ".join(reason.split())
    faults = text_faults(reason=(reason, _LONGEST))
    if not reason:
        faults["reason"] = [sentence("Say why, and how its owner let you know.")]
    if because not in LiftedBecause.values:
        faults["because"] = [sentence("Choose one.")]
    if faults:
        raise Invalid(sentence("This cannot be kept as it is."), faults)
    with transaction.atomic():
        stopped = StoppedNumber.objects.select_for_update().filter(pk=number).first()
        if stopped is None:
            raise NotFound(sentence("This number has not stopped SMS, or they go to it again by now."))
        LiftedStop.objects.create(
            number=number,
            stopped_at=stopped.stopped_at,
            lifted_at=at,
            actor=by.reference,
            because=because,
            reason=reason,
        )
        stopped.delete()
        asked = _ask_anew(number, because, at)
    logger.info("a stop of SMS was lifted", extra={"by": by.reference, "asked": asked})
    return asked


def _ask_anew(number: str, because: str, at: datetime) -> int:
    """Take back that a number is confirmed, and ask there anew; return how many were asked."""
    theirs = Address.objects.select_for_update(of=("self",)).filter(
        channel=Channel.SMS, value=number, state=AddressState.CONFIRMED
    )
    found = list(theirs.select_related("recipient").order_by("pk")[:_MOST])
    for address in found:  # few
        if because == LiftedBecause.ANOTHER:
            addresses.end(address, OffReason.STAFF, at)
            continue
        waiting = Address.objects.filter(
            recipient=address.recipient_id, channel=Channel.SMS, state=AddressState.UNCONFIRMED
        )
        for other in waiting:  # one at most
            addresses.end(other, OffReason.REPLACED, at)
        address.state = AddressState.UNCONFIRMED
        addresses.ask(address, at)
    return 0 if because == LiftedBecause.ANOTHER else len(found)
