"""The laws of overrides that were asked for: two people, and everything of it in the ledger."""

from __future__ import annotations

from parts.sql.law import Law

LAWS: list[Law] = [
    Law(
        "consented_override_has_two_people_and_its_event",
        "An applied override that needed consent was consented to by another person than the one who asked, and the"
        " ledger has the override in the name of the one, with the consent of the other.",
        """
        SELECT 'override request ' || request.id,
            format('asked for by %s, consented to by %s', request.requested_by_id,
                coalesce(request.decided_by_id::text, 'nobody')),
            'two people, and an override in the ledger that names both'
        FROM orders_overriderequest AS request
        WHERE request.status = 'applied' AND request.rule <> ''
            AND (request.decided_by_id IS NULL OR request.decided_at IS NULL
                OR request.decided_by_id = request.requested_by_id
                OR NOT EXISTS (
                    SELECT
                    FROM orders_orderevent AS event
                    WHERE event.subject_id = coalesce(request.line_id, request.service_order_id)
                        AND event.is_override AND event.to_status = request.to_status
                        AND event.data ->> 'request' = request.id::text
                        AND event.actor = 'user:' || request.requested_by_id
                        AND event.data ->> 'consented_by' = 'user:' || request.decided_by_id
                ))
        """,
    ),
    Law(
        "override_request_says_why_in_the_ledger",
        "Every override that was asked for has the event that says who asked, of the line or job that it is about.",
        """
        SELECT 'override request ' || request.id, coalesce(event.kind || ' by ' || event.actor, 'no event'),
            'an event of its subject by user:' || request.requested_by_id
        FROM orders_overriderequest AS request
        LEFT JOIN orders_orderevent AS event ON event.id = request.asked_event
        WHERE event.id IS NULL OR event.data ->> 'request' IS DISTINCT FROM request.id::text
            OR event.subject_id <> coalesce(request.line_id, request.service_order_id)
            OR event.actor <> 'user:' || request.requested_by_id
        """,
    ),
    Law(
        "unapplied_override_changed_nothing_and_says_how_it_ended",
        "An override that waits, or was refused, taken back or expired overrode nothing; how it ended is one event.",
        """
        SELECT 'override request ' || request.id,
            format('%s, %s events of its end, %s overrides', request.status, told.ends, told.overrides),
            format('%s event of its end, no override', (request.status <> 'waiting')::int)
        FROM orders_overriderequest AS request
        CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE event.kind LIKE '%.override\\_' || request.status) AS ends,
                count(*) FILTER (WHERE event.is_override) AS overrides
            FROM orders_orderevent AS event
            WHERE event.subject_id = coalesce(request.line_id, request.service_order_id)
                AND event.data ->> 'request' = request.id::text
        ) AS told
        WHERE request.status <> 'applied'
            AND (told.overrides > 0 OR told.ends <> (request.status <> 'waiting')::int)
        """,
    ),
    Law(
        "consent_in_the_ledger_has_its_request",
        "Every override in the ledger that names a consent has the applied request to which that person consented.",
        """
        SELECT event.kind || ' of ' || event.reference || ' v' || event.version,
            'consent of ' || (event.data ->> 'consented_by'), 'the request that they consented to'
        FROM orders_orderevent AS event
        WHERE event.is_override AND event.data ? 'consented_by'
            AND NOT EXISTS (
                SELECT
                FROM orders_overriderequest AS request
                WHERE request.id::text = event.data ->> 'request' AND request.status = 'applied'
                    AND event.data ->> 'consented_by' = 'user:' || request.decided_by_id
            )
        """,
    ),
]
