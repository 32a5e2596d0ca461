"""When and how much is ordered from suppliers: the stated rule, pure.

Rate, in units a month: (6 x the opening estimate + what was asked for in the last 12 months that are known and over)
/ (6 + the number of those months). With L the lead time in months of 30 days and k by VED class (V 1.3, E 0.8, D 0.3):

    reorder point   s = round(rate x L + k x sqrt(rate x (L + 0.25)))
    order up to     S = s + max(1, round up(rate x 2))

Where available + on order - back-ordered is at or below s, S minus that is ordered, at least the supplier's minimum
and rounded up to its multiple; on the supplier's weekday, or the same evening where the figure is below zero.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import date
from math import ceil, sqrt

from reports.replay.demand import Demand
from reports.replay.dice import Dice

SAFETY = {"V": 1.3, "E": 0.8, "D": 0.3}
ESTIMATE_WEIGHT = 6
MEMORY = 12
COVER_MONTHS = 2
#: The months at the start of the file that the opening estimate looks at; the planner knew the years before.
ESTIMATE_MONTHS = 6


def opening_estimate(demand: Demand, dice: Dice, part: str) -> float:
    """Return what a planner expects of a part, in units a month: its first half-year, wrong by up to a half."""
    known = [units for month in demand.months[:ESTIMATE_MONTHS] if (units := demand.of(part, month)) is not None]
    mean = sum(known) / len(known) if known else 0.2
    return max(0.05, mean * (0.5 + dice.share("estimate", part)))


def reorder_levels(rate: float, lead_days: int, ved_class: str) -> tuple[int, int]:
    """Return reorder point and order-up-to level, in whole units."""
    lead = lead_days / 30
    point = round(rate * lead + SAFETY[ved_class] * sqrt(rate * (lead + 0.25)))
    return point, point + max(1, ceil(rate * COVER_MONTHS))


def order_quantity(position: int, up_to: int, minimum: int, multiple: int) -> int:
    """Return how much is ordered to come from a position up to a level."""
    return ceil(max(up_to - position, minimum) / multiple) * multiple


def opening_stock(rate: float, lead_days: int, ved_class: str) -> int:
    """Return what lies on the shelves at the start: midway between reorder point and order-up-to level, rounded up."""
    point, up_to = reorder_levels(rate, lead_days, ved_class)
    return ceil((point + up_to) / 2)


class RunningDemand:
    """The rate of each part as it is known at the start of a month."""

    def __init__(self, demand: Demand, estimates: dict[str, float]) -> None:
        self._demand = demand
        self._estimates = estimates
        self._month: date | None = None
        self._rates: dict[str, float] = {}

    def rates(self, today: date) -> dict[str, float]:
        """Return units a month per part, from the months that are over today."""
        month = today.replace(day=1)
        if month != self._month:
            over = [known for known in self._demand.months if known < month]
            self._month = month
            self._rates = {part: self._rate(part, over) for part in self._demand.parts}
        return self._rates

    def _rate(self, part: str, over: Iterable[date]) -> float:
        known = deque((units for month in over if (units := self._demand.of(part, month)) is not None), MEMORY)
        return (ESTIMATE_WEIGHT * self._estimates[part] + sum(known)) / (ESTIMATE_WEIGHT + len(known))
