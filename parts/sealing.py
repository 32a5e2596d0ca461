"""Secrets that must be readable again, sealed at rest: whoever has the database alone has none of them.

The keys come from `SEALING_KEYS`: the first seals, every one of them opens. So a key is changed by putting a new one
first, sealing everything anew, and dropping the old one.
"""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from parts.errors import Refused
from parts.sentences import sentence


class NoSealingKey(Refused):
    """There is no key with which a secret could be sealed or opened."""

    code = "no_sealing_key"
    status = 503


def seal(secret: str) -> bytes:
    """Return a secret sealed. Raises NoSealingKey."""
    return _keys().encrypt(secret.encode())


def open_sealed(sealed: bytes) -> str:
    """Return a secret that was sealed. Raises NoSealingKey, also where it was sealed with a key that is gone."""
    try:
        return _keys().decrypt(sealed).decode()
    except InvalidToken as error:
        raise NoSealingKey(sentence("This secret was sealed with a key that is not here any more.")) from error


def seal_anew(sealed: bytes) -> bytes:
    """Return a sealed secret sealed with the first key. Raises NoSealingKey."""
    try:
        return _keys().rotate(sealed)
    except InvalidToken as error:
        raise NoSealingKey(sentence("This secret was sealed with a key that is not here any more.")) from error


def new_sealing_key() -> str:
    """Return a key to seal with."""
    return Fernet.generate_key().decode()


def _keys() -> MultiFernet:
    if not settings.SEALING_KEYS:
        raise NoSealingKey(sentence("No key to seal secrets with is set (SEALING_KEYS); an administrator can set one."))
    return MultiFernet([Fernet(key) for key in settings.SEALING_KEYS])
