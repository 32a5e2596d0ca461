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
