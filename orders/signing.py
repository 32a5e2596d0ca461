"""The key that signs anchors and exports: what is signed here can be checked with its public half alone."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings


def _key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(settings.LEDGER_SIGNING_KEY))


def public_key() -> str:
    """Return the public half of the present key, as hex digits."""
    return _key().public_key().public_bytes_raw().hex()


def trusted_keys() -> frozenset[str]:
    """Return the public keys that may have signed anchors: the present one and those before it."""
    return frozenset({public_key(), *settings.LEDGER_FORMER_KEYS})


def sign(message: bytes) -> str:
    """Return the Ed25519 signature of a message, as hex digits."""
    return _key().sign(message).hex()
