"""The hand-written statements of the third floor's machines."""

from parts.sql.statement import Statement

#: Claim a client's key. A repeat that comes while the first one works waits here for its end (for `patience` at most),
#: and then gets the row as the first one left it; after a rollback the key is free. A row past its time is taken over.
#: Returns fingerprint, status, headers, body; the status is null where the key is now ours.
CLAIM_KEY = Statement(
    "integrations.claim_key",
    """
INSERT INTO integrations_idempotentrequest AS kept (id, client, key, fingerprint, status, headers, body, created_at)
SELECT %(id)s::uuid, %(client)s, %(key)s, %(fingerprint)s::bytea, NULL, '{}', '', %(at)s::timestamptz
FROM (SELECT set_config('lock_timeout', %(patience)s, true) AS set) AS patience
WHERE patience.set IS NOT NULL
ON CONFLICT (client, key) DO UPDATE
SET fingerprint = CASE WHEN kept.created_at < %(oldest)s THEN excluded.fingerprint ELSE kept.fingerprint END,
    status = CASE WHEN kept.created_at < %(oldest)s THEN NULL ELSE kept.status END,
    created_at = CASE WHEN kept.created_at < %(oldest)s THEN excluded.created_at ELSE kept.created_at END
RETURNING kept.fingerprint, kept.status, kept.headers::text, kept.body
""",
)

#: Keep the answer to a claimed key. Parameters: client, key, status, headers, body.
KEEP_ANSWER = Statement(
    "integrations.keep_answer",
    """
UPDATE integrations_idempotentrequest
SET status = %(status)s, headers = %(headers)s::jsonb, body = %(body)s::bytea
WHERE client = %(client)s AND key = %(key)s
""",
)

#: Counts of warehouses (not of vans, whose counts open their cases themselves) that changed the books by more than the
#: tolerance of the part's criticality, and have no case yet. Parameters: first (the smallest key to look at), most.
COUNTS_BEYOND_TOLERANCE = Statement(
    "integrations.counts_beyond_tolerance",
    """
SELECT correction.id, correction.level_id, before.on_hand, before.on_hand + movement.on_hand_change
FROM parts_stockcorrection AS correction
JOIN parts_stockmovement AS movement ON movement.correction_id = correction.id
JOIN parts_stocklevel AS level ON level.id = correction.level_id
JOIN parts_part AS part ON part.id = level.part_id
LEFT JOIN integrations_counttolerance AS tolerance ON tolerance.criticality = part.criticality
CROSS JOIN LATERAL (
    SELECT coalesce(sum(earlier.on_hand_change), 0.000) AS on_hand
    FROM parts_stockmovement AS earlier
    WHERE earlier.level_id = correction.level_id AND earlier.id < movement.id
) AS before
WHERE correction.id >= %(first)s::uuid AND correction.reason = 'count' AND movement.on_hand_change <> 0
    AND (abs(movement.on_hand_change) > before.on_hand * coalesce(tolerance.share, 0) / 100
        OR abs(movement.on_hand_change) * part.unit_cost > tolerance.value)
    AND NOT EXISTS (SELECT FROM integrations_discrepancy AS known WHERE known.correction_id = correction.id)
    AND NOT EXISTS (SELECT FROM parts_stockcountline AS counted WHERE counted.correction_id = correction.id)
ORDER BY correction.id
LIMIT %(most)s
""",
)
