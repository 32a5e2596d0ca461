"""What a delivery IDoc of SAP says (basic types DELVRY01 to DELVRY07), whichever way it is written.

Read here are the message types SHPCON (a warehouse confirms picking or goods issue), SHPORD (the ERP tells the
warehouse of a delivery: its numbers are learnt), DESADV (a supplier's despatch advice) and WHSCON (a warehouse confirms
the receipt of an inbound delivery). The sources of each rule stand in docs/integrations/sap-idoc.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal

from integrations.facts import (
    Fact,
    NumberGiven,
    Reading,
    Shipped,
    ShippedItem,
    StatusReached,
    StockConfirmed,
    StockState,
    Subject,
    SupplyShipped,
    SupplyShippedItem,
    Unreadable,
)
from integrations.formats.field_map import Field, FieldMap
from integrations.formats.form import Speech
from parts.sentences import sentence

VERSIONS = tuple(f"DELVRY0{number}" for number in range(1, 8))
MOST_ITEMS = 1000

MAP = FieldMap(
    "1",
    [
        Field("document", "EDI_DC40.DOCNUM", "key of the message", "without it the hash of the message"),
        Field("test", "EDI_DC40.TEST", "refused where set", "a test is not acted upon"),
        Field("type", "EDI_DC40.MESTYP", "which facts are read", "SHPCON, SHPORD, DESADV, WHSCON"),
        Field("made_on", "EDI_DC40.CREDAT", "when it was sent", "with CRETIM, in the system's time zone"),
        Field("made_at", "EDI_DC40.CRETIM", "when it was sent"),
        Field("delivery", "E1EDL20.VBELN", "shipment number, delivery note", "leading zeros left out"),
        Field("lading", "E1EDL20.BOLNR", "tracking number"),
        Field("their_note", "E1EDL20.LIFEX", "delivery note of a supplier", "before VBELN"),
        Field("step", "E1EDL18.QUALF", "what is confirmed", "PGI goods issue or receipt, PIC picking, DEL deleted"),
        Field("deadline", "E1EDT13.QUALF", "which date", "006 goods issue, 010 picking, 019 receipt, 007 delivery"),
        Field("began_on", "E1EDT13.ISDD", "when it happened", "with ISDZ; else IEDD, else NTANF of the same"),
        Field("began_at", "E1EDT13.ISDZ", "when it happened"),
        Field("ended_on", "E1EDT13.IEDD", "when it happened"),
        Field("ended_at", "E1EDT13.IEDZ", "when it happened"),
        Field("planned_on", "E1EDT13.NTANF", "when it happened, or when it arrives"),
        Field("planned_at", "E1EDT13.NTANZ", "when it happened"),
        Field("partner_kind", "E1ADRM1.PARTNER_Q", "which partner", "SP: the carrier"),
        Field("partner", "E1ADRM1.PARTNER_ID", "carrier", "where it has no name"),
        Field("partner_name", "E1ADRM1.NAME1", "carrier"),
        Field("item", "E1EDL24.POSNR", "delivery item", "leading zeros left out"),
        Field("material", "E1EDL24.MATNR", "part", "leading zeros of a number left out"),
        Field("plant", "E1EDL24.WERKS", "warehouse", "with LGORT, as plant/storage location"),
        Field("location", "E1EDL24.LGORT", "warehouse"),
        Field("batch", "E1EDL24.CHARG", "batch"),
        Field("sold", "E1EDL24.LFIMG", "quantity", "where LGMNG is empty"),
        Field("base", "E1EDL24.LGMNG", "quantity", "in the base unit of the part"),
        Field("parent", "E1EDL24.HIPOS", "item that a batch belongs to", "batches are added up to their item"),
        Field("parent_use", "E1EDL24.HIEVW", "how it belongs", "1 or empty: a batch; else an item of its own"),
        Field("upper", "E1EDL24.UEPOS", "item that a batch belongs to", "where HIPOS is empty"),
        Field("before", "E1EDL24.VGBEL", "item that a batch belongs to", "with VGPOS, where neither is there"),
        Field("before_item", "E1EDL24.VGPOS", "item that a batch belongs to"),
        Field("item_step", "E1EDL19.QUALF", "left out where DEL", "the item was taken off the delivery"),
        Field("serial", "E1EDL11.SERNR", "serial number"),
        Field("order_kind", "E1EDL41.QUALI", "which order", "001: that of whoever ordered"),
        Field("order", "E1EDL41.BSTNR", "our order", "with POSEX our line or purchase order line"),
        Field("order_item", "E1EDL41.POSEX", "our line", "leading zeros left out"),
    ],
)

Segment = Mapping[str, str]
#: Our own references, as others carry them along.
_OUR_ORDER = re.compile(r"P-[0-9]{1,20}")
_DAY = re.compile(r"[0-9]{8}", re.ASCII)
_QUANTITY = re.compile(r"[0-9]{1,15}(\.[0-9]{0,6})?", re.ASCII)
#: From this item number on, SAP numbers what it splits off an item by batches.
_SPLIT_OFF = 900_000
#: Which dates tell when something happened, in the order in which they are looked for.
_WHEN = {"PGI": ("006", "019"), "PIC": ("010",)}


@dataclass(slots=True)
class Item:
    """An item of a delivery: its own fields, and the segments below it as (name, fields)."""

    fields: Segment
    below: list[tuple[str, Segment]] = field(default_factory=list)


@dataclass(slots=True)
class Delivery:
    """A delivery in an IDoc: its header's fields, the segments of its header, and its items."""

    fields: Segment
    below: list[tuple[str, Segment]] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)


@dataclass(slots=True)
class Idoc:
    """One IDoc: its control record and its deliveries."""

    control: Segment
    deliveries: list[Delivery] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Whole:
    """An item with its batches added up."""

    number: str
    first: Item
    quantity: Decimal
    batches: tuple[str, ...]
    serials: tuple[str, ...]


def key_of(control: Segment) -> str:
    """Return the key of an IDoc: its document number; empty where it has none."""
    number = MAP.of(control, "document")
    return number if number.strip("0") and number.isprintable() else ""


def read(idoc: Idoc, speech: Speech) -> Reading:
    """Return what an IDoc says. Raises Unreadable."""
    control = idoc.control
    if MAP.of(control, "test"):
        raise Unreadable(sentence("It is marked as a test."), "EDI_DC40.TEST")
    kind = MAP.of(control, "type").upper()
    if kind not in _READERS:
        raise Unreadable(
            sentence("Messages of the type {type} are not read here, only {types}.", type=kind, types=list(_READERS)),
            "EDI_DC40.MESTYP",
        )
    sent_at = _moment(MAP.of(control, "made_on"), MAP.of(control, "made_at"), speech, "EDI_DC40.CREDAT")
    if not idoc.deliveries:
        raise Unreadable(sentence("There is no delivery in it."), "E1EDL20")
    facts = [fact for delivery in idoc.deliveries for fact in _READERS[kind](delivery, speech, sent_at)]
    if not facts:
        raise Unreadable(sentence("It tells nothing that happened."), "E1EDL18.QUALF")
    return Reading(tuple(facts), sent_at)


def _confirmed(delivery: Delivery, speech: Speech, sent_at: datetime | None) -> Iterator[Fact]:
    """Read SHPCON: goods issue of what is named, or its picking."""
    number, steps = _number(delivery), _steps(delivery)
    if "PGI" in steps:
        at = _when(delivery, "PGI", speech, sent_at)
        wholes = list(_wholes(delivery))
        items = tuple(
            ShippedItem(_line(number, whole), whole.quantity, serials=whole.serials, batches=whole.batches)
            for whole in wholes
            if whole.quantity
        )
        if not items:
            raise Unreadable(sentence("Nothing in it has left."), "E1EDL24.LFIMG")
        yield from _numbers(number, wholes, at)
        yield Shipped(items, at, number, _carrier(delivery), MAP.of(delivery.fields, "lading"))
    elif "PIC" in steps:
        at = _when(delivery, "PIC", speech, sent_at)
        wholes = list(_wholes(delivery))
        yield from _numbers(number, wholes, at)
        yield from (StatusReached(_line(number, whole), at, "picking") for whole in wholes if whole.quantity)


def _announced(delivery: Delivery, speech: Speech, sent_at: datetime | None) -> Iterator[Fact]:
    """Read SHPORD: under which numbers the sender knows our lines."""
    if sent_at is None:
        raise Unreadable(sentence("Say when it happened."), "EDI_DC40.CREDAT")
    yield from _numbers(_number(delivery), list(_wholes(delivery)), sent_at)


def _advised(delivery: Delivery, speech: Speech, sent_at: datetime | None) -> Iterator[Fact]:
    """Read DESADV: what a supplier has sent, and when it is to arrive."""
    at = _when(delivery, "PGI", speech, sent_at)
    items = []
    for whole in _wholes(delivery):
        if whole.quantity:
            line = _purchase_order_line(whole)
            items.append(SupplyShippedItem(line, whole.quantity, serials=whole.serials, batches=whole.batches))
    if not items:
        raise Unreadable(sentence("Nothing in it has left."), "E1EDL24.LFIMG")
    yield SupplyShipped(
        tuple(items),
        at,
        MAP.of(delivery.fields, "their_note") or _number(delivery),
        arrives_on=_arrives_on(delivery),
        carrier=_carrier(delivery),
        tracking_number=MAP.of(delivery.fields, "lading"),
    )


def _received(delivery: Delivery, speech: Speech, sent_at: datetime | None) -> Iterator[Fact]:
    """Read WHSCON: what came in, item by item, for our purchase orders where it says so."""
    if "PGI" not in _steps(delivery):
        return
    at, number = _when(delivery, "PGI", speech, sent_at), _number(delivery)
    note = MAP.of(delivery.fields, "their_note") or number
    for whole in _wholes(delivery):
        if not whole.quantity:
            continue
        fields = whole.first.fields
        yield StockConfirmed(
            warehouse=Subject("warehouse", "plant", _plant(fields)),
            part=Subject("part", "reference", _plain(MAP.of(fields, "material"))),
            quantity=whole.quantity,
            from_state=StockState.OUTSIDE,
            to_state=StockState.AVAILABLE,
            occurred_at=at,
            document=f"{number}/{whole.number}",
            purchase_order_line=_purchase_order_line(whole) if _order(whole)[0] else None,
            delivery_note=note,
            serials=whole.serials,
            batches=whole.batches,
        )


_READERS: dict[str, Callable[[Delivery, Speech, datetime | None], Iterator[Fact]]] = {
    "SHPCON": _confirmed,
    "SHPORD": _announced,
    "DESADV": _advised,
    "WHSCON": _received,
}


def _wholes(delivery: Delivery) -> Iterator[_Whole]:
    """Give the items, what was split off by batches added up to them; those that were deleted are left out."""
    if len(delivery.items) > MOST_ITEMS:
        raise Unreadable(sentence("At most {most} items in one delivery.", most=MOST_ITEMS), "E1EDL24")
    there = [item for item in delivery.items if "DEL" not in _said(item.below, "item_step")]
    parents: dict[str, Item] = {}
    by_order: dict[tuple[str, str], list[str]] = {}
    for item in there:
        if not _is_batch(item):
            number = _item_number(item)
            if number in parents:
                raise Unreadable(sentence("Item {number} stands there twice.", number=number), f"E1EDL24 {number}")
            parents[number] = item
            by_order.setdefault(_order_before(item), []).append(number)
    batches: dict[str, list[Item]] = {}
    for item in there:
        if _is_batch(item):
            batches.setdefault(_parent(item, by_order), []).append(item)
    for number, items in batches.items():
        parents.setdefault(number, items[0])
    for number, item in parents.items():
        below = batches.get(number, [])
        own = [item] if item not in below else []
        yield _whole(number, item, own, below)


def _whole(number: str, item: Item, own: Sequence[Item], below: Sequence[Item]) -> _Whole:
    of_batches = sum((_quantity(each) for each in below), Decimal(0))
    quantity = sum((_quantity(each) for each in own), Decimal(0))
    if below and quantity not in (Decimal(0), of_batches):
        raise Unreadable(
            sentence("The quantities of item {number} and of its batches do not fit together.", number=number),
            f"E1EDL24 {number}",
        )
    every = [*own, *below]
    return _Whole(
        number=number,
        first=item,
        quantity=of_batches if below else quantity,
        batches=tuple(batch for each in every if (batch := MAP.of(each.fields, "batch"))),
        serials=tuple(dict.fromkeys(serial for each in every for serial in _said(each.below, "serial"))),
    )


def _is_batch(item: Item) -> bool:
    number = _item_number(item)
    if int(number) > _SPLIT_OFF:
        return True
    named = MAP.of(item.fields, "parent").strip("0")
    return bool(named) and MAP.of(item.fields, "parent_use") in ("", "1")


def _parent(item: Item, by_order: Mapping[tuple[str, str], Sequence[str]]) -> str:
    """Return the number of the item that a batch was split off. Raises Unreadable where nothing names it."""
    for name in ("parent", "upper"):
        named = MAP.of(item.fields, name).lstrip("0")
        if named.isascii() and named.isdigit():
            return named
    before = _order_before(item)
    if before[0] and len(by_order.get(before, ())) == 1:
        return by_order[before][0]
    number = _item_number(item)
    raise Unreadable(
        sentence("Nothing says to which item the batch {number} belongs.", number=number), f"E1EDL24 {number}"
    )


def _order_before(item: Item) -> tuple[str, str]:
    return MAP.of(item.fields, "before"), MAP.of(item.fields, "before_item")


def _item_number(item: Item) -> str:
    number = MAP.of(item.fields, "item")
    if not (number.isascii() and number.isdigit() and len(number) <= 10 and number.strip("0")):
        raise Unreadable(sentence("An item has no number."), "E1EDL24.POSNR")
    return number.lstrip("0")


def _quantity(item: Item) -> Decimal:
    text = MAP.of(item.fields, "base") or MAP.of(item.fields, "sold") or "0"
    if not _QUANTITY.fullmatch(text):
        raise Unreadable(sentence("{text} is no quantity.", text=text[:40]), f"E1EDL24 {_item_number(item)}")
    return Decimal(text)


def _line(delivery: str, whole: _Whole) -> Subject:
    """Return the line that an item is for: ours where the IDoc carries our reference, else by the delivery's number."""
    order, position = _order(whole)
    if _OUR_ORDER.fullmatch(order) and position:
        return Subject("line", "reference", f"{order}/{position}")
    return Subject("line", "delivery_item", f"{delivery}/{whole.number}")


def _numbers(delivery: str, wholes: Sequence[_Whole], at: datetime) -> Iterator[NumberGiven]:
    for whole in wholes:
        line = _line(delivery, whole)
        if line.by == "reference":
            yield NumberGiven(line, "delivery_item", f"{delivery}/{whole.number}", at)


def _purchase_order_line(whole: _Whole) -> Subject:
    order, position = _order(whole)
    if not order or not position:
        raise Unreadable(
            sentence("Item {number} does not say which purchase order it is for.", number=whole.number), "E1EDL41.BSTNR"
        )
    return Subject("purchase_order_line", "reference", f"{order}/{position}")


def _order(whole: _Whole) -> tuple[str, str]:
    """Return number and position of the order of whoever ordered; empty where they are not said."""
    for name, segment in whole.first.below:
        if name == MAP.segment("order") and MAP.of(segment, "order_kind") in ("", "001"):
            position = MAP.of(segment, "order_item").lstrip("0")
            return MAP.of(segment, "order"), position if position.isascii() and position.isdigit() else ""
    return "", ""


def _number(delivery: Delivery) -> str:
    number = _plain(MAP.of(delivery.fields, "delivery"))
    if not number or len(number) > 40 or not number.isprintable():
        raise Unreadable(sentence("The delivery has no number."), "E1EDL20.VBELN")
    return number


def _plain(text: str) -> str:
    """Return a number without its leading zeros; what is no number stays as it is."""
    return text.lstrip("0") if text.isascii() and text.isdigit() else text


def _plant(fields: Segment) -> str:
    plant, location = MAP.of(fields, "plant"), MAP.of(fields, "location")
    if not plant:
        raise Unreadable(sentence("An item does not say where it lies."), "E1EDL24.WERKS")
    return f"{plant}/{location}" if location else plant


def _carrier(delivery: Delivery) -> str:
    for name, segment in delivery.below:
        if name == MAP.segment("partner") and MAP.of(segment, "partner_kind") == "SP":
            return MAP.of(segment, "partner_name") or MAP.of(segment, "partner")
    return ""


def _steps(delivery: Delivery) -> set[str]:
    steps = set(_said(delivery.below, "step"))
    if "DEL" in steps:
        raise Unreadable(sentence("The delivery was deleted."), "E1EDL18.QUALF")
    return steps


def _said(below: Sequence[tuple[str, Segment]], name: str) -> list[str]:
    segment = MAP.segment(name)
    return [text for each, fields in below if each == segment and (text := MAP.of(fields, name))]


def _when(delivery: Delivery, step: str, speech: Speech, sent_at: datetime | None) -> datetime:
    """Return when a step happened: its own date, else when the IDoc was made."""
    for wanted in _WHEN[step]:
        for fields in _dates(delivery, wanted):
            for day, clock in (("began_on", "began_at"), ("ended_on", "ended_at"), ("planned_on", "planned_at")):
                moment = _moment(MAP.of(fields, day), MAP.of(fields, clock), speech, f"E1EDT13 {wanted}")
                if moment is not None:
                    return moment
    if sent_at is None:
        raise Unreadable(sentence("Say when it happened."), "E1EDT13")
    return sent_at


def _arrives_on(delivery: Delivery) -> date | None:
    for fields in _dates(delivery, "007"):
        for name in ("planned_on", "began_on"):
            if day := _day(MAP.of(fields, name), "E1EDT13 007"):
                return day
    return None


def _dates(delivery: Delivery, wanted: str) -> Iterator[Segment]:
    for name, fields in delivery.below:
        if name == MAP.segment("deadline") and MAP.of(fields, "deadline") == wanted:
            yield fields


def _moment(day: str, clock: str, speech: Speech, where: str) -> datetime | None:
    found = _day(day, where)
    if found is None:
        return None
    try:
        at = time.fromisoformat(f"{clock[:2]}:{clock[2:4]}:{clock[4:]}") if clock else time()
    except ValueError as error:
        raise Unreadable(sentence("{text} is no time of day.", text=clock[:20]), where) from error
    return datetime.combine(found, at.replace(tzinfo=None), speech.zone)


def _day(text: str, where: str) -> date | None:
    if not text.strip("0"):
        return None
    try:
        if not _DAY.fullmatch(text) or not 1900 <= int(text[:4]) <= 2200:
            raise ValueError(text)
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError as error:
        raise Unreadable(sentence("{text} is no day.", text=text[:20]), where) from error
