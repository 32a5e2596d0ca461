"""Jobs, people and rules to tell of, and the statement that writes the rows which the consumer writes of events."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.contrib.auth.models import Group, User
from django.db import connection

from notifications.models import ChannelSetting, Rule, Template
from notifications.statuses import Audience, Channel
from orders.models import Customer, EventCursor
from parts.models import Region

#: How many jobs a technician and a customer have, and how many events a job.
JOBS_OF_ONE, EVENTS_OF_A_JOB = 50, 10
_STATUSES = ["scheduled", "new"]

#: Scheduled jobs with no event. Parameters: prefix, count, customers, region, technicians.
_JOBS = """
INSERT INTO orders_serviceorder (
    id, reference, version, chain_hash, status_since, created_at, status, title, description, external_reference,
    machine_down, is_test, customer_id, region_id, technician_id
)
SELECT
    gen_random_uuid(), %(prefix)s || number, 1, '\\x00', now(), now(), 'scheduled', 'Measured', '', '', false, false,
    (%(customers)s::uuid[])[1 + number %% cardinality(%(customers)s::uuid[])], %(region)s,
    (%(technicians)s::integer[])[1 + number %% cardinality(%(technicians)s::integer[])]
FROM generate_series(1, %(count)s) AS number
"""

#: Steps of those jobs, there and back, one job after the other as in life. Parameters: prefix, each, statuses.
_EVENTS = """
INSERT INTO orders_orderevent (
    id, subject_kind, subject_id, reference, version, kind, from_status, to_status, occurred_at, recorded_at, dwell,
    actor, source, message_id, visibility, override_reference, is_override, passed_through, data, previous_hash, hash
)
SELECT
    gen_random_uuid(), 'service_order', job.id, job.reference, turn.version,
    'service_order.status_changed', (%(statuses)s::text[])[1 + (turn.version + 1) %% 2],
    (%(statuses)s::text[])[1 + turn.version %% 2], now(), now(), NULL,
    'system:bench', 'bench', '', 'public', '', false, false, '{}'::jsonb, '\\x00', '\\x00'
FROM generate_series(1, %(each)s) AS turn (version)
JOIN orders_serviceorder AS job ON starts_with(job.reference, %(prefix)s)
ORDER BY turn.version, job.id
"""

#: What the consumer does with the next 500 events, as one statement: read the batch behind the cursor, find who is
#: meant by each rule, let messages join their notices, move the cursor. Without the rules' conditions, preferences,
#: addresses, the look whether it was written before, and keys that grow with time: what the database alone costs.
#: Returns how many messages were written.
TELL = """
WITH place AS MATERIALIZED (
    SELECT transaction_id, event_id FROM orders_eventcursor WHERE name = 'yardstick' FOR UPDATE
),
event AS MATERIALIZED (
    SELECT event.id, event.transaction_id, event.subject_id, event.kind, event.source, event.recorded_at
    FROM place JOIN LATERAL (
        SELECT * FROM orders_orderevent
        WHERE (transaction_id, id) > (place.transaction_id, place.event_id)
            AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
        ORDER BY transaction_id, id LIMIT 500
    ) AS event ON true
),
reader AS MATERIALIZED (
    SELECT recipient.id, recipient.customer_id, recipient.user_id, role.name AS role
    FROM notifications_recipient AS recipient
    LEFT JOIN auth_user_groups AS has ON has.user_id = recipient.user_id
    LEFT JOIN auth_group AS role ON role.id = has.group_id
),
meant AS (
    SELECT event.id, 'customer' AS audience, reader.id AS reader_id
    FROM event JOIN orders_serviceorder AS job ON job.id = event.subject_id
    JOIN reader ON reader.customer_id = job.customer_id
    UNION ALL
    SELECT event.id, 'technician', reader.id
    FROM event JOIN orders_serviceorder AS job ON job.id = event.subject_id
    JOIN reader ON reader.user_id = job.technician_id
    UNION ALL
    SELECT event.id, CASE reader.role WHEN 'Dispatcher' THEN 'dispatchers' ELSE 'parts_managers' END, reader.id
    FROM event CROSS JOIN reader WHERE reader.role IN ('Dispatcher', 'Parts manager')
),
said AS MATERIALIZED (
    SELECT
        event.id AS event_id, event.source, event.recorded_at, job.id AS job_id, job.reference, job.region_id,
        rule.id AS rule_id, rule.revision, rule.audience, rule.channel, rule.is_urgent, rule.target_seconds,
        meant.reader_id
    FROM event
    JOIN orders_serviceorder AS job ON job.id = event.subject_id
    JOIN notifications_rule AS rule ON event.kind = ANY(rule.kinds) AND rule.is_active
    JOIN meant ON meant.id = event.id AND meant.audience = rule.audience
),
noticed AS (
    INSERT INTO notifications_notice AS notice (
        id, recipient_id, channel, thread_kind, thread_id, reference, region_id, sources, messages_count, is_urgent,
        target_seconds, state, due_at, caused_at, attempts, fell_back, address, language, subject, text, html,
        provider_id, error
    )
    SELECT
        gen_random_uuid(), reader_id, channel, 'service_order', job_id, min(reference), min(region_id::text)::uuid,
        array_agg(DISTINCT source), count(*), bool_or(is_urgent), min(target_seconds), 'waiting', min(recorded_at),
        min(recorded_at), 0, false, '', '', '', '', '', '', ''
    FROM said GROUP BY reader_id, channel, job_id ORDER BY reader_id, channel, job_id
    ON CONFLICT (recipient_id, channel, thread_id) WHERE state IN ('waiting', 'sending') DO UPDATE
    SET messages_count = notice.messages_count + excluded.messages_count,
        due_at = least(notice.due_at, excluded.due_at)
    RETURNING id, recipient_id, channel, thread_id
),
messages AS (
    INSERT INTO notifications_message (
        id, event_id, alert_level, rule_id, rule_revision, audience, recipient_id, channel, notice_id, unheard
    )
    SELECT
        gen_random_uuid(), said.event_id, 0, said.rule_id, said.revision, said.audience, said.reader_id, said.channel,
        noticed.id, ''
    FROM said
    JOIN noticed ON noticed.recipient_id = said.reader_id AND noticed.channel = said.channel
        AND noticed.thread_id = said.job_id
    RETURNING id
),
moved AS (
    UPDATE orders_eventcursor AS cursor
    SET transaction_id = last.transaction_id, event_id = last.id, updated_at = now()
    FROM (SELECT transaction_id, id FROM event ORDER BY transaction_id DESC, id DESC LIMIT 1) AS last
    WHERE cursor.name = 'yardstick'
)
SELECT count(*) FROM messages
"""


@dataclass(frozen=True, slots=True)
class House:
    """Whom jobs are for and who works on them."""

    region: Region
    customers: list[Customer]
    technicians: list[User]


def new_house(jobs: int) -> House:
    """Make the people for so many jobs, and five rules: of each step five readers hear, over three channels."""
    name = secrets.token_hex(4)
    region = Region.objects.create(code=name, name=name)
    several = range(max(jobs // JOBS_OF_ONE, 1))
    customers = Customer.objects.bulk_create(
        Customer(
            code=f"{name}-{number}",
            name=f"{name} {number}",
            region=region,
            email=f"reader-{number}@customer.example",
            phone=f"+49 30 {number:08}",
        )
        for number in several
    )
    technicians = User.objects.bulk_create(User(username=f"{name}-{number}") for number in several)
    for role in ("Dispatcher", "Parts manager"):
        User.objects.create(username=f"{name}-{role}").groups.add(Group.objects.get(name=role))
    _only_five_rules()
    ChannelSetting.objects.update(per_second=1_000)
    return House(region, customers, technicians)


def _only_five_rules() -> None:
    told = [
        (Audience.CUSTOMER, Channel.EMAIL, "customer_news"),
        (Audience.CUSTOMER, Channel.SMS, "customer_news"),
        (Audience.TECHNICIAN, Channel.INBOX, "staff_news"),
        (Audience.DISPATCHERS, Channel.INBOX, "staff_news"),
        (Audience.PARTS_MANAGERS, Channel.INBOX, "staff_news"),
    ]
    templates = {template.code: template for template in Template.objects.all()}
    Rule.objects.update(is_active=False)
    Rule.objects.bulk_create(
        Rule(
            code=f"bench-{place}",
            name="Measured",
            kinds=["service_order.status_changed"],
            audience=audience,
            channel=channel,
            template=templates[template],
            is_active=True,
            active_since=datetime.now(UTC) - timedelta(days=1),
        )
        for place, (audience, channel, template) in enumerate(told)
    )


def new_jobs(house: House, count: int) -> str:
    """Make so many scheduled jobs; return what their references begin with."""
    prefix = f"T-{secrets.token_hex(4)}-"
    with connection.cursor() as cursor:
        cursor.execute(
            _JOBS,
            {
                "prefix": prefix,
                "count": count,
                "customers": [customer.pk for customer in house.customers],
                "region": house.region.pk,
                "technicians": [user.pk for user in house.technicians],
            },
        )
    return prefix


def new_events(prefix: str, each: int) -> None:
    """Let each of these jobs have so many events, all committed at once."""
    with connection.cursor() as cursor:
        cursor.execute(_EVENTS, {"prefix": prefix, "each": each, "statuses": _STATUSES})


def cursor_to_the_end(name: str) -> None:
    """Let a consumer begin behind what the ledger holds now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT transaction_id, id FROM orders_orderevent ORDER BY transaction_id DESC, id DESC LIMIT 1")
        place = cursor.fetchone()
    if place:
        EventCursor.objects.update_or_create(name=name, defaults={"transaction_id": place[0], "event_id": place[1]})
