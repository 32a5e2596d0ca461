"""A hand-written statement with a name, and the JSON document that carries all of its values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement; its name is sent along as a comment, so that a log or `pg_stat_activity` tells who asks."""

    name: str
    text: str

    def rows(self, **parameters: Any) -> list[tuple[Any, ...]]:
        """Run it and return all rows, an empty list where it returns none."""
        with connection.cursor() as cursor:
            cursor.execute(f"/* {self.name} */{self.text}", parameters)
            return cursor.fetchall() if cursor.description else []


def _plain(value: object) -> str:
    """Write what JSON has no word for as PostgreSQL reads it; a Decimal as text, so that no digit is lost."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a document")


def document(**values: Any) -> str:
    """Return the values as one JSON document for a statement's `%(document)s`."""
    return json.dumps(values, default=_plain)
