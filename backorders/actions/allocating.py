"""Give free stock to the queue, in the transaction that freed it, whatever the cause."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from backorders import head, queue
from backorders.actions.giving import Given, Run, write
from backorders.allocation import Brought, Decision, Free, Plan, Waiting, plan
from orders.actions.parts_rule import jobs_last
from orders.ledger import Cause
from orders.trees import lock_trees
from parts.actions import stock
from parts.actions.reserving import LevelRow, lock_levels
from parts.actors import Actor
from parts.signals import FreedStock

#: How often a pass is repeated because somebody left the queue between reading its head and locking it.
MOST_PASSES = 5


@dataclass(slots=True)
class Allocated:
    """What an allocation did."""

    run_ids: list[UUID] = field(default_factory=list)
    given: list[Given] = field(default_factory=list)


def allocate_parts(*, part_ids: Sequence[UUID], by: Actor, source: str, at: datetime) -> Allocated:
    """Give whatever is free of these parts to their queues now. Raises Forbidden. Repeated, it gives nothing more."""
    by.require("backorders.allocate_backorder")
    with transaction.atomic():
        lock_stock(part_ids)
        return allocate(part_ids=part_ids, freed=(), cause=Cause(by=by, source=source, at=at), why="by hand")


def allocate(*, part_ids: Sequence[UUID], freed: Sequence[FreedStock], cause: Cause, why: str) -> Allocated:
    """Give all free stock of these parts to their queues by rank. Runs inside the caller's transaction.

    Every quantity given has its decision, and so has whoever was asked and passed over. Lines move to reserved, back
    orders close or shrink, and each allocation names the movement and, where a delivery freed the stock, the line of it
    that brought the quantity. A constant number of statements, however many rows (see backorders.head for those that
    are passed over); a second pass runs only where somebody left the queue in between.
    """
    brought = Brought((item.level_id, item.delivery_line_id, item.quantity) for item in freed if item.delivery_line_id)
    result = Allocated()
    with jobs_last(cause) as jobs:
        supply = _free(lock_levels(part_ids=sorted(set(part_ids))))
        for _pass in range(MOST_PASSES):
            plans = head.plans(supply)
            chosen = [decision.waiting for each in plans.values() for decision in each.decisions if decision.given]
            if not chosen:
                break
            trees = lock_trees(order_ids={item.order_id for item in chosen})
            entries = {entry.id: entry for entry in queue.read(ids=[item.id for item in chosen])}
            decisions = _plan_locked(plans, entries, supply)
            if any(decision.given for decision in decisions):
                run = Run(cause, why, _summary(decisions, supply))
                result.run_ids.append(run.id)
                result.given += write(decisions, trees=trees, entries=entries, brought=brought, run=run)
            jobs.may_go_on(tree.service_order_id for tree in trees)
            if _total(decisions) == sum((_total(each.decisions) for each in plans.values()), Decimal(0)):
                break
            supply = _free(lock_levels(part_ids=sorted(supply)))
    return result


def lock_stock(part_ids: Sequence[UUID]) -> None:
    """Lock these parts and all their levels, for an action that allocates without having freed stock itself."""
    stock.lock_stock_of_parts(set(part_ids))


def _total(decisions: Sequence[Decision]) -> Decimal:
    return sum((decision.given for decision in decisions), Decimal(0))


def _free(levels: Sequence[LevelRow]) -> dict[UUID, list[Free]]:
    supply: dict[UUID, list[Free]] = defaultdict(list)
    for level in levels:
        if level.available > 0:
            supply[level.part_id].append(Free(level.id, level.warehouse_id, level.available))
    return supply


def _plan_locked(
    plans: Mapping[UUID, Plan], entries: Mapping[UUID, queue.Entry], supply: Mapping[UUID, Sequence[Free]]
) -> list[Decision]:
    """Plan again where the locks show something else than was planned on: who left or wants less now does not count."""
    decisions: list[Decision] = []
    for part_id, unlocked in plans.items():
        if all(_stands(decision.waiting, entries) for decision in unlocked.decisions if decision.given):
            decisions += unlocked.decisions
            continue
        still: list[Waiting] = []
        for decision in unlocked.decisions:
            entry = entries.get(decision.waiting.id)
            if not decision.given:
                still.append(decision.waiting)
            elif entry is not None and entry.is_waiting:
                still.append(_as_waiting(entry))
        # Who was passed over before and would get something now is not locked: the next pass is for them.
        decisions += [
            decision
            for decision in plan(still, supply[part_id]).decisions
            if not decision.given or decision.waiting.id in entries
        ]
    return decisions


def _stands(waiting: Waiting, entries: Mapping[UUID, queue.Entry]) -> bool:
    entry = entries.get(waiting.id)
    return (
        entry is not None
        and entry.is_waiting
        and entry.quantity == waiting.quantity
        and entry.minimum_fill == waiting.minimum_fill
        and entry.on_hold == waiting.on_hold
        and entry.rank == waiting.rank
    )


def _as_waiting(entry: queue.Entry) -> Waiting:
    return Waiting(
        id=entry.id,
        line_id=entry.line_id,
        order_id=entry.order_id,
        part_id=entry.part_id,
        quantity=entry.quantity,
        minimum_fill=entry.minimum_fill,
        rank=entry.rank,
        excluded_warehouse_id=entry.excluded_warehouse_id,
        on_hold=entry.on_hold,
    )


def _summary(decisions: Sequence[Decision], supply: Mapping[UUID, Sequence[Free]]) -> list[dict[str, str]]:
    """Return per part what was free, what was given, and the last rank that was asked."""
    summary = []
    by_part: dict[UUID, list[Decision]] = defaultdict(list)
    for decision in decisions:
        by_part[decision.waiting.part_id].append(decision)
    for part_id, members in by_part.items():
        free = sum((level.quantity for level in supply[part_id]), Decimal(0))
        given = sum((decision.given for decision in members), Decimal(0))
        summary.append(
            {
                "part": str(part_id),
                "free": str(free),
                "given": str(given),
                "left": str(free - given),
                "last_rank": str(members[-1].waiting.rank),
            }
        )
    return summary
