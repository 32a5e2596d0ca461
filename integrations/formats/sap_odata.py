"""Outbound deliveries of SAP S/4HANA as OData returns them (API_OUTBOUND_DELIVERY_SRV), version 2 or 4 as JSON.

One delivery (`{"d": {…}}` or alone), or many (`{"d": {"results": […]}}`, `{"value": […]}`, an array); with its items
expanded (`to_DeliveryDocumentItem`). What is read becomes what the same delivery says as an IDoc, and means the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from django.utils.translation import gettext_lazy as _

from integrations.facts import Piece, Reading, Unreadable
from integrations.formats import sap_delivery
from integrations.formats.field_map import Field, FieldMap
from integrations.formats.form import Form, Speech
from integrations.formats.json_parts import check_whole, elements, members, text_of
from integrations.formats.sap_delivery import Delivery, Idoc, Item
from parts.sentences import sentence

MAP = FieldMap(
    "1",
    [
        Field("delivery", "header.DeliveryDocument", "shipment number", "leading zeros left out"),
        Field("lading", "header.BillOfLading", "tracking number"),
        Field("issued", "header.OverallGoodsMovementStatus", "C: goods issue is posted"),
        Field("picked", "header.OverallPickingStatus", "C: it is picked", "where no goods issue is posted"),
        Field("day", "header.ActualGoodsMovementDate", "when it happened", "/Date(…)/ or 2026-11-22"),
        Field("clock", "header.ActualGoodsMovementTime", "when it happened", "PT08H58M00S or 08:58:00"),
        Field("changed", "header.LastChangeDate", "when it was sent", "where the goods issue has no day"),
        Field("item", "item.DeliveryDocumentItem", "delivery item", "leading zeros left out"),
        Field("material", "item.Material", "part"),
        Field("batch", "item.Batch", "batch"),
        Field("quantity", "item.ActualDeliveryQuantity", "quantity", "where the base quantity is missing"),
        Field("base", "item.ActualDeliveredQtyInBaseUnit", "quantity", "in the base unit of the part"),
        Field("parent", "item.HigherLvlItmOfBatSpltItm", "item that a batch belongs to", "version 2 of the service"),
        Field("before", "item.ReferenceSDDocument", "item that a batch belongs to", "where the one above is missing"),
        Field("before_item", "item.ReferenceSDDocumentItem", "item that a batch belongs to"),
        Field(
            "item_issued", "item.GoodsMovementStatus", "left out where A or B", "nothing of it, or not all, has left"
        ),
    ],
)
_ITEMS = ("to_DeliveryDocumentItem", "_DeliveryDocumentItem", "_Item")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_V2_DATE = re.compile(r"/Date\((-?[0-9]{1,15})(?:[+-][0-9]{1,4})?\)/")
_V4_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:T.{0,30})?")
_V2_TIME = re.compile(r"PT(?:([0-9]{1,2})H)?(?:([0-9]{1,2})M)?(?:([0-9]{1,2})(?:\.[0-9]{1,9})?S)?")
_V4_TIME = re.compile(r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]{1,9})?")


def split(body: bytes) -> list[Piece]:
    """Cut an answer into its deliveries, each with exactly its own bytes; none has a key but the hash of itself."""
    text = text_of(body)
    check_whole(text)
    places = _deliveries(text)
    if not places:
        raise Unreadable(sentence("There is no delivery in it."))
    if len(places) == 1:
        return [Piece("", body)]
    return [Piece("", text[start:end].encode()) for start, end in places]


def read(body: bytes, speech: Speech) -> Reading:
    """Read one delivery."""
    text = text_of(body)
    check_whole(text)
    places = _deliveries(text)
    if len(places) != 1:
        raise Unreadable(sentence("There must be one delivery in it."))
    header = _object(_loaded(text[places[0][0] : places[0][1]]), "header")
    fields = {name: _plain(value) for name, value in header.items()}
    control = {"MESTYP": "SHPCON", "CREDAT": _day(MAP.of(fields, "changed"), "LastChangeDate")}
    return sap_delivery.read(Idoc(control, [_delivery(header, fields)]), speech)


def _deliveries(text: str) -> list[tuple[int, int]]:
    if text[0] == "[":
        return elements(text)
    top, whole = members(text), (0, len(text))
    if "d" in top:
        whole = top["d"]
        if text[whole[0]] == "[":
            return elements(text, whole[0])
        top = members(text, whole[0])
    for name in ("results", "value"):
        if name in top and text[top[name][0]] == "[":
            return elements(text, top[name][0])
    return [whole]


def _delivery(header: Mapping[str, Any], fields: Mapping[str, str]) -> Delivery:
    issued, picked = MAP.of(fields, "issued") == "C", MAP.of(fields, "picked") == "C"
    step = {"QUALF": "PGI" if issued else "PIC" if picked else ""}
    day, clock = _day(MAP.of(fields, "day"), "ActualGoodsMovementDate"), _clock(MAP.of(fields, "clock"))
    when = {"QUALF": "006", "ISDD": day, "ISDZ": clock if day else ""}
    items = [_item(row) for row in _rows(header)]
    return Delivery(
        {"VBELN": MAP.of(fields, "delivery"), "BOLNR": MAP.of(fields, "lading")},
        [("E1EDL18", step), ("E1EDT13", when)],
        [item for item in items if not (issued and item.fields["status"] in ("A", "B"))],
    )


def _rows(header: Mapping[str, Any]) -> Sequence[Any]:
    for name in _ITEMS:
        rows = header.get(name)
        if isinstance(rows, dict):
            rows = rows.get("results")
        if isinstance(rows, list):
            return rows
    raise Unreadable(sentence("Its items are not expanded."), _ITEMS[0])


def _item(row: Any) -> Item:
    fields = {name: _plain(value) for name, value in _object(row, "item").items()}
    return Item(
        {
            "POSNR": MAP.of(fields, "item"),
            "MATNR": MAP.of(fields, "material"),
            "CHARG": MAP.of(fields, "batch"),
            "LFIMG": MAP.of(fields, "quantity"),
            "LGMNG": MAP.of(fields, "base"),
            "HIPOS": MAP.of(fields, "parent"),
            "VGBEL": MAP.of(fields, "before"),
            "VGPOS": MAP.of(fields, "before_item"),
            "status": MAP.of(fields, "item_issued"),
        }
    )


def _day(text: str, where: str) -> str:
    """Return a date as YYYYMMDD; empty for none. Version 2 counts milliseconds since 1970, in UTC."""
    if not text:
        return ""
    if found := _V2_DATE.fullmatch(text):
        try:
            return f"{_EPOCH + timedelta(milliseconds=int(found.group(1))):%Y%m%d}"
        except OverflowError as error:
            raise Unreadable(sentence("{text} is no day.", text=text[:40]), where) from error
    if found := _V4_DATE.fullmatch(text):
        return "".join(found.groups())
    raise Unreadable(sentence("{text} is no day.", text=text[:40]), where)


def _clock(text: str) -> str:
    if not text:
        return ""
    found = _V2_TIME.fullmatch(text) or _V4_TIME.fullmatch(text)
    if not found:
        raise Unreadable(sentence("{text} is no time of day.", text=text[:40]), "ActualGoodsMovementTime")
    return "".join(f"{int(part or 0):02}" for part in found.groups())


def _plain(value: Any) -> str:
    """Return a field as text; version 4 has numbers as such. What holds others is none."""
    if isinstance(value, bool) or value is None or isinstance(value, dict | list):
        return ""
    text = str(value)
    if "\x00" in text:
        raise Unreadable(sentence("This is no text."))
    return text


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Unreadable(sentence("Must be an object."), where)
    return value


def _loaded(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Unreadable(sentence("This is not JSON."), f"{error.lineno}:{error.colno}") from error


FORM = Form(
    code="sap-odata",
    name=_("SAP outbound delivery as OData"),
    versions=("2", "4"),
    content_types=("application/json",),
    split=split,
    read=read,
)
