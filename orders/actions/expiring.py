"""What soft demand holds too long goes back: others are served with it, and the line waits again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from orders.actions.work import LineWork
from orders.ledger import Cause
from orders.statuses import LINE_TAKEABLE
from orders.trees import Line
from parts.actors import Actor
from parts.models import Reservation


def expired_lines(*, at: datetime, limit: int) -> list[UUID]:
    """Return lines whose soft reservation has lapsed, longest lapsed first; nothing is changed here."""
    return list(Reservation.objects.lapsed(at).values_list("demand_id", flat=True)[:limit])


def expire(*, line_ids: Sequence[UUID], by: Actor, source: str, at: datetime) -> int:
    """Send lines whose soft reservation has lapsed back to the queue; return how many went.

    Their stock is free in the same transaction: whoever waits for it gets it by rank, and where nobody does, the line
    itself, with a new reservation. Whether a reservation has lapsed is decided under the locks of stock and order, so
    one that was picked meanwhile stays, and a repeat does nothing. Constant statements. Raises Forbidden.
    """
    by.require("orders.move_orderline")
    if not line_ids:
        return 0
    with transaction.atomic():
        work = LineWork(Cause(by=by, source=source, at=at), line_ids=line_ids, touches_stock=True, frees_stock=True)
        lines = work.trees.by_line()
        lapsed = Reservation.objects.lapsed(at).filter(demand_id__in=line_ids).values_list("demand_id", "expires_at")
        count = 0
        for line_id, expires_at in lapsed:
            if line_id in lines and expires_at and lines[line_id].status in LINE_TAKEABLE:
                _give_back(work, lines[line_id], expires_at)
                count += 1
        work.finish()
    return count


def _give_back(work: LineWork, line: Line, expires_at: datetime) -> None:
    leaf = line.as_child(work.ledger)
    work.step(leaf, "back_ordered", data={"rule": "soft reservation lapsed", "lapsed_at": expires_at.isoformat()})
    leaf.warehouse_id = None
