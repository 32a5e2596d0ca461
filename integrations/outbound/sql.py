"""The hand-written statements of what we tell others."""

from __future__ import annotations

from parts.sql.statement import Statement

#: Events with what belongs to them: whose order it is, and whether outsiders may know of it at all. `{events}` names
#: where they come from, as rows of (id, place).
_FACTS = """
    SELECT wanted.place, event.id, event.subject_kind, event.subject_id, event.reference, event.version, event.kind,
        event.from_status, event.to_status, event.occurred_at, event.recorded_at, event.visibility,
        coalesce(job.customer_id, placed.customer_id) AS customer_id,
        coalesce(job.status = 'draft', false) OR event.to_status = 'draft' AS is_draft,
        CASE WHEN job.id IS NOT NULL THEN 'service_order' WHEN placed.id IS NOT NULL THEN 'parts_order' END
            AS order_kind,
        coalesce(job.id, placed.id) AS order_id,
        coalesce(job.reference, placed.reference) AS order_reference,
        coalesce(job.is_test, placed.is_test, false) AS is_test
    FROM ({events}) AS wanted
    JOIN orders_orderevent AS event ON event.id = wanted.id
    LEFT JOIN backorders_backorder AS back_order
        ON event.subject_kind = 'back_order' AND back_order.id = event.subject_id
    LEFT JOIN orders_orderline AS line ON line.id = CASE event.subject_kind
        WHEN 'line' THEN event.subject_id WHEN 'back_order' THEN back_order.line_id END
    LEFT JOIN orders_partsorder AS placed ON placed.id = CASE event.subject_kind
        WHEN 'parts_order' THEN event.subject_id ELSE line.order_id END
    LEFT JOIN orders_serviceorder AS job ON event.subject_kind = 'service_order' AND job.id = event.subject_id
"""
_NAMED = "SELECT id, place FROM unnest(%(events)s::uuid[]) WITH ORDINALITY AS named (id, place)"

#: Who listens, and with which right. Parameters: those of `{which}`.
_LISTENERS = """
    SELECT subscriber.id, subscriber.event_types, subscriber.created_at, subscriber.schema_version, account.id AS
        account_id, account.is_staff,
        account.is_active AND (account.is_superuser OR EXISTS (
            SELECT FROM auth_permission AS permission
            JOIN django_content_type AS kind ON kind.id = permission.content_type_id
            WHERE kind.app_label = 'integrations' AND permission.codename = 'own_subscriber'
                AND permission.id IN (
                    SELECT own.permission_id FROM auth_user_user_permissions AS own WHERE own.user_id = account.id
                    UNION ALL
                    SELECT given.permission_id
                    FROM auth_group_permissions AS given
                    JOIN auth_user_groups AS has ON has.group_id = given.group_id
                    WHERE has.user_id = account.id
                )
        )) AS may_be_told
    FROM integrations_subscriber AS subscriber
    JOIN auth_user AS account ON account.id = subscriber.account_id
    WHERE {which}
"""

#: Whether `listener` may know of `fact`: people of the house of everything; others of their customers' orders, never of
#: a draft, and only what the API shows them too or somebody made public. Parameter: for_partners.
_SIGHT = """
    listener.may_be_told AND (
        listener.is_staff
        OR NOT fact.is_draft AND (fact.kind = ANY(%(for_partners)s::text[]) OR fact.visibility = 'public')
            AND EXISTS (
                SELECT FROM orders_customeraccess AS access
                WHERE access.user_id = listener.account_id AND access.customer_id = fact.customer_id
            )
    )
"""

#: A key of version 7 that sorts as the event does.
_KEY = "(left(fact.id::text, 19) || right(gen_random_uuid()::text, 17))::uuid"

_WRITE = f"""
INSERT INTO integrations_outbounddelivery AS delivery (
    id, subscriber_id, event_id, kind, topic, reference, subject_id, version, state, error, due_at, attempts,
    round_began, caused_at, created_at
)
SELECT {_KEY}, listener.id, fact.id, fact.kind,
    CASE WHEN fact.to_status = '' THEN fact.kind ELSE 'status' END,
    fact.reference, fact.subject_id, fact.version, 'waiting', '', %(at)s, 0, 0, fact.recorded_at, %(at)s
FROM fact
JOIN listener ON (cardinality(listener.event_types) = 0 OR fact.kind = ANY(listener.event_types))
    AND fact.kind = ANY(%(kinds)s::text[])
WHERE {_SIGHT}
"""

#: Whether anybody listens at all.
ANYBODY = Statement(
    "integrations.anybody_listens", "SELECT EXISTS (SELECT FROM integrations_subscriber WHERE state = 'active')"
)

#: Write down who is to be told of these events; what is written down already stays as it is. Parameters: events (in
#: their order), kinds, for_partners, at. Returns a row for each that is new.
PUBLISH = Statement(
    "integrations.publish",
    f"""
WITH fact AS MATERIALIZED ({_FACTS.format(events=_NAMED)}),
listener AS MATERIALIZED ({_LISTENERS.format(which="subscriber.state = 'active'")})
{_WRITE} AND fact.recorded_at >= listener.created_at
ORDER BY fact.place, listener.id
ON CONFLICT (subscriber_id, event_id) DO NOTHING
RETURNING delivery.id
""",
)

_AGAIN = """
    state = 'waiting', error = '', due_at = %(at)s, claimed_until = NULL, ended_at = NULL,
    round_began = delivery.attempts
"""

#: Tell a subscriber again what happened since a moment, or for the first time. What is on its way stays. Parameters:
#: subscriber, since, first (the smallest key of an event since then), most, kinds, for_partners, at. Returns a row for
#: each, and for each event the number of the last one that was looked at.
PUBLISH_SINCE = Statement(
    "integrations.publish_since",
    f"""
WITH fact AS MATERIALIZED ({
        _FACTS.format(
            events='''SELECT id, row_number() OVER (ORDER BY id) AS place
        FROM (
            SELECT id FROM orders_orderevent WHERE id >= %(first)s::uuid AND recorded_at >= %(since)s
            ORDER BY id LIMIT %(most)s
        ) AS happened'''
        )
    }),
listener AS MATERIALIZED ({_LISTENERS.format(which="subscriber.id = %(subscriber)s")})
{_WRITE}
ORDER BY fact.place
ON CONFLICT (subscriber_id, event_id) DO UPDATE SET {_AGAIN} WHERE delivery.state <> 'waiting'
RETURNING delivery.id
""",
)

#: Tell subscribers again what they were told, or could not be. Parameters: deliveries, at. Returns their keys.
AGAIN = Statement(
    "integrations.tell_again",
    f"""
UPDATE integrations_outbounddelivery AS delivery SET {_AGAIN}
WHERE delivery.id = ANY(%(deliveries)s::uuid[]) AND delivery.state <> 'waiting'
RETURNING delivery.id
""",
)

#: Claim what is due for a subscriber, the oldest first; none that another has. What newer news about the same waits
#: beside is overtaken by it where only the newest is wanted. Parameters: subscriber, newest_only, at, until (when the
#: claim lapses), most. Returns the keys of all, the number of the attempt (null: overtaken).
CLAIM = Statement(
    "integrations.claim_deliveries",
    """
WITH mine AS (
    SELECT id, subject_id, topic, version FROM integrations_outbounddelivery
    WHERE subscriber_id = %(subscriber)s AND state = 'waiting' AND due_at <= %(at)s
    ORDER BY due_at, id
    LIMIT %(most)s
    FOR NO KEY UPDATE SKIP LOCKED
), judged AS (
    SELECT mine.id, %(newest_only)s::boolean AND EXISTS (
        SELECT FROM integrations_outbounddelivery AS newer
        WHERE newer.subscriber_id = %(subscriber)s AND newer.subject_id = mine.subject_id AND newer.state = 'waiting'
            AND newer.topic = mine.topic AND newer.version > mine.version
    ) AS overtaken
    FROM mine
)
UPDATE integrations_outbounddelivery AS delivery
SET state = CASE WHEN judged.overtaken THEN 'superseded' ELSE 'waiting' END,
    ended_at = CASE WHEN judged.overtaken THEN %(at)s::timestamptz END,
    claimed_until = CASE WHEN judged.overtaken THEN NULL ELSE %(until)s::timestamptz END,
    due_at = CASE WHEN judged.overtaken THEN delivery.due_at ELSE %(until)s::timestamptz END,
    attempts = CASE WHEN judged.overtaken THEN delivery.attempts ELSE delivery.attempts + 1 END
FROM judged
WHERE delivery.id = judged.id
RETURNING delivery.id, CASE WHEN judged.overtaken THEN NULL ELSE delivery.attempts END
""",
)

#: What claimed deliveries are about, and whether their subscriber may still know of it. Parameters: subscriber, events,
#: for_partners. Returns one row for each event, in their order.
TOLD = Statement(
    "integrations.told",
    f"""
WITH fact AS MATERIALIZED ({_FACTS.format(events=_NAMED)}),
listener AS MATERIALIZED ({_LISTENERS.format(which="subscriber.id = %(subscriber)s")})
SELECT fact.id, {_SIGHT}, listener.is_staff, fact.subject_kind, fact.subject_id, fact.reference, fact.version,
    fact.kind, fact.from_status, fact.to_status, fact.occurred_at, fact.recorded_at, fact.visibility, fact.order_kind,
    fact.order_id, fact.order_reference, fact.is_test, customer.code, event.actor, event.source, event.data,
    event.passed_through, event.is_override, event.note_commitment IS NOT NULL
FROM fact
CROSS JOIN listener
JOIN orders_orderevent AS event ON event.id = fact.id
LEFT JOIN orders_customer AS customer ON customer.id = fact.customer_id
ORDER BY fact.place
""",
)

#: Keep what is told, once. Parameters: bodies (JSON: id, body in Base64).
KEEP_BODIES = Statement(
    "integrations.keep_bodies",
    """
UPDATE integrations_outbounddelivery AS delivery
SET body = decode(told.body, 'base64')
FROM json_to_recordset(%(bodies)s::json) AS told (id uuid, body text)
WHERE delivery.id = told.id AND delivery.body IS NULL
""",
)

#: Write down what came of attempts, and each attempt. One whose claim another has taken up meanwhile, or that somebody
#: settled, stays as it is. Parameters: outcomes (JSON). Returns the keys of those that were written down.
RECORD = Statement(
    "integrations.record_attempts",
    """
WITH outcome AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(outcomes)s::json) AS outcome (
        id uuid, attempt uuid, number integer, state text, error text, due_at timestamptz, ended_at timestamptz,
        at timestamptz, milliseconds integer, status integer, request_headers jsonb, answer text
    )
), written AS (
    UPDATE integrations_outbounddelivery AS delivery
    SET state = outcome.state, error = outcome.error, due_at = coalesce(outcome.due_at, delivery.due_at),
        ended_at = outcome.ended_at, claimed_until = NULL
    FROM outcome
    WHERE delivery.id = outcome.id AND delivery.state = 'waiting' AND delivery.attempts = outcome.number
        AND delivery.claimed_until IS NOT NULL
    RETURNING delivery.id
)
INSERT INTO integrations_deliveryattempt (
    id, delivery_id, number, at, milliseconds, status, error, request_headers, answer
)
SELECT outcome.attempt, outcome.id, outcome.number, outcome.at, outcome.milliseconds, outcome.status,
    outcome.error, outcome.request_headers, outcome.answer
FROM outcome JOIN written USING (id)
RETURNING delivery_id
""",
)

#: Give claimed deliveries back that were not tried: that was no attempt. Parameters: claims (JSON: id, number), due_at.
GIVE_BACK = Statement(
    "integrations.give_back",
    """
UPDATE integrations_outbounddelivery AS delivery
SET due_at = %(due_at)s, claimed_until = NULL, attempts = delivery.attempts - 1
FROM json_to_recordset(%(claims)s::json) AS mine (id uuid, number integer)
WHERE delivery.id = mine.id AND delivery.state = 'waiting' AND delivery.attempts = mine.number
    AND delivery.claimed_until IS NOT NULL
RETURNING delivery.id
""",
)

#: Subscribers for whom something is due, the one that waited longest first. Parameters: at, is_slow (which of the two
#: lanes), slow_ms, roads, busy (keys of those that are not to be taken), most.
DUE = Statement(
    "integrations.subscribers_due",
    """
SELECT subscriber.id
FROM integrations_subscriber AS subscriber
WHERE subscriber.state = 'active' AND subscriber.road = ANY(%(roads)s::text[])
    AND (subscriber.failures > 0 OR subscriber.pace_ms > %(slow_ms)s) = %(is_slow)s
    AND (subscriber.paused_until IS NULL OR subscriber.paused_until <= %(at)s)
    AND subscriber.id <> ALL(%(busy)s::uuid[])
    AND EXISTS (
        SELECT FROM integrations_outbounddelivery AS delivery
        WHERE delivery.subscriber_id = subscriber.id AND delivery.state = 'waiting' AND delivery.due_at <= %(at)s
    )
ORDER BY subscriber.claimed_at NULLS FIRST, subscriber.id
LIMIT %(most)s
""",
)
