"""Which supply covers which back order: one pass over a part's queue. Pure, the clock passed in."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from backorders.allocation import ZERO


@dataclass(frozen=True, slots=True)
class Wanting:
    """A back order in the queue of its part. Supply for the warehouse that it is to fill is of no use to it."""

    id: UUID
    part_id: UUID
    quantity: Decimal
    excluded_warehouse_id: UUID | None


@dataclass(frozen=True, slots=True)
class Incoming:
    """What is still to come of a purchase order line, and the day that the supplier says at present, if any."""

    id: UUID
    part_id: UUID
    warehouse_id: UUID
    quantity: Decimal
    expected_on: date | None

    def day(self, today: date) -> date | None:
        """Return the day to count on: none where it has passed, because the line is overdue and nobody knows more."""
        return self.expected_on if self.expected_on and self.expected_on >= today else None


@dataclass(frozen=True, slots=True)
class PlannedPeg:
    """How much of a back order a purchase order line covers, and on which day (None: not known)."""

    back_order_id: UUID
    purchase_order_line_id: UUID
    quantity: Decimal
    expected_on: date | None


@dataclass(slots=True)
class _Left:
    incoming: Incoming
    day: date | None
    quantity: Decimal


def pegs(
    queue: Iterable[Wanting], supply: Sequence[Incoming], today: date
) -> tuple[list[PlannedPeg], dict[UUID, date]]:
    """Hand out the supply of one part to its queue, in the order of the days and, with none, at the end.

    Returns the pegs, and the expected day of each back order that is covered whole by supply with a day: the last of
    those days. The queue is sorted by rank; the order of the supply does not matter.
    """
    left = deque(
        sorted(
            (_Left(incoming, incoming.day(today), incoming.quantity) for incoming in supply if incoming.quantity > 0),
            key=lambda each: (each.day or date.max, each.day is None, each.incoming.id),
        )
    )
    made: list[PlannedPeg] = []
    days: dict[UUID, date] = {}
    for wanting in queue:
        while left and not left[0].quantity:
            left.popleft()
        if not left:
            break
        mine = _cover(wanting, left)
        made += mine
        known = [peg.expected_on for peg in mine if peg.expected_on]
        if len(known) == len(mine) and sum((peg.quantity for peg in mine), ZERO) == wanting.quantity:
            days[wanting.id] = max(known)
    return made, days


def _cover(wanting: Wanting, left: Iterable[_Left]) -> list[PlannedPeg]:
    """Take what a back order wants from the first supply that it can use."""
    mine, wanted = [], wanting.quantity
    for each in left:
        if not each.quantity or each.incoming.warehouse_id == wanting.excluded_warehouse_id:
            continue
        share = min(wanted, each.quantity)
        each.quantity -= share
        wanted -= share
        mine.append(PlannedPeg(wanting.id, each.incoming.id, share, each.day))
        if not wanted:
            break
    return mine
