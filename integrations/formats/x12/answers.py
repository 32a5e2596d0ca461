"""855, Purchase Order Acknowledgment: a supplier answers on the lines of our purchase order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from integrations.facts import Code, Subject, SupplyDated, Unreadable
from integrations.formats.edi.segments import Segment, all_of, bounded, groups
from integrations.formats.edi.values import day, quantity, schedule, within
from integrations.formats.form import Speech
from integrations.formats.x12.envelope import Letter
from integrations.formats.x12.fields import ANSWER_TO_ORDER, ARRIVES, LINE_STATUS, ORIGINAL
from parts.sentences import sentence


def read(letter: Letter, speech: Speech) -> list[SupplyDated]:
    """Return the answer on each line. Raises Unreadable, also where no line is named."""
    header, lines = groups(letter.segments, "PO1")
    head = header[1] if len(header) > 1 else letter.segments[0]
    if head.tag != "BAK":
        raise Unreadable(sentence("{tag} is missing.", tag="BAK"), head.where())
    if head.value(1) not in ORIGINAL:
        raise Unreadable(
            sentence("It takes back or changes an earlier message. Only new ones are read."), head.where(1)
        )
    if not lines:
        raise Unreadable(sentence("It names no line of the order."), head.where())
    answered_at = letter.sent_at
    if head.value(9):
        answered_at = within(day(head.value(9), head.where(9)), speech.zone, letter.sent_at)
    whole = Code(ANSWER_TO_ORDER, letter.release, head.code(2))
    bounded(len(lines), head)
    facts = []
    for line in lines:
        codes = dict.fromkeys(Code(LINE_STATUS, letter.release, ack.code(1)) for ack in all_of(line, "ACK"))
        days, note = schedule(_entries(line))
        subject = Subject("purchase_order_line", "reference", f"{head.named(3)}/{line[0].position(1)}")
        facts.append(SupplyDated(subject, answered_at, days, codes=tuple(codes) or (whole,), note=note))
    return facts


def _entries(line: Sequence[Segment]) -> Iterator[tuple[date | None, Decimal | None]]:
    """Give the quantity and the day of each ACK, with the dates that follow it."""
    _before, answers = groups(line, "ACK")
    for answer in answers:
        ack = answer[0]
        much = quantity(ack.value(2), ack.value(3), ack.where(2)) if ack.value(2) else None
        days = [day(ack.value(5), ack.where(5))] if ack.value(4) in ARRIVES else []
        days += [day(one.value(2), one.where(2)) for one in all_of(answer, "DTM") if one.value(1) in ARRIVES]
        yield (days[-1] if days else None), much
