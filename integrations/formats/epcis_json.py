"""EPCIS 2.0 events as JSON: an EPCISDocument, an EPCISQueryDocument, an array of events, or one event.

What happened is the event's business step (and disposition), as codes of the lists `epcis-bizstep` and
`epcis-disposition`; whom it means stands among its business transactions. An event with an error declaration takes the
event of the same id back. Sources: GS1 EPCIS 2.0.1 (https://ref.gs1.org/standards/epcis/2.0.1/epcis-json-schema.json)
and https://developer.walmart.com/suppliers/docs/error-declaration.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import orjson
from django.utils.translation import gettext_lazy as _

from integrations.facts import (
    LONGEST_KEY,
    Code,
    Fact,
    Piece,
    Reading,
    Retracted,
    Shipped,
    ShippedItem,
    StatusReached,
    Subject,
    Unreadable,
)
from integrations.formats.field_map import Field, FieldMap
from integrations.formats.form import Form, Speech
from integrations.formats.json_parts import check_whole, elements, members, text_of
from parts.sentences import sentence

MAP = FieldMap(
    "1",
    [
        Field("id", "event.eventID", "key of the message", "without it the hash of the event"),
        Field("type", "event.type", "which lists hold the goods", "Object, Aggregation, Transaction, Association"),
        Field("time", "event.eventTime", "when it happened"),
        Field("recorded", "event.recordTime", "when it was sent"),
        Field("action", "event.action", "DELETE: tells only", "of TransactionEvent and AggregationEvent"),
        Field("step", "event.bizStep", "code of the list epcis-bizstep", "bare, or the end of its URI"),
        Field("disposition", "event.disposition", "code of the list epcis-disposition", "likewise"),
        Field("transactions", "event.bizTransactionList", "line, shipment number", "see below"),
        Field("things", "event.epcList", "serial numbers, and one unit each", "childEPCs in an AggregationEvent"),
        Field("quantities", "event.quantityList", "quantity", "childQuantityList in an AggregationEvent"),
        Field("declared", "errorDeclaration.declarationTime", "an earlier event is taken back"),
        Field("reason", "errorDeclaration.reason", "why it is taken back"),
        Field("corrected", "errorDeclaration.correctiveEventIDs", "which events say it as it was"),
    ],
)
EVENTS = ("ObjectEvent", "AggregationEvent", "TransactionEvent", "AssociationEvent")
MOST_THINGS = 10_000
_OUR_LINE = re.compile(r"(P-[0-9]{1,20}/[0-9]{1,5}(?:\.[0-9]{1,5})?)$")
_SGTIN = re.compile(r"urn:epc:id:sgtin:[0-9]+\.[0-9]+\.(.{1,60})")
_LINK = re.compile(r"https?://.{1,120}/01/[0-9]{8,14}(?:/.{0,40})?/21/([^/?]{1,60})")
_SHIPPING = "shipping"
#: In which ways the codes of GS1's Core Business Vocabulary are written.
_OF_GS1 = re.compile(
    r"^(?:urn:epcglobal:cbv:(?:bizstep|disp|btt|er):|(?:cbv:|https?://(?:ref|ns)\.gs1\.org/cbv/)(?:BizStep|Disp|BTT|ER)-)"
)


def split(body: bytes) -> list[Piece]:
    """Cut a document into its events, each with exactly its own bytes."""
    text = text_of(body)
    check_whole(text)
    places = _events(text)
    if not places:
        raise Unreadable(sentence("There is nothing in it."), "eventList")
    if len(places) == 1 and places[0] != (0, len(text)):
        start, end = places[0]
        return [Piece(_key(text[start:end]), body)]
    return [Piece(_key(text[start:end]), text[start:end].encode()) for start, end in places]


def read(body: bytes, speech: Speech) -> Reading:
    """Read one event."""
    text = text_of(body)
    check_whole(text)
    places = _events(text)
    if len(places) != 1:
        raise Unreadable(sentence("There must be one event in it."), "eventList")
    event = _loaded(text[places[0][0] : places[0][1]])
    sent_at = _moment(event, "recordTime") if "recordTime" in event else None
    if "errorDeclaration" in event:
        return Reading((_taken_back(event),), sent_at)
    if event.get("type") not in EVENTS:
        raise Unreadable(sentence("Must be one of {allowed}.", allowed=list(EVENTS)), "type")
    return Reading(tuple(_facts(event)), sent_at)


def _events(text: str) -> list[tuple[int, int]]:
    """Return where each event stands. Raises Unreadable for a document that holds none."""
    if text[0] == "[":
        return elements(text)
    top = members(text)
    if "epcisBody" not in top:
        return [(0, len(text))]
    body = members(text, top["epcisBody"][0])
    for name in ("queryResults", "resultsBody"):
        if name in body:
            body = members(text, body[name][0])
    if "resultsBody" in body:
        body = members(text, body["resultsBody"][0])
    if "eventList" in body:
        return elements(text, body["eventList"][0])
    if "event" in body:
        return [body["event"]]
    raise Unreadable(sentence("There is nothing in it."), "epcisBody")


def _key(text: str) -> str:
    """Return the key of an event: its id; an error declaration has the id of what it takes back, so with when."""
    try:
        event = orjson.loads(text)
    except orjson.JSONDecodeError:
        return ""
    name = event.get("eventID") if isinstance(event, dict) else None
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        return ""
    if isinstance(declared := event.get("errorDeclaration"), dict):
        name = f"{name}#error-{declared.get('declarationTime', '')}"
    return name if len(name) <= LONGEST_KEY and name.isprintable() else ""


def _loaded(text: str) -> dict[str, Any]:
    try:
        event = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Unreadable(sentence("This is not JSON."), f"{error.lineno}:{error.colno}") from error
    if not isinstance(event, dict):
        raise Unreadable(sentence("Must be an object."), "event")
    return event


def _taken_back(event: Mapping[str, Any]) -> Retracted:
    declared = event["errorDeclaration"]
    if not isinstance(declared, dict):
        raise Unreadable(sentence("Must be an object."), "errorDeclaration")
    key = _text(event, "eventID")
    if not key or len(key) > LONGEST_KEY:
        raise Unreadable(sentence("It does not say which event it takes back."), "eventID")
    corrected = declared.get("correctiveEventIDs", [])
    if not isinstance(corrected, list) or not all(isinstance(each, str) for each in corrected):
        raise Unreadable(sentence("Must be a list of texts."), "errorDeclaration.correctiveEventIDs")
    return Retracted(
        key=key,
        occurred_at=_moment(declared, "declarationTime"),
        reason=_bare(_text(declared, "reason")),
        corrected_by=tuple(each[:LONGEST_KEY] for each in corrected[:20]),
    )


def _facts(event: Mapping[str, Any]) -> Iterator[Fact]:
    at, codes = _moment(event, "eventTime"), _codes(event)
    transactions = list(_transactions(event))
    lines = list(dict.fromkeys(_lines(transactions)))
    things, quantities = _texts(event, "epcList", "childEPCs"), _quantities(event)
    if not lines:
        named = next((uri for _kind, uri in transactions), "") or _text(event, "eventID") or "?"
        lines = [Subject("line", "biz_transaction", named[:120])]
    is_shipping = codes[0].code == _SHIPPING and _text(event, "action") != "DELETE"
    if is_shipping and len(lines) == 1 and (things or quantities):
        serials = tuple(serial for thing in things if (serial := _serial(thing)))
        item = ShippedItem(lines[0], quantities + len(things), serials=serials)
        yield Shipped((item,), at, _shipment(transactions))
        return
    yield from (StatusReached(line, at, codes=codes) for line in lines)


def _codes(event: Mapping[str, Any]) -> tuple[Code, ...]:
    step = _bare(_text(event, "bizStep"))
    if not step:
        raise Unreadable(sentence("The event has no business step."), "bizStep")
    if _text(event, "action") == "DELETE" and event.get("type") != "ObjectEvent":
        step = f"{step}-deleted"
    found = [Code("epcis-bizstep", "", _short(step, "bizStep"))]
    if disposition := _bare(_text(event, "disposition")):
        found.append(Code("epcis-disposition", "", _short(disposition, "disposition")))
    return tuple(found)


def _short(code: str, where: str) -> str:
    if len(code) > 40:
        raise Unreadable(sentence("Must be a text of 1 to {most} characters.", most=40), where)
    return code


def _transactions(event: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give kind and address of each business transaction."""
    rows = event.get("bizTransactionList", [])
    if not isinstance(rows, list) or len(rows) > 1000:
        raise Unreadable(sentence("Must be a list."), "bizTransactionList")
    for row in rows:
        if not isinstance(row, dict):
            raise Unreadable(sentence("Must be an object."), "bizTransactionList")
        uri = _text(row, "bizTransaction")
        if uri:
            yield _bare(_text(row, "type")), uri


def _lines(transactions: Sequence[tuple[str, str]]) -> Iterator[Subject]:
    """Give the lines that are named: by our reference at the end of an address, else by the whole address."""
    for kind, uri in transactions:
        ours = _OUR_LINE.search(unquote(uri))
        if ours:
            yield Subject("line", "reference", ours.group(1))
        elif kind == "po":
            yield Subject("line", "biz_transaction", uri[:120])


def _shipment(transactions: Sequence[tuple[str, str]]) -> str:
    """Return the despatch advice or the bill of lading that is named."""
    for wanted in ("desadv", "bol"):
        for kind, uri in transactions:
            if kind == wanted:
                return uri[:120]
    return ""


def _quantities(event: Mapping[str, Any]) -> Decimal:
    rows = event.get("quantityList", event.get("childQuantityList", []))
    if not isinstance(rows, list) or len(rows) > MOST_THINGS:
        raise Unreadable(sentence("Must be a list."), "quantityList")
    total = Decimal(0)
    for row in rows:
        quantity = row.get("quantity") if isinstance(row, dict) else None
        if isinstance(quantity, bool) or not isinstance(quantity, int | float) or not 0 <= quantity < 10**12:
            raise Unreadable(sentence("Must be a quantity."), "quantityList")
        total += Decimal(str(quantity))
    return total


def _serial(thing: str) -> str:
    found = _SGTIN.fullmatch(thing) or _LINK.fullmatch(thing)
    return unquote(found.group(1)) if found else ""


def _texts(event: Mapping[str, Any], *names: str) -> list[str]:
    for name in names:
        if name in event:
            rows = event[name]
            if not isinstance(rows, list) or len(rows) > MOST_THINGS or not all(isinstance(row, str) for row in rows):
                raise Unreadable(sentence("Must be a list of texts."), name)
            return rows
    return []


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name, "")
    if not isinstance(value, str) or "\x00" in value or len(value) > 2000:
        raise Unreadable(sentence("Must be a text."), name)
    return value.strip()


def _bare(code: str) -> str:
    """Return a code of the GS1 vocabulary as it is written there; one of another vocabulary stays a whole address."""
    return _OF_GS1.sub("", code)


def _moment(row: Mapping[str, Any], name: str) -> datetime:
    text = _text(row, name)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Unreadable(sentence("Must be a time, as 2026-11-22T09:00:00Z."), name) from error
    if moment.utcoffset() is None or not 1900 <= moment.year <= 2200:
        raise Unreadable(sentence("Must be a time, as 2026-11-22T09:00:00Z."), name)
    return moment


FORM = Form(
    code="epcis-json",
    name=_("GS1 EPCIS events as JSON"),
    versions=("2.0",),
    content_types=("application/json", "application/ld+json"),
    split=split,
    read=read,
)
