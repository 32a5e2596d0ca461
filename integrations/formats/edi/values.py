"""Numbers, units and dates as X12 and EDIFACT write them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from integrations.facts import Dated, Unreadable
from parts.sentences import sentence

#: Units that count pieces (X12 355 and UN/EDIFACT 6411; empty: as ordered). Of another one nobody here knows how many
#: of the part's own unit it is.
PIECES = frozenset({"", "EA", "PC", "PCE", "UN", "C62", "H87", "NAR"})
LONGEST_NOTE = 500
_NUMBER = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,6})?|\.[0-9]{1,6}", re.ASCII)
#: No order is older, and none is expected later.
YEARS = range(1990, 2100)
_DIGITS = re.compile(r"[0-9]+", re.ASCII)


def quantity(text: str, unit: str, where: str, mark: str = ".") -> Decimal:
    """Return a quantity in pieces; `mark` are the decimal marks that are allowed.

    Raises Unreadable, also for a unit that does not count pieces.
    """
    if unit.upper() not in PIECES:
        raise Unreadable(sentence("How many pieces is one {unit}? Only pieces are read.", unit=unit[:10]), where)
    if "," in mark:
        text = text.replace(",", ".")
    if not _NUMBER.fullmatch(text):
        raise Unreadable(sentence("Must be a quantity."), where)
    return Decimal(text)


def day(text: str, where: str) -> date:
    """Return a date written as CCYYMMDD or YYMMDD. Raises Unreadable."""
    try:
        if _DIGITS.fullmatch(text) and len(text) in (6, 8):
            found = date.fromisoformat(text if len(text) == 8 else f"20{text}")
            if found.year in YEARS:
                return found
    except ValueError as error:
        raise _no_date(where) from error
    raise _no_date(where)


def moment(on: str, at: str, zone: ZoneInfo, where: str) -> datetime:
    """Return a date with a time written as HHMM, HHMMSS or HHMMSSDD. Raises Unreadable."""
    begun = day(on, where)
    try:
        if _DIGITS.fullmatch(at) and len(at) in (4, 6, 7, 8):
            return datetime.combine(begun, time(int(at[:2]), int(at[2:4]), int(at[4:6] or 0)), tzinfo=zone)
    except ValueError as error:
        raise _no_date(where) from error
    raise _no_date(where)


def within(on: date, zone: ZoneInfo, sent_at: datetime) -> datetime:
    """Return when on a day something happened that is dated by the day only: at its end, or when it was told if that
    was before; so it comes after everything that was told of the day's earlier hours."""
    end = datetime.combine(on, time(23, 59, 59), tzinfo=zone)
    return sent_at if end - timedelta(days=1) < sent_at < end else end


def schedule(entries: Iterable[tuple[date | None, Decimal | None]]) -> tuple[tuple[Dated, ...], str]:
    """Return the days on which something comes, added up by day; and as a note what has a quantity and no day.

    Where only some have a day the whole is a note: a schedule that leaves a part out would say that it does not come.
    """
    given = [(on, much) for on, much in entries if on is not None or much is not None]
    dated = [(on, much) for on, much in given if on is not None]
    if len(dated) < len(given):
        return (), "; ".join(f"{much if much is not None else '?'}: {on or '?'}" for on, much in given)[:LONGEST_NOTE]
    if len(dated) > 1 and any(much is None for _on, much in dated):
        days = sorted({on for on, _much in dated})
        return ((Dated(days[-1]),), "") if len(days) == 1 else ((), "; ".join(map(str, days))[:LONGEST_NOTE])
    together: dict[date, Decimal | None] = {}
    for on, much in dated:
        before = together.get(on)
        together[on] = much if before is None or much is None else before + much
    return tuple(Dated(on, much) for on, much in sorted(together.items())), ""


def _no_date(where: str) -> Unreadable:
    return Unreadable(sentence("Must be a date."), where)
