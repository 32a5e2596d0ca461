"""Statuses as JSON, in our own words: for systems that can be taught to speak to us.

One message is an object, and may be a CloudEvent in structured mode (CloudEvents 1.0 JSON format,
https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md), whose `data` it then is:

    {"id": "wms-4711", "time": "2026-11-22T09:00:00Z",
     "facts": [{"subject": "line", "reference": "PO-000017/2", "status": "shipped",
                "occurred_at": "2026-11-22T08:58:00Z", "note": "", "public": false}]}

Instead of `reference` a fact may have `id` (our key) or `number` with `number_kind` (a number of the sender's); instead
of `status` a `code`, or several `codes`, each a text of the interface's list or an object with `list`, `release` and
`code`. A message of one fact may carry its members itself. Several messages are an array, or one per line.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from django.utils.translation import gettext_lazy as _

from integrations.facts import LONGEST_KEY, Code, Fact, Piece, Reading, StatusReached, Subject, Unreadable
from integrations.formats.form import Form, Speech
from parts.sentences import sentence

MOST_FACTS = 1000
_KINDS = ("line", "service_order")
_LETTER = {"id", "time", "facts", "specversion", "type", "source", "subject", "datacontenttype", "dataschema", "data"}
_FACT = {"subject", "id", "reference", "number", "number_kind", "status", "code", "codes", "occurred_at", "note"}
_FACT |= {"public"}
_DECODER = json.JSONDecoder()
_BLANK = " \t\r\n"


def split(body: bytes) -> list[Piece]:
    """Cut an array, lines, or one object into messages, each with exactly its own bytes."""
    text = _text(body).strip(_BLANK)
    if not text:
        raise Unreadable(sentence("There is nothing in it."))
    if text[0] == "[":
        return [_piece(each, str(place)) for place, each in enumerate(_elements(text))]
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > 1 and _is_whole(lines[0]):
        return [_piece(line, str(place)) for place, line in enumerate(lines)]
    return [_piece(text, "")]


def read(body: bytes, speech: Speech) -> Reading:
    """Read one message."""
    letter = _object(_loaded(body), "")
    if "specversion" in letter:
        if unknown := sorted(name for name in letter if name not in _LETTER and not name.isalnum()):
            raise Unreadable(sentence("Unknown: {names}.", names=unknown), unknown[0])
        inner = _object(letter.get("data"), "data")
        said, where = inner, "data."
    else:
        said, where = letter, ""
    sent_at = _moment(letter["time"], "time", speech) if "time" in letter else None
    if "facts" in said:
        rows = said["facts"]
        if not isinstance(rows, list) or not rows:
            raise Unreadable(sentence("Must be a list with at least one fact."), f"{where}facts")
        if len(rows) > MOST_FACTS:
            raise Unreadable(sentence("At most {most} facts in one message.", most=MOST_FACTS), f"{where}facts")
        facts = [_fact(row, f"{where}facts.{place}.", speech, sent_at) for place, row in enumerate(rows)]
    else:
        own = said if where else {name: value for name, value in said.items() if name not in ("id", "time")}
        facts = [_fact(own, where, speech, sent_at)]
    return Reading(tuple(facts), sent_at)


def _fact(row: Any, where: str, speech: Speech, sent_at: datetime | None) -> Fact:
    row = _object(row, where.rstrip("."))
    if unknown := sorted(row.keys() - _FACT):
        raise Unreadable(sentence("Unknown: {names}.", names=unknown[:20]), f"{where}{unknown[0][:80]}")
    subject, status, codes = _subject(row, where), _texts(row, "status", where), _codes(row, where, speech)
    if bool(status) == bool(codes):
        raise Unreadable(sentence("Name either a status or a code."), f"{where}status")
    if "occurred_at" in row:
        occurred_at = _moment(row["occurred_at"], f"{where}occurred_at", speech)
    elif sent_at is not None:
        occurred_at = sent_at
    else:
        raise Unreadable(sentence("Say when it happened."), f"{where}occurred_at")
    public = row.get("public", False)
    if not isinstance(public, bool):
        raise Unreadable(sentence("Must be true or false."), f"{where}public")
    return StatusReached(
        subject=subject,
        occurred_at=occurred_at,
        status=status,
        codes=codes,
        note=_texts(row, "note", where),
        is_public=public,
    )


def _subject(row: Mapping[str, Any], where: str) -> Subject:
    kind = row.get("subject")
    if kind not in _KINDS:
        raise Unreadable(sentence("Must be one of {allowed}.", allowed=list(_KINDS)), f"{where}subject")
    named = [name for name in ("id", "reference", "number") if name in row]
    if len(named) != 1:
        raise Unreadable(
            sentence("Name it by one of {allowed}.", allowed=["reference", "id", "number"]), f"{where}reference"
        )
    value = _texts(row, named[0], where)
    if not value or len(value) > 120:
        raise Unreadable(sentence("Must be a text of 1 to {most} characters.", most=120), f"{where}{named[0]}")
    if named[0] == "number":
        own_kind = _texts(row, "number_kind", where)
        if not own_kind:
            raise Unreadable(sentence("Say what kind of number this is."), f"{where}number_kind")
        return Subject(kind, own_kind, value)
    return Subject(kind, named[0], value)


def _codes(row: Mapping[str, Any], where: str, speech: Speech) -> tuple[Code, ...]:
    if "code" in row and "codes" in row:
        raise Unreadable(sentence("Name either a code or codes."), f"{where}codes")
    given = row["codes"] if "codes" in row else [row["code"]] if "code" in row else []
    if not isinstance(given, list) or len(given) > 20:
        raise Unreadable(sentence("Must be a list of at most {most} codes.", most=20), f"{where}codes")
    return tuple(_code(each, f"{where}code", speech) for each in given)


def _code(given: Any, where: str, speech: Speech) -> Code:
    code_list, release = speech.code_list, speech.release
    if isinstance(given, dict):
        if given.keys() - {"list", "release", "code"}:
            raise Unreadable(sentence("A code has a list, a release and a code."), where)
        release = (
            _texts(given, "release", f"{where}.") if "release" in given else release if "list" not in given else ""
        )
        code_list = _texts(given, "list", f"{where}.") or code_list
        given = given.get("code")
    if not isinstance(given, str) or not given.strip() or max(len(given), len(code_list), len(release) * 2) > 40:
        raise Unreadable(sentence("Must be a text of 1 to {most} characters.", most=40), where)
    if not code_list:
        raise Unreadable(sentence("Say which list this code is of."), where)
    return Code(code_list, release, given.strip())


def _texts(row: Mapping[str, Any], name: str, where: str) -> str:
    value = row.get(name, "")
    if not isinstance(value, str) or "\x00" in value:
        raise Unreadable(sentence("Must be a text."), f"{where}{name}")
    return value.strip()


def _moment(value: Any, where: str, speech: Speech) -> datetime:
    if not isinstance(value, str) or len(value) > 40:
        raise Unreadable(sentence("Must be a time, as 2026-11-22T09:00:00Z."), where)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise Unreadable(sentence("Must be a time, as 2026-11-22T09:00:00Z."), where) from error
    return moment if moment.utcoffset() is not None else moment.replace(tzinfo=speech.zone)


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Unreadable(sentence("Must be an object."), where)
    return value


def _piece(text: str, where: str) -> Piece:
    """Return a message with its key; what has none that can be read gets none, and is rejected when it is read."""
    body = text.strip(_BLANK).encode()
    try:
        letter = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Piece("", body)
    key = letter.get("id") if isinstance(letter, dict) else None
    if isinstance(key, int) and not isinstance(key, bool):
        key = str(key)
    return Piece(key if isinstance(key, str) and _is_key(key) else "", body)


def _is_key(key: str) -> bool:
    return 0 < len(key.strip()) <= LONGEST_KEY and key.isprintable()


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(sentence("This is not UTF-8, from byte {place} on.", place=error.start)) from error


def _loaded(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Unreadable(sentence("This is not JSON."), f"{error.lineno}:{error.colno}") from error


def _is_whole(line: str) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True


def _elements(text: str) -> Sequence[str]:
    """Return each element of an array as it is written."""
    found: list[str] = []
    place = 1
    try:
        while True:
            while text[place] in _BLANK:
                place += 1
            if text[place] == "]" and not found:
                break
            _value, end = _DECODER.raw_decode(text, place)
            found.append(text[place:end])
            place = end
            while text[place] in _BLANK:
                place += 1
            if text[place] == "]":
                break
            if text[place] != ",":
                raise Unreadable(sentence("This is not JSON."), str(place))
            place += 1
    except (json.JSONDecodeError, IndexError, RecursionError) as error:
        raise Unreadable(sentence("This is not JSON."), str(place)) from error
    if text[place + 1 :].strip(_BLANK):
        raise Unreadable(sentence("This is not JSON."), str(place + 1))
    if not found:
        raise Unreadable(sentence("There is nothing in it."))
    return found


FORM = Form(
    code="status-json",
    name=_("Statuses as JSON"),
    versions=("1",),
    content_types=("application/json", "application/cloudevents+json", "application/x-ndjson"),
    split=split,
    read=read,
)
