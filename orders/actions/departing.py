"""What left of a line by what another system says: whole or in part, with whom, and which units.

A line that was split is named as a whole, or by the part of it that left. What leaves is taken from the parts that hold
stock, the most advanced first; what was not named stays where it is. Rules for what cannot be so:
1. Less than was said holds stock here, but the rest still waits for stock: it may fit later.
2. More than there ever was, or than is still to leave: it never fits, and a person looks at both sides.
3. All of it has left already: the report is filed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from orders.actions.serials import Leaving
from orders.actions.work import LineWork
from orders.errors import ShippedTooMuch, TransitionRefused
from orders.rules import check_texts, line_way
from orders.statuses import LINE_HOLDS_STOCK, LINE_POSITION, LINE_SHIPPED, LINE_STEPS
from orders.trees import Line
from parts.errors import Invalid, Refused
from parts.models import Part
from parts.rules import quantity_problem
from parts.sentences import sentence

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Departure:
    """How a line left: so much of it in the part's unit (None: all that holds stock), with whom, and which units.

    `is_complete` is what the sender says of the rest: nothing more will come of the line. That moves nothing; whoever
    takes the report in compares it with what is still to leave.
    """

    quantity: Decimal | None = None
    is_complete: bool | None = None
    carrier: str = ""
    tracking_number: str = ""
    serials: tuple[str, ...] = ()


class Named(Protocol):
    """A report, as far as departures go."""

    @property
    def id(self) -> UUID:
        """The line it is about."""

    @property
    def departure(self) -> Departure | None:
        """How it left, if that is what it tells."""


@dataclass(frozen=True, slots=True)
class Left:
    """What a departure did: the part of the line that left, and how much of the line is still to leave."""

    line: Line
    behind: Decimal


class Departures:
    """The departures of one batch of reports, under the locks of `work`. Two statements to read, at most."""

    def __init__(self, reports: Sequence[Named], work: LineWork) -> None:
        lines = work.trees.by_line()
        named = [
            (lines[report.id], report.departure)
            for report in reports
            if report.departure is not None and report.id in lines
        ]
        part_ids = {line.part_id for line, departure in named if departure.quantity is not None}
        units = Part.objects.filter(pk__in=part_ids).values_list("pk", "unit__decimals") if part_ids else []
        self._decimals: dict[UUID, int] = dict(units)
        self._serials = Leaving((line.part_id, departure.serials) for line, departure in named)
        self._carried: dict[UUID, tuple[str, str]] = {}
        self._read_off: dict[UUID, tuple[str, ...]] = {}
        work.carried, work.serials = self._carried, self._read_off
        self._work = work

    def take(
        self, line: Line, departure: Departure, *, note: str = "", public: bool = False, **facts: Any
    ) -> Left | None:
        """Let so much of a line leave; None where all of it has left already. `facts` belong to every step of it.

        Raises ShippedTooMuch, TransitionRefused, SerialGone, Invalid, and Refused for an order on hold.
        """
        check_texts(carrier=(departure.carrier, 60), tracking_number=(departure.tracking_number, 80))
        leaves = line.tree.children_of(line) if line.is_split else [line]
        holding = sorted(
            (leaf for leaf in leaves if leaf.status in LINE_HOLDS_STOCK),
            key=lambda leaf: (-LINE_POSITION[leaf.status], leaf.child_number),
        )
        quantity = self._wanted(line, leaves, holding, departure)
        if quantity is None:
            return None
        if line.tree.on_hold:
            raise Refused(sentence("{reference} is on hold.", reference=line.tree.reference), current=line.status)
        self._serials.take(line.part_id, departure.serials, quantity)
        left = [self._work.take_out(leaf, amount, **facts) for leaf, amount in _shares(holding, quantity)]
        self._share_serials(left, departure.serials)
        for leaf in left:
            self._carried[leaf.id] = (departure.carrier, departure.tracking_number)
            for status in line_way(leaf.status, "shipped")[:-1]:
                self._work.step(leaf, status, passed_through=True, **facts)
            self._work.step(leaf, "shipped", note=note, public=public, **facts)
        behind = sum((leaf.quantity for leaf in line.tree.leaves() if _is_behind(leaf, line)), ZERO)
        return Left(left[0], behind)

    def finish(self) -> None:
        """Note what came back before it left again. One statement at most."""
        self._serials.finish()

    def _wanted(
        self, line: Line, leaves: Sequence[Line], holding: Sequence[Line], departure: Departure
    ) -> Decimal | None:
        """Return how much is to leave now, None for nothing new."""
        there = sum((leaf.quantity for leaf in holding), ZERO)
        gone = sum((leaf.quantity for leaf in leaves if leaf.status in LINE_SHIPPED), ZERO)
        waiting = sum((leaf.quantity for leaf in leaves if leaf.status in ("open", "back_ordered")), ZERO)
        quantity = departure.quantity
        if quantity is not None:
            if problem := quantity_problem(quantity, self._decimals[line.part_id]):
                raise Invalid(
                    sentence("That quantity cannot be."), {"quantity": [sentence("It {problem}.", problem=problem)]}
                )
            if not there and not waiting and gone:
                if quantity > gone:
                    raise ShippedTooMuch(line.reference, line.status, there=ZERO, reported=quantity)
                return None
            if quantity > there + waiting:
                raise ShippedTooMuch(line.reference, line.status, there=there + waiting, reported=quantity)
        elif not there and gone:
            return None
        if there and (quantity is None or quantity <= there):
            return there if quantity is None else quantity
        raise TransitionRefused(line.reference, line.status, "shipped", LINE_STEPS[line.status])

    def _share_serials(self, left: Sequence[Line], serials: Sequence[str]) -> None:
        """Give each part that leaves as many numbers as it has whole units, in the order they were read."""
        rest = list(serials)
        for line in left:
            count = int(line.quantity)
            if rest[:count]:
                self._read_off[line.id] = tuple(rest[:count])
            rest = rest[count:]


def _shares(leaves: Sequence[Line], quantity: Decimal) -> list[tuple[Line, Decimal]]:
    shares = []
    for leaf in leaves:
        amount = min(leaf.quantity, quantity)
        if amount > 0:
            shares.append((leaf, amount))
            quantity -= amount
    return shares


def _is_behind(leaf: Line, line: Line) -> bool:
    return (leaf is line or leaf.parent is line) and leaf.status not in LINE_SHIPPED and leaf.status != "cancelled"
