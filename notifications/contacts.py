"""Contacts of customers: whom a link was sent to, and what of their addresses whoever holds the link may see."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from notifications.links import MESSAGES
from notifications.models import Address, Notice, Recipient, Rule
from notifications.statuses import HANDED_OVER, AddressState, Audience, Channel
from orders.models import TrackingLink

#: A link that was made for a message ends its `requester` with the key of the reader (`links.requester_of`).
_READER = re.compile(r"\(([0-9a-f-]{36})\)\Z")


@dataclass(frozen=True, slots=True)
class Way:
    """An address as whoever holds a link may know it: never in full, for links are passed on."""

    id: UUID
    channel: str
    channel_name: str
    masked: str
    is_wanted: bool


def reader_of(link: TrackingLink) -> Recipient | None:
    """Return the contact to whom a link was sent; None for one that staff made, which is nobody's. One query at most.

    Only our own messages make links in the name of messages, so that nobody can write a reader into one.
    """
    found = _READER.search(link.requester) if link.created_by == MESSAGES.reference else None
    if found is None:
        return None
    theirs = Recipient.objects.filter(pk=found[1], customer=link.customer_id, is_active=True)
    return theirs.select_related("customer").first()


def last_notice_to(reader: Recipient, link: TrackingLink) -> UUID | None:
    """Return the key of what a contact was told last about the order of their link. One query."""
    orders = [key for key in (link.service_order_id, link.parts_order_id) if key]
    told = Notice.objects.filter(recipient=reader, thread_id__in=orders, state__in=HANDED_OVER)
    return told.order_by("-id").values_list("pk", flat=True).first()


def ways_of(reader: Recipient) -> list[Way]:
    """Return where a contact is written to. One query."""
    rows = Address.objects.filter(recipient=reader, state=AddressState.CONFIRMED).order_by("channel")
    return [
        Way(row.pk, row.channel, row.get_channel_display(), masked(row.channel, row.value), row.is_wanted)
        for row in rows
    ]


def masked(channel: str, value: str) -> str:
    """Return an address of which its owner knows which it is, and nobody else learns it."""
    if channel == Channel.EMAIL:
        name, _at, domain = value.rpartition("@")
        return f"{name[:1]}…@{domain[:1]}…{domain[domain.rfind('.') :] if '.' in domain else ''}"
    if channel == Channel.SMS:
        return f"{value[:3]} … {value[-2:]}"
    return f"{value[:2]}…"


def cannot_be_muted() -> Sequence[str]:
    """Return the names of the rules of which customers hear whatever they wish. One query."""
    rules = Rule.objects.filter(is_active=True, cannot_be_muted=True, audience=Audience.CUSTOMER)
    return list(rules.order_by("name").values_list("name", flat=True))
