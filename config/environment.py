"""Readers for settings from the environment. An empty variable counts as unset; nonsense is refused by name."""

import json
import os
import re
import secrets
from collections.abc import Callable
from pathlib import Path
from pkgutil import iter_modules
from typing import Any
from urllib.parse import urlsplit

import anymail.backends
import environ
from django.core.exceptions import ImproperlyConfigured

YES = {"1", "true", "yes", "on"}
NO = {"0", "false", "no", "off"}
#: The shortest secret of somebody who calls us without signing what they say.
_SECRET_LETTERS = 20


def text(name: str, default: str = "") -> str:
    """The variable as it stands, stripped."""
    return os.environ.get(name, "").strip() or default


def required(name: str, reason: str) -> str:
    """The variable, which must be set. Raises ImproperlyConfigured with the reason."""
    value = text(name)
    if not value:
        raise ImproperlyConfigured(f"{name} must be set: {reason}")
    return value


def secret(name: str) -> str:
    """A secret that somebody shares with us, or none. Raises ImproperlyConfigured for one that may be guessed."""
    value = text(name)
    if value and len(value) < _SECRET_LETTERS:
        raise ImproperlyConfigured(f"{name} must have at least {_SECRET_LETTERS} letters.")
    return value


def vapid_key(name: str) -> str:
    """A private key of P-256 as 43 letters of base64 for addresses, or none. Raises ImproperlyConfigured."""
    value = text(name)
    if value and not re.fullmatch(r"[A-Za-z0-9_-]{43}", value):
        raise ImproperlyConfigured(f"{name} must be what manage.py make_push_keys prints.")
    return value


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    """One of the allowed words. Raises ImproperlyConfigured."""
    value = text(name, default)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be one of: {', '.join(allowed)}.")
    return value


def flag(name: str, *, default: bool) -> bool:
    """A yes or a no. Raises ImproperlyConfigured for any other word."""
    value = text(name).lower()
    if not value:
        return default
    if value not in YES | NO:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be true or false.")
    return value in YES


def number(name: str, default: int, *, minimum: int, maximum: int) -> int:
    """A whole number within bounds. Raises ImproperlyConfigured."""
    value = text(name, str(default))
    if not value.isascii() or not value.isdecimal() or not minimum <= int(value) <= maximum:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be a whole number from {minimum} to {maximum}.")
    return int(value)


def words(name: str) -> list[str]:
    """A list separated by commas; empty where the variable is unset."""
    return [word.strip() for word in text(name).split(",") if word.strip()]


def origins(name: str) -> list[str]:
    """A list of origins such as https://backline.example. Raises ImproperlyConfigured."""
    values = words(name)
    for value in values:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path:
            raise ImproperlyConfigured(
                f"{name} holds {value!r}; it must be an origin such as https://backline.example."
            )
    return values


def database(name: str) -> dict[str, Any]:
    """The database of a postgres:// URL, as Django wants it. Raises ImproperlyConfigured for any other kind."""
    url = text(name)
    hint = f"{name} must look like postgres://user:password@host:5432/name."  # not its value: it holds a password
    if urlsplit(url).scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(hint)
    try:
        found = dict(environ.Env.db_url_config(url))
    except ValueError as error:
        raise ImproperlyConfigured(hint) from error
    if not found.get("NAME"):
        raise ImproperlyConfigured(hint)
    return found


def redis(name: str) -> str:
    """A Redis URL, or nothing. Raises ImproperlyConfigured."""
    url = text(name)
    if url and urlsplit(url).scheme not in {"redis", "rediss", "unix"}:
        raise ImproperlyConfigured(f"{name} must look like redis://host:6379/0.")
    return url


def email(name: str, default: str) -> dict[str, Any]:
    """The mail settings of a URL such as smtp+tls://user:password@host:587. Raises ImproperlyConfigured."""
    try:
        return dict(environ.Env.email_url_config(text(name, default)))
    except (ImproperlyConfigured, ValueError) as error:
        raise ImproperlyConfigured(f"{name} must look like smtp+tls://user:password@host:587.") from error


def email_provider(name: str) -> dict[str, str]:
    """The backend of a provider of django-anymail; none where the variable is unset. Raises ImproperlyConfigured."""
    apart = {"base", "base_requests", "console", "test"}
    known = sorted({module.name for module in iter_modules(anymail.backends.__path__)} - apart)
    if not text(name):
        return {}
    return {"EMAIL_BACKEND": f"anymail.backends.{choice(name, '', tuple(known))}.EmailBackend"}


def anymail_settings() -> dict[str, Any]:
    """What django-anymail is to know: ANYMAIL_POSTMARK_SERVER_TOKEN is its POSTMARK_SERVER_TOKEN, and so on.

    What begins with a brace or a bracket is JSON. Raises ImproperlyConfigured, for a weak ANYMAIL_WEBHOOK_SECRET, too.
    """
    prefix, found = "ANYMAIL_", {}
    for name in sorted(os.environ):
        if name.startswith(prefix) and (value := text(name)):
            found[name.removeprefix(prefix)] = _plain(name, value)
    secret = str(found.get("WEBHOOK_SECRET", "x:" + "x" * _SECRET_LETTERS))  # it is a password: not repeated
    if not re.fullmatch(rf"[^:\s]+:[^\s]{{{_SECRET_LETTERS},}}", secret):
        raise ImproperlyConfigured(
            f"ANYMAIL_WEBHOOK_SECRET must look like name:password, the password of at least {_SECRET_LETTERS} letters."
        )
    return found


def _plain(name: str, value: str) -> Any:
    if value.lower() in {"true", "false"}:
        return value.lower() == "true"
    if value[0] not in "{[":
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be JSON where it begins with {value[0]}.") from error


def reply_address(name: str) -> str:
    """An address with room for a token of 53 letters before its @ (RFC 5321 allows 64). Raises ImproperlyConfigured."""
    value = text(name)
    if value and not re.fullmatch(r"[^@\s+]{1,10}@[^@\s]+", value):
        raise ImproperlyConfigured(
            f"{name} is {value!r}; it must look like reply@backline.example, with at most 10 letters before the @."
        )
    return value


def public_keys(name: str) -> list[str]:
    """A list of Ed25519 public keys, each 64 hex digits. Raises ImproperlyConfigured."""
    keys = [word.lower() for word in words(name)]
    if any(not re.fullmatch("[0-9a-f]{64}", key) for key in keys):
        raise ImproperlyConfigured(f"{name} must hold public keys of 64 hex digits each, separated by commas.")
    return keys


def signing_key(name: str, value: str) -> str:
    """The secret half of an Ed25519 key, 64 hex digits. Raises ImproperlyConfigured, without showing it."""
    if not re.fullmatch("[0-9a-fA-F]{64}", value) or len(set(value)) < 5:
        raise ImproperlyConfigured(f"{name} must be 32 random bytes written as 64 hex digits.")
    return value.lower()


def sealing_keys(name: str, value: str) -> list[str]:
    """Keys of Fernet, the first of which seals; maybe none. Raises ImproperlyConfigured, without showing one."""
    keys = [word.strip() for word in value.split(",") if word.strip()]
    if any(not re.fullmatch("[A-Za-z0-9_-]{43}=", key) for key in keys):
        raise ImproperlyConfigured(
            f"{name} must hold keys that manage.py make_sealing_key prints, with commas between."
        )
    return keys


def generated_secret(path: Path, draw: Callable[[], str] = lambda: secrets.token_urlsafe(64)) -> str:
    """A secret made once for this installation and kept in a file that only its owner reads."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(draw())
        try:
            os.link(draft, path)  # whoever comes first wins, and nobody ever reads half a secret
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
