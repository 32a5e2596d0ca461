"""Sign, once a day, a digest over where all chains of the ledger stand."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import connection, transaction

from orders import chains, signing, verifier
from orders.ledger import text_of_time
from orders.models import LedgerAnchor
from parts.actors import Actor
from parts.errors import Invalid, Refused
from parts.sentences import sentence

logger = logging.getLogger(__name__)

_HEADS = """
SELECT DISTINCT ON (subject_id) subject_id::text, version, encode(hash, 'hex')
FROM orders_orderevent
WHERE transaction_id < %(horizon)s
ORDER BY subject_id, version DESC
"""


@dataclass(frozen=True, slots=True)
class Anchored:
    """A day's anchor; `made` says whether this call made it or found it."""

    anchor: LedgerAnchor
    made: bool


def anchor_day(*, by: Actor, at: datetime, day: date | None = None) -> Anchored:
    """Anchor a day that is over (default: yesterday, UTC), or find its anchor. One per day, each naming the one before.

    It covers every event of the transactions that were finished when it is made, those after midnight too. Raises
    Forbidden, Invalid for a day that is not over, Refused where a later day is anchored already.
    """
    by.require("orders.add_ledgeranchor")
    today = at.astimezone(UTC).date()
    day = day or today - timedelta(days=1)
    if day >= today:
        raise Invalid(sentence("{day} is not over yet.", day=day), {"day": [sentence("Must be before today (UTC).")]})
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('backline anchors', 0))")
            cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
            (horizon,) = cursor.fetchone()
        newest = LedgerAnchor.objects.order_by("-day").first()
        if newest is not None and day <= newest.day:
            found = LedgerAnchor.objects.filter(day=day).first()
            if found is None:
                raise Refused(sentence("{day} is anchored already; an earlier day can no longer be.", day=newest.day))
            return Anchored(found, made=False)
        anchor = _made(day, at, horizon, newest)
        anchor.save(force_insert=True)
    logger.info(
        "ledger anchored",
        extra={
            "day": str(day),
            "subjects": anchor.subjects,
            "events": anchor.events,
            "digest": anchor.head_digest.hex(),
        },
    )
    return Anchored(anchor, made=True)


def _made(day: date, at: datetime, horizon: int, newest: LedgerAnchor | None) -> LedgerAnchor:
    digest, subjects, events = hashlib.sha256(), 0, 0
    # Below the horizon nothing changes any more, so it does not matter that this is a statement of its own.
    for subject_id, version, head in chains.stream(_HEADS, {"horizon": horizon}):
        digest.update(verifier.head_text(subject_id, str(version), head))
        subjects += 1
        events += version
    anchor = LedgerAnchor(
        day=day,
        made_at=at,
        horizon=horizon,
        subjects=subjects,
        events=events,
        head_digest=digest.digest(),
        previous_digest=bytes.fromhex(verifier.anchor_digest(as_text(newest))) if newest else b"",
        public_key=bytes.fromhex(signing.public_key()),
    )
    anchor.signature = bytes.fromhex(signing.sign(verifier.anchor_message(as_text(anchor))))
    return anchor


def as_text(anchor: LedgerAnchor) -> dict[str, str]:
    """Return an anchor as the texts that are signed, with key and signature (empty before it has one)."""
    return {
        "day": anchor.day.isoformat(),
        "made_at": text_of_time(anchor.made_at),
        "horizon": str(anchor.horizon),
        "subjects": str(anchor.subjects),
        "events": str(anchor.events),
        "head_digest": bytes(anchor.head_digest).hex(),
        "previous_digest": bytes(anchor.previous_digest).hex(),
        "public_key": bytes(anchor.public_key).hex(),
        "signature": bytes(anchor.signature).hex(),
    }
