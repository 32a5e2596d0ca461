"""What becomes of a purchase order line after it is sent: confirmed, late, in pieces, damaged, or never. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from reports.replay.dice import Dice
from reports.replay.plan import working_day

#: Of the lines that come: with the truck they should come with, a few days after it by another carrier, with one of
#: the next two trucks, late by up to 6 weeks.
SLIPS = ((0, 0), (1, 4), (7, 14), (15, 42))
SLIP_WEIGHTS = (62, 12, 20, 6)
#: Lines that the supplier gives up 30 days after the confirmed date; those of two units or more that come in pieces,
#: each with a later truck; pieces with one damaged unit.
NEVER, IN_PIECES, DAMAGED = 0.006, 0.18, 0.012


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line that arrives on a day, in units; `unfit` of them are damaged."""

    day: date
    quantity: int
    unfit: int


@dataclass(frozen=True, slots=True)
class Course:
    """The life of a purchase order line. `notices` are (day, new date) on which the supplier moves its date."""

    confirmed_on: date
    expected_on: date
    notices: tuple[tuple[date, date], ...]
    pieces: tuple[Piece, ...]
    given_up_on: date | None


def truck_day(day: date, weekday: int) -> date:
    """Return the first day from `day` on that is the supplier's day (0 is Monday)."""
    return day + timedelta(days=(weekday - day.weekday()) % 7)


def expected_on(ordered_on: date, lead_days: int, weekday: int) -> date:
    """Return the day on which a line that is ordered today should come: with the first truck after its lead time."""
    return truck_day(ordered_on + timedelta(days=lead_days), weekday)


def course(dice: Dice, number: str, position: int, quantity: int, ordered_on: date, expected: date) -> Course:
    """Return what becomes of a line; `number` and `position` name it, so that it is the same after a restart."""
    name = (number, position)
    confirmed_on = working_day(ordered_on + timedelta(days=1))
    if dice.happens(NEVER, *name, "never"):
        return Course(confirmed_on, expected, (), (), working_day(expected + timedelta(days=30)))
    slip = dice.whole(*dice.choose(SLIPS, *name, "slip", weights=SLIP_WEIGHTS), *name, "slip days")
    first = expected + timedelta(days=slip)
    first = truck_day(first, expected.weekday()) if slip >= 7 else working_day(first)
    pieces = _pieces(dice, name, quantity, first)
    return Course(confirmed_on, expected, _notices(expected, pieces), pieces, None)


def _pieces(dice: Dice, name: tuple[str, int], quantity: int, first: date) -> tuple[Piece, ...]:
    count = 1
    if quantity > 1 and dice.happens(IN_PIECES, *name, "pieces"):
        count = min(quantity, dice.choose((2, 3), *name, "count", weights=(75, 25)))
    pieces, left, day = [], quantity, first
    for index in range(count):
        size = left if index == count - 1 else dice.whole(1, left - (count - 1 - index), *name, index, "size")
        pieces.append(Piece(day, size, int(dice.happens(DAMAGED, *name, index, "damaged"))))
        left -= size
        day = day + timedelta(days=7 * dice.whole(1, 2, *name, index, "gap"))
    return tuple(pieces)


def _notices(expected: date, pieces: tuple[Piece, ...]) -> tuple[tuple[date, date], ...]:
    """A supplier says so on the day after it missed one: it then names the right day."""
    notices = []
    known = expected
    for before, piece in zip((None, *pieces), pieces, strict=False):
        said_on = working_day((max(known, before.day) if before else known) + timedelta(days=1))
        if piece.day > known and said_on < piece.day:
            notices.append((said_on, piece.day))
            known = piece.day
    return tuple(notices)
