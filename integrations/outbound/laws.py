"""The laws of what we tell others."""

from __future__ import annotations

from parts.sql.law import Law

LAWS: list[Law] = [
    Law(
        "delivery_is_of_its_event",
        "What is to be told of an event has that event's kind, reference, subject and version.",
        """
        SELECT 'delivery ' || delivery.id, format('%s %s v%s', delivery.kind, delivery.reference, delivery.version),
            format('%s %s v%s', event.kind, event.reference, event.version)
        FROM integrations_outbounddelivery AS delivery
        JOIN orders_orderevent AS event ON event.id = delivery.event_id
        WHERE (delivery.kind, delivery.reference, delivery.subject_id, delivery.version)
            IS DISTINCT FROM (event.kind, event.reference, event.subject_id, event.version)
        """,
    ),
    Law(
        "what_was_taken_was_told",
        "What a subscriber has taken has words, and an attempt that was answered by a 2xx; no attempt has a higher"
        " number than there were.",
        """
        SELECT 'delivery ' || delivery.id,
            format('%s, %s, attempt %s of %s', delivery.state,
                CASE WHEN delivery.body IS NULL THEN 'no words' ELSE 'words' END,
                coalesce(tried.taken::text, 'none taken'), delivery.attempts),
            'words, and an attempt that was taken'
        FROM integrations_outbounddelivery AS delivery
        LEFT JOIN LATERAL (
            SELECT max(attempt.number) FILTER (WHERE attempt.status BETWEEN 200 AND 299) AS taken,
                max(attempt.number) AS highest
            FROM integrations_deliveryattempt AS attempt
            WHERE attempt.delivery_id = delivery.id
        ) AS tried ON true
        WHERE coalesce(tried.highest, 0) > delivery.attempts
            OR (delivery.state = 'delivered' AND (delivery.body IS NULL OR tried.taken IS NULL))
        """,
    ),
    Law(
        "who_is_told_by_webhook_has_a_secret",
        "Each subscriber that is told by webhook has a present secret to sign with.",
        """
        SELECT 'subscriber ' || subscriber.code, 'no present secret', 'one present secret'
        FROM integrations_subscriber AS subscriber
        WHERE subscriber.road = 'webhook' AND subscriber.state = 'active' AND NOT EXISTS (
            SELECT FROM integrations_signingsecret AS secret
            WHERE secret.subscriber_id = subscriber.id AND secret.ends_at IS NULL
        )
        """,
    ),
]
