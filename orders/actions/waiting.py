"""Lines that wait for stock: sent to the queue of the floor above, and filled by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import cast
from uuid import UUID

from django.db import connection

from orders import sql
from orders.actions.parts_rule import jobs_last
from orders.ledger import Cause, Ledger
from orders.signals import Opened, Shortage, line_short
from orders.trees import Line, Trees
from parts.actions import stock


@dataclass(frozen=True, slots=True)
class Grant:
    """A quantity of one warehouse's stock for a waiting line."""

    line_id: UUID
    warehouse_id: UUID
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Filled:
    """A granted quantity and the leaf that now holds it; `remaining` is what the granted line still waits for."""

    grant: Grant
    line_id: UUID
    remaining: Decimal


def fill(*, trees: Trees, grants: Sequence[Grant], ledger: Ledger) -> list[Filled]:
    """Move waiting lines to reserved, each for what it was granted; what is still missing keeps waiting.

    For the queue only: it holds the locks of the stock and of these trees, and in the same transaction reserves the
    stock for the lines named in the answer (in the order of the grants) and writes the trees with this ledger.
    """
    lines = trees.by_line()
    filled: list[Filled] = []
    for grant in grants:
        line = lines[grant.line_id]
        leaf = line.split(ledger, grant.quantity) if grant.quantity < line.quantity else line
        leaf.warehouse_id = grant.warehouse_id
        leaf.move(ledger, "reserved")
        filled.append(Filled(grant, leaf.id, line.quantity if leaf is not line else Decimal(0)))
    return filled


def send_to_queue(lines: Sequence[Line], cause: Cause, *, serve: bool = False) -> list[Opened]:
    """Tell the floor above which child lines, written as back-ordered, wait from now on; return its answers.

    `serve` asks it to give what is free of their parts (whose stock is locked) to whoever waits, these lines included.
    """
    if not lines:
        return []
    with jobs_last(cause) as jobs:
        answers = line_short.send(sender=send_to_queue, shortages=_shortages(lines, cause), cause=cause, serve=serve)
        if serve:
            jobs.may_be_short({line.id: line.tree.service_order_id for line in lines})
        else:
            jobs.are_short(line.tree.service_order_id for line in lines)
    return [opened for _receiver, answer in answers for opened in cast(list[Opened], answer)]


def _shortages(lines: Sequence[Line], cause: Cause) -> list[Shortage]:
    with connection.cursor() as cursor:
        cursor.execute(sql.READ_FOR_QUEUE, {"line_ids": [line.id for line in lines], "today": cause.at.date()})
        facts = {row[0]: row[1:] for row in cursor.fetchall()}
    shortages = []
    for line in lines:
        criticality, tier, downtime_cost, contract_points = facts[line.id]
        shortages.append(
            Shortage(
                line_id=line.id,
                reference=line.reference,
                part_id=line.part_id,
                criticality=criticality,
                quantity=line.quantity,
                minimum_fill=_least(line),
                customer_id=line.tree.customer_id,
                tier=tier or "",
                order_kind=line.tree.order_kind,
                downtime_cost=downtime_cost or Decimal(0),
                contract_points=contract_points or Decimal(0),
                requested_on=line.requested_on,
                excluded_warehouse_id=line.tree.destination_id,
            )
        )
    return shortages


def _least(line: Line) -> Decimal:
    """Return the smallest part delivery that a line accepts of what it misses now."""
    return line.quantity if line.tree.complete_delivery_only else min(line.minimum_fill, line.quantity)


def hand_over_stock(trees: Trees, cause: Cause) -> None:
    """Split or pass on the reservations of lines that were split, after the lines are written."""
    moves, splits = [], []
    for tree in trees:
        for item in tree.hand_overs:
            if item.quantity is None:
                moves.append(stock.Move(item.giver.id, item.taker.id))
            else:
                splits.append(stock.Split(item.giver.id, item.quantity, item.taker.id))
        tree.hand_overs.clear()
    if moves:
        stock.reassign_reservation(moves=moves)
    if splits:
        stock.split_reservations(splits=splits, at=cause.at)
