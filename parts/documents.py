"""JSON as the API and the statements take it: quantities as text, so that no digit is lost, times in ISO 8601."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson
from django.utils.functional import Promise


def as_json(value: Any) -> bytes:
    """Return a value (mappings, lists, dataclasses, keys, dates, decimals) as UTF-8 JSON.

    Raises TypeError for anything that has no agreed form.
    """
    return orjson.dumps(value, default=_plain)


def as_text(value: Any) -> str:
    """Return a value as JSON text, for a parameter of a statement."""
    return as_json(value).decode()


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Promise):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in a JSON document")
