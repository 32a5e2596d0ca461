"""The head of each queue, read no deeper than the free stock reaches: it is read while that stock is locked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING
from typing import Any
from uuid import UUID

from backorders import sql
from backorders.allocation import Free, Pass, Plan, Waiting
from parts import statements
from parts.documents import as_text

#: How many back orders of a part are read at first, at most: one for each whole unit that is free.
FIRST_ROWS = 1_000
#: How many times as many are read with each further step, at most and at least: in between, one for each unit left.
MOST, LEAST = 8, 2


class _Head:
    """A queue as it is read: the pass over it, how many rows were asked for last, and the last of those that came."""

    def __init__(self, supply: Sequence[Free]) -> None:
        self.asking = Pass(supply)
        self.depth = min(self._units_left(), FIRST_ROWS)
        self.last: Waiting | None = None
        self.goes_on = True

    def take(self, page: Sequence[Waiting]) -> None:
        """Ask the back orders of a page, and say how many to read next."""
        self.asking.ask(page)
        self.goes_on = self.asking.left > 0 and len(page) == self.depth
        if self.goes_on:
            self.last = page[-1]
            self.depth = min(self.depth * MOST, max(self._units_left(), self.depth * LEAST))

    def _units_left(self) -> int:
        return int(self.asking.left.to_integral_value(ROUND_CEILING))


def plans(supply: Mapping[UUID, Sequence[Free]]) -> dict[UUID, Plan]:
    """Plan who gets the free stock of each part, on its queue as it stands; nothing is locked.

    The first back orders are asked whatever they accept, so that it is known why they got nothing. Where stock is left
    over, those further down are asked only if they could take some of it as it is then: not those on hold, nor those
    whose minimum is above it. One statement, and one more for each further step of the longest queue: each reads at
    least twice as many as the one before. Whoever is ranked anew meanwhile, and so is read twice, is asked once.
    """
    heads = {part_id: _Head(levels) for part_id, levels in supply.items()}
    reading = heads
    while reading:
        pages = _pages(reading)
        for part_id, head in reading.items():
            head.take(pages.get(part_id, []))
        reading = {part_id: head for part_id, head in reading.items() if head.goes_on}
    return {part_id: head.asking.plan() for part_id, head in heads.items()}


def _pages(heads: Mapping[UUID, _Head]) -> dict[UUID, list[Waiting]]:
    """Read the next page of each queue; one statement."""
    statement = sql.QUEUE_HEAD
    parameters: dict[str, Any] = {"part_ids": list(heads), "most": [head.depth for head in heads.values()]}
    if last := [head.last for head in heads.values() if head.last]:
        statement = sql.QUEUE_FURTHER
        there = [head.asking.there() for head in heads.values()]
        parameters |= {
            "ranks": [row.rank for row in last],
            "ids": [row.id for row in last],
            "left": [head.asking.left for head in heads.values()],
            "there": [as_text({str(key): quantity for key, quantity in each.items()}) for each in there],
        }
    pages: dict[UUID, list[Waiting]] = defaultdict(list)
    for row in statements.rows_of(statement, parameters):
        pages[row[3]].append(Waiting(*row))
    return pages
