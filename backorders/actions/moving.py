"""What people do to a back order: note how its supply goes, hold it, override it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from backorders import queue
from backorders.actions import allocating
from backorders.models import BackOrder
from backorders.queue import Entry
from backorders.statuses import BACK_ORDER_WAITING, LABELS, BackOrderStatus
from orders.actions import lines, overriding
from orders.actions.service_orders import Moved
from orders.errors import NothingToDo, ReasonRequired, TransitionRefused
from orders.ledger import Cause, Ledger
from orders.models import OrderLine
from orders.rules import LONGEST_NOTE, check_texts
from orders.trees import lock_trees
from parts.actors import Actor
from parts.errors import NotFound, VersionConflict
from parts.sentences import sentence

#: What a person notes about the supply; the other statuses follow from stock and from the line.
BY_HAND = BACK_ORDER_WAITING


def allowed_by_hand(status: str) -> list[str]:
    """Return the statuses a person may choose from here."""
    return [to for to in BY_HAND if status in BACK_ORDER_WAITING and to != status]


def _lock_stock_of_order(back_order_id: UUID) -> None:
    """Lock the stock of every part of a back order's order, for who holds that order and gives stock to others.

    Another who holds stock of these parts may want that order, and so they meet at the stock.
    """
    allocating.lock_stock(_parts_of_order(back_order_id))


def _parts_of_order(back_order_id: UUID) -> list[UUID]:
    """Return the parts of a back order's order. Read without a lock: what an order is for never changes."""
    lines_of_order = OrderLine.objects.filter(order__lines__back_order=back_order_id)
    return list(lines_of_order.order_by().values_list("part_id", flat=True).distinct())


def _lock(back_order_id: UUID, expected_version: int | None) -> Entry:
    """Lock the order of a back order and return the back order as it stands then."""
    line_id = BackOrder.objects.filter(pk=back_order_id).values_list("line_id", flat=True).first()
    if line_id is None:
        raise NotFound(sentence("There is no such back order."), id=str(back_order_id))
    lock_trees(line_ids=[line_id])
    entry = queue.read(ids=[back_order_id])[0]
    if expected_version is not None and entry.version != expected_version:
        raise VersionConflict(
            sentence("{reference} has changed since you read it.", reference=entry.reference),
            version=entry.version,
            status=entry.status,
        )
    return entry


def _moved(entry: Entry) -> Moved:
    return Moved(entry.id, entry.reference, entry.status, entry.version)


def move(
    *,
    back_order_id: UUID,
    to: str,
    by: Actor,
    source: str,
    at: datetime,
    expected_version: int | None = None,
    note: str = "",
) -> Moved:
    """Note how the supply of a waiting back order goes: open, sourcing, supply confirmed.

    Raises Forbidden, NotFound, VersionConflict, TransitionRefused (allocated, fulfilled, cancelled and substituted
    follow from stock and from the line).
    """
    by.require("backorders.move_backorder")
    check_texts(note=(note, LONGEST_NOTE))
    ledger = Ledger(Cause(by=by, source=source, at=at))
    with transaction.atomic():
        entry = _lock(back_order_id, expected_version)
        if to not in allowed_by_hand(entry.status):
            raise TransitionRefused(entry.reference, entry.status, to, allowed_by_hand(entry.status), labels=LABELS)
        entry.move(ledger, to, note=note)
        queue.write([entry], ledger)
    return _moved(entry)


def hold(*, back_order_id: UUID, reason: str, by: Actor, source: str, at: datetime) -> Moved:
    """Pass a back order over until it is let go: it keeps its place, but gets nothing. Needs a reason."""
    if not reason.strip():
        raise ReasonRequired(sentence("Say why this is held."), fields={"reason": [sentence("A reason is required.")]})
    check_texts(reason=(reason, LONGEST_NOTE))
    return _set_hold(back_order_id, True, reason.strip(), by, source, at)


def let_go(*, back_order_id: UUID, by: Actor, source: str, at: datetime) -> Moved:
    """Let a held back order take part again; what is free by then is allocated at once."""
    part_ids = list(BackOrder.objects.filter(pk=back_order_id).values_list("part_id", flat=True))
    with transaction.atomic():
        _lock_stock_of_order(back_order_id)
        moved = _set_hold(back_order_id, False, "", by, source, at)
        cause = Cause(by=by, source=source, at=at)
        allocating.allocate(part_ids=part_ids, freed=(), cause=cause, why="back_order_let_go")
    return moved


def _set_hold(back_order_id: UUID, on_hold: bool, reason: str, by: Actor, source: str, at: datetime) -> Moved:
    by.require("backorders.move_backorder")
    ledger = Ledger(Cause(by=by, source=source, at=at))
    with transaction.atomic():
        entry = _lock(back_order_id, None)
        if not entry.is_waiting:
            raise TransitionRefused(
                entry.reference, entry.status, "on_hold" if on_hold else entry.status, [], labels=LABELS
            )
        if entry.on_hold == on_hold:
            raise NothingToDo(
                sentence("{reference} is on hold already.", reference=entry.reference)
                if on_hold
                else sentence("{reference} is not on hold.", reference=entry.reference)
            )
        entry.on_hold = on_hold
        ledger.record(entry, "back_order.held" if on_hold else "back_order.let_go", note=reason)
        queue.write([entry], ledger)
    return _moved(entry)


#: Where the line stands when its back order is overridden.
_LINE_STATUS = {
    BackOrderStatus.OPEN.value: "back_ordered",
    BackOrderStatus.ALLOCATED.value: "reserved",
    BackOrderStatus.FULFILLED.value: "shipped",
    BackOrderStatus.CANCELLED.value: "cancelled",
}


def override(
    *,
    back_order_id: UUID,
    to: str,
    reason: str,
    reference: str,
    by: Actor,
    source: str,
    at: datetime,
    expected_version: int | None = None,
) -> Moved:
    """Put a back order into a status against the flow. Its line is overridden with it, so that the two never differ.

    `open`, `allocated`, `fulfilled` and `cancelled` override the line (see orders.actions.overriding); the others
    only concern the supply and are moved by hand. Raises as both, and Forbidden without the permission.
    """
    by.require("backorders.override_backorder")
    line_id = BackOrder.objects.filter(pk=back_order_id).values_list("line_id", flat=True).first()
    if line_id is None:
        raise NotFound(sentence("There is no such back order."), id=str(back_order_id))
    if to not in _LINE_STATUS:
        raise TransitionRefused(str(back_order_id), "", to, list(_LINE_STATUS), labels=LABELS)
    with transaction.atomic():
        if expected_version is not None:
            _lock_stock_of_order(back_order_id)
            _lock(back_order_id, expected_version)
        overriding.override(
            line_id=line_id,
            to=_LINE_STATUS[to],
            reason=reason,
            reference=reference,
            by=by,
            source=source,
            at=at,
        )
        return _moved(queue.read(ids=[back_order_id])[0])


def cancel(
    *, back_order_id: UUID, reason: str, by: Actor, source: str, at: datetime, quantity: Decimal | None = None
) -> Moved:
    """Cancel what a back order waits for, or a part of it, by cancelling its line. Raises as orders' cancel."""
    line_id = BackOrder.objects.filter(pk=back_order_id).values_list("line_id", flat=True).first()
    if line_id is None:
        raise NotFound(sentence("There is no such back order."), id=str(back_order_id))
    with transaction.atomic():
        lines.cancel(line_id=line_id, reason=reason, quantity=quantity, by=by, source=source, at=at)
        return _moved(queue.read(ids=[back_order_id])[0])
