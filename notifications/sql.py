"""The hand-written statements of the way from events to notices. Rows come as one JSON document per table."""

#: What rules ask of the subjects of events, and to which order's thread each belongs: that of its job where its parts
#: order is for a job of the same customer, otherwise that of the parts order. Parameters: lines, back_orders,
#: parts_orders, service_orders (keys). Returns a row per subject, in the order of notifications.facts.Fact.
FACTS = """
WITH wanted AS MATERIALIZED (
    SELECT id AS subject_id, order_id, part_id FROM orders_orderline WHERE id = ANY(%(lines)s::uuid[])
    UNION ALL
    SELECT back_order.id, line.order_id, line.part_id
    FROM backorders_backorder AS back_order JOIN orders_orderline AS line ON line.id = back_order.line_id
    WHERE back_order.id = ANY(%(back_orders)s::uuid[])
    UNION ALL
    SELECT id, id, NULL FROM unnest(%(parts_orders)s::uuid[]) AS id
)
SELECT
    wanted.subject_id,
    CASE WHEN job.id IS NULL THEN 'parts_order' ELSE 'service_order' END,
    coalesce(job.id, parts_order.id), coalesce(job.reference, parts_order.reference), parts_order.region_id,
    parts_order.customer_id, coalesce(customer.tier, ''), parts_order.kind, coalesce(part.criticality, ''),
    job.technician_id, first.actor, parts_order.is_test OR coalesce(job.is_test, false),
    coalesce(job.messages_stopped_at, parts_order.messages_stopped_at) IS NOT NULL, false
FROM wanted
JOIN orders_partsorder AS parts_order ON parts_order.id = wanted.order_id
LEFT JOIN orders_serviceorder AS job
    ON job.id = parts_order.service_order_id AND job.customer_id = parts_order.customer_id AND job.status <> 'draft'
LEFT JOIN orders_customer AS customer ON customer.id = parts_order.customer_id
LEFT JOIN parts_part AS part ON part.id = wanted.part_id
LEFT JOIN orders_orderevent AS first ON first.subject_id = parts_order.id AND first.version = 1
UNION ALL
SELECT
    job.id, 'service_order', job.id, job.reference, job.region_id, job.customer_id, customer.tier, '', '',
    job.technician_id, first.actor, job.is_test, job.messages_stopped_at IS NOT NULL, job.status = 'draft'
FROM orders_serviceorder AS job
JOIN orders_customer AS customer ON customer.id = job.customer_id
LEFT JOIN orders_orderevent AS first ON first.subject_id = job.id AND first.version = 1
WHERE job.id = ANY(%(service_orders)s::uuid[])
"""

#: A mobile number in the form that providers take (E.164), NULL for anything else.
_MOBILE = "substring(regexp_replace({phone}, '[^0-9+]', '', 'g') FROM '^\\+[0-9]{{8,15}}$')"

#: Where the master data says that readers are reached, one row per address. Parameters: customers, users (keys).
_MASTER = f"""
    SELECT recipient.id AS recipient_id, given.channel, given.value
    FROM notifications_recipient AS recipient
    JOIN orders_customer AS customer ON customer.id = recipient.customer_id
    CROSS JOIN LATERAL (
        VALUES ('email', nullif(customer.email, '')), ('sms', {_MOBILE.format(phone="customer.phone")})
    ) AS given (channel, value)
    WHERE recipient.is_main AND recipient.customer_id = ANY(%(customers)s::uuid[])
    UNION ALL
    SELECT recipient.id, 'email', nullif(account.email, '')
    FROM notifications_recipient AS recipient
    JOIN auth_user AS account ON account.id = recipient.user_id
    WHERE recipient.user_id = ANY(%(users)s::integer[])
"""

#: Whether readers are missing, or reached elsewhere than the master data says. Parameters: those of _MASTER.
OUTDATED = f"""
WITH master AS MATERIALIZED ({_MASTER})
SELECT EXISTS (
    SELECT FROM unnest(%(customers)s::uuid[]) AS wanted (id)
    WHERE NOT EXISTS (
        SELECT FROM notifications_recipient AS recipient WHERE recipient.customer_id = wanted.id AND recipient.is_main
    )
) OR EXISTS (
    SELECT FROM unnest(%(users)s::integer[]) AS wanted (id)
    WHERE NOT EXISTS (SELECT FROM notifications_recipient AS recipient WHERE recipient.user_id = wanted.id)
) OR EXISTS (
    SELECT FROM master
    WHERE value IS NOT NULL AND NOT EXISTS (
        SELECT FROM notifications_address AS address
        WHERE address.recipient_id = master.recipient_id AND address.channel = master.channel
            AND (address.value = master.value AND address.off_reason <> 'replaced'
                OR address.state <> 'off' AND NOT address.follows_master_data)
    )
) OR EXISTS (
    SELECT FROM master
    JOIN notifications_address AS address
        ON address.recipient_id = master.recipient_id AND address.channel = master.channel
    WHERE address.follows_master_data AND address.state <> 'off' AND address.value IS DISTINCT FROM master.value
)
"""

#: Make the readers that are missing. Parameters: customers, users (keys), made (their keys, as many as may be needed).
ADD_READERS = """
WITH wanted AS (
    SELECT customer.id AS customer_id, NULL::integer AS user_id, customer.name
    FROM orders_customer AS customer WHERE customer.id = ANY(%(customers)s::uuid[])
    UNION ALL
    SELECT NULL, account.id, trim(account.first_name || ' ' || account.last_name)
    FROM auth_user AS account WHERE account.id = ANY(%(users)s::integer[])
), missing AS (
    SELECT wanted.*, row_number() OVER (ORDER BY wanted.user_id, wanted.customer_id) AS place
    FROM wanted
    WHERE NOT EXISTS (
        SELECT FROM notifications_recipient AS recipient
        WHERE recipient.user_id = wanted.user_id OR recipient.customer_id = wanted.customer_id AND recipient.is_main
    )
)
INSERT INTO notifications_recipient (
    id, user_id, customer_id, is_main, name, language, time_zone, digest_hour, regions, unwanted_kinds, is_active
)
SELECT
    (%(made)s::uuid[])[place], user_id, customer_id, customer_id IS NOT NULL, left(name, 120), '', '', 7, '{}', '{}',
    true
FROM missing
ON CONFLICT DO NOTHING
"""

#: Switch off the addresses that the master data names no longer. Parameters: those of _MASTER, and at.
REPLACE_ADDRESSES = f"""
WITH master AS MATERIALIZED ({_MASTER})
UPDATE notifications_address AS address
SET state = 'off', off_at = %(at)s, off_reason = 'replaced'
FROM master
WHERE address.recipient_id = master.recipient_id AND address.channel = master.channel
    AND address.follows_master_data AND address.state <> 'off' AND address.value IS DISTINCT FROM master.value
"""

#: Take over the addresses that the master data names anew: they are the house's own data, and confirmed as such. One
#: that bounced, or that its reader switched off, stays off; where a reader entered an address of their own, that one
#: stands. Parameters: those of _MASTER, and at.
ADD_ADDRESSES = f"""
WITH master AS MATERIALIZED ({_MASTER})
INSERT INTO notifications_address (
    id, recipient_id, channel, value, state, is_wanted, follows_master_data, confirmed_at, off_reason
)
SELECT gen_random_uuid(), recipient_id, channel, value, 'confirmed', true, true, %(at)s, ''
FROM master
WHERE value IS NOT NULL AND NOT EXISTS (
    SELECT FROM notifications_address AS address
    WHERE address.recipient_id = master.recipient_id AND address.channel = master.channel
        AND (address.value = master.value AND address.off_reason <> 'replaced' OR address.state <> 'off')
)
ON CONFLICT DO NOTHING
"""

#: Readers with the channels over which they may be reached. Parameters: customers, users (keys), roles (names).
#: Returns rows in the order of notifications.readers.Reader, then the roles that each has of those named.
READERS = """
SELECT
    recipient.id, recipient.user_id, recipient.customer_id,
    coalesce(nullif(recipient.time_zone, ''), customer.time_zone, 'UTC'), recipient.digest_hour,
    recipient.muted_until, recipient.regions, recipient.unwanted_kinds,
    ARRAY(
        SELECT address.channel::text FROM notifications_address AS address
        WHERE address.recipient_id = recipient.id AND address.state = 'confirmed' AND address.is_wanted
            AND NOT (address.channel = 'sms' AND EXISTS (
                SELECT FROM notifications_stoppednumber AS stopped WHERE stopped.number = address.value
            ))
    ),
    ARRAY(
        SELECT address.channel::text FROM notifications_address AS address
        WHERE address.recipient_id = recipient.id AND address.state = 'confirmed' AND NOT address.is_wanted
            AND NOT (address.channel = 'sms' AND EXISTS (
                SELECT FROM notifications_stoppednumber AS stopped WHERE stopped.number = address.value
            ))
    ),
    ARRAY(
        SELECT role.name::text FROM auth_user_groups AS has JOIN auth_group AS role ON role.id = has.group_id
        WHERE has.user_id = recipient.user_id AND role.name = ANY(%(roles)s)
    )
FROM notifications_recipient AS recipient
LEFT JOIN orders_customer AS customer ON customer.id = recipient.customer_id
LEFT JOIN auth_user AS account ON account.id = recipient.user_id
WHERE recipient.is_active AND coalesce(account.is_active, true)
    AND (recipient.customer_id = ANY(%(customers)s::uuid[]) OR recipient.user_id = ANY(%(users)s::integer[]))
ORDER BY recipient.id
"""

#: Write notices, each joining the open one of its reader, channel and thread, if there is one; it brings a waiting one
#: forward, unless that one is being tried again. The notices are locked in one order, so that two writers never wait
#: for each other. Parameter: notices (JSON).
NOTICED = """
WITH given AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(notices)s::json) AS notice (
        id uuid, recipient_id uuid, channel text, thread_kind text, thread_id uuid, reference text, region_id uuid,
        sources text[], messages_count integer, is_urgent boolean, target_seconds integer, due_at timestamptz,
        caused_at timestamptz, held_until timestamptz
    )
),
noticed AS (
    INSERT INTO notifications_notice AS notice (
        id, recipient_id, channel, thread_kind, thread_id, reference, region_id, sources, messages_count, is_urgent,
        target_seconds, state, due_at, caused_at, held_until, attempts, fell_back, address, language, subject, text,
        html, provider_id, error
    )
    SELECT
        id, recipient_id, channel, thread_kind, thread_id, reference, region_id, sources, messages_count, is_urgent,
        target_seconds, 'waiting', due_at, caused_at, held_until, 0, false, '', '', '', '', '', '', ''
    FROM given
    ORDER BY recipient_id, channel, thread_id
    ON CONFLICT (recipient_id, channel, thread_id) WHERE state IN ('waiting', 'sending') DO UPDATE
    SET messages_count = notice.messages_count + excluded.messages_count,
        is_urgent = notice.is_urgent OR excluded.is_urgent,
        target_seconds = least(notice.target_seconds, excluded.target_seconds),
        sources = ARRAY(SELECT DISTINCT unnest(notice.sources || excluded.sources)),
        caused_at = least(notice.caused_at, excluded.caused_at),
        due_at = CASE WHEN notice.attempts > 0 THEN notice.due_at ELSE least(notice.due_at, excluded.due_at) END
    RETURNING notice.id, notice.recipient_id, notice.channel, notice.thread_id
)
"""

#: Write notices that say no messages. Parameter: notices (JSON). Returns each thread and the notice that says it.
WRITE_NOTICES = f"{NOTICED} SELECT thread_id, id FROM noticed"

#: Write messages and their notices. Parameters: notices, messages (JSON).
WRITE = f"""
{NOTICED}
INSERT INTO notifications_message (
    id, event_id, alert_id, alert_level, rule_id, rule_revision, audience, recipient_id, channel, notice_id, unheard
)
SELECT
    message.id, message.event_id, message.alert_id, message.alert_level, message.rule_id, message.rule_revision,
    message.audience, message.recipient_id, message.channel, noticed.id, message.unheard
FROM json_to_recordset(%(messages)s::json) AS message (
    id uuid, event_id uuid, alert_id uuid, alert_level integer, rule_id uuid, rule_revision integer, audience text,
    recipient_id uuid, channel text, notice uuid, unheard text
)
LEFT JOIN given ON given.id = message.notice
LEFT JOIN noticed
    ON noticed.recipient_id = given.recipient_id AND noticed.channel = given.channel
    AND noticed.thread_id = given.thread_id
"""

#: The windows that are open now.
_OPEN = "held.starts_at <= %(at)s AND held.ends_at > %(at)s AND held.cancelled_at IS NULL"

#: Whether a window holds a notice back now: one of all, or of its region, its channel, and a system it speaks of. What
#: cannot be muted is held only where its channel is down.
_HOLDS = f"""
    FROM notifications_maintenancewindow AS held
    WHERE {_OPEN}
        AND (held.channel = '' OR held.channel = notice.channel)
        AND (held.region_id IS NULL OR held.region_id = notice.region_id)
        AND (held.source = '' OR held.source = ANY(notice.sources))
        AND (held.channel_is_down OR NOT EXISTS (
            SELECT FROM notifications_message AS message
            JOIN notifications_rule AS rule ON rule.id = message.rule_id
            WHERE message.notice_id = notice.id AND rule.cannot_be_muted
        ))
"""

#: The same as a subquery.
HELD = f"SELECT {_HOLDS}"

#: Whether its reader got something of the same order over the same channel a moment ago.
_TOO_SOON = """
    SELECT FROM notifications_notice AS before
    WHERE before.thread_id = notice.thread_id AND before.recipient_id = notice.recipient_id
        AND before.channel = notice.channel AND before.handed_over_at > %(soonest)s
"""


def _due(urgency: str, more: str) -> str:
    return f"""(
        SELECT notice.id
        FROM notifications_notice AS notice
        WHERE notice.channel = %(channel)s AND notice.state = 'waiting' AND {urgency} AND notice.due_at <= %(at)s
            AND NOT EXISTS ({HELD}){more}
        ORDER BY notice.due_at, notice.id
        LIMIT %(most)s
        FOR NO KEY UPDATE SKIP LOCKED
    )"""


#: Since when a notice passes windows: since the first of its news that cannot be muted. NULL: it has none.
_PASSES_SINCE = """
    SELECT min(CASE WHEN message.alert_id IS NULL THEN event.recorded_at ELSE message.written_at END)
    FROM notifications_message AS message
    JOIN notifications_rule AS rule ON rule.id = message.rule_id
    JOIN orders_orderevent AS event ON event.id = message.event_id
    WHERE message.notice_id = notice.id AND rule.cannot_be_muted
"""

#: Until when windows held a notice back before it was late: of windows that followed one another, the last one's end.
#: What cannot be muted passes a window, with the other news of its notice, and ends its holding when it joins; only
#: where the channel itself is down it waits, too. NULL: none held it. What was late already when a window began is not
#: excused by it.
_HELD_UNTIL = f"""
    WITH RECURSIVE passes (since) AS ({_PASSES_SINCE}), held (until) AS (
        SELECT notice.measured_from
        UNION ALL
        SELECT (
            SELECT max(after.until)
            FROM (
                SELECT CASE WHEN channel_is_down THEN ends_at ELSE least(ends_at, passes.since) END AS until
                FROM notifications_maintenancewindow CROSS JOIN passes
                WHERE cancelled_at IS NULL AND ends_at > held.until
                    AND starts_at <= held.until + make_interval(secs => notice.target_seconds)
                    AND (channel = '' OR channel = notice.channel)
                    AND (region_id IS NULL OR region_id = notice.region_id)
                    AND (source = '' OR source = ANY(notice.sources))
            ) AS after
            WHERE after.until > held.until AND after.until <= %(at)s
        )
        FROM held WHERE held.until IS NOT NULL
    )
    SELECT nullif(max(until), notice.measured_from) FROM held
"""

#: Claim what is due on a channel, the urgent first; of others, nothing that comes too soon after the last one. What a
#: window holds back is marked with it, so that what became of it can be told. Parameters: channel, at, until (when the
#: claim lapses), soonest (who got one of an order later waits), most.
CLAIM = f"""
WITH urgent AS MATERIALIZED {_due("notice.is_urgent", "")},
other AS MATERIALIZED {_due("NOT notice.is_urgent", f" AND NOT EXISTS ({_TOO_SOON})")},
mine AS (
    SELECT id FROM urgent
    UNION ALL
    (SELECT id FROM other LIMIT greatest(%(most)s - (SELECT count(*) FROM urgent), 0))
),
marked AS (
    UPDATE notifications_notice AS notice
    SET held_by_id = (SELECT held.id {_HOLDS} ORDER BY held.ends_at DESC, held.id LIMIT 1)
    WHERE notice.id IN (
        SELECT notice.id FROM notifications_notice AS notice
        WHERE EXISTS (SELECT FROM notifications_maintenancewindow AS held WHERE {_OPEN})
            AND notice.channel = %(channel)s AND notice.state = 'waiting' AND notice.due_at <= %(at)s
            AND notice.held_by_id IS NULL AND EXISTS ({HELD})
        FOR NO KEY UPDATE SKIP LOCKED
    )
)
UPDATE notifications_notice AS notice
SET state = 'sending', claimed_until = %(until)s, attempts = notice.attempts + 1,
    held_until = CASE WHEN EXISTS (
        SELECT FROM notifications_maintenancewindow AS held
        WHERE held.ends_at > notice.measured_from AND held.starts_at < %(at)s AND held.cancelled_at IS NULL
    ) THEN greatest(notice.held_until, ({_HELD_UNTIL})) ELSE notice.held_until END
FROM mine
WHERE notice.id = mine.id
RETURNING notice.id
"""

#: Note notices as handed over, with what they said. Parameter: taken (JSON).
HANDED_OVER = """
UPDATE notifications_notice AS notice
SET state = taken.state, claimed_until = NULL, handed_over_at = taken.handed_over_at,
    delivered_at = taken.delivered_at, address = taken.address, language = taken.language,
    template_version_id = taken.template_version_id, subject = taken.subject, text = taken.text, html = taken.html,
    provider_id = taken.provider_id, error = '', messages_count = taken.messages_count
FROM json_to_recordset(%(taken)s::json) AS taken (
    id uuid, state text, handed_over_at timestamptz, delivered_at timestamptz, address text, language text,
    template_version_id uuid, subject text, text text, html text, provider_id text, messages_count integer
)
WHERE notice.id = taken.id
"""

#: Notices that something joined while they were being sent. Parameters: notices, said (the messages that were said).
LATE = """
SELECT DISTINCT notice_id FROM notifications_message
WHERE notice_id = ANY(%(notices)s::uuid[]) AND id <> ALL(%(said)s::uuid[])
"""

#: What joined a notice while it was being sent gets one of its own. Parameters: notice, follows (its key), said (the
#: messages that were said), at.
FOLLOW_UP = """
WITH late AS (
    SELECT
        message.id, CASE WHEN message.alert_id IS NULL THEN event.recorded_at ELSE message.written_at END AS caused_at,
        event.source, rule.is_urgent, rule.target_seconds
    FROM notifications_message AS message
    JOIN orders_orderevent AS event ON event.id = message.event_id
    JOIN notifications_rule AS rule ON rule.id = message.rule_id
    WHERE message.notice_id = %(notice)s AND message.id <> ALL(%(said)s::uuid[])
),
next AS (
    INSERT INTO notifications_notice (
        id, recipient_id, channel, thread_kind, thread_id, reference, region_id, sources, messages_count, is_urgent,
        target_seconds, state, due_at, caused_at, attempts, fell_back, address, language, subject, text, html,
        provider_id, error
    )
    SELECT
        %(follows)s, notice.recipient_id, notice.channel, notice.thread_kind, notice.thread_id, notice.reference,
        notice.region_id, array_agg(DISTINCT late.source), count(*), bool_or(late.is_urgent),
        min(late.target_seconds), 'waiting', %(at)s, min(late.caused_at), 0, false, '', '', '', '', '', '', ''
    FROM notifications_notice AS notice CROSS JOIN late
    WHERE notice.id = %(notice)s
    GROUP BY notice.id
    RETURNING id
)
UPDATE notifications_message AS message
SET notice_id = next.id
FROM next, late
WHERE message.id = late.id
"""

#: Write alerts down; of those that another sweep wrote meanwhile, nothing. Parameters: alerts (JSON). Returns the keys
#: of the new ones.
RAISE = """
INSERT INTO notifications_alert (
    id, rule_id, event_id, subject_kind, subject_id, reference, trigger, thread_kind, thread_id, region_id, due_at,
    raised_at, level, acknowledged_by
)
SELECT
    id, rule_id, event_id, subject_kind, subject_id, reference, trigger, thread_kind, thread_id, region_id, due_at,
    raised_at, 1, ''
FROM json_to_recordset(%(alerts)s::json) AS alert (
    id uuid, rule_id uuid, event_id uuid, subject_kind text, subject_id uuid, reference text, trigger text,
    thread_kind text, thread_id uuid, region_id uuid, due_at timestamptz, raised_at timestamptz
)
ORDER BY subject_id
ON CONFLICT (rule_id, subject_id, event_id, due_at) DO NOTHING
RETURNING id
"""
