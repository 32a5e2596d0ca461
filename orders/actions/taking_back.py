"""Service demand takes back what softer demand (internal transfers, replenishment) holds and nobody has picked yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from orders.actions.waiting import hand_over_stock, send_to_queue
from orders.ledger import Cause, Ledger
from orders.signals import Withdrawn, line_withdrawn
from orders.statuses import LINE_TAKEABLE
from orders.trees import Line, lock_trees
from parts.actions import stock
from parts.actions.reserving import LevelRow, soft_holders


def worth_it(missing: Mapping[UUID, Decimal], levels: Sequence[LevelRow], destination_id: UUID | None) -> bool:
    """Tell whether a missing part is held softly anywhere but in the place it is meant for."""
    return any(
        level.soft > 0 and missing.get(level.part_id) and level.warehouse_id != destination_id for level in levels
    )


def take_back(*, needs: Mapping[UUID, Decimal], destination_id: UUID | None, cause: Cause) -> Decimal:
    """Free up to `needs` units per part from soft reservations, the newest first; return how many units that were.

    The stock of these parts is locked by the caller. The lines that lose go back to waiting, with their back orders
    (re)opened in the same transaction. Picked stock is never taken, nor stock that lies at the destination. The freed
    units are for the caller: nobody else is served with them before.
    """
    cause = cause.for_others()
    holders = soft_holders(part_ids=list(needs), besides=destination_id)
    trees = lock_trees(line_ids=[line_id for line_id, _part_id, _held in holders])
    lines = trees.by_line()
    ledger = Ledger(cause)
    left = dict(needs)
    losers: list[Line] = []
    kept: list[Withdrawn] = []
    for line_id, part_id, held in holders:
        line = lines[line_id]
        quantity = min(left[part_id], held)
        if quantity > 0 and line.status in LINE_TAKEABLE:
            left[part_id] -= quantity
            losers.append(_lose(line, quantity, ledger))
            if line.parent is not None and losers[-1] is not line:
                kept.append(Withdrawn(line.id, line.quantity, "reduced"))
    if not losers:
        return Decimal(0)
    trees.write(ledger)
    hand_over_stock(trees, cause)
    stock.unreserve(
        demand_ids=[line.id for line in losers],
        by=cause.by,
        source=cause.source,
        at=cause.at,
        cause="taken_by_service_demand",
        announce=False,
    )
    if kept:
        line_withdrawn.send(sender=take_back, withdrawals=kept, cause=cause)
    send_to_queue(losers, cause)
    return sum((line.quantity for line in losers), Decimal(0))


def _lose(line: Line, quantity: Decimal, ledger: Ledger) -> Line:
    """Send a line, or a part of it split off as a child, back to waiting; return the child that lost its stock."""
    leaf = line.as_child(ledger) if quantity == line.quantity else line.split(ledger, quantity)
    leaf.move(ledger, "back_ordered", data={"rule": "service demand outranks soft reservations"})
    leaf.warehouse_id = None
    return leaf
