"""Pure decisions of the ground floor on plain values: what a quantity may be, and what a stock level can bear."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from parts.errors import Invalid
from parts.models.stock import OWN
from parts.sentences import Says, sentence
from parts.statuses import Condition

#: The largest quantity a column holds (14 digits, 3 of them decimals).
MAX_QUANTITY = Decimal("99999999999.999")
MAX_MONEY = Decimal("9999999999.99")
ZERO = Decimal(0)
#: Days beyond are slips of the keyboard. Demand of long ago can be lived through again (docs/replay.md).
FIRST_DAY, LAST_DAY = date(1990, 1, 1), date(2199, 12, 31)
CONDITIONS = frozenset(Condition.values)


def number_problem(value: Decimal, decimals: int, largest: Decimal = MAX_QUANTITY) -> Says | None:
    """Say what is wrong with a number that may have so many decimals, or None."""
    if not isinstance(value, Decimal):
        return sentence("must be a decimal number")
    if not value.is_finite():
        return sentence("must be a finite number")
    if abs(value) > largest:
        return sentence("must not be larger than {largest}", largest=str(largest))
    if value != round(value, decimals):
        return (
            sentence("must have at most {decimals} decimals", decimals=decimals)
            if decimals
            else sentence("must be a whole number")
        )
    return None


def quantity_problem(value: Decimal, decimals: int) -> Says | None:
    """Say what is wrong with a quantity of which there must be some, or None."""
    return number_problem(value, decimals) or (None if value > 0 else sentence("must be above zero"))


def part_of_it_problem(value: Decimal, decimals: int) -> Says | None:
    """Say what is wrong with a quantity that may be zero but not below, or None."""
    return number_problem(value, decimals) or (None if value >= 0 else sentence("must not be below zero"))


def rounded(value: Fraction, decimals: int, *, up: bool) -> Decimal:
    """Return a quantity, reckoned exactly, as one that a unit with so many decimals can have."""
    scaled = value * 10**decimals
    return Decimal(math.ceil(scaled) if up else math.floor(scaled)).scaleb(-decimals)


def text_problem(value: str, longest: int, *, needed: bool = False) -> Says | None:
    """Say what is wrong with a text that goes into a column, or None."""
    if "\x00" in value:
        return sentence("must not contain a null character")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        return sentence("must be Unicode text")
    if len(value) > longest:
        return sentence("must have at most {longest} characters", longest=longest)
    if needed and not value.strip():
        return sentence("must not be empty")
    return None


def unit_problem(before: str, after: str) -> Says | None:
    """Say why a part's unit cannot become another one, or None. One that was given wrongly is a part of its own."""
    if before == after:
        return None
    return sentence("is {unit} and cannot be changed: quantities are counted in it", unit=before)


def moment_problem(value: datetime, now: datetime) -> Says | None:
    """Say what is wrong with a time at which something is said to have happened, or None."""
    if value.tzinfo is None or value.utcoffset() is None:
        return sentence("must have a time zone")
    if value - now > timedelta(days=1):
        return sentence("must not lie more than a day ahead")
    return day_problem(value.date())


def day_problem(value: date) -> Says | None:
    """Say what is wrong with a day that anything of ours has to do with, or None."""
    if FIRST_DAY <= value <= LAST_DAY:
        return None
    return sentence(
        "must lie between {first_day} and {last_day}", first_day=f"{FIRST_DAY:%Y}", last_day=f"{LAST_DAY:%Y}"
    )


class Problems:
    """Everything that is wrong with a request, by field, so that its sender can mend it in one go."""

    def __init__(self) -> None:
        self.fields: dict[str, list[Says]] = {}

    def add(self, field: str, problem: Says | None) -> None:
        """Remember the problem of a field; None is no problem."""
        if problem:
            self.fields.setdefault(field, []).append(problem)

    def choice(self, field: str, value: str, allowed: Collection[str]) -> None:
        """Remember a value that is none of those allowed."""
        if value not in allowed:
            self.add(field, sentence("must be one of {allowed}", allowed=sorted(allowed)))

    def moment(self, field: str, value: datetime, now: datetime) -> None:
        """Remember a time without a zone (nobody could say when it was), one that is to come, or out of all reason."""
        self.add(field, moment_problem(value, now if now.utcoffset() is not None else value))

    def origin(self, source: str, at: datetime) -> None:
        """Check what every action is told: where the request came from, and what time it is."""
        self.add("source", text_problem(source, 40, needed=True))
        self.moment("at", at, at)

    def raise_if_any(self) -> None:
        """Raise Invalid naming every field, if anything is wrong."""
        if self.fields:
            field, messages = next(iter(self.fields.items()))
            raise Invalid(sentence("{field} {problem}.", field=field, problem=messages[0]), self.fields)


@dataclass(frozen=True, slots=True)
class LevelKey:
    """What makes a stock level one: a part in a warehouse, in one condition, of one owner."""

    part_id: UUID
    warehouse_id: UUID
    condition: str = Condition.NEW.value
    owner: str = OWN

    def check(self, problems: Problems, prefix: str = "") -> None:
        """Remember an unknown condition or an impossible owner."""
        problems.choice(f"{prefix}condition", self.condition, CONDITIONS)
        problems.add(f"{prefix}owner", text_problem(self.owner, 40, needed=True))


@dataclass(frozen=True, slots=True)
class Balance:
    """The three figures of a stock level, in units of the part."""

    on_hand: Decimal = ZERO
    reserved: Decimal = ZERO
    unfit: Decimal = ZERO

    @property
    def available(self) -> Decimal:
        """What may still be promised: on hand - unfit - reserved."""
        return self.on_hand - self.unfit - self.reserved

    def changed(self, on_hand: Decimal = ZERO, unfit: Decimal = ZERO) -> Balance:
        """Return the balance after a change of what lies there; it may be one that cannot be."""
        return Balance(self.on_hand + on_hand, self.reserved, self.unfit + unfit)

    @property
    def is_possible(self) -> bool:
        """Whether nothing is negative and nothing reserved or unfit is missing from what is on hand."""
        return self.unfit >= 0 and self.reserved >= 0 and self.available >= 0 and self.on_hand <= MAX_QUANTITY
