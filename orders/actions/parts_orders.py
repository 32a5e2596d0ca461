"""What is done to a parts order as a whole: hold, let go, cancel, release what is ready."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef

from orders.actions.lines import walk_to
from orders.actions.service_orders import Moved
from orders.actions.work import LineWork
from orders.errors import NothingToDo, ReasonRequired, TransitionRefused
from orders.ledger import Cause
from orders.models import OrderLine
from orders.rules import LONGEST_NOTE, check_texts
from orders.statuses import LINE_CLOSED, LINE_SHIPPED, LINE_STEPS
from orders.trees import Line, Tree
from parts.actors import Actor
from parts.errors import Invalid, NotFound, VersionConflict
from parts.sentences import sentence
from parts.statuses import WarehouseMode

#: Where a line that may move on with no person stands; what is being picked is moved by who picks it.
_READY = ("reserved", "released", "packed")


def _tree(work: LineWork, order_id: UUID, expected_version: int | None) -> Tree:
    tree = work.trees.by_order.get(order_id)
    if tree is None:
        raise NotFound(sentence("There is no such parts order."), id=str(order_id))
    if expected_version is not None and tree.version != expected_version:
        raise VersionConflict(
            sentence("{reference} has changed since you read it.", reference=tree.reference), version=tree.version
        )
    return tree


def cancel(
    *,
    order_id: UUID,
    reason: str,
    by: Actor,
    source: str,
    at: datetime,
    expected_version: int | None = None,
) -> Moved:
    """Cancel all of an order that has not left. What it held is free at once and serves the queue.

    Raises Forbidden, NotFound, ReasonRequired, VersionConflict, TransitionRefused where nothing is left to cancel.
    """
    by.require("orders.cancel_orderline")
    if not reason.strip():
        raise ReasonRequired(
            sentence("Say why this is cancelled."), fields={"reason": [sentence("A reason is required.")]}
        )
    check_texts(reason=(reason, LONGEST_NOTE))
    with transaction.atomic():
        work = LineWork(Cause(by=by, source=source, at=at), order_ids=[order_id], touches_stock=True, frees_stock=True)
        tree = _tree(work, order_id, expected_version)
        leaves = [leaf for leaf in tree.leaves() if "cancelled" in LINE_STEPS[leaf.status]]
        if not leaves:
            raise TransitionRefused(tree.reference, tree.status, "cancelled", [])
        work.ledger.record(tree, "parts_order.cancelled", note=reason.strip())
        for leaf in leaves:
            work.step(leaf, "cancelled")
        work.finish()
    return Moved(tree.id, tree.reference, tree.status, tree.version)


def hold(*, order_id: UUID, reason: str, by: Actor, source: str, at: datetime) -> Moved:
    """Stop an order where it stands: nothing of it is picked or shipped until it is let go. Needs a reason."""
    by.require("orders.hold_partsorder")
    if not reason.strip():
        raise ReasonRequired(sentence("Say why this is held."), fields={"reason": [sentence("A reason is required.")]})
    check_texts(reason=(reason, 200))
    return _set_hold(order_id, True, reason.strip(), by, source, at)


def let_go(*, order_id: UUID, by: Actor, source: str, at: datetime) -> Moved:
    """Let a held order go on."""
    return _set_hold(order_id, False, "", by, source, at)


def _set_hold(order_id: UUID, on_hold: bool, reason: str, by: Actor, source: str, at: datetime) -> Moved:
    by.require("orders.hold_partsorder")
    with transaction.atomic():
        work = LineWork(Cause(by=by, source=source, at=at), order_ids=[order_id], touches_stock=False)
        tree = _tree(work, order_id, None)
        if tree.on_hold == on_hold:
            raise NothingToDo(
                sentence("{reference} is on hold already.", reference=tree.reference)
                if on_hold
                else sentence("{reference} is not on hold.", reference=tree.reference)
            )
        tree.on_hold, tree.touched = on_hold, True
        event = work.ledger.record(tree, "parts_order.held" if on_hold else "parts_order.let_go", note=reason)
        tree.hold_event_id = event["id"] if on_hold else None
        work.finish()
    return Moved(tree.id, tree.reference, tree.status, tree.version)


def ready_orders(limit: int) -> list[UUID]:
    """Return orders with lines that may leave with no person: reserved, in a digital warehouse, nothing in the way."""
    ready = OrderLine.objects.filter(
        is_split=False,
        status="reserved",
        kept_back=False,
        order__on_hold=False,
        warehouse__mode=WarehouseMode.DIGITAL,
    )
    missing = OrderLine.objects.filter(order=OuterRef("order"), is_split=False, status__in=["open", "back_ordered"])
    blocked = ready.filter(order__complete_delivery_only=True).filter(Exists(missing))
    found = ready.exclude(pk__in=blocked.values("pk")).order_by("id").values_list("order_id", flat=True)[: limit * 4]
    return list(dict.fromkeys(found))[:limit]


def release_ready(*, order_ids: Sequence[UUID], by: Actor, source: str, at: datetime, to: str = "released") -> int:
    """Move the reserved lines of orders on with no person, where nothing stands in the way; return how many moved.

    Nothing stands in the way of a line when nobody keeps it back, its order is not on hold, and, where only complete
    deliveries are wanted, no line of the order waits, nor (for `shipped`) would stay behind. `to` is `released` (the
    warehouse system takes over) or, for warehouses that confirm nothing, `shipped`. Decided again under the lock; a
    repeat moves nothing. Constant statements. Raises Forbidden, and Invalid for another `to`.
    """
    by.require("orders.move_orderline")
    if to not in ("released", "shipped"):
        raise Invalid(
            sentence("Lines are released or shipped."), {"to": [sentence("Must be one of released, shipped.")]}
        )
    if to == "shipped":
        by.require("orders.ship_orderline")
    count = 0
    with transaction.atomic():
        work = LineWork(Cause(by=by, source=source, at=at), order_ids=order_ids, touches_stock=to != "released")
        digital = _digital_lines(order_ids)
        for tree in work.trees:
            ready = [
                leaf for leaf in tree.leaves() if leaf.status in _READY and leaf.id in digital and not leaf.kept_back
            ]
            if tree.on_hold or (tree.complete_delivery_only and _stays_behind(tree, ready, to)):
                continue
            for leaf in ready:
                count += _advance(work, leaf, to)
        work.finish()
    return count


def _advance(work: LineWork, leaf: Line, to: str) -> int:
    """Walk one leaf to `to`; return 1 if it moved."""
    before = leaf.status
    walk_to(work, leaf, to)
    return int(leaf.status != before)


def _digital_lines(order_ids: Sequence[UUID]) -> set[UUID]:
    return set(
        OrderLine.objects.filter(
            order_id__in=order_ids, is_split=False, warehouse__mode=WarehouseMode.DIGITAL
        ).values_list("pk", flat=True)
    )


def _stays_behind(tree: Tree, ready: Sequence[Line], to: str) -> bool:
    """Tell whether something of an order waits for stock, or (for `shipped`) would not leave with the rest."""
    if any(leaf.status in ("open", "back_ordered") for leaf in tree.leaves()):
        return True
    return to == "shipped" and any(
        leaf not in ready and leaf.status not in LINE_CLOSED and leaf.status not in LINE_SHIPPED
        for leaf in tree.leaves()
    )
