"""The hand-written statements beside which the third floor is measured: what the database alone costs."""

#: Keep messages about jobs (a JSON array as they came), move the jobs, write their events, in one statement and one
#: transaction. Without rights, without codes, without checks of what is allowed, without the answer's details.
#: Parameters: body, system, interface. Returns how many jobs were moved.
TAKE_IN = """
WITH given AS MATERIALIZED (
    SELECT letter ->> 'id' AS key, letter ->> 'reference' AS reference, letter ->> 'status' AS status,
        (letter ->> 'occurred_at')::timestamptz AS at, convert_to(letter::text, 'UTF8') AS body
    FROM json_array_elements(%(body)s::json) AS letter
),
kept AS (
    INSERT INTO integrations_inboundmessage (
        id, system_id, interface_id, key, way, content_type, body, fingerprint, received_at, status, cause, problems,
        facts, waits_for, attempts, repeats, settled_at
    )
    SELECT gen_random_uuid(), %(system)s, %(interface)s, key, 'rest', 'application/json', body, sha256(body), now(),
        'accepted', '', '[]', '[{"outcome": "moved"}]', '', 0, 0, now()
    FROM given
    ON CONFLICT (system_id, key) DO NOTHING
    RETURNING key
),
job AS MATERIALIZED (
    SELECT job.id, job.reference, job.version + 1 AS version, job.status, job.chain_hash,
        given.at - job.status_since AS dwell, gen_random_uuid() AS event_id, given.status AS reached, given.at,
        given.key
    FROM given
    JOIN kept ON kept.key = given.key
    JOIN orders_serviceorder AS job ON job.reference = given.reference
    ORDER BY job.id
    FOR NO KEY UPDATE OF job
),
hashed AS MATERIALIZED (
    SELECT job.*, sha256(chain_hash || convert_to(concat_ws(',', event_id, 'service_order', id, reference, version,
        'service_order.status_changed', status, reached, at, dwell, 'bench', 'bench'), 'UTF8')) AS hash
    FROM job
),
changed AS (
    UPDATE orders_serviceorder AS service_order
    SET status = hashed.reached, version = hashed.version, chain_hash = hashed.hash, status_since = hashed.at
    FROM hashed WHERE service_order.id = hashed.id
    RETURNING service_order.id
),
written AS (
    INSERT INTO orders_orderevent (
        id, subject_kind, subject_id, reference, version, kind, from_status, to_status, occurred_at, recorded_at,
        dwell, actor, source, message_id, visibility, override_reference, is_override, passed_through, data,
        previous_hash, hash
    )
    SELECT event_id, 'service_order', id, reference, version, 'service_order.status_changed', status, reached, at,
        at, dwell, 'bench', 'bench', key, 'internal', '', false, false, '{}'::jsonb, chain_hash, hash
    FROM hashed
)
SELECT count(*)::integer FROM changed
"""
