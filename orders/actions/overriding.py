"""Put a line into any status, against the flow: for what happened outside the system. Marked for ever."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from orders.actions.holding import hold_for
from orders.actions.lines import moved
from orders.actions.service_orders import Moved, allow_any_step
from orders.actions.work import KEPT_BACK, LineWork
from orders.consenting import Leave, refuse_moved, require, rule_for_line
from orders.errors import NothingToDo, TransitionRefused, word_of
from orders.ledger import Cause
from orders.rules import check_override, is_kept_back, steps_back
from orders.signals import Withdrawn
from orders.sourcing import Destination, choose
from orders.statuses import LINE_HOLDS_STOCK, LINE_PICKED, LINE_SHIPPED, LineStatus
from orders.trees import Line, lock_trees
from parts.actions import stock
from parts.actions.reserving import Hold, LevelRow, lock_levels, reserve
from parts.actors import Actor
from parts.errors import NotEnoughStock, VersionConflict
from parts.sentences import sentence


def override(
    *,
    line_id: UUID,
    to: str,
    reason: str,
    reference: str,
    by: Actor,
    source: str,
    at: datetime,
    expected_version: int | None = None,
    leave: Leave | None = None,
) -> Moved:
    """Put a leaf into any status. Stock and queue follow, so that the books stay true:

    - out of a status that holds stock into one that does not: the goods are issued (to shipped, delivered) or free;
    - into a status that holds stock: it is reserved now, or NotEnoughStock;
    - to shipped or delivered without held stock ("shipped outside the system"): no stock moves, the back order closes;
    - to delivered, for one of our own warehouses: it is in its stock now, wherever it came from;
    - back from delivered, for one of our own warehouses: it is taken out of its stock, or NotEnoughStock;
    - back from shipped: nothing is taken into stock by itself, book what came back as a return or a correction;
    - to back-ordered: it waits in the queue again, and gets at once what is free and its turn;
    - back to reserved from a later status: no rule releases it before a person does, or lets it go.

    `leave` comes from `orders.actions.consents`, which asks for a second person's consent where a rule wants it: to
    the line as it was then, so that one which has moved since is refused under its lock.

    Returns where the line stands in the end. Raises Forbidden, ReasonRequired, Invalid, NotFound, VersionConflict,
    NothingToDo, TransitionRefused for a parent, ConsentNeeded.
    """
    by.require("orders.override_orderline")
    check_override(to=to, reason=reason, reference=reference, known=LineStatus.values)
    cause = Cause(by=by, source=source, at=at)
    with transaction.atomic():
        work = LineWork(cause, line_ids=[line_id], touches_stock=True, frees_stock=True, delivers=to == "delivered")
        line = work.trees.line(line_id)
        refuse_moved(line, leave)
        _check(line, to, expected_version)
        rule = rule_for_line(line_id=line.id, part_id=line.part_id, quantity=line.quantity, to=to)
        require(rule, by, leave)
        levels = lock_levels(part_ids=[line.part_id])
        leaf = line.as_child(work.ledger) if to == "back_ordered" else line
        before = leaf.status
        work.ledger.record(
            leaf,
            "line.status_overridden",
            to=to,
            note=reason.strip(),
            is_override=True,
            override_reference=reference.strip(),
            at=leave.happened_at if leave else None,
            data={"from_stock": before in LINE_HOLDS_STOCK}
            | ({"rule": KEPT_BACK} if steps_back(before, to) else {})
            | (leave.as_data() if leave else {}),
        )
        leaf.kept_back = is_kept_back(leaf.kept_back, before, to)
        leaf.touched = True
        hold = _follow(work, leaf, before, levels)
        allow_any_step(leaf.id)
        work.finish()
        if hold:
            reserve(holds=[hold], by=by, source=source, at=at)
        if leaf.status in LINE_PICKED:
            stock.pick(demand_ids=[leaf.id], by=by, source=source, at=at)
        # What it gave up, or what was free beside it, may have gone to it by rank: then it stands there by now.
        return moved(lock_trees(line_ids=[leaf.id]).line(leaf.id))


def _check(line: Line, to: str, expected_version: int | None) -> None:
    if expected_version is not None and line.version != expected_version:
        raise VersionConflict(
            sentence("{reference} has changed since you read it.", reference=line.reference), version=line.version
        )
    if line.is_split:
        raise TransitionRefused(line.reference, line.status, to, [], split=True)
    if line.status == to:
        raise NothingToDo(
            sentence("{reference} already is {current}.", reference=line.reference, current=word_of(to)),
            current=line.status,
        )


def _follow(work: LineWork, leaf: Line, before: str, levels: list[LevelRow]) -> Hold | None:
    """Let stock and queue follow the override; return what must be reserved after the line is written."""
    held, holds = before in LINE_HOLDS_STOCK, leaf.status in LINE_HOLDS_STOCK
    if leaf.status == "delivered":
        work.note_arrival(leaf)
    elif before == "delivered":
        work.undo_arrival(leaf, leaf.quantity)
    if leaf.status in LINE_SHIPPED:
        if held:
            work.issued.append(leaf)
        work.withdrawn.append(Withdrawn(leaf.id, Decimal(0), "fulfilled"))
    elif leaf.status == "back_ordered":
        if held:
            work.given_back.append(leaf)
        work.short.append(leaf)
    elif not holds:
        if held:
            work.given_back.append(leaf)
        work.withdrawn.append(Withdrawn(leaf.id, Decimal(0), "cancelled"))
    elif not held:
        work.withdrawn.append(Withdrawn(leaf.id, Decimal(0), "allocated"))
        return _hold(leaf, levels, work.cause)
    return None


def _hold(leaf: Line, levels: list[LevelRow], cause: Cause) -> Hold:
    elsewhere = [level for level in levels if level.warehouse_id != leaf.tree.destination_id]
    picks = choose(elsewhere, leaf.quantity, Destination(None, None, None, cause.at))
    if not picks or picks[0].quantity < leaf.quantity:
        raise NotEnoughStock(
            sentence(
                "No one place has {quantity} available for {reference}.",
                quantity=leaf.quantity.normalize(),
                reference=leaf.reference,
            )
        )
    leaf.warehouse_id = picks[0].level.warehouse_id
    return hold_for(
        leaf.tree.order_kind, line_id=leaf.id, level_id=picks[0].level.id, quantity=leaf.quantity, at=cause.at
    )
