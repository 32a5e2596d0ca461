"""A long ledger to search in: events in bulk, in the shapes and proportions that life makes, without their chains."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection

#: How many events a statement makes; a multiple of how many a block of subjects has.
_SLICE = 400_000

#: Events in the order of time, evenly spread; 1,000 subjects at a time have eight events each. Rare people, kinds and
#: sources are rare (one in 50,000 and less) and lie far back, which is what a search finds hardest.
_EVENTS = """
WITH item AS (
    SELECT
        number, (number / 8000) * 1000 + number %% 1000 AS subject, (number %% 8000) / 1000 + 1 AS version,
        %(since)s::timestamptz + number * %(step)s::interval AS at,
        hashint8(number) & 1048575 AS chance, hashint8(number + 7777777) & 1048575 AS other
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS number
)
INSERT INTO orders_orderevent (
    id, subject_kind, subject_id, reference, version, kind, from_status, to_status, occurred_at, recorded_at, dwell,
    actor, source, message_id, visibility, override_reference, is_override, passed_through, data, previous_hash, hash
)
SELECT
    (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(version), 3, '0') || '8'
        || lpad(to_hex(number), 15, '0'))::uuid,
    (ARRAY['line', 'line', 'line', 'parts_order', 'service_order', 'back_order'])[1 + subject %% 6],
    (md5('measured' || subject))::uuid,
    'P-' || lpad(subject::text, 9, '0') || '/1', version,
    CASE
        WHEN number < %(old)s AND chance < 60 THEN 'line.status_overridden'
        WHEN chance < 480000 THEN 'line.status_changed'
        WHEN chance < 700000 THEN 'parts_order.status_derived'
        WHEN chance < 850000 THEN 'line.placed'
        WHEN chance < 950000 THEN 'service_order.status_changed'
        WHEN chance < 1040000 THEN 'note.added'
        ELSE 'service_order.assigned'
    END,
    'open', CASE WHEN chance < 700000 THEN 'reserved' ELSE '' END, at - interval '2 minutes', at, NULL,
    CASE
        WHEN number < %(old)s AND other < 40 THEN 'user:999'
        WHEN other < 600000 THEN 'system:allocation'
        WHEN other < 800000 THEN 'client:erp'
        ELSE 'user:' || (1 + other %% 60)
    END,
    CASE
        WHEN number < %(old)s AND chance BETWEEN 500000 AND 500040 THEN 'depot-9'
        WHEN other < 600000 THEN 'backline' WHEN other < 800000 THEN 'erp' ELSE 'desk'
    END,
    CASE WHEN other BETWEEN 600000 AND 800000 THEN 'M-' || number ELSE '' END,
    'internal', '', chance BETWEEN 700000 AND 700500, false, '{}'::jsonb, '\\x00'::bytea, '\\x00'::bytea
FROM item
"""


def new_events(count: int, until: datetime, lasting: timedelta) -> None:
    """Make so many events (a multiple of 8,000), evenly spread over a time that ends at `until`, in slices."""
    since, step = until - lasting, lasting / count
    with connection.cursor() as cursor:
        for first in range(0, count, _SLICE):
            last = min(first + _SLICE, count) - 1
            parameters: dict[str, Any] = {
                "first": first,
                "last": last,
                "old": count // 10,
                "since": since,
                "step": step,
            }
            cursor.execute(_EVENTS, parameters)
