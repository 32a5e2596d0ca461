"""Invent demand with the character of service parts: three months in four zero, then one or two, now and then many."""

from __future__ import annotations

import hashlib
from datetime import date

from reports.replay.demand import Demand, months_from
from reports.replay.dice import Dice

#: How likely a part is asked for in a month, by how common it is; together about one month in four.
COMMONNESS = {0.1: 40, 0.25: 35, 0.45: 20, 0.8: 5}
#: Units in a month with demand, and how often.
UNITS = {1: 50, 2: 26, 3: 10, 4: 6, 5: 4, 8: 3, 12: 1}
#: Months of a part of which nothing is known.
UNKNOWN = 0.01


def invent_demand(*, seed: int, name: str, first_month: date, months: int, parts: int) -> Demand:
    """Return demand for so many parts from the first month on. The same arguments give the same demand."""
    dice = Dice(seed)
    numbers = tuple(f"{10_000_000 + 37 * index + dice.whole(0, 36, 'number', index)}" for index in range(parts))
    span = tuple(months_from(first_month.replace(day=1), months))
    units: dict[tuple[str, date], int | None] = {}
    for number in numbers:
        common = dice.choose(list(COMMONNESS), number, "common", weights=list(COMMONNESS.values()))
        for month in span:
            if dice.happens(UNKNOWN, number, month, "unknown"):
                units[number, month] = None
            elif dice.happens(common, number, month, "asked for"):
                units[number, month] = dice.choose(list(UNITS), number, month, "units", weights=list(UNITS.values()))
    checksum = hashlib.sha256(f"invented/{name}/{seed}/{span[0]}/{months}/{parts}".encode()).hexdigest()
    return Demand(name, checksum, span, numbers, units)
