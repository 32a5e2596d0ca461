"""ORDRSP, order response: a supplier answers on the lines of our purchase order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from integrations.facts import Code, Subject, SupplyDated, Unreadable
from integrations.formats.edi.segments import Segment, bounded, first_of, groups
from integrations.formats.edi.values import schedule
from integrations.formats.edifact.envelope import Letter
from integrations.formats.edifact.fields import ACTION, ANSWERED, ARRIVES, FUNCTION
from integrations.formats.edifact.lines import amount, arrival, day_of, order_of, position_of, time_of
from integrations.formats.form import Speech
from parts.sentences import sentence


def read(letter: Letter, speech: Speech) -> list[SupplyDated]:
    """Return the answer on each line. Raises Unreadable, also where no line is named."""
    header, lines = groups(letter.segments, "LIN")
    head = first_of(header, "BGM")
    if head is None:
        raise Unreadable(sentence("{tag} is missing.", tag="BGM"), header[0].where())
    if not lines:
        raise Unreadable(sentence("It names no line of the order."), head.where())
    written = first_of(header, "DTM", "137")
    answered_at = time_of(written, speech.zone, letter.sent_at) if written else letter.sent_at
    referred = first_of(header, "RFF", "ON")
    order, comes = referred.named(1, 2) if referred else "", arrival(header)
    bounded(len(lines), head)
    facts = []
    for line in lines:
        days, note = schedule(_entries(line, comes))
        action = line[0].value(2)
        code = Code(ACTION, letter.release, line[0].code(2)) if action else Code(FUNCTION, letter.release, head.code(3))
        place = f"{order_of(line, order)}/{position_of(line, by_itself=True)}"
        subject = Subject("purchase_order_line", "reference", place)
        facts.append(SupplyDated(subject, answered_at, days, codes=(code,), note=note))
    return facts


def _entries(line: Sequence[Segment], comes: date | None) -> list[tuple[date | None, Decimal | None]]:
    """Return the quantities of a line with their days: a day is of the quantity before it, a first one of the first."""
    entries: list[tuple[date | None, Decimal | None]] = []
    on: date | None = None
    much: Decimal | None = None
    for one in line:
        if one.tag == "QTY" and one.value(1) in ANSWERED:
            if much is not None:
                entries.append((on, much))
                on = None
            much = amount(one)
        elif one.tag == "DTM" and one.value(1) in ARRIVES:
            if on is not None:
                entries.append((on, much))
                much = None
            on = day_of(one)
    entries.append((on, much))
    if comes is not None and all(day is None for day, _said in entries):
        return [(comes, said) for _on, said in entries]
    return entries
