"""Give a waiting line another part that is there: what it waited for is cancelled, the other part is put aside."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from orders.actions.holding import hold_for
from orders.actions.parts_rule import jobs_last
from orders.actions.service_orders import Moved
from orders.errors import ReasonRequired, TransitionRefused
from orders.ledger import Cause, Ledger
from orders.models import OrderLine
from orders.rules import LONGEST_NOTE, check_texts
from orders.signals import Withdrawn, line_withdrawn
from orders.trees import Line, lock_trees
from parts.actions import stock
from parts.actions.reserving import LevelRow, lock_levels, reserve
from parts.actors import Actor
from parts.errors import Invalid, NotEnoughStock, NotFound, Refused
from parts.models import Part
from parts.rules import quantity_problem
from parts.sentences import sentence


def substitute(
    *,
    line_id: UUID,
    replaces: Decimal,
    part_id: UUID,
    quantity: Decimal,
    warehouse_id: UUID,
    reason: str,
    by: Actor,
    source: str,
    at: datetime,
) -> Moved:
    """Put `quantity` of another part aside in a new line of the order, for `replaces` of a line that waits.

    That much of the line is cancelled with the reason; its back order ends as substituted, or waits for less. What was
    promised for it is promised for the new one. Whether the part may stand in is the caller's to know. Raises
    Forbidden, NotFound, Invalid, ReasonRequired, Refused for an order on hold, TransitionRefused for a line that does
    not wait, NotEnoughStock where the warehouse does not have it.
    """
    by.require("orders.cancel_orderline")
    by.require("orders.place_partsorder")
    if not reason.strip():
        raise ReasonRequired(
            sentence("Say why another part goes."), fields={"reason": [sentence("A reason is required.")]}
        )
    check_texts(reason=(reason, LONGEST_NOTE))
    cause = Cause(by=by, source=source, at=at)
    ledger = Ledger(cause)
    with transaction.atomic(), jobs_last(cause) as jobs:
        stock.lock_stock_of_parts({part_id, *_parts_of_order(line_id)})
        level = _level(part_id, warehouse_id, quantity)
        trees = lock_trees(line_ids=[line_id])
        line = trees.line(line_id)
        _check(line, replaces, part_id, quantity)
        given_up, withdrawn = _take_out(line, replaces, ledger)
        new = line.tree.add_root(ledger, part_id, quantity, like=line, warehouse_id=warehouse_id)
        given_up.move(ledger, "cancelled", note=reason.strip(), data={"substituted_by": new.reference})
        trees.write(ledger)
        hold = hold_for(line.tree.order_kind, line_id=new.id, level_id=level.id, quantity=quantity, at=at)
        reserve(holds=[hold], by=by, source=source, at=at)
        line_withdrawn.send(sender=substitute, withdrawals=[withdrawn], cause=cause)
        jobs.may_go_on([line.tree.service_order_id])
    return Moved(new.id, new.reference, new.status, new.version)


def _parts_of_order(line_id: UUID) -> list[UUID]:
    """Return the parts of a line's order. Read without a lock: what an order is for only grows, by this very action."""
    mine = OrderLine.objects.filter(order__lines=line_id)
    return list(mine.order_by().values_list("part_id", flat=True).distinct())


def _level(part_id: UUID, warehouse_id: UUID, quantity: Decimal) -> LevelRow:
    """Return the level, locked, that holds all of it: new goods before refurbished ones."""
    there = [level for level in lock_levels(part_ids=[part_id]) if level.warehouse_id == warehouse_id]
    enough = sorted(
        (level for level in there if level.available >= quantity), key=lambda level: (level.condition, level.id)
    )
    if not enough:
        most = max((level.available for level in there), default=Decimal(0))
        raise NotEnoughStock(sentence("Less than that is free there."), available=str(most))
    return enough[0]


def _check(line: Line, replaces: Decimal, part_id: UUID, quantity: Decimal) -> None:
    if line.is_split or line.status != "back_ordered":
        raise TransitionRefused(line.reference, line.status, "cancelled", ["back_ordered"])
    if line.tree.on_hold:
        raise Refused(sentence("{reference} is on hold.", reference=line.tree.reference), current=line.status)
    if part_id == line.part_id:
        raise Invalid(sentence("Another part is needed."), {"part": [sentence("It is the one that is missing.")]})
    decimals = dict(Part.objects.filter(pk__in=[part_id, line.part_id]).values_list("pk", "unit__decimals"))
    if part_id not in decimals:
        raise NotFound(sentence("There is no such part."), id=str(part_id))
    fields = {}
    if problem := quantity_problem(quantity, decimals[part_id]):
        fields["quantity"] = [sentence("It {problem}.", problem=problem)]
    if problem := quantity_problem(replaces, decimals[line.part_id]):
        fields["replaces"] = [sentence("It {problem}.", problem=problem)]
    elif replaces > line.quantity:
        fields["replaces"] = [sentence("That is more than is missing.")]
    if fields:
        raise Invalid(sentence("That quantity cannot be."), fields)


def _take_out(line: Line, replaces: Decimal, ledger: Ledger) -> tuple[Line, Withdrawn]:
    """Split off what is given up, and say what the queue is to know of the line."""
    if replaces < line.quantity:
        given_up = line.split(ledger, replaces)
        return given_up, Withdrawn(line.id, line.quantity, "reduced")
    return line, Withdrawn(line.id, Decimal(0), "substituted")
