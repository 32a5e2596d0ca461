"""870, Order Status Report: how lines stand, of our orders at a warehouse or of our purchase orders at a supplier."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from integrations.facts import Code, StatusReached, Subject, SupplyDated, Unreadable
from integrations.formats.edi.segments import Segment, all_of, bounded, groups
from integrations.formats.edi.values import LONGEST_NOTE, day, quantity, schedule, within
from integrations.formats.form import Speech
from integrations.formats.x12.envelope import Letter
from integrations.formats.x12.fields import (
    ARRIVES,
    ISR_ARRIVES,
    ORDER_STATUS,
    ORDER_STATUS_OF_PART,
    ORDER_STATUS_OF_SUPPLY,
    QTY_OF_STATUS,
)
from integrations.formats.x12.levels import levels
from parts.sentences import sentence

#: So many the standard allows.
MOST_STATUSES = 104


@dataclass(frozen=True, slots=True)
class _Status:
    """One ISR: of how much of a line if that is said, and when that arrives."""

    isr: Segment
    quantity: Decimal | None
    arrives: date | None


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of an order with all that is said of it: `statuses` are the order's where it has none of its own."""

    reference: str
    ordered: Decimal | None
    statuses: Sequence[_Status]


def read_from_warehouse(letter: Letter, speech: Speech) -> list[StatusReached]:
    """Return how each line stands. What is said of a part of a line only tells. Raises Unreadable."""
    facts = []
    for line in _lines(letter):
        for status in line.statuses:
            much = status.quantity
            in_part = len(line.statuses) > 1 or (much is not None and much != line.ordered)
            code = Code(ORDER_STATUS_OF_PART if in_part else ORDER_STATUS, letter.release, status.isr.code(1))
            on = status.isr.value(2)
            at = within(day(on, status.isr.where(2)), speech.zone, letter.sent_at) if on else letter.sent_at
            subject = Subject("line", "reference", line.reference)
            facts.append(StatusReached(subject, at, codes=(code,), note=_note(status)))
    return facts


def read_from_supplier(letter: Letter, speech: Speech) -> list[SupplyDated]:
    """Return how each line stands, and beside it when it will come: a day counts whatever the status means.

    Raises Unreadable.
    """
    facts = []
    for line in _lines(letter):
        codes = dict.fromkeys(
            Code(ORDER_STATUS_OF_SUPPLY, letter.release, status.isr.code(1)) for status in line.statuses
        )
        told = [(status.arrives, status.quantity) for status in line.statuses]
        days, note = schedule(told if any(on for on, _much in told) else [])
        notes = "; ".join(dict.fromkeys(filter(None, [note, *map(_note, line.statuses)])))[:LONGEST_NOTE]
        subject = Subject("purchase_order_line", "reference", line.reference)
        facts.append(SupplyDated(subject, letter.sent_at, codes=tuple(codes), note=notes))
        if days:
            facts.append(SupplyDated(subject, letter.sent_at, days, answer="changed"))
    return facts


def _note(status: _Status) -> str:
    """Return status, date and reason as they are written, for people."""
    isr = status.isr
    return " ".join(filter(None, [isr.value(1), isr.value(2), isr.value(3)]))[:LONGEST_NOTE]


def _lines(letter: Letter) -> Iterator[_Line]:
    head = letter.segments[1]
    if head.tag != "BSR":
        raise Unreadable(sentence("{tag} is missing.", tag="BSR"), head.where())
    count = 0
    for level in levels(letter.segments):
        before, lines = groups(level.segments, "PO1")
        of_order = _statuses(before)
        if of_order and not lines:
            raise Unreadable(sentence("It names no line of the order."), of_order[0].isr.where())
        for line in lines:
            own = _statuses(line) or of_order
            if not own:
                raise Unreadable(sentence("{tag} is missing.", tag="ISR"), line[0].where())
            po1, order = line[0], level.needs("PRF").named(1)
            ordered = quantity(po1.value(2), po1.value(3), po1.where(2)) if po1.value(2) else None
            count += len(own)
            bounded(count, line[0])
            yield _Line(f"{order}/{po1.position(1)}", ordered, own)
    if not count:
        raise Unreadable(sentence("It names no line of the order."), head.where())


def _statuses(segments: Sequence[Segment]) -> list[_Status]:
    found = groups(segments, "ISR")[1]
    if found:
        bounded(len(found), found[0][0], MOST_STATUSES)
    return [_status(group) for group in found]


def _status(group: Sequence[Segment]) -> _Status:
    isr = group[0]
    much = next((one for one in all_of(group, "QTY") if one.value(1) in QTY_OF_STATUS), None)
    dated = [one for one in all_of(group, "DTM") if one.value(1) in ARRIVES]
    if isr.value(1) in ISR_ARRIVES and isr.value(2):
        arrives: date | None = day(isr.value(2), isr.where(2))
    else:
        arrives = day(dated[-1].value(2), dated[-1].where(2)) if dated else None
    return _Status(isr, quantity(much.value(2), much.value(3), much.where(2)) if much else None, arrives)
