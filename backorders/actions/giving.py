"""Write what an allocation decided: stock, lines, back orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from backorders import queue, sql
from backorders.allocation import Brought, Decision, Gift
from orders.actions import waiting
from orders.actions.holding import hold_for
from orders.errors import ConcurrentChange
from orders.ledger import Cause, Ledger
from orders.trees import Trees
from parts import statements
from parts.actions.reserving import Hold, reserve
from parts.documents import as_text
from parts.keys import new_key
from parts.sentences import sentence


@dataclass(frozen=True, slots=True)
class Given:
    """A quantity given to a back order; `line_id` is the line that now holds it."""

    back_order_id: UUID
    line_id: UUID
    order_reference: str
    part_id: UUID
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Run:
    """One pass of the queue as it is put on record: why it ran, and per part what was free, given and left."""

    cause: Cause
    why: str
    parts: Sequence[Mapping[str, str]]
    id: UUID = field(default_factory=new_key)


def write(
    decisions: Sequence[Decision],
    *,
    trees: Trees,
    entries: Mapping[UUID, queue.Entry],
    brought: Brought,
    run: Run,
) -> list[Given]:
    """Write decisions of which some give, their stock, orders and back orders locked, and return what was given.

    The stock comes first, since it takes Python least to prepare: PostgreSQL writes it while the lines are prepared,
    and these while the back orders are.
    """
    cause, lines = run.cause, trees.by_line()
    given = [decision for decision in decisions if decision.given]
    gifts = [(decision, gift) for decision in given for gift in decision.gifts]
    of_lines, of_back_orders = Ledger(cause), Ledger(cause)
    with statements.overlapped():
        holds = _hold_for_lines(gifts, trees, of_lines)
        reserve(holds=holds, by=cause.by, source=cause.source, at=cause.at)
        trees.write(of_lines)
        for decision in given:
            entry = entries[decision.waiting.id]
            _follow(entry, lines[entry.line_id].quantity, decision, of_back_orders)
        keys = {decision.waiting.id: str(new_key()) for decision in decisions}
        statements.write(
            sql.WRITE_ALLOCATION,
            {
                **_of_run(run),
                **of_back_orders.parameters(),
                "changes": queue.changes_of([entries[decision.waiting.id] for decision in given]),
                "decisions": as_text([_decision_row(decision, keys) for decision in decisions]),
                "allocations": as_text(_allocation_rows(gifts, holds, brought, keys)),
            },
            expected=(len(given),),
            otherwise=ConcurrentChange(
                sentence("A back order was changed by somebody who did not hold its order's lock.")
            ),
        )
    return [
        Given(
            decision.waiting.id,
            hold.demand_id,
            trees.by_order[decision.waiting.order_id].reference,
            decision.waiting.part_id,
            gift.quantity,
        )
        for (decision, gift), hold in zip(gifts, holds, strict=True)
    ]


def _hold_for_lines(gifts: Sequence[tuple[Decision, Gift]], trees: Trees, ledger: Ledger) -> list[Hold]:
    """Move the lines to reserved, each for what it is given, and return how stock is to be held for them."""
    grants = [waiting.Grant(decision.waiting.line_id, gift.warehouse_id, gift.quantity) for decision, gift in gifts]
    filled = waiting.fill(trees=trees, grants=grants, ledger=ledger)
    return [
        hold_for(
            trees.by_order[decision.waiting.order_id].order_kind,
            line_id=item.line_id,
            level_id=gift.level_id,
            quantity=gift.quantity,
            at=ledger.cause.at,
        )
        for (decision, gift), item in zip(gifts, filled, strict=True)
    ]


def _follow(entry: queue.Entry, stays: Decimal, decision: Decision, ledger: Ledger) -> None:
    """Let a back order go with its line, with which so much stays: what else it was given is another line by now."""
    is_filled = decision.given >= entry.quantity
    if stays != entry.quantity:
        entry.set_quantity(ledger, stays)
    if is_filled:
        entry.move(ledger, "allocated", data={"quantity": str(decision.given), "rule": decision.rule})


def _of_run(run: Run) -> dict[str, Any]:
    return {
        "run_id": run.id,
        "cause": run.why,
        "actor": run.cause.by.reference,
        "source": run.cause.source,
        "at": run.cause.at,
        "parts": as_text(run.parts),
    }


def _allocation_rows(
    gifts: Sequence[tuple[Decision, Gift]], holds: Sequence[Hold], brought: Brought, keys: Mapping[UUID, str]
) -> list[dict[str, Any]]:
    return [
        {
            "id": new_key(),
            "back_order_id": decision.waiting.id,
            "line_id": hold.demand_id,
            "movement_id": hold.movement_id,
            "delivery_line_id": delivery_line_id,
            "decision_id": keys[decision.waiting.id],
            "quantity": str(quantity),
        }
        for (decision, gift), hold in zip(gifts, holds, strict=True)
        for delivery_line_id, quantity in brought.take(gift.level_id, gift.quantity)
    ]


def _decision_row(decision: Decision, keys: Mapping[UUID, str]) -> dict[str, Any]:
    return {
        "id": keys[decision.waiting.id],
        "back_order_id": decision.waiting.id,
        "part_id": decision.waiting.part_id,
        "outcome": decision.outcome,
        "rule": decision.rule,
        "rank": str(decision.waiting.rank),
        "asked": str(decision.waiting.quantity),
        "given": str(decision.given),
        "free_before": str(decision.free_before),
        "place": decision.place,
    }
