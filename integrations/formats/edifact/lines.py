"""What the lines of ORDRSP, DESADV and OSTRPT have in common: which line of which order they are, days, quantities."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from integrations.facts import Unreadable
from integrations.formats.edi.segments import Segment, all_of, first_of
from integrations.formats.edi.values import day, moment, quantity, within
from integrations.formats.edifact.fields import ARRIVES
from parts.sentences import sentence

#: DTM 2379: how many digits of a value are its date; what follows is a time.
_DATES = {"101": 6, "102": 8, "201": 6, "203": 8, "204": 8}


def order_of(line: Sequence[Segment], above: str) -> str:
    """Return the number of the order that a line is of: its own, else the one that holds above. Raises Unreadable."""
    own = first_of(line, "RFF", "ON")
    number = own.named(1, 2) if own else above
    if not number:
        raise Unreadable(sentence("It does not say of which order it is."), line[0].where())
    return number


def position_of(line: Sequence[Segment], *, by_itself: bool) -> str:
    """Return the position in that order; `by_itself`: where nothing refers to it, the line's own number is meant.

    Raises Unreadable.
    """
    order = first_of(line, "RFF", "ON")
    if order is not None and order.value(1, 3):
        return order.position(1, 3)
    own = first_of(line, "RFF", "LI")
    if own is not None:
        return own.position(1, 3 if own.value(1, 3) else 2)
    if by_itself:
        return line[0].position(1)
    raise Unreadable(sentence("It does not say of which line of the order it is."), line[0].where())


def amount(segment: Segment) -> Decimal:
    """Return what a QTY says, in pieces. Raises Unreadable."""
    return quantity(segment.value(1, 2), segment.value(1, 3), segment.where(1), mark=".,")


def day_of(segment: Segment) -> date:
    """Return the day that a DTM says. Raises Unreadable."""
    return day(segment.value(1, 2)[: _length(segment)], segment.where(1))


def time_of(segment: Segment, zone: ZoneInfo, sent_at: datetime) -> datetime:
    """Return the moment that a DTM says; of a day alone its end, or when it was told. Raises Unreadable."""
    length, text = _length(segment), segment.value(1, 2)
    if len(text) > length:
        return moment(text[:length], text[length:], zone, segment.where(1))
    return within(day_of(segment), zone, sent_at)


def arrival(segments: Sequence[Segment]) -> date | None:
    """Return the day on which it arrives, by the surest of the dates that say so. Raises Unreadable."""
    told = list(all_of(segments, "DTM", *ARRIVES))
    return day_of(min(told, key=lambda one: ARRIVES.index(one.value(1)))) if told else None


def _length(segment: Segment) -> int:
    form = segment.value(1, 3)
    if form not in _DATES:
        raise Unreadable(sentence("Dates in the form {form} are not read.", form=form[:10]), segment.where(1))
    return _DATES[form]
