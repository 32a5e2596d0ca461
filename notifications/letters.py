"""Notices that no event of an order caused: about where and how a reader is written to, and digests (`digest_letters`).

The thread of most is an address: whether we may write to it (`CONFIRM`, which goes to that very address and nowhere
else), whether a new one is right that was named by a link (`ALLOW`, which goes to one that was confirmed before), or
that it was switched off (`SWITCHED_OFF`, which goes to its owner by the other ways). `WISHES` tells a reader that their
wishes were changed by a link.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from notifications import digest_letters, rendering
from notifications.links import site
from notifications.models import Address, Notice, Template, WordProposal
from notifications.statuses import AddressState
from orders.wording import label_of

CONFIRM, SWITCHED_OFF, ALLOW, WISHES = "confirm", "address_off", "allow_address", "wishes"
#: Its thread is a proposal for the words of a status, whose answer it brings to who proposed it.
PROPOSAL = "word_proposal"
#: The kinds of threads that are an address.
OF_ADDRESSES = (CONFIRM, SWITCHED_OFF, ALLOW)
#: The kinds of threads that no event began: kind → the code of its wording.
WORDING_OF = {
    CONFIRM: "confirm_address",
    SWITCHED_OFF: "address_off",
    ALLOW: "allow_address",
    WISHES: "wishes_changed",
    PROPOSAL: "word_proposal",
    digest_letters.STUCK: digest_letters.WORDING,
}
#: Those that go to a confirmed address also where its reader unticked it: they are about just that.
OF_THE_READER = (ALLOW, WISHES)
#: How long an answer to "may we write to you here?" is waited for.
CONFIRM_WITHIN = timedelta(hours=48)
TOKEN_BYTES = 24


def token_of(address: Address) -> str:
    """Return the token that confirms an address: 192 bits, of this address and this asking alone.

    Nobody can compute it without this installation's secret key. Only its hash is kept, with the address.
    """
    return _token("backline confirm address", address.pk, address.confirmation_asked_at)


def allowance_of(address: Address) -> str:
    """Return the token that allows a new address to be asked, which is sent to one that was confirmed before."""
    return _token("backline allow address", address.pk, address.allowance_asked_at)


def _token(salt: str, key: UUID, at: datetime | None) -> str:
    mac = salted_hmac(salt, f"{key.hex} {at.isoformat() if at else ''}", algorithm="sha256").digest()
    return base64.urlsafe_b64encode(mac[:TOKEN_BYTES]).decode()


def digest(token: str) -> bytes:
    """Return what is kept of a token."""
    return hashlib.sha256(b"backline confirm address\0" + token.encode("utf-8", "replace")).digest()


def subjects_of(notices: Sequence[Notice]) -> dict[UUID, Address | WordProposal]:
    """Return the addresses and proposals that notices are about, by key. Two statements, none without such notices."""
    wanted = [notice.thread_id for notice in notices if notice.thread_kind in OF_ADDRESSES]
    answered = [notice.thread_id for notice in notices if notice.thread_kind == PROPOSAL]
    found: dict[UUID, Address | WordProposal] = {}
    found |= Address.objects.in_bulk(wanted) if wanted else {}
    found |= WordProposal.objects.in_bulk(answered) if answered else {}
    return found


def templates_of(notices: Sequence[Notice]) -> dict[str, Template]:
    """Return the wordings by the kind of thread. One statement, none without such notices."""
    kinds = {notice.thread_kind for notice in notices if notice.thread_kind in WORDING_OF}
    if not kinds:
        return {}
    found = {one.code: one for one in Template.objects.filter(code__in=[WORDING_OF[kind] for kind in kinds])}
    return {kind: found[WORDING_OF[kind]] for kind in kinds}


def goes_to(notice: Notice, about: Address | WordProposal | None, otherwise: str, at: datetime) -> str | None:
    """Return where a notice about a reader goes; None where it has nothing to say any more."""
    if notice.thread_kind == WISHES:
        return otherwise
    if about is None:
        return None
    if isinstance(about, WordProposal):
        return otherwise
    if notice.thread_kind == ALLOW:
        asks = _waits(about, about.allowance_hash, allowance_of(about), about.allowance_asked_at, at)
        return otherwise if asks else None
    if notice.thread_kind == SWITCHED_OFF:
        return otherwise if about.state == AddressState.OFF else None
    asks = _waits(about, about.confirmation_hash, token_of(about), about.confirmation_asked_at, at)
    return about.value if asks else None


def _waits(about: Address, kept: Any, token: str, asked_at: datetime | None, at: datetime) -> bool:
    """Tell whether an address still waits for the answer to an asking."""
    if kept is None or about.state != AddressState.UNCONFIRMED or asked_at is None:
        return False
    return constant_time_compare(bytes(kept), digest(token)) and at < asked_at + CONFIRM_WITHIN


def values(notice: Notice, about: Address | WordProposal | None) -> Mapping[str, Any]:
    """Return what the wording of such a notice may name, in the language that is active."""
    confirm = why = ""
    if isinstance(about, WordProposal):
        said = [str(label_of(about.subject, about.status)), str(about.get_state_display()), about.answer]
        why, about = ": ".join(one for one in said if one), None
    if notice.thread_kind == CONFIRM and about:
        confirm = site(reverse("messages:confirm", args=[token_of(about)]))
    if notice.thread_kind == ALLOW and about:
        confirm = site(reverse("messages:allow", args=[allowance_of(about)]))
        why = f"{about.get_channel_display()}: {about.value}"
    if notice.thread_kind == SWITCHED_OFF and about:
        why = f"{about.get_channel_display()} {about.value}: {about.get_off_reason_display()}"
    return {
        "reader": {"name": notice.recipient.name},
        "order": dict.fromkeys(rendering.FIELDS["order"], "") | {"is_late": False, "days_late": 0},
        "parts": {"waiting": 0, "lines": 0},
        "news": [],
        "more": 0,
        "count": 0,
        "links": {"order": "", "stop": "", "feedback": "", "confirm": confirm},
        "house": {"name": settings.HOUSE_NAME},
        "why": why,
    }
