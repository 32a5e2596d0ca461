"""What floor 1 does by itself, by the clock. Each task is safe to run twice and at the same time."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from orders.actions import anchoring, consents, expiring, parts_orders, sweeping
from parts.actors import Actor

logger = logging.getLogger(__name__)

#: At most so many batches per run, so that a run ends; what is left waits for the next.
_BATCHES = 20
_ROWS = 200


def anchor_ledger(at: datetime | None = None) -> str:
    """Anchor the day before, once; return the day."""
    return str(anchoring.anchor_day(by=Actor.system("anchor"), at=at or datetime.now(UTC)).anchor.day)


def expire_reservations(at: datetime | None = None) -> int:
    """Give back what soft demand has held too long; return how many lines went back to the queue."""
    now, total = at or datetime.now(UTC), 0
    for _ in range(_BATCHES):
        line_ids = expiring.expired_lines(at=now, limit=_ROWS)
        gone = expiring.expire(line_ids=line_ids, by=Actor.system("expire"), source="backline", at=now)
        total += gone
        if not gone:
            break
    if total:
        logger.info("soft reservations lapsed", extra={"lines": total})
    return total


def expire_override_requests(at: datetime | None = None) -> int:
    """Let lapse what has waited for consent too long; return how many."""
    return consents.expire_requests(at=at or datetime.now(UTC))


def sweep_files(at: datetime | None = None) -> int:
    """Delete files that no row names; return how many."""
    return sweeping.sweep_files(at=at or datetime.now(UTC))


def release_ready_orders(at: datetime | None = None) -> int:
    """Release lines that may leave with no person and that the consumer has not seen; return how many."""
    now, total = at or datetime.now(UTC), 0
    for _ in range(_BATCHES):
        order_ids = parts_orders.ready_orders(limit=_ROWS)
        if not order_ids:
            break
        moved = parts_orders.release_ready(order_ids=order_ids, by=Actor.system("release"), source="backline", at=now)
        total += moved
        if not moved:
            break
    if total:
        logger.info("orders released by rule", extra={"lines": total})
    return total
