"""What the queue does by itself, by the clock. Each task is safe to run twice and at the same time."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from backorders.actions import allocating, pegging
from backorders.models import BackOrder
from parts.actors import Actor

logger = logging.getLogger(__name__)

#: At most so many batches per run, so that a run ends; what is left waits for the next.
_BATCHES = 20
_PARTS = 100


def serve_who_was_missed(at: datetime | None = None) -> int:
    """Give free stock to those who wait beside it because nothing told the queue of it; return how many were served.

    A warehouse that serves orders from now on is such a case. Freed stock serves the queue in the transaction that
    frees it, so that usually there is nobody to be found.
    """
    now, served, after = at or datetime.now(UTC), 0, None
    for _ in range(_BATCHES):
        part_ids = _parts_after(after)
        if not part_ids:
            break
        served += _serve(part_ids, now)
        after = part_ids[-1]
    return served


def _parts_after(after: UUID | None) -> list[UUID]:
    """Return the next parts of which somebody waits beside free stock. One query."""
    missed = BackOrder.objects.beside_free_stock()
    if after:
        missed = missed.filter(part__gt=after)
    return list(missed.order_by("part").values_list("part", flat=True).distinct()[:_PARTS])


def _serve(part_ids: list[UUID], now: datetime) -> int:
    """Allocate the parts of a batch and log what that found: nobody should wait beside free stock."""
    given = allocating.allocate_parts(part_ids=part_ids, by=Actor.system("safety-net"), source="backline", at=now).given
    logger.warning(
        "stock lay free beside who waits for it",
        extra={
            "parts": [str(key) for key in part_ids],
            "back_orders": len({gift.back_order_id for gift in given}),
            "quantity": str(sum((gift.quantity for gift in given), Decimal(0))),
        },
    )
    return len({gift.back_order_id for gift in given})


def date_due_queues(at: datetime | None = None) -> int:
    """Date the queues that new weights put in another order and nobody has dated yet; return how many days changed."""
    return pegging.date_due(today=(at or datetime.now(UTC)).astimezone(UTC).date())


def date_queues_anew(at: datetime | None = None) -> int:
    """Peg the queues anew that count on a day which has passed; return how many expected dates changed."""
    today, changed = (at or datetime.now(UTC)).astimezone(UTC).date(), 0
    for _ in range(_BATCHES):
        part_ids = pegging.out_of_date(today=today, limit=_PARTS)
        if not part_ids:
            break
        changed += len(pegging.repeg(part_ids=part_ids, today=today))
    if changed:
        logger.info("expected dates that have passed", extra={"back_orders": changed})
    return changed
