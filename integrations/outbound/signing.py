"""How what we tell is signed, so that its reader knows it is from us: Standard Webhooks 1.0, symmetric.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

PREFIX = "whsec_"
#: The specification asks for 24 to 64.
SECRET_BYTES = 32


def new_secret() -> str:
    """Return a secret as its owner keeps it."""
    return f"{PREFIX}{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return how one secret signs a message. Raises ValueError for what is no secret."""
    key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    signed = f"{message_id}.{timestamp}.".encode() + body
    return f"v1,{base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()}"


def headers(secrets_alive: Sequence[str], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Return the headers of a message: its id, when it is sent, and a signature by each secret that is alive."""
    timestamp = int(at.timestamp())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signature(one, message_id, timestamp, body) for one in secrets_alive),
    }
