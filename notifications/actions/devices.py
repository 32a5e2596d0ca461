"""The phones that are told: named by themselves, from the phone page of whoever holds them."""

from __future__ import annotations

import hashlib
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.db import transaction

from notifications.actions.addresses import own_reader
from notifications.models import Address, PushDevice, Recipient
from notifications.statuses import AddressState, Channel, OffReason
from notifications.transports.push import decoded
from parts.actors import Actor
from parts.errors import Invalid
from parts.public_hosts import NotPublic, check
from parts.sentences import sentence

#: So many phones of one person are told; one more takes the place of the oldest.
MOST = 5
_LONGEST_ENDPOINT = 1_000
_BROWSERS = (
    ("Firefox", "Firefox"),
    ("Edg", "Edge"),
    ("SamsungBrowser", "Samsung"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


def tell(*, endpoint: str, p256dh: str, auth: str, agent: str, by: Actor, at: datetime) -> Address:
    """Tell whoever asks on the phone that asks, from now on; a repeat changes nothing.

    A phone that was somebody else's is no longer. Raises Invalid, NotFound.
    """
    _check(endpoint, p256dh, auth)
    with transaction.atomic():
        reader = own_reader(by)
        known = PushDevice.objects.select_for_update().filter(endpoint=endpoint).select_related("address").first()
        if known is not None:
            if known.address.recipient_id == reader.pk and known.address.state == AddressState.CONFIRMED:
                PushDevice.objects.filter(pk=known.pk).update(p256dh=p256dh, auth=auth)
                return known.address
            _end(known.address, OffReason.REPLACED, at)
            known.delete()
        for old in _told(reader)[MOST - 1 :]:
            _end(old, OffReason.REPLACED, at)
        address = Address.objects.create(
            recipient=reader,
            channel=Channel.PUSH,
            value=f"{name_of(agent)} · {digest(endpoint)[:12]}",
            state=AddressState.CONFIRMED,
            confirmed_at=at,
        )
        PushDevice.objects.create(address=address, endpoint=endpoint, p256dh=p256dh, auth=auth, created_at=at)
    return address


def tell_no_more(*, endpoint: str, by: Actor, at: datetime) -> None:
    """Tell whoever asks no more on one phone of theirs; a repeat, or one that is nobody's, changes nothing."""
    with transaction.atomic():
        reader = own_reader(by)
        device = (
            PushDevice.objects.filter(endpoint=endpoint, address__recipient=reader).select_related("address").first()
        )
        if device is not None:
            _end(device.address, OffReason.READER, at)
            device.delete()


def known_to(user_id: int) -> list[str]:
    """Return the digests of the push services of a person's phones that are told."""
    theirs = Address.objects.usable().filter(recipient__user=user_id, channel=Channel.PUSH)
    return [digest(endpoint) for endpoint in theirs.values_list("device__endpoint", flat=True) if endpoint]


def digest(endpoint: str) -> str:
    """Return how a phone is told from others without naming its push service."""
    return hashlib.sha256(endpoint.encode()).hexdigest()


def name_of(agent: str) -> str:
    """Return a browser and its system in words that people know."""
    browser = next((name for sign, name in _BROWSERS if sign in agent), "Browser")
    system = next((name for sign, name in _SYSTEMS if sign in agent), "")
    return f"{browser}, {system}" if system else browser


def _told(reader: Recipient) -> list[Address]:
    confirmed = Address.objects.filter(recipient=reader, channel=Channel.PUSH, state=AddressState.CONFIRMED)
    return list(confirmed.order_by("-confirmed_at", "-id"))


def _end(address: Address, reason: OffReason, at: datetime) -> None:
    if address.state != AddressState.OFF:
        address.state, address.off_at, address.off_reason = AddressState.OFF, at, reason
        address.save()


def _check(endpoint: str, p256dh: str, auth: str) -> None:
    faults = {}
    try:
        check(endpoint, private=settings.PUSH_TO_PRIVATE_HOSTS)
    except NotPublic:
        faults["endpoint"] = [sentence("This is no push service.")]
    if len(endpoint) > _LONGEST_ENDPOINT:
        faults["endpoint"] = [sentence("This is no push service.")]
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decoded(p256dh))
        is_secret = len(decoded(auth)) == 16
    except ValueError:
        is_secret = False
    if not is_secret:
        faults["p256dh"] = [sentence("These are no keys of a browser.")]
    if faults:
        raise Invalid(sentence("This browser cannot be told."), faults)
