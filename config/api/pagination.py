"""Pages cut by key: the hundredth costs what the first does, and rows that come in between shift nothing."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.core.exceptions import ValidationError
from django.db.models import Field, Q, QuerySet
from rest_framework.exceptions import ValidationError as InvalidParameter
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from parts.documents import as_json
from parts.sentences import sentence

PAGE_SIZE = 50
LARGEST_PAGE = 200


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place between two rows: the key of the row beside it, and which way to read from there."""

    backwards: bool
    values: tuple[Any, ...]

    def text(self) -> str:
        document = as_json([int(self.backwards), *map(str, self.values)])
        return base64.urlsafe_b64encode(document).rstrip(b"=").decode()


class KeysetPagination(BasePagination):
    """Cuts a list along the view's `keyset` (fields that no row lacks and that end in the primary key)."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """Return one page of rows. Raises ValidationError for a cursor or size that is none. One statement."""
        self.request = request
        self.keyset: tuple[str, ...] = view.keyset
        names = [name.lstrip("-") for name in self.keyset]
        size = _page_size(request)
        cursor = _read_cursor(request.query_params.get("cursor"), [_field(queryset, name) for name in names])
        backwards = cursor is not None and cursor.backwards
        queryset = queryset.order_by(*(map(_turned, self.keyset) if backwards else self.keyset))
        if cursor:
            queryset = queryset.filter(_beyond(self.keyset, cursor))
        found = list(queryset[: size + 1])
        rows, more = found[:size], len(found) > size
        if backwards:
            rows.reverse()
        self.has_next = more if not backwards else bool(rows)
        self.has_previous = more if backwards else bool(cursor and rows)
        self.ends = (_values(rows[0], names), _values(rows[-1], names)) if rows else None
        return rows

    def addresses(self) -> dict[str, str | None]:
        """Return where the pages beside this one are."""
        first, last = self.ends or ((), ())
        return {
            "next": self._address(Cursor(False, last)) if self.has_next else None,
            "previous": self._address(Cursor(True, first)) if self.has_previous else None,
        }

    def _address(self, cursor: Cursor) -> str:
        here = remove_query_param(self.request.build_absolute_uri(), "cursor")
        return replace_query_param(here, "cursor", cursor.text())

    def get_paginated_response(self, data: Any) -> Response:
        """Return the answer with a page of rows."""
        return Response({**self.addresses(), "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Describe a page for the OpenAPI."""
        address = {"type": "string", "nullable": True, "format": "uri", "description": "Null where there is none."}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": address, "previous": address, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Describe the parameters for the OpenAPI."""
        return [
            {
                "name": "cursor",
                "in": "query",
                "description": "A place in the list, as `next` or `previous` of a page gave it.",
                "schema": {"type": "string"},
            },
            {
                "name": "page_size",
                "in": "query",
                "description": "How many rows at most.",
                "schema": {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": PAGE_SIZE},
            },
        ]


def _page_size(request: Request) -> int:
    text = request.query_params.get("page_size", str(PAGE_SIZE))
    if text.isascii() and text.isdecimal() and len(text) < 6 and 1 <= int(text) <= LARGEST_PAGE:
        return int(text)
    raise InvalidParameter(
        {"page_size": [str(sentence("Must be a whole number from 1 to {most}.", most=LARGEST_PAGE))]}
    )


def _field(queryset: QuerySet[Any], name: str) -> Field[Any, Any]:
    field = queryset.model._meta.get_field(name)
    assert isinstance(field, Field)
    return field


def _read_cursor(text: str | None, fields: Sequence[Field[Any, Any]]) -> Cursor | None:
    if text is None:
        return None
    try:
        backwards, *values = orjson.loads(base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)))
        if backwards not in (0, 1) or not all(isinstance(value, str) and len(value) < 100 for value in values):
            raise ValueError(text)
        return Cursor(
            bool(backwards),
            tuple(field.to_python(value) for field, value in zip(fields, values, strict=True)),
        )
    except (ValueError, TypeError, binascii.Error, ValidationError) as error:
        raise InvalidParameter({"cursor": [str(sentence("Not a cursor of this list."))]}) from error


def _turned(name: str) -> str:
    return name[1:] if name.startswith("-") else f"-{name}"


def _beyond(keyset: Sequence[str], cursor: Cursor) -> Q:
    """Return what lies beyond the cursor; its first key also stands alone, so that an index can start there."""
    beyond = Q()
    equal: dict[str, Any] = {}
    for name, value in zip(keyset, cursor.values, strict=True):
        field = name.lstrip("-")
        lookup = "lt" if name.startswith("-") != cursor.backwards else "gt"
        if not equal and len(keyset) > 1:
            start = Q(**{f"{field}__{lookup}e": value})
        beyond |= Q(**equal, **{f"{field}__{lookup}": value})
        equal[field] = value
    return beyond if len(keyset) == 1 else start & beyond


def _values(row: Any, names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row[name] if isinstance(row, dict) else getattr(row, name) for name in names)
