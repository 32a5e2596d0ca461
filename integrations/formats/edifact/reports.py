"""OSTRPT, order status report: how lines stand, of our orders at a warehouse or of our purchase orders at a supplier.

By its definition (D.98A, 1.3) it can trigger nothing; the codes that are shipped for it only tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from integrations.facts import Code, StatusReached, Subject, SupplyDated, Unreadable
from integrations.formats.edi.segments import Segment, all_of, bounded, first_of, groups, until
from integrations.formats.edi.values import LONGEST_NOTE, schedule
from integrations.formats.edifact.envelope import Letter
from integrations.formats.edifact.fields import DESCRIPTION, EVENT, OF_PART, OF_THE_NINETIES, ORDERED, STATUS_ON
from integrations.formats.edifact.lines import amount, arrival, order_of, position_of, time_of
from integrations.formats.form import Speech
from parts.sentences import sentence

#: 3055 of a code that is of the standard: none said, UN/CEFACT, EAN/GS1.
_STANDARD = ("", "6", "9")
MOST_STATUSES = 99


@dataclass(frozen=True, slots=True)
class _Status:
    """One STS of a line, with the segments that follow it."""

    place: str
    code: Code
    at: datetime
    note: str
    segments: Sequence[Segment]


def read_from_warehouse(letter: Letter, speech: Speech) -> list[StatusReached]:
    """Return how each line stands. Raises Unreadable."""
    return [
        StatusReached(Subject("line", "reference", one.place), one.at, codes=(one.code,), note=one.note)
        for one in _statuses(letter, speech)
    ]


def read_from_supplier(letter: Letter, speech: Speech) -> list[SupplyDated]:
    """Return how each line stands, and beside it when it will come: a day counts whatever the status means.

    Raises Unreadable.
    """
    facts = []
    for one in _statuses(letter, speech):
        comes = arrival(one.segments)
        days, _note = schedule([(comes, None)] if comes else [])
        subject = Subject("purchase_order_line", "reference", one.place)
        facts.append(SupplyDated(subject, one.at, codes=(one.code,), note=one.note))
        if days:
            facts.append(SupplyDated(subject, one.at, days, answer="changed"))
    return facts


def _statuses(letter: Letter, speech: Speech) -> Iterator[_Status]:
    header, lines = groups(letter.segments, "LIN")
    if not lines:
        raise Unreadable(sentence("It names no line of the order."), letter.segments[0].where())
    written = first_of(header, "DTM", "137")
    sent_at = time_of(written, speech.zone, letter.sent_at) if written else letter.sent_at
    order, count = _order(header), 0
    for line in lines:
        before, said = groups(until(line, "DOC", "UNS", "CNT"), "STS")
        if not said:
            raise Unreadable(sentence("{tag} is missing.", tag="STS"), line[0].where())
        bounded(len(said), line[0], MOST_STATUSES)
        count += len(said)
        bounded(count, line[0])
        place = f"{order_of(before, order)}/{position_of(before, by_itself=True)}"
        for status in said:
            changed = first_of(status, "DTM", STATUS_ON)
            at = time_of(changed, speech.zone, letter.sent_at) if changed else sent_at
            code = _code(status, letter.release, speech, in_part=len(said) > 1 or _is_part(before, status))
            yield _Status(place, code, at, _note(status[0]), [*before, *status])
        order = _order(line) or order


def _order(segments: Sequence[Segment]) -> str:
    """Return the order that holds from here on: that of the last DOC, else of RFF+ON of the header."""
    documents = list(all_of(segments, "DOC"))
    if documents:
        return documents[-1].named(2)
    referred = first_of(segments, "RFF", "ON") if segments[0].tag != "LIN" else None
    return referred.named(1, 2) if referred else ""


def _code(status: Sequence[Segment], release: str, speech: Speech, *, in_part: bool) -> Code:
    """Return the code with the list that it is of: the standard's for the directory, or whoever's 3055 says."""
    sts = status[0]
    agency = sts.value(2, 3)
    if agency in _STANDARD:
        code_list = EVENT if release.startswith(OF_THE_NINETIES) else DESCRIPTION
    else:
        code_list = speech.code_list or f"edifact-sts-{agency.lower()}"[:30]
    return Code(f"{code_list}{OF_PART if in_part else ''}", release, sts.code(2))


def _is_part(line: Sequence[Segment], status: Sequence[Segment]) -> bool:
    """Tell whether a status is about less than was ordered, where both are said."""
    ordered = first_of([*line, *status], "QTY", ORDERED)
    others = [one for one in all_of(status, "QTY") if one.value(1) != ORDERED]
    return ordered is not None and any(amount(one) != amount(ordered) for one in others)


def _note(sts: Segment) -> str:
    """Return category, event and reasons as they are written, for people."""
    said = [
        "/".join(filter(None, (sts.value(place, part + 1) for part in range(len(element)))))
        for place, element in enumerate(sts.elements, start=1)
    ]
    return " ".join(filter(None, said))[:LONGEST_NOTE]
