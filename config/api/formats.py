"""JSON in and out, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import IO, Any

import orjson
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from parts.documents import as_json
from parts.sentences import sentence

#: Each text of a document; those that are names of members have a colon behind them.
_TEXT_OR_NAME = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"[ \t\r\n]*+(:?)')


class JSONParser(BaseParser):
    """Reads a JSON body: UTF-8, no NaN, no lone surrogates, not nested without end, no member twice."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return what the body says. Raises ParseError, and RequestDataTooBig past the limit of the settings."""
        request = parser_context["request"] if parser_context else None
        body = request._request.body if request else stream.read()
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise ParseError(str(sentence("The body is not JSON: {error}.", error=error))) from error
        if _TEXT_OR_NAME.findall(body).count(b":") != _names_in(document):
            raise ParseError(str(sentence("The body has a member twice: {name}.", name=_doubled(body))))
        return document


class JSONRenderer(BaseRenderer):
    """Writes JSON."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        """Return the answer's bytes; an answer without data has none."""
        return b"" if data is None else as_json(data)


class OneFormat(BaseContentNegotiation):
    """There is one format, whatever the caller says it accepts."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """Return the parser for the body's media type, None where there is none."""
        return next((parser for parser in parsers if _is_json(request.content_type)), None)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        """Return the one renderer."""
        return renderers[0], renderers[0].media_type


def _is_json(content_type: str | None) -> bool:
    return (content_type or "").split(";")[0].strip().lower() == "application/json"


def _names_in(document: Any) -> int:
    """Count the members of a document, at any depth."""
    count, waiting = 0, [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            count += len(value)
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return count


def _doubled(body: bytes) -> str:
    """Return the name of a member that comes twice in an object; two readers would take different ones."""
    found: list[str] = []

    def once(members: list[tuple[str, Any]]) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        for name, value in members:
            if name in seen:
                found.append(name)
            seen[name] = value
        return seen

    with suppress(RecursionError):  # nested deeper than this reader goes
        json.loads(body, object_pairs_hook=once)
    return found[0][:100] if found else "?"
