"""How contacts of customers are told: what they say by their link, and what people of the house enter for them.

Whoever has a link may be anybody: links are passed on. So by a link one may be told less, and is then told of that at
the address one had; where one is told is changed only with the word of whoever reads at an address confirmed before,
and of whoever reads at the new one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid5

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from notifications import contacts
from notifications.actions import addresses
from notifications.letters import ALLOW, CONFIRM_WITHIN, WISHES, allowance_of, digest
from notifications.models import Address, Recipient
from notifications.statuses import AddressState, Channel, Kind, OffReason
from orders.actions.tracking import LinkEnded, TooMuch
from orders.models import TrackingLink
from orders.tracking import reference_of
from parts.actors import Actor
from parts.errors import Forbidden, Invalid, NotFound, Refused
from parts.sentences import Says, sentence
from parts.zones import known_zone

#: Over which way somebody is asked about their own addresses, the best first.
_ASKED_BY = (Channel.EMAIL.value, Channel.SMS.value, Channel.CHAT.value)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a contact wishes. `wanted` names the addresses that are written to, `unwanted` kinds of news."""

    language: str
    time_zone: str
    quiet_from: time | None
    quiet_until: time | None
    muted_until: datetime | None
    wanted: Collection[UUID]
    unwanted: Collection[str]


class NobodysLink(Refused):
    """The link was not sent to a contact: by it nobody's wishes are known, nor changed."""

    code = "nobodys_link"


class NowhereToAsk(Refused):
    """The contact has no confirmed address at which could be asked whether a new one is right."""

    code = "nowhere_to_ask"


# --- By the link ------------------------------------------------------------------------------------------------------


def change(*, link_id: UUID, wishes: Wishes, by: Actor, at: datetime) -> bool:
    """Keep what a contact wishes, said by their link; return whether that changed anything.

    They are told so where they were reached before. What cannot be muted comes all the same. Raises Forbidden,
    LinkEnded, NobodysLink, Invalid, TooMuch.
    """
    with transaction.atomic():
        reader = _held(link_id, by, at)
        _check(wishes, at)
        ways = _asked_by(reader)
        theirs = list(Address.objects.filter(recipient=reader, state=AddressState.CONFIRMED))
        turned = [address for address in theirs if address.is_wanted != (address.pk in wishes.wanted)]
        before = _said(reader)
        reader.language, reader.time_zone = wishes.language, wishes.time_zone
        reader.quiet_from, reader.quiet_until = wishes.quiet_from, wishes.quiet_until
        reader.muted_until, reader.unwanted_kinds = wishes.muted_until, sorted(set(wishes.unwanted))
        if before == _said(reader) and not turned:
            return False
        _check_measure(reader, by, at)
        _as_said_by(reader, by).save()
        for address in turned:  # one of each channel at most
            address.is_wanted = not address.is_wanted
            _as_said_by(address, by).save()
        addresses.write_letter(reader, WISHES, uuid5(reader.pk, WISHES), ways, at)
    return True


def name_address(*, link_id: UUID, channel: str, value: str, by: Actor, at: datetime) -> str:
    """Name a new address by a contact's link, and have it asked at one that is confirmed whether it is right.

    Return where was asked, masked. An address that is known gets the same answer, so that nobody can find out by a link
    where its contact is reached. Raises Forbidden, LinkEnded, NobodysLink, NowhereToAsk, Invalid, AskedTooOften.
    """
    value = addresses.cleaned(channel, value)
    with transaction.atomic():
        reader = _held(link_id, by, at)
        ways = _asked_by(reader)
        if not ways:
            raise NowhereToAsk(
                sentence("We have no confirmed address of yours at which we could ask whether this is right.")
            )
        old = Address.objects.get(recipient=reader, channel=ways[0], state=AddressState.CONFIRMED)
        asked = contacts.masked(old.channel, old.value)
        addresses.require_not_stopped(channel, value)
        addresses.check_measure(reader, channel, value, at)
        theirs = Address.objects.select_for_update().filter(recipient=reader, channel=channel)
        waiting = theirs.filter(state=AddressState.UNCONFIRMED, confirmation_hash__isnull=False)
        if waiting.filter(confirmation_asked_at__gt=at - CONFIRM_WITHIN).exists():
            raise Refused(sentence("Another address waits for its answer. Confirm that one, or try in two days."))
        if theirs.filter(value=value, state=AddressState.CONFIRMED).exists():
            return asked
        address = addresses.waiting_for(reader, channel, value, at)
        address.allowance_asked_at = at
        address.confirmation_hash = None
        address.allowance_hash = digest(allowance_of(address))
        _as_said_by(address, by).save()
        addresses.write_letter(reader, ALLOW, address.pk, ways, at)
    return asked


def to_allow(token: str, at: datetime) -> Address | None:
    """Return the new address that a token allows; None for one that allows nothing, whyever. One query."""
    return (
        Address.objects.filter(
            allowance_hash=digest(token),
            state=AddressState.UNCONFIRMED,
            allowance_asked_at__gt=at - CONFIRM_WITHIN,
        )
        .select_related("recipient__customer")
        .first()
    )


def allow(*, token: str, is_right: bool, at: datetime) -> Address:
    """Say at an address that is confirmed whether a new one is right: then it is asked, too; otherwise it is dropped.

    Works once. Raises addresses.ConfirmationEnded.
    """
    with transaction.atomic():
        found = to_allow(token, at)
        if found is None:
            raise addresses.ConfirmationEnded
        Recipient.objects.select_for_update().get(pk=found.recipient_id)
        address = to_allow(token, at)  # as it is now that nobody else can change it
        if address is None:
            raise addresses.ConfirmationEnded
        if is_right:
            addresses.ask(address, at)
        else:
            addresses.end(address, OffReason.READER, at)
    return address


def _held(link_id: UUID, by: Actor, at: datetime) -> Recipient:
    """Lock a link that works and the contact it was sent to. Raises Forbidden, LinkEnded, NobodysLink."""
    if by.reference != reference_of(link_id):
        raise Forbidden(sentence("Only who holds this link can do this by it."))
    link = TrackingLink.objects.working(at).select_for_update(of=("self",)).filter(pk=link_id).first()
    if link is None:
        raise LinkEnded
    reader = contacts.reader_of(link)
    if reader is None:
        raise NobodysLink(sentence("This link was not sent in a message; follow the link in one of ours."))
    return Recipient.objects.select_for_update(of=("self",)).select_related("customer").get(pk=reader.pk)


def _asked_by(reader: Recipient) -> list[str]:
    """Return the one way over which a contact is asked about their own addresses: ticked ones first. Maybe none."""
    rows = Address.objects.allowed().filter(recipient=reader, channel__in=_ASKED_BY)
    ways = sorted(rows, key=lambda one: (not one.is_wanted, _ASKED_BY.index(one.channel)))
    return [one.channel for one in ways[:1]]


def _said(reader: Recipient) -> tuple[Any, ...]:
    return (
        reader.language,
        reader.time_zone,
        reader.quiet_from,
        reader.quiet_until,
        reader.muted_until,
        sorted(reader.unwanted_kinds),
    )


def _as_said_by(row: Any, by: Actor) -> Any:
    """Let the history of a row say by which link it was changed; whoever is signed in as staff there is nobody here."""
    row._history_user = None
    row._change_reason = by.reference
    return row


def _check_measure(reader: Recipient, by: Actor, at: datetime) -> None:
    """Raise TooMuch where a day's measure of changes by one link is full: the same for all web processes."""
    changes = Recipient.history.filter(id=reader.pk, history_change_reason=by.reference, history_date__gt=at - _DAY)
    if changes.count() >= settings.TRACKING_DEEDS_PER_DAY:
        raise TooMuch(sentence("Enough for one day."))


def _check(wishes: Wishes, at: datetime) -> None:
    faults: dict[str, list[Says]] = {}
    if wishes.language and wishes.language not in dict(settings.LANGUAGES):
        faults["language"] = [sentence("We do not write in this language.")]
    if wishes.time_zone:
        try:
            known_zone(wishes.time_zone)
        except ValidationError:
            faults["time_zone"] = [sentence("There is no time zone of this name.")]
    if (wishes.quiet_from is None) != (wishes.quiet_until is None):
        faults["quiet_until"] = [sentence("Quiet hours have a beginning and an end.")]
    if wishes.muted_until is not None and wishes.muted_until <= at:
        faults["muted_until"] = [sentence("This has passed.")]
    if set(wishes.unwanted) - set(Kind.values):
        faults["kinds"] = [sentence("There is no such kind.")]
    if faults:
        raise Invalid(sentence("This cannot be kept as it is."), faults)


# --- By people of the house -------------------------------------------------------------------------------------------


def enter_address(*, reader_id: UUID, channel: str, value: str, by: Actor, source: str, at: datetime) -> Address:
    """Enter an address of a contact; it is asked whether we may write there, and nothing else goes to it before.

    Raises Forbidden, NotFound, Invalid, AskedTooOften, and Refused for one that is confirmed already.
    """
    by.require("notifications.add_address")
    value = addresses.cleaned(channel, value)
    with transaction.atomic():
        return addresses.name_for(_contact(reader_id), channel, value, at)


def switch_off(*, address_id: UUID, by: Actor, source: str, at: datetime) -> Address:
    """Write to an address of a contact no more, and tell them so by the ways that are left; a repeat changes nothing.

    That of the master data stays: it is changed there. Raises Forbidden, NotFound, Refused.
    """
    by.require("notifications.change_address")
    with transaction.atomic():
        found = Address.objects.filter(pk=address_id, recipient__customer__isnull=False).first()
        if found is None:
            raise NotFound(sentence("There is no such address."), id=str(address_id))
        _contact(found.recipient_id)
        address = Address.objects.select_related("recipient").get(pk=address_id)
        if address.follows_master_data and address.state == AddressState.CONFIRMED:
            raise Refused(sentence("It stands with the customer's own data: change it there."))
        if address.state != AddressState.OFF:
            was_used = address.state == AddressState.CONFIRMED
            addresses.end(address, OffReason.STAFF, at)
            if was_used:
                addresses.tell_owner(address=address, at=at)
    return address


def _contact(reader_id: UUID) -> Recipient:
    reader = Recipient.objects.select_for_update(of=("self",)).filter(pk=reader_id, customer__isnull=False).first()
    if reader is None:
        raise NotFound(sentence("There is no such reader."), id=str(reader_id))
    return reader
