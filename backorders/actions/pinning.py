"""Put a back order before all others of its part, by a person's word, and let it go back to its place."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from uuid import UUID

from django.db import connection, transaction

from backorders import queue, sql
from backorders.actions import pegging
from backorders.errors import PreviewIsOld
from backorders.models import BackOrder
from backorders.statuses import LABELS
from backorders.whatif import effect
from orders.actions.service_orders import Moved
from orders.errors import NothingToDo, ReasonRequired, TransitionRefused
from orders.ledger import Cause, Ledger
from orders.rules import LONGEST_NOTE, check_texts
from orders.trees import lock_trees
from parts.actions import stock
from parts.actors import Actor
from parts.errors import NotFound
from parts.sentences import sentence


def pin(*, back_order_id: UUID, reason: str, by: Actor, source: str, at: datetime, shown: str | None = None) -> Moved:
    """Put a waiting back order before all of its part that are not pinned. Among the pinned, the rank decides.

    `shown` is the fingerprint of `whatif.effect(pin=[...])` as the person saw it: if that does not hold any more,
    nothing is done. Raises Forbidden, NotFound, ReasonRequired, TransitionRefused for one that does not wait,
    NothingToDo for one that is pinned, PreviewIsOld.
    """
    return _set(back_order_id, True, reason, by, source, at, shown)


def unpin(*, back_order_id: UUID, reason: str, by: Actor, source: str, at: datetime, shown: str | None = None) -> Moved:
    """Let a pinned back order stand where its rank puts it. Raises as `pin`."""
    return _set(back_order_id, False, reason, by, source, at, shown)


def _set(
    back_order_id: UUID, pinned: bool, reason: str, by: Actor, source: str, at: datetime, shown: str | None
) -> Moved:
    by.require("backorders.pin_backorder")
    if not reason.strip():
        raise ReasonRequired(
            sentence("Say why the queue is left."), fields={"reason": [sentence("A reason is required.")]}
        )
    check_texts(reason=(reason, LONGEST_NOTE))
    row = BackOrder.objects.filter(pk=back_order_id).values_list("line_id", "part_id").first()
    if row is None:
        raise NotFound(sentence("There is no such back order."), id=str(back_order_id))
    line_id, part_id = row
    ledger = Ledger(Cause(by=by, source=source, at=at))
    today = at.astimezone(UTC).date()
    with transaction.atomic():
        hold_queue([part_id])
        lock_trees(line_ids=[line_id])
        entry = queue.read(ids=[back_order_id])[0]
        if not entry.is_waiting:
            raise TransitionRefused(
                entry.reference, entry.status, "pinned" if pinned else entry.status, [], labels=LABELS
            )
        if (entry.pinned_at is not None) == pinned:
            raise NothingToDo(
                sentence("{reference} is pinned already.", reference=entry.reference)
                if pinned
                else sentence("{reference} is not pinned.", reference=entry.reference)
            )
        key = [back_order_id]
        if (
            shown is not None
            and shown != (effect(pin=key, today=today) if pinned else effect(unpin=key, today=today)).fingerprint
        ):
            raise PreviewIsOld
        entry.pinned_at = at if pinned else None
        ledger.record(entry, "back_order.pinned" if pinned else "back_order.unpinned", note=reason.strip())
        queue.write([entry], ledger)
        with connection.cursor() as cursor:
            cursor.execute(sql.RERANK, {"ids": key})
    pegging.repeg(part_ids=[part_id], today=today)
    return Moved(entry.id, entry.reference, entry.status, entry.version)


def hold_queue(part_ids: Collection[UUID], *, adding: bool = False) -> None:
    """Keep the queues of these parts as they are, as far as a decision depends on it, until the transaction ends.

    Two who decide about the same queue meet here, before any other lock (a part that has no stock has no row that both
    would lock). Whoever gives stock, cancels or places locks the stock of the part, and who changes the weights the
    policy: they wait for us, or we for them. `adding` is for who may add a stock level later.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtext('queue'), bucket)"
            " FROM (SELECT DISTINCT hashtext(id::text) AS bucket FROM unnest(%s::uuid[]) AS id ORDER BY 1) AS b",
            [sorted(part_ids)],
        )
        stock.lock_stock_of_parts(part_ids, adding=adding)
        cursor.execute("SELECT revision FROM backorders_allocationpolicy WHERE name = 'default' FOR SHARE")
