"""Where readers are reached: named, confirmed by whoever reads there, given up.

An address that somebody names is asked once whether we may write there; nothing else goes to it before it is confirmed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator, validate_email
from django.db import transaction
from django.db.models import Q

from notifications.letters import ALLOW, CONFIRM, CONFIRM_WITHIN, SWITCHED_OFF, digest, token_of
from notifications.models import Address, Notice, Recipient, StoppedNumber
from notifications.statuses import AddressState, Channel, NoticeState, OffReason
from parts.actors import Actor
from parts.errors import Invalid, NotFound, Refused
from parts.sentences import sentence

#: The channels of which a reader names an address by hand.
NAMED = (Channel.EMAIL.value, Channel.SMS.value, Channel.CHAT.value)
#: How often a reader may have an address asked in a day, and how often one address is asked whoever names it.
MOST_A_DAY, MOST_OF_AN_ADDRESS = 5, 3
_DAY = timedelta(days=1)
_INBOX = Channel.INBOX.value
_ASKING = (CONFIRM, ALLOW)
_MOBILE = RegexValidator(r"^\+[1-9][0-9]{7,14}\Z")
_CHAT = RegexValidator(r"^[\w@#.:+/-]{2,120}\Z")


class ConfirmationEnded(Refused):
    """The confirmation does not work: there is none, it was used, it has lapsed, or another was asked for since."""

    code = "confirmation_ended"
    status = 404

    def __init__(self) -> None:
        super().__init__(sentence("This confirmation does not work any more."))


class AskedTooOften(Refused):
    """Addresses were asked as often today as one may."""

    code = "asked_too_often"
    status = 429


def own_reader(by: Actor) -> Recipient:
    """Return the locked reader that somebody of the house is. Raises NotFound."""
    found = Recipient.objects.select_for_update().filter(user=by.user_id).first() if by.user_id is not None else None
    if found is None:
        raise NotFound(sentence("There is no such reader."))
    return found


def name_address(*, channel: str, value: str, by: Actor, at: datetime) -> Address:
    """Name an address of one's own and have it asked whether we may write there; an earlier asking lapses.

    What is written to now stays until the new one is confirmed. Raises Invalid, AskedTooOften, NotFound, and Refused
    for one that is confirmed already.
    """
    value = cleaned(channel, value)
    with transaction.atomic():
        return name_for(own_reader(by), channel, value, at)


def name_for(reader: Recipient, channel: str, value: str, at: datetime) -> Address:
    """Name an address of a locked reader, as `name_address` does. Must be used inside a transaction."""
    theirs = Address.objects.select_for_update().filter(recipient=reader, channel=channel)
    if theirs.filter(value=value, state=AddressState.CONFIRMED).exists():
        raise Refused(sentence("Messages go to this address already."))
    require_not_stopped(channel, value)
    check_measure(reader, channel, value, at)
    address = waiting_for(reader, channel, value, at)
    ask(address, at)
    return address


def require_not_stopped(channel: str, value: str) -> None:
    """Raise Refused for a number whose owner stopped all SMS."""
    if channel == Channel.SMS and StoppedNumber.objects.filter(pk=value).exists():
        raise Refused(sentence("This number has stopped all SMS. Send START from it to our number first."))


def tell_owner(*, address: Address, at: datetime) -> None:
    """Tell a reader that an address of theirs was switched off."""
    _tell_owners([address], at)


def waiting_for(reader: Recipient, channel: str, value: str, at: datetime) -> Address:
    """Return a reader's unconfirmed address of a channel with this value, not saved yet; another one lapses."""
    waiting = Address.objects.filter(recipient=reader, channel=channel, state=AddressState.UNCONFIRMED).first()
    if waiting is not None and waiting.value != value:
        end(waiting, OffReason.REPLACED, at)
        waiting = None
    return waiting or Address(recipient=reader, channel=channel, value=value)


def ask(address: Address, at: datetime) -> None:
    """Ask at an unconfirmed address whether we may write there."""
    address.allowance_hash = None
    address.confirmation_asked_at = at
    address.confirmation_hash = digest(token_of(address))
    address.save()
    write_letter(address.recipient, CONFIRM, address.pk, [address.channel], at)


def cleaned(channel: str, value: str) -> str:
    """Return an address as it is kept. Raises Invalid for one that is none."""
    value = value.strip()
    try:
        if channel == Channel.EMAIL:
            validate_email(value)
        elif channel == Channel.SMS:
            value = "".join(letter for letter in value if letter not in " -/().\u00a0")
            _MOBILE(value)
        elif channel == Channel.CHAT:
            _CHAT(value)
        else:
            raise Invalid(sentence("Such an address cannot be named by hand."), {"channel": [sentence("Choose one.")]})
    except ValidationError as error:
        said = {
            Channel.EMAIL.value: sentence("Write it like name@example.com."),
            Channel.SMS.value: sentence("Write it with the country's code, like +49 170 1234567."),
            Channel.CHAT.value: sentence("Write the name or the room, without spaces."),
        }[channel]
        raise Invalid(sentence("This is not an address."), {"value": [said]}) from error
    return value


def check_measure(reader: Recipient, channel: str, value: str, at: datetime) -> None:
    """Raise AskedTooOften where a reader, or who names this address whoever they are, asked often enough in a day."""
    asked = Notice.objects.filter(recipient=reader, thread_kind__in=_ASKING, caused_at__gt=at - _DAY).count()
    others = Notice.objects.filter(
        thread_kind__in=_ASKING,
        caused_at__gt=at - _DAY,
        thread_id__in=Address.objects.filter(channel=channel, value=value).values("pk"),
    ).count()
    if asked >= MOST_A_DAY or others >= MOST_OF_AN_ADDRESS:
        raise AskedTooOften(sentence("Addresses were asked often enough today. Try again tomorrow."))


def to_confirm(token: str, at: datetime) -> Address | None:
    """Return the address that a token confirms; None for one that confirms nothing, whyever. One query."""
    return (
        Address.objects.filter(
            confirmation_hash=digest(token),
            state=AddressState.UNCONFIRMED,
            confirmation_asked_at__gt=at - CONFIRM_WITHIN,
        )
        .select_related("recipient__customer")
        .first()
    )


def confirm(*, token: str, at: datetime) -> Address:
    """Confirm an address by the token that was sent to it; it takes the place of the one before. Works once.

    Whoever reads at the address has the token; who they are is not asked. Raises ConfirmationEnded.
    """
    with transaction.atomic():
        found = to_confirm(token, at)
        if found is None:
            raise ConfirmationEnded
        Recipient.objects.select_for_update().get(pk=found.recipient_id)
        address = to_confirm(token, at)  # as it is now that nobody else can change it
        if address is None:
            raise ConfirmationEnded
        before = Address.objects.filter(
            recipient=address.recipient_id, channel=address.channel, state=AddressState.CONFIRMED
        )
        for one in before:
            end(one, OffReason.REPLACED, at)
        address.state, address.confirmed_at = AddressState.CONFIRMED, at
        address.is_wanted, address.confirmation_hash = True, None
        address.save()
    return address


def give_up(*, address_id: UUID, by: Actor, at: datetime) -> None:
    """Take an address of one's own away; a repeat changes nothing.

    That of the master data stays: whoever wants no messages there says so (`preferences.change`). Raises NotFound.
    """
    with transaction.atomic():
        reader = own_reader(by)
        address = Address.objects.filter(recipient=reader, pk=address_id, follows_master_data=False).first()
        if address is None:
            raise NotFound(sentence("There is no such address."), id=str(address_id))
        if address.state != AddressState.OFF:
            end(address, OffReason.READER, at)


def end(address: Address, reason: OffReason, at: datetime) -> None:
    """Write to an address no more, and save it."""
    address.state, address.off_at, address.off_reason = AddressState.OFF, at, reason
    address.confirmation_hash = address.allowance_hash = None
    address.save()


def switch_off(
    *, channel: str, values: Collection[str], reason: OffReason, at: datetime, since: datetime, recipient: UUID | None
) -> int:
    """Switch off where nothing arrives any more, and tell whose it is; return how many were on.

    Of one reader, or of everybody whose it is. One that was confirmed after `since` stays: what is reported is older.
    Four statements for any number.
    """
    with transaction.atomic():
        found = Address.objects.filter(channel=channel, value__in=values).exclude(state=AddressState.OFF)
        found = found.filter(Q(confirmed_at=None) | Q(confirmed_at__lte=since))
        if recipient is not None:
            found = found.filter(recipient=recipient)
        switched = list(found.select_for_update(of=("self",)).select_related("recipient").order_by("pk"))
        Address.objects.filter(pk__in=[address.pk for address in switched]).update(
            state=AddressState.OFF, off_at=at, off_reason=reason, confirmation_hash=None, allowance_hash=None
        )
        if reason != OffReason.READER:  # who wanted it knows
            _tell_owners(switched, at)
    return len(switched)


def _tell_owners(switched: Collection[Address], at: datetime) -> None:
    """Tell readers that an address of theirs was switched off: in the house, and by the ways that are left."""
    ways: dict[UUID, list[str]] = defaultdict(list)
    left = Address.objects.usable().filter(recipient__in={address.recipient_id for address in switched})
    for recipient, channel in left.values_list("recipient", "channel").distinct() if switched else ():
        ways[recipient].append(channel)
    Notice.objects.bulk_create(
        [
            _notice(address.recipient, SWITCHED_OFF, address.pk, channel, at)
            for address in switched
            for channel in [*ways[address.recipient_id], *([_INBOX] if address.recipient.user_id is not None else [])]
        ],
        ignore_conflicts=True,  # one that waits already says it
    )


def write_letter(reader: Recipient, kind: str, thread: UUID, channels: Sequence[str], at: datetime) -> None:
    """Write notices to a reader that no order caused, over each channel; one that waits already says it.

    What waits in the same thread to ask something else is of no use any more.
    """
    waiting = Notice.objects.filter(recipient=reader, thread_id=thread, state=NoticeState.WAITING)
    waiting.exclude(thread_kind=kind).update(state=NoticeState.DROPPED, ended_at=at)
    Notice.objects.bulk_create(
        [_notice(reader, kind, thread, channel, at) for channel in channels], ignore_conflicts=True
    )


def _notice(reader: Recipient, kind: str, thread: UUID, channel: str, at: datetime) -> Notice:
    return Notice(
        recipient=reader,
        channel=channel,
        thread_kind=kind,
        thread_id=thread,
        is_urgent=kind in _ASKING,  # whoever asked for it waits for it
        due_at=at,
        caused_at=at,
    )
