"""The laws of discrepancy cases: where a case stands, whose it is and how it ended is what its ledger says."""

from __future__ import annotations

from parts.sql.law import Law

LAWS: list[Law] = [
    Law(
        "case_stands_where_its_ledger_says",
        "Version, hash and status of every discrepancy case are those of its newest event, and none is missing.",
        """
        SELECT 'case ' || row.reference, format('version %s, %s', row.version, row.status),
            coalesce(format('version %s, %s', newest.version, newest.status), 'an event')
        FROM integrations_discrepancy AS row
        LEFT JOIN LATERAL (
            SELECT count(*) AS events, max(event.version) AS version,
                (array_agg(event.hash ORDER BY event.version DESC))[1] AS hash,
                (array_agg(event.to_status ORDER BY event.version DESC) FILTER (WHERE event.to_status <> ''))[1]
                    AS status
            FROM orders_orderevent AS event
            WHERE event.subject_id = row.id
        ) AS newest ON true
        WHERE newest.version IS DISTINCT FROM row.version
            OR newest.events IS DISTINCT FROM newest.version
            OR newest.hash IS DISTINCT FROM row.chain_hash
            OR newest.status IS DISTINCT FROM row.status
        """,
    ),
    Law(
        "resolved_case_says_how_who_and_when",
        "A resolved case has the resolution and the time of its last event of that kind, which names who and what was"
        " done; an open one has neither.",
        """
        SELECT 'case ' || row.reference,
            format('%s, %s at %s', row.status, coalesce(nullif(row.resolution, ''), 'no resolution'),
                coalesce(row.resolved_at::text, 'no time')),
            CASE row.status
                WHEN 'resolved' THEN coalesce(format('%s at %s by %s', ended.data ->> 'resolution', ended.occurred_at,
                    ended.actor), 'an event that resolves it')
                ELSE 'neither resolution nor time'
            END
        FROM integrations_discrepancy AS row
        LEFT JOIN LATERAL (
            SELECT event.data, event.occurred_at, event.actor, event.note_commitment
            FROM orders_orderevent AS event
            WHERE event.subject_id = row.id AND event.kind = 'case.resolved'
            ORDER BY event.version DESC
            LIMIT 1
        ) AS ended ON row.status = 'resolved'
        WHERE CASE row.status
            WHEN 'resolved' THEN row.resolution = '' OR row.resolved_at IS NULL OR ended.actor IS NULL
                OR ended.note_commitment IS NULL
                OR (ended.data ->> 'resolution', ended.occurred_at)
                    IS DISTINCT FROM (row.resolution::text, row.resolved_at)
            ELSE row.resolution <> '' OR row.resolved_at IS NOT NULL
        END
        """,
    ),
    Law(
        "case_goes_from_owner_to_owner",
        "Each time a case is assigned it comes from whom it was with, the first time from nobody, and it is with whom"
        " it went to last.",
        """
        SELECT 'case ' || row.reference,
            format('from %s to %s in version %s, then with %s', coalesce(given.taken, 'nobody'),
                coalesce(given.given_to, 'nobody'), given.version, coalesce(given.next, 'nobody')),
            'each from whom it was with before'
        FROM integrations_discrepancy AS row
        CROSS JOIN LATERAL (
            SELECT event.version, event.data ->> 'from' AS taken, event.data ->> 'to' AS given_to,
                lag(event.data ->> 'to') OVER in_time AS before,
                CASE WHEN lead(event.version) OVER in_time IS NULL THEN row.owner_id::text
                    ELSE lead(event.data ->> 'from') OVER in_time END AS next
            FROM orders_orderevent AS event
            WHERE event.subject_id = row.id AND event.kind = 'case.assigned'
            WINDOW in_time AS (ORDER BY event.version)
            UNION ALL
            SELECT 0, NULL, NULL, NULL, row.owner_id::text
            WHERE row.owner_id IS NOT NULL AND NOT EXISTS (
                SELECT FROM orders_orderevent AS event
                WHERE event.subject_id = row.id AND event.kind = 'case.assigned'
            )
        ) AS given
        WHERE given.before IS DISTINCT FROM given.taken OR given.next IS DISTINCT FROM given.given_to
        """,
    ),
    Law(
        "escalated_case_is_with_the_role_it_went_to",
        "Since it was last opened, each escalation takes a case from the role of the one before, and it is with the"
        " role and the step of the last.",
        """
        SELECT 'case ' || row.reference, format('step %s, %s', row.step, row.role),
            format('step %s, %s, after %s', went.step, went.role, went.source)
        FROM integrations_discrepancy AS row
        CROSS JOIN LATERAL (
            SELECT event.data ->> 'step' AS step, event.data ->> 'to' AS role, event.data ->> 'from' AS source,
                lag(event.data ->> 'to') OVER in_time AS before, lead(event.version) OVER in_time IS NULL AS is_last
            FROM orders_orderevent AS event
            WHERE event.subject_id = row.id AND event.kind = 'case.escalated'
                AND event.version > (
                    SELECT max(begun.version)
                    FROM orders_orderevent AS begun
                    WHERE begun.subject_id = row.id AND begun.kind IN ('case.opened', 'case.reopened')
                )
            WINDOW in_time AS (ORDER BY event.version)
        ) AS went
        WHERE (went.before IS NOT NULL AND went.before <> went.source)
            OR (went.is_last AND (went.step, went.role) IS DISTINCT FROM (row.step::text, row.role::text))
        """,
    ),
]
