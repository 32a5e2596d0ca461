"""Web push to the phone page: encrypted for the browser (RFC 8291) and signed by us (RFC 8292) for its push service."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Sequence
from datetime import timedelta
from email.utils import parseaddr
from urllib.parse import urlsplit

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from py_vapid import Vapid02

from notifications.models import Address, PushDevice
from notifications.transports.ways import HandedOver, Outgoing, Rejected, Unreachable
from parts.public_hosts import Answered, NotPublic, post

#: How long a push service keeps what it cannot hand over, in seconds: news of yesterday are in the inbox.
KEPT_SECONDS = 24 * 60 * 60
ANSWER_SECONDS = 15.0
#: How long what we sign is good for: push services take a day at most.
_SIGNED_SECONDS = 12 * 60 * 60
#: A push service takes 4,096 bytes, of which the encryption needs some.
_LONGEST_TEXT = 500
_TAKEN, _GONE, _TOO_LARGE = (200, 201, 202, 204), (404, 410), 413


class Push:
    """All phones of a reader."""

    is_local = False

    def send(self, outgoing: Outgoing) -> HandedOver:
        """Hand one over to each phone of its reader; taken by one is taken. Those that are gone are named."""
        said = payload_of(outgoing)
        gone: list[str] = []
        taken, why = 0, ""
        retry_after: timedelta | None = None
        for device in devices_of(outgoing):
            try:
                answer = hand_over(device, said, outgoing)
            except NotPublic:  # it was named as a public one
                gone.append(device.address.value)
                continue
            except OSError as error:
                why = str(error) or type(error).__name__
                continue
            if answer.status in _TAKEN:
                taken += 1
            elif answer.status in _GONE:
                gone.append(device.address.value)
            elif answer.status == _TOO_LARGE:
                raise Rejected(f"{answer.status} {answer.body}".strip())
            else:
                why, retry_after = f"{answer.status} {answer.body}".strip(), _retry_after(answer)
        if taken:
            return HandedOver(dead=tuple(gone))
        if why:
            raise Unreachable(why, retry_after, dead=tuple(gone))
        raise Rejected("The phone is told no more.", dead=tuple(gone))

    def close(self) -> None:
        """Hold nothing."""


def devices_of(outgoing: Outgoing) -> Sequence[PushDevice]:
    """Return the phones of a reader that are told: those that are wanted, if any is. One query."""
    allowed = Address.objects.allowed().filter(recipient=outgoing.recipient_id)
    found = list(PushDevice.objects.filter(address__in=allowed).select_related("address").order_by("-created_at"))
    return [device for device in found if device.address.is_wanted] or found


def payload_of(outgoing: Outgoing) -> bytes:
    """Return what the worker on the phone shows: what may stand on a lock screen, and where a tap leads."""
    text = outgoing.text if len(outgoing.text) <= _LONGEST_TEXT else f"{outgoing.text[: _LONGEST_TEXT - 1]}…"
    said = {"title": outgoing.subject[:100], "body": text, "url": urlsplit(outgoing.link).path, "tag": outgoing.topic}
    return json.dumps({**said, "lang": outgoing.language}, ensure_ascii=False).encode()


def hand_over(device: PushDevice, said: bytes, outgoing: Outgoing) -> Answered:
    """Post what is said to the push service of one phone. Raises NotPublic, OSError."""
    body = http_ece.encrypt(
        said,
        private_key=ec.generate_private_key(ec.SECP256R1()),
        dh=decoded(device.p256dh),
        auth_secret=decoded(device.auth),
        version="aes128gcm",
    )
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Encoding": "aes128gcm",
        "TTL": str(KEPT_SECONDS),
        "Urgency": "high" if outgoing.is_urgent else "normal",
        **({"Topic": outgoing.topic} if outgoing.topic else {}),
        **signature(device.endpoint),
    }
    return post(device.endpoint, body, headers, ANSWER_SECONDS, private=settings.PUSH_TO_PRIVATE_HOSTS)


def signature(endpoint: str) -> dict[str, str]:
    """Return the headers by which a push service knows that we send, and that nobody else may."""
    parts = urlsplit(endpoint)
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int(time.time()) + _SIGNED_SECONDS,
        "sub": f"mailto:{parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}",
    }
    signed: dict[str, str] = Vapid02.from_raw(settings.VAPID_PRIVATE_KEY.encode()).sign(claims)
    return signed


def public_key() -> str:
    """Return the key by which browsers know us; empty where this installation has none."""
    if not settings.VAPID_PRIVATE_KEY:
        return ""
    key = Vapid02.from_raw(settings.VAPID_PRIVATE_KEY.encode()).public_key
    return encoded(key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def encoded(value: bytes) -> str:
    """Return bytes as web push writes them."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def decoded(value: str) -> bytes:
    """Return what `encoded` wrote. Raises ValueError."""
    return base64.b64decode(value.encode("ascii") + b"=" * (-len(value) % 4), altchars=b"-_", validate=True)


def _retry_after(answer: Answered) -> timedelta | None:
    said = answer.headers.get("retry-after", "")
    return timedelta(seconds=min(int(said), 3_600)) if said.isascii() and said.isdecimal() and len(said) < 9 else None
