"""Where the parts of a JSON text begin and end, so that what holds several messages is cut into exactly what came."""

from __future__ import annotations

import json

from integrations.facts import Unreadable
from parts.sentences import sentence

MOST_BYTES = 10_000_000
_BLANK = " \t\r\n"
_DECODER = json.JSONDecoder()


def text_of(body: bytes) -> str:
    """Return a body as text without the blanks around it. Raises Unreadable."""
    if len(body) > MOST_BYTES:
        raise Unreadable(sentence("At most {most} bytes.", most=MOST_BYTES))
    try:
        text = body.decode("utf-8-sig").strip(_BLANK)
    except UnicodeDecodeError as error:
        raise Unreadable(sentence("This is not UTF-8, from byte {place} on.", place=error.start)) from error
    if not text:
        raise Unreadable(sentence("There is nothing in it."))
    return text


def members(text: str, place: int = 0) -> dict[str, tuple[int, int]]:
    """Return where each member's value of the object at a place stands: from, to (not with it). Raises Unreadable."""
    found: dict[str, tuple[int, int]] = {}
    try:
        place = _skip(text, place, "{")
        while text[place] != "}" or found:
            name, place = _DECODER.raw_decode(text, place)
            if not isinstance(name, str):
                raise _no_json(place)
            start = _skip(text, _blank(text, place), ":")
            _value, end = _DECODER.raw_decode(text, start)
            found[name] = (start, end)
            place = _blank(text, end)
            if text[place] == "}":
                break
            place = _skip(text, place, ",")
    except (json.JSONDecodeError, IndexError, RecursionError, ValueError) as error:
        raise _no_json(place) from error
    return found


def elements(text: str, place: int = 0) -> list[tuple[int, int]]:
    """Return where each element of the array at a place stands. Raises Unreadable."""
    found: list[tuple[int, int]] = []
    try:
        place = _skip(text, place, "[")
        while text[place] != "]" or found:
            _value, end = _DECODER.raw_decode(text, place)
            found.append((place, end))
            place = _blank(text, end)
            if text[place] == "]":
                break
            place = _skip(text, place, ",")
    except (json.JSONDecodeError, IndexError, RecursionError, ValueError) as error:
        raise _no_json(place) from error
    return found


def check_whole(text: str) -> None:
    """Refuse what goes on after its one value, or is none. Raises Unreadable."""
    try:
        _value, end = _DECODER.raw_decode(text)
    except (json.JSONDecodeError, RecursionError, ValueError) as error:
        raise _no_json(0) from error
    if text[end:].strip(_BLANK):
        raise _no_json(end)


def _skip(text: str, place: int, sign: str) -> int:
    if text[place] != sign:
        raise _no_json(place)
    return _blank(text, place + 1)


def _blank(text: str, place: int) -> int:
    while text[place] in _BLANK:
        place += 1
    return place


def _no_json(place: int) -> Unreadable:
    return Unreadable(sentence("This is not JSON."), str(place))
