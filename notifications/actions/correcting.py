"""An address was wrong: it is put right where it belongs, in the master data, and what could not be told goes out."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from notifications import readers
from notifications.actions import addresses, dead
from notifications.actions.dead import Replayed
from notifications.models import Address, DeadLetter, Recipient
from notifications.statuses import AddressState, Channel, DeadState, OffReason
from orders.actions import customers
from parts.actors import Actor
from parts.errors import Refused
from parts.sentences import sentence

#: Where the master data keeps the address of a channel.
_FIELD = {Channel.EMAIL.value: "email", Channel.SMS.value: "phone"}
#: What an address was switched off for that a person may know to be over. A reader's own wish is not.
_MENDABLE = (OffReason.BOUNCED, OffReason.STAFF, OffReason.REPLACED)


class NotHere(Refused):
    """The reader's address is not for the house to correct."""

    code = "not_here"


class NotWanted(Refused):
    """The reader wants nothing at this address."""

    code = "not_wanted"


def is_correctable(letter: DeadLetter) -> bool:
    """Tell whether the address of a letter's reader is one of the master data of a customer."""
    return letter.channel in _FIELD and letter.recipient.is_main


def correct(*, letter_id: UUID, value: str, why: str, by: Actor, at: datetime) -> Replayed:
    """Put the address right to which a letter goes, and send again whatever this reader was not told over the channel.

    The same address again says that it works now. Raises Forbidden, NotFound, Invalid, AlreadySettled, NotHere,
    NotWanted, NoWay; then nothing is changed.
    """
    by.require(dead.REPLAY)
    by.require(customers.CHANGE)
    why = dead.because(why)
    with transaction.atomic():
        letter = dead.open_letter(letter_id)
        if not is_correctable(letter):
            raise NotHere(sentence("Only the address of a customer's main contact is corrected here."))
        cleaned = addresses.cleaned(letter.channel, value)
        reader = letter.recipient
        assert reader.customer_id is not None
        customers.correct_contact(
            customer_id=reader.customer_id, field=_FIELD[letter.channel], value=cleaned, why=why, by=by
        )
        _switch_on(reader, letter.channel, cleaned, at)
        theirs = DeadLetter.objects.filter(recipient=reader, channel=letter.channel, state=DeadState.OPEN)
        keys = theirs.order_by("rank").values_list("pk", flat=True)[: dead.MOST_AT_ONCE]
        done = dead.replay(letters=[letter.pk, *(key for key in keys if key != letter.pk)], why=why, by=by, at=at)
        if done.without_a_way:
            raise NotWanted(sentence("The reader wants no messages at this address."))
    return done


def _switch_on(reader: Recipient, channel: str, value: str, at: datetime) -> None:
    """Let an address of the master data be written to that had been switched off for a fault."""
    Recipient.objects.select_for_update().get(pk=reader.pk)
    off = Address.objects.filter(
        recipient=reader, channel=channel, value=value, state=AddressState.OFF, off_reason__in=_MENDABLE
    )
    readers.bring_up_to_date(customers=[reader.customer_id] if reader.customer_id else [], users=[], at=at)
    if Address.objects.filter(recipient=reader, channel=channel, state=AddressState.CONFIRMED).exists():
        return
    if address := off.order_by("-off_at").first():
        address.state, address.confirmed_at = AddressState.CONFIRMED, at
        address.off_at, address.off_reason, address.follows_master_data = None, "", True
        address.save()
