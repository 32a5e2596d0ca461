"""Deciding where each wanted line is taken from, out of stock that is locked. Reads and writes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from orders.actions.placing.facts import Facts, PartFacts
from orders.actions.placing.wanted import TOO_MANY, Wanted, refuse_if_any
from orders.sourcing import Pick, choose
from parts.actions.reserving import LevelRow
from parts.rules import quantity_problem
from parts.sentences import Figure, Says, sentence


@dataclass(slots=True)
class Plan:
    """A wanted line with where it is taken from; `missing` is what nobody has."""

    part: PartFacts
    wanted: Wanted
    picks: list[Pick]
    missing: Decimal


def demanded(lines: Sequence[Wanted], facts: Facts) -> list[tuple[PartFacts, Wanted]]:
    """Return each line with its part. Raises Invalid, naming every line that cannot be ordered as it is."""
    fields: dict[str, list[Says]] = {}
    demands: list[tuple[PartFacts, Wanted]] = []
    for index, line in enumerate(lines):
        part = facts.parts.get(line.part_id) if line.part_id else facts.by_number.get(line.part_number)
        if part is None:
            fields[f"lines.{index}.part"] = [sentence("There is no such part, or it can no longer be ordered.")]
            continue
        if line.part_id and line.part_number not in ("", part.number):
            fields[f"lines.{index}.part_number"] = [sentence("This is not the number of that part.")]
        if problem := quantity_problem(line.quantity, part.decimals):
            fields[f"lines.{index}.quantity"] = [sentence("It {problem}.", problem=problem)]
        elif line.quantity >= TOO_MANY:
            fields[f"lines.{index}.quantity"] = [sentence("It must be less than {most}.", most=Figure(TOO_MANY))]
        elif not (line.minimum_fill.is_finite() and 0 <= line.minimum_fill <= line.quantity):
            fields[f"lines.{index}.minimum_fill"] = [sentence("Must lie between 0 and the quantity.")]
        demands.append((part, line))
    refuse_if_any(fields)
    return demands


def source_from(demands: Iterable[tuple[PartFacts, Wanted]], levels: Sequence[LevelRow], facts: Facts) -> list[Plan]:
    """Choose stock for every line from the locked levels, never the same unit twice, never a transfer's own place."""
    by_part: dict[UUID, list[LevelRow]] = defaultdict(list)
    for level in levels:
        if level.warehouse_id != facts.destination_id:
            by_part[level.part_id].append(level)
    plans = []
    for part, wanted in demands:
        picks = choose(by_part[part.id], wanted.quantity, facts.destination)
        taken = {pick.level.id: pick.quantity for pick in picks}
        by_part[part.id] = [
            replace(level, available=level.available - taken[level.id]) if level.id in taken else level
            for level in by_part[part.id]
        ]
        plans.append(Plan(part, wanted, picks, wanted.quantity - sum(taken.values(), Decimal(0))))
    return plans


def missing_by_part(plans: Iterable[Plan]) -> dict[UUID, Decimal]:
    """Add up what nobody has, by part."""
    missing: dict[UUID, Decimal] = defaultdict(Decimal)
    for plan in plans:
        if plan.missing:
            missing[plan.part.id] += plan.missing
    return missing
