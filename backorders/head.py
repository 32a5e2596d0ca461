"""The head of each queue, read no deeper than the free stock reaches: it is read while that stock is locked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING
from typing import Any
from uuid import UUID

from backorders import sql
from backorders.allocation import ZERO, Free, Plan, Waiting, plan
from parts import statements
from parts.documents import as_text

#: How many back orders of a part are read at first, at most: one for each whole unit that is free.
FIRST_ROWS = 1_000
#: How many times as many are read with each further step.
DEEPER = 8


@dataclass(slots=True)
class _Head:
    """What was read of one part's queue, and what was asked for last."""

    asked: int
    rows: list[Waiting] = field(default_factory=list)
    is_whole: bool = False

    def add(self, page: Sequence[Waiting]) -> None:
        """Add the next page; whoever was ranked anew meanwhile, and so is read twice, is asked once."""
        known = {row.id for row in self.rows}
        self.rows += [row for row in page if row.id not in known]
        self.is_whole = len(page) < self.asked


def plans(supply: Mapping[UUID, Sequence[Free]]) -> dict[UUID, Plan]:
    """Plan who gets the free stock of each part, on its queue as it stands; nothing is locked.

    The first back orders are asked whatever they accept, so that it is known why they got nothing. Where stock is left
    over, those further down are asked only if they could take some of it as it is then: not those on hold, nor those
    whose minimum is above it. One statement, and one more for each further step of the longest queue: each reads eight
    times as many as the one before.
    """
    heads = {part_id: _Head(_first_depth(levels)) for part_id, levels in supply.items()}
    made: dict[UUID, Plan] = {}
    reading = dict(heads)
    while reading:
        pages = _pages(reading, made)
        for part_id, head in reading.items():
            head.add(pages.get(part_id, []))
            made[part_id] = plan(head.rows, supply[part_id])
        reading = {key: head for key, head in reading.items() if not head.is_whole and made[key].left > 0}
        for head in reading.values():
            head.asked *= DEEPER
    return made


def _first_depth(levels: Sequence[Free]) -> int:
    free = sum((level.quantity for level in levels), ZERO)
    return min(int(free.to_integral_value(ROUND_CEILING)), FIRST_ROWS)


def _pages(heads: Mapping[UUID, _Head], made: Mapping[UUID, Plan]) -> dict[UUID, list[Waiting]]:
    """Read the next page of each queue; one statement."""
    parameters: dict[str, Any] = {"part_ids": list(heads), "most": [head.asked for head in heads.values()]}
    statement = sql.QUEUE_HEAD
    if made:
        statement = sql.QUEUE_FURTHER
        last = [head.rows[-1] for head in heads.values()]
        parameters |= {
            "ranks": [row.rank for row in last],
            "ids": [row.id for row in last],
            "left": [made[part_id].left for part_id in heads],
            "there": [as_text({str(key): left for key, left in made[part_id].there.items()}) for part_id in heads],
        }
    pages: dict[UUID, list[Waiting]] = defaultdict(list)
    for row in statements.rows_of(statement, parameters):
        pages[row[3]].append(Waiting(*row))
    return pages
