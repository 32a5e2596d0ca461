"""The hand-written statements of dead letters. Rows come as one JSON document per table."""

from notifications.sql import NOTICED

#: Say messages again that could not be told: each joins the notice of its reader, its way and its thread. Parameters:
#: notices, moves (JSON). Returns for each notice that was asked for the one that says it now.
SAY_AGAIN = f"""{NOTICED},
placed AS (
    SELECT given.id AS asked, noticed.id
    FROM given
    JOIN noticed ON noticed.recipient_id = given.recipient_id AND noticed.channel = given.channel
        AND noticed.thread_id = given.thread_id
),
moved AS (
    UPDATE notifications_message AS message
    SET notice_id = placed.id, channel = move.channel, unheard = ''
    FROM json_to_recordset(%(moves)s::json) AS move (id uuid, channel text, notice uuid)
    JOIN placed ON placed.asked = move.notice
    WHERE message.id = move.id
)
SELECT asked, id FROM placed
"""

#: What became of dead notices whose letter is settled: how many messages are left with each. Parameters: letters,
#: others (notices), state.
SETTLE_NOTICES = """
UPDATE notifications_notice AS notice
SET state = %(state)s,
    messages_count = (SELECT count(*) FROM notifications_message AS message WHERE message.notice_id = notice.id)
WHERE (notice.dead_letter_id = ANY(%(letters)s::uuid[]) OR notice.id = ANY(%(others)s::uuid[]))
    AND notice.state = 'dead'
"""

#: Open dead letters, or join those that are open. Parameters: letters (JSON), at. Returns for each that was asked for
#: the one that it is in now.
LIST_DEAD = """
WITH given AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(letters)s::json) AS letter (
        id uuid, recipient_id uuid, channel text, thread_kind text, thread_id uuid, reference text, region_id uuid,
        event_id uuid, cause text, error text, news_count integer, since timestamptz
    )
),
listed AS (
    INSERT INTO notifications_deadletter AS letter (
        id, recipient_id, channel, thread_kind, thread_id, reference, region_id, event_id, cause, error, news_count,
        since, found_at, machine_down, tier, hourly_cost, open_since, rank, state, settled_by, why, told_whom
    )
    SELECT
        id, recipient_id, channel, thread_kind, thread_id, reference, region_id, event_id, cause, error, news_count,
        since, %(at)s, false, '', 0, since, '', 'open', '', '', ''
    FROM given
    ORDER BY recipient_id, channel, thread_id
    ON CONFLICT (recipient_id, channel, thread_id) WHERE state = 'open' DO UPDATE
    SET news_count = letter.news_count + excluded.news_count, cause = excluded.cause,
        error = coalesce(nullif(excluded.error, ''), letter.error), since = least(letter.since, excluded.since)
    RETURNING letter.id, letter.recipient_id, letter.channel, letter.thread_id
)
SELECT given.id, listed.id
FROM given
JOIN listed ON listed.recipient_id = given.recipient_id AND listed.channel = given.channel
    AND listed.thread_id = given.thread_id
"""

#: Put notices and messages into the letters that list them. Parameters: letters, notices, messages (parallel arrays:
#: `notice_letters` belongs to `notices`, `message_letters` to `messages`).
PUT_IN_LETTERS = """
WITH noted AS (
    UPDATE notifications_notice AS notice SET dead_letter_id = given.letter
    FROM unnest(%(notices)s::uuid[], %(notice_letters)s::uuid[]) AS given (notice, letter)
    WHERE notice.id = given.notice
)
UPDATE notifications_message AS message SET dead_letter_id = given.letter
FROM unnest(%(messages)s::uuid[], %(message_letters)s::uuid[]) AS given (message, letter)
WHERE message.id = given.message
"""

#: What has no deadline comes after whatever has one.
_NEVER = "'99999999999'"

#: Bring the impact of open dead letters up to date, and with it their rank: '0' where the machine is down, the tier,
#: the deadline, what is left of the largest cost of an hour, since when the order is open, and the key. Parameter: only
#: (keys; NULL for all).
WEIGH = f"""
WITH fact AS MATERIALIZED (
    SELECT
        letter.id,
        coalesce(job.machine_down AND job.status NOT IN ('completed', 'cancelled'), parts_order.kind = 'emergency'
            AND parts_order.status NOT IN ('delivered', 'cancelled', 'returned'), false) AS machine_down,
        coalesce(customer.tier, '') AS tier, customer.id AS customer_id, job.due_at,
        coalesce(equipment.downtime_cost_per_hour, 0) AS hourly_cost,
        coalesce(job.created_at, parts_order.created_at, letter.since) AS open_since
    FROM notifications_deadletter AS letter
    LEFT JOIN orders_serviceorder AS job ON job.id = letter.thread_id AND letter.thread_kind = 'service_order'
    LEFT JOIN orders_equipment AS equipment ON equipment.id = job.equipment_id
    LEFT JOIN orders_partsorder AS parts_order
        ON parts_order.id = letter.thread_id AND letter.thread_kind = 'parts_order'
    LEFT JOIN orders_customer AS customer ON customer.id = coalesce(job.customer_id, parts_order.customer_id)
    WHERE letter.state = 'open' AND (%(only)s::uuid[] IS NULL OR letter.id = ANY(%(only)s::uuid[]))
),
weighed AS (
    SELECT
        fact.*,
        CASE WHEN machine_down THEN '0' ELSE '1' END
        || CASE tier WHEN 'platinum' THEN '0' WHEN 'gold' THEN '1' WHEN 'silver' THEN '2' WHEN 'bronze' THEN '3'
            ELSE '9' END
        || coalesce(lpad(extract(epoch FROM due_at)::bigint::text, 11, '0'), {_NEVER})
        || lpad((999999999999 - (hourly_cost * 100)::bigint)::text, 12, '0')
        || lpad(extract(epoch FROM open_since)::bigint::text, 11, '0')
        || id AS rank
    FROM fact
)
UPDATE notifications_deadletter AS letter
SET machine_down = weighed.machine_down, tier = weighed.tier, customer_id = weighed.customer_id,
    due_at = weighed.due_at, hourly_cost = weighed.hourly_cost, open_since = weighed.open_since, rank = weighed.rank
FROM weighed
WHERE letter.id = weighed.id AND letter.state = 'open'
    AND (letter.rank <> weighed.rank OR letter.customer_id IS DISTINCT FROM weighed.customer_id)
"""
