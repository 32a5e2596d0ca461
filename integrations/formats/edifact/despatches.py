"""DESADV, despatch advice: what has left, from a warehouse that works for us or from a supplier to us."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from integrations.facts import Shipped, ShippedItem, Subject, SupplyShipped, SupplyShippedItem, Unreadable
from integrations.formats.edi.segments import Segment, all_of, bounded, first_of, groups, until
from integrations.formats.edifact.envelope import Letter
from integrations.formats.edifact.fields import DESPATCH_NEW, DESPATCHED, LEFT_ON
from integrations.formats.edifact.lines import amount, arrival, order_of, position_of, time_of
from integrations.formats.form import Speech
from parts.sentences import sentence


@dataclass(slots=True)
class _Line:
    """A line of an order, added up over packages."""

    quantity: Decimal = Decimal(0)
    serials: list[str] = field(default_factory=list)
    batches: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Advice:
    """What a despatch advice says."""

    number: str
    left_at: datetime
    arrives_on: date | None
    carrier: str
    tracking: str
    packages: tuple[str, ...]
    lines: dict[tuple[str, str], _Line] = field(default_factory=dict)


def read_from_warehouse(letter: Letter, speech: Speech) -> list[Shipped]:
    """Return what left for whoever ordered it. Raises Unreadable."""
    advice = _advice(letter, speech)
    items = tuple(
        ShippedItem(
            Subject("line", "reference", f"{order}/{position}"), line.quantity, tuple(line.serials), tuple(line.batches)
        )
        for (order, position), line in advice.lines.items()
    )
    return [Shipped(items, advice.left_at, advice.number, advice.carrier, advice.tracking)]


def read_from_supplier(letter: Letter, speech: Speech) -> list[SupplyShipped]:
    """Return what is on its way to us. Raises Unreadable."""
    advice = _advice(letter, speech)
    items = tuple(
        SupplyShippedItem(
            Subject("purchase_order_line", "reference", f"{order}/{position}"),
            line.quantity,
            tuple(line.serials),
            tuple(line.batches),
        )
        for (order, position), line in advice.lines.items()
    )
    return [
        SupplyShipped(
            items, advice.left_at, advice.number, advice.arrives_on, advice.carrier, advice.tracking, advice.packages
        )
    ]


def _advice(letter: Letter, speech: Speech) -> _Advice:
    before, lines = groups(letter.segments, "LIN")
    head = first_of(before, "BGM")
    if head is None:
        raise Unreadable(sentence("{tag} is missing.", tag="BGM"), before[0].where())
    if head.value(3) not in DESPATCH_NEW:
        raise Unreadable(
            sentence("It takes back or changes an earlier message. Only new ones are read."), head.where(3)
        )
    left = first_of(before, "DTM", LEFT_ON) or first_of(before, "DTM", "137")
    tracking = first_of(before, "RFF", "CN") or first_of(before, "RFF", "AAM")
    advice = _Advice(
        number=head.named(2),
        left_at=time_of(left, speech.zone, letter.sent_at) if left else letter.sent_at,
        arrives_on=arrival(before),
        carrier=_carrier(before),
        tracking=tracking.named(1, 2) if tracking else "",
        packages=tuple(dict.fromkeys(_numbers(letter.segments, "BJ"))),
    )
    order = first_of(before, "RFF", "ON")
    for line in lines:
        _add(advice, line, order.named(1, 2) if order else "")
    bounded(len(advice.lines), head)
    if not advice.lines:
        raise Unreadable(sentence("It names nothing that left."), head.where())
    return advice


def _add(advice: _Advice, line: Sequence[Segment], order: str) -> None:
    """Add what left of a line of the order; nothing is added where nothing did."""
    own = until(line, "CPS", "UNS", "CNT")
    said = list(all_of(own, "QTY", DESPATCHED))
    if not said:
        raise Unreadable(sentence("{tag} is missing.", tag=f"QTY+{DESPATCHED}"), line[0].where())
    much = sum((amount(one) for one in said), Decimal(0))
    if not much:
        return
    place = (order_of(own, order), position_of(own, by_itself=False))
    row = advice.lines.setdefault(place, _Line())
    row.quantity += much
    row.serials += _numbers(own, "BN")
    row.batches += _numbers(own, "BX")


def _numbers(segments: Sequence[Segment], qualifier: str) -> list[str]:
    """Return the numbers of GIN: up to five pairs in one, the second of each a range that is not read."""
    found = []
    for one in all_of(segments, "GIN", qualifier):
        for element in range(2, len(one.elements) + 1):
            if one.value(element, 2):
                raise Unreadable(sentence("A range of numbers is not read."), one.where(element))
            if one.value(element):
                found.append(one.named(element))
    return found


def _carrier(segments: Sequence[Segment]) -> str:
    found = first_of(segments, "TDT")
    return (found.value(5, 4) or found.value(5))[:120] if found else ""
