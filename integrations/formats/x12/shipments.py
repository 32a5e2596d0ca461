"""856, Ship Notice: what has left, from a warehouse that works for us or from a supplier to us."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from integrations.facts import Shipped, ShippedItem, Subject, SupplyShipped, SupplyShippedItem, Unreadable
from integrations.formats.edi.segments import Segment, all_of, bounded
from integrations.formats.edi.values import day, moment, quantity, within
from integrations.formats.form import Speech
from integrations.formats.x12.envelope import Letter
from integrations.formats.x12.fields import ARRIVES_ON, ORIGINAL, SHIPPED_ON
from integrations.formats.x12.levels import Level, levels
from parts.sentences import sentence


@dataclass(slots=True)
class _Line:
    """A line of an order, added up over packages and items."""

    quantity: Decimal = Decimal(0)
    serials: list[str] = field(default_factory=list)
    batches: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Notice:
    """What a ship notice says."""

    number: str
    left_at: datetime
    arrives_on: date | None = None
    carrier: str = ""
    tracking: str = ""
    packages: list[str] = field(default_factory=list)
    lines: dict[tuple[str, str], _Line] = field(default_factory=dict)


def read_from_warehouse(letter: Letter, speech: Speech) -> list[Shipped]:
    """Return what left for whoever ordered it. Raises Unreadable."""
    notice = _notice(letter, speech)
    items = tuple(
        ShippedItem(
            Subject("line", "reference", f"{order}/{position}"), line.quantity, tuple(line.serials), tuple(line.batches)
        )
        for (order, position), line in notice.lines.items()
    )
    return [Shipped(items, notice.left_at, notice.number, notice.carrier, notice.tracking)]


def read_from_supplier(letter: Letter, speech: Speech) -> list[SupplyShipped]:
    """Return what is on its way to us. Raises Unreadable."""
    notice = _notice(letter, speech)
    items = tuple(
        SupplyShippedItem(
            Subject("purchase_order_line", "reference", f"{order}/{position}"),
            line.quantity,
            tuple(line.serials),
            tuple(line.batches),
        )
        for (order, position), line in notice.lines.items()
    )
    packages = tuple(dict.fromkeys(notice.packages))
    return [
        SupplyShipped(
            items, notice.left_at, notice.number, notice.arrives_on, notice.carrier, notice.tracking, packages
        )
    ]


def _notice(letter: Letter, speech: Speech) -> _Notice:
    head = letter.segments[1]
    if head.tag != "BSN":
        raise Unreadable(sentence("{tag} is missing.", tag="BSN"), head.where())
    if head.value(1) not in ORIGINAL:
        raise Unreadable(
            sentence("It takes back or changes an earlier message. Only new ones are read."), head.where(1)
        )
    found = list(levels(letter.segments))
    notice = _Notice(head.named(2), _left_at(letter, speech))
    arrives = next((one for one in letter.segments if one.tag == "DTM" and one.value(1) in ARRIVES_ON), None)
    if arrives is not None:
        notice.arrives_on = day(arrives.value(2), arrives.where(2))
    for level in found:
        notice.packages += [mark.named(2) for mark in all_of(level.segments, "MAN", "GM", "CP")]
        if level.kind == "I":
            _add(notice, level)
    bounded(len(notice.lines), head)
    if not notice.lines:
        raise Unreadable(sentence("It names nothing that left."), head.where())
    first = next(level for level in found if level.kind == "I")
    routing = first.find("TD5")
    notice.carrier = (routing.value(5) or routing.value(3))[:120] if routing else ""
    tracking = first.find("REF", "2I") or first.find("REF", "CN")
    notice.tracking = tracking.named(2) if tracking else ""
    return notice


def _left_at(letter: Letter, speech: Speech) -> datetime:
    shipped = next((one for one in letter.segments if one.tag == "DTM" and one.value(1) in SHIPPED_ON), None)
    if shipped is not None:
        if shipped.value(3):
            return moment(shipped.value(2), shipped.value(3), speech.zone, shipped.where(2))
        return within(day(shipped.value(2), shipped.where(2)), speech.zone, letter.sent_at)
    head = letter.segments[1]
    return moment(head.value(3), head.value(4), speech.zone, head.where(3))


def _add(notice: _Notice, item: Level) -> None:
    """Add an item to the line of the order that it is of; nothing is added where nothing left of it."""
    order, named = item.needs("PRF"), item.needs("LIN")
    shipped = _own(item, "SN1")
    much = quantity(shipped.value(2), shipped.value(3), shipped.where(2))
    if not much:
        return
    line = notice.lines.setdefault((order.named(1), named.position(1)), _Line())
    line.quantity += much
    line.serials += [one.named(2) for one in all_of(item.segments, "REF", "SE")]
    line.batches += [one.named(2) for one in all_of(item.segments, "REF", "LT")]


def _own(level: Level, tag: str) -> Segment:
    found = next(all_of(level.segments, tag), None)
    if found is None:
        raise Unreadable(sentence("{tag} is missing.", tag=tag), level.segments[0].where())
    return found
