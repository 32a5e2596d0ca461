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
#: tolerance of the part's criticality, and have no case yet; what a person decided on a snapshot was looked at.
#: Parameters: first (the smallest key to look at), most.
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
    AND NOT EXISTS (SELECT FROM integrations_snapshotdifference AS decided WHERE decided.correction_id = correction.id)
ORDER BY correction.id
LIMIT %(most)s
""",
)

#: Keep messages as they came. One that is known by its key and is the same counts as repeated; one that is known and
#: is another comes back in no row. Parameters: given (JSON: id, key, body in Base64; each key once), system,
#: interface, way, content_type, at, claimed_until (null: a worker takes them). Returns id, key, and what became of it.
KEEP_MESSAGES = Statement(
    "integrations.keep_messages",
    """
INSERT INTO integrations_inboundmessage AS message (
    id, system_id, interface_id, key, way, content_type, body, fingerprint, received_at, status, cause, problems, facts,
    waits_for, attempts, claimed_until, repeats
)
SELECT
    given.id, %(system)s, %(interface)s, given.key, %(way)s, %(content_type)s, came.body, sha256(came.body), %(at)s,
    'received', '', '[]', '[]', '', (%(claimed_until)s::timestamptz IS NOT NULL)::integer, %(claimed_until)s, 0
FROM json_to_recordset(%(given)s::json) AS given (id uuid, key text, body text)
CROSS JOIN LATERAL (SELECT decode(given.body, 'base64') AS body OFFSET 0) AS came
ORDER BY given.key
ON CONFLICT (system_id, key) DO UPDATE SET repeats = message.repeats + 1, repeated_at = excluded.received_at
WHERE message.fingerprint = excluded.fingerprint
RETURNING message.id, message.key, message.status, message.cause, message.problems, message.facts
""",
)

#: Claim messages that are to be worked on, the oldest first; none that another worker has. Parameters: at, until (when
#: the claim lapses), most. Returns their keys and how often each was tried before.
CLAIM_MESSAGES = Statement(
    "integrations.claim_messages",
    """
WITH mine AS (
    SELECT id, attempts FROM integrations_inboundmessage
    WHERE status = 'received' AND (claimed_until IS NULL OR claimed_until <= %(at)s)
        AND (due_at IS NULL OR due_at <= %(at)s)
    ORDER BY received_at, id
    LIMIT %(most)s
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE integrations_inboundmessage AS message
SET claimed_until = %(until)s, attempts = message.attempts + 1
FROM mine
WHERE message.id = mine.id
RETURNING message.id, mine.attempts
""",
)

#: Write down what became of messages. One that somebody settled meanwhile stays as it is. Parameters: settled (JSON),
#: at. Returns the keys of those that were settled.
SETTLE_MESSAGES = Statement(
    "integrations.settle_messages",
    """
UPDATE integrations_inboundmessage AS message
SET status = settled.status, cause = settled.cause, problems = settled.problems, facts = settled.facts,
    waits_for = settled.waits_for, due_at = settled.due_at, sent_at = settled.sent_at, settled_at = %(at)s,
    claimed_until = NULL, attempts = 0
FROM jsonb_to_recordset(%(settled)s::jsonb) AS settled (
    id uuid, status text, cause text, problems jsonb, facts jsonb, waits_for text, due_at timestamptz,
    sent_at timestamptz
)
WHERE message.id = settled.id AND message.status = 'received'
RETURNING message.id
""",
)

#: Let parked messages be worked on again: those that wait for one of these, or whose time has come. Parameters:
#: waits_for (array), at, most.
WAKE_MESSAGES = Statement(
    "integrations.wake_messages",
    """
WITH mine AS (
    SELECT id FROM integrations_inboundmessage
    WHERE status = 'parked' AND (waits_for = ANY(%(waits_for)s) OR due_at <= %(at)s)
    ORDER BY id
    LIMIT %(most)s
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE integrations_inboundmessage AS message
SET status = 'received', settled_at = NULL, waits_for = '', due_at = NULL, attempts = 0
FROM mine
WHERE message.id = mine.id
RETURNING message.id
""",
)

#: Who sends, through which interface, and with which rights. Parameters: system, interface (its code, or null for the
#: only one that the system has to us). One row for each that fits, at most two.
SENDER = Statement(
    "integrations.sender",
    """
SELECT
    system.id, system.code, system.is_active, system.time_zone, interface.id, interface.code, interface.is_active,
    interface.format, interface.version, interface.code_list, interface.release, interface.waits_for_hours,
    account.id, account.is_staff, account.is_active, system.supplier_id, system.numbers_of_id,
    interface.fields,
    ARRAY(
        SELECT label.app_label || '.' || permission.codename
        FROM auth_permission AS permission
        JOIN django_content_type AS label ON label.id = permission.content_type_id
        WHERE permission.id IN (
            SELECT own.permission_id FROM auth_user_user_permissions AS own WHERE own.user_id = account.id
            UNION ALL
            SELECT given.permission_id
            FROM auth_group_permissions AS given
            JOIN auth_user_groups AS has ON has.group_id = given.group_id
            WHERE has.user_id = account.id
        )
    )
FROM integrations_externalsystem AS system
JOIN integrations_interface AS interface ON interface.system_id = system.id AND interface.direction = 'in'
LEFT JOIN auth_user AS account ON account.id = system.account_id
WHERE (%(system)s::text IS NULL OR system.code = %(system)s)
    AND (%(interface)s::text IS NULL OR interface.code = %(interface)s)
    AND (%(ids)s::uuid[] IS NULL OR interface.id = ANY(%(ids)s::uuid[]))
ORDER BY interface.is_active DESC, interface.code
LIMIT CASE WHEN %(ids)s::uuid[] IS NULL THEN 2 END
""",
)

#: When interfaces were last heard, how many messages since a moment stand how, and since when the oldest one is not
#: worked on. Parameters: interfaces (array), since, most (so many messages of each are counted at most). Returns key,
#: moment, counts by status (JSON), moment.
INTERFACES_HEARD = Statement(
    "integrations.interfaces_heard",
    """
SELECT interface.id, last.received_at, counted.by_status, oldest.received_at
FROM unnest(%(interfaces)s::uuid[]) AS interface (id)
LEFT JOIN LATERAL (
    SELECT max(greatest(message.received_at, message.repeated_at)) AS received_at
    FROM (
        SELECT received_at, repeated_at FROM integrations_inboundmessage
        WHERE interface_id = interface.id
        ORDER BY received_at DESC LIMIT 100
    ) AS message
) AS last ON true
LEFT JOIN LATERAL (
    SELECT jsonb_object_agg(status, many) AS by_status
    FROM (
        SELECT status, count(*) AS many
        FROM (
            SELECT status FROM integrations_inboundmessage
            WHERE interface_id = interface.id AND received_at >= %(since)s
            ORDER BY received_at DESC LIMIT %(most)s
        ) AS latest
        GROUP BY status
    ) AS grouped
) AS counted ON true
LEFT JOIN LATERAL (
    SELECT min(received_at) AS received_at FROM integrations_inboundmessage
    WHERE interface_id = interface.id AND status = 'received'
) AS oldest ON true
""",
)
