"""Who gets what of free stock: one pass over the queue. Pure, on plain values: every decision can be replayed."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A back order in the queue of its part, as read; the queue is sorted by (-rank, id)."""

    id: UUID
    line_id: UUID
    order_id: UUID
    part_id: UUID
    quantity: Decimal
    minimum_fill: Decimal
    rank: Decimal
    excluded_warehouse_id: UUID | None
    on_hold: bool


@dataclass(frozen=True, slots=True)
class Free:
    """What is available of one level."""

    level_id: UUID
    warehouse_id: UUID
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Gift:
    """A quantity of one level."""

    level_id: UUID
    warehouse_id: UUID
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Decision:
    """What one back order got in a pass and by which rule.

    `free_before` is what was available when its turn came, `place` its place among those asked (1 is the first).
    Rules: `whole`, `part`, `minimum_fill`, `on_hold`, `own_warehouse`.
    """

    waiting: Waiting
    outcome: str
    rule: str
    given: Decimal
    free_before: Decimal
    place: int
    gifts: tuple[Gift, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """The decisions of a pass over one part's queue; `left` is what nobody took."""

    decisions: tuple[Decision, ...]
    left: Decimal


class Pass:
    """A pass over one part's queue: asks back orders in the order they are given, until nothing is left.

    A back order is passed over where it is on hold, where less than its minimum fill is left for it, and where all
    that is left lies in the warehouse it is meant to fill. Gifts never exceed a level, nor a missing quantity. Nobody
    is asked twice.
    """

    def __init__(self, supply: Sequence[Free]) -> None:
        self._levels = {free.level_id: free.quantity for free in supply if free.quantity > 0}
        self._places = {free.level_id: free.warehouse_id for free in supply}
        self._decisions: list[Decision] = []
        self._asked: set[UUID] = set()
        self.left = sum(self._levels.values(), ZERO)

    def ask(self, queue: Iterable[Waiting]) -> None:
        """Ask the next of the queue, while anything is left."""
        for waiting in queue:
            if self.left <= 0:
                break
            if waiting.id not in self._asked:
                self._asked.add(waiting.id)
                self._decide(waiting)

    def _decide(self, waiting: Waiting) -> None:
        usable = {
            level_id: quantity
            for level_id, quantity in self._levels.items()
            if self._places[level_id] != waiting.excluded_warehouse_id
        }
        outcome, rule, given = _verdict(waiting, sum(usable.values(), ZERO))
        gifts = _gifts(given, usable, self._places)
        for gift in gifts:
            self._levels[gift.level_id] -= gift.quantity
            if not self._levels[gift.level_id]:
                del self._levels[gift.level_id]
        self._decisions.append(Decision(waiting, outcome, rule, given, self.left, len(self._asked), gifts))
        self.left -= given

    def there(self) -> dict[UUID, Decimal]:
        """Return what is left, by warehouse."""
        there: dict[UUID, Decimal] = defaultdict(Decimal)
        for level_id, quantity in self._levels.items():
            there[self._places[level_id]] += quantity
        return there

    def plan(self) -> Plan:
        """Return what was decided."""
        return Plan(tuple(self._decisions), self.left)


def plan(queue: Iterable[Waiting], supply: Sequence[Free]) -> Plan:
    """Give free stock to the queue of one part, first come by rank, until it is gone or nobody is left (see `Pass`)."""
    asking = Pass(supply)
    asking.ask(queue)
    return asking.plan()


def _verdict(waiting: Waiting, reachable: Decimal) -> tuple[str, str, Decimal]:
    if waiting.on_hold:
        return "passed_over", "on_hold", ZERO
    if reachable <= 0:
        return "passed_over", "own_warehouse", ZERO
    if reachable >= waiting.quantity:
        return "given", "whole", waiting.quantity
    if reachable < waiting.minimum_fill:
        return "passed_over", "minimum_fill", ZERO
    return "given", "part", reachable


def _gifts(wanted: Decimal, usable: dict[UUID, Decimal], places: dict[UUID, UUID]) -> tuple[Gift, ...]:
    """Take a quantity from as few levels as can be: the smallest that holds all of it, else the largest first."""
    if wanted <= 0:
        return ()
    whole = [(quantity, level_id) for level_id, quantity in usable.items() if quantity >= wanted]
    if whole:
        level_id = min(whole)[1]
        return (Gift(level_id, places[level_id], wanted),)
    gifts = []
    for quantity, level_id in sorted(((quantity, level_id) for level_id, quantity in usable.items()), reverse=True):
        amount = min(quantity, wanted)
        if amount <= 0:
            break
        gifts.append(Gift(level_id, places[level_id], amount))
        wanted -= amount
    return tuple(gifts)


class Brought:
    """What delivery lines brought onto levels, given out in their order, so that none gives more than it brought."""

    def __init__(self, lines: Iterable[tuple[UUID, UUID, Decimal]]) -> None:
        """Begin with (level, delivery line, quantity) of each line, quantities above zero."""
        self._left: defaultdict[UUID, deque[tuple[UUID, Decimal]]] = defaultdict(deque)
        for level_id, line_id, quantity in lines:
            self._left[level_id].append((line_id, quantity))

    def take(self, level_id: UUID, quantity: Decimal) -> Iterator[tuple[UUID | None, Decimal]]:
        """Take a quantity of a level: yield each line that gives and its share; None for what lay there before."""
        lines = self._left[level_id]
        while quantity and lines:
            line_id, brought = lines.popleft()
            share = min(quantity, brought)
            if share < brought:
                lines.appendleft((line_id, brought - share))
            yield line_id, share
            quantity -= share
        if quantity:
            yield None, quantity
