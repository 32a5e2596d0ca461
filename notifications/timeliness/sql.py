"""The statements that count how soon people were told. Their definition stands in the docstring of this package."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from notifications.sql import HELD
from notifications.statuses import LOST, SETTLED, NoticeState
from parts.sql import Statement

#: The legs of a notice's way, in their order.
WRITTEN, SENT, DELIVERED = "written", "sent", "delivered"
LEGS = (WRITTEN, SENT, DELIVERED)
#: The first step ends here (seconds), each following one is so many times as long; the last one has no end.
FIRST, TIMES, _LAST = 0.01, 2**0.25, 120
#: What was committed so long after it happened is found by the nightly pass only.
SLACK = timedelta(minutes=15)
#: Before any notice.
EVER = datetime(1970, 1, 1, tzinfo=UTC)

#: On its way.
OPEN = (NoticeState.WAITING.value, NoticeState.SENDING.value)
_SETTLED = ", ".join(f"'{state}'" for state in SETTLED)
_LOST = ", ".join(f"'{state}'" for state in LOST)


def _step(seconds: str) -> str:
    times = f"(greatest({seconds}, {FIRST}) / {FIRST})::float8"
    return f"CASE WHEN {seconds} IS NOT NULL THEN least({_LAST}, ceil(4 * ln({times}) / ln(2::float8)))::integer END"


#: The settled notices of some days, one row each. Parameter: days.
_FACTS = f"""
    SELECT
        notice.id, (notice.measured_from AT TIME ZONE 'UTC')::date AS day, notice.channel, notice.region_id,
        coalesce(extract(epoch FROM notice.handed_over_at - notice.measured_from) <= notice.target_seconds, false)
            AS is_in_time,
        {_step("extract(epoch FROM notice.created_at - notice.caused_at)")} AS {WRITTEN},
        {_step("extract(epoch FROM notice.handed_over_at - greatest(notice.created_at, notice.measured_from))")}
            AS {SENT},
        {_step("extract(epoch FROM notice.delivered_at - notice.handed_over_at)")} AS {DELIVERED}
    FROM unnest(%(days)s::date[]) AS wanted (day)
    JOIN notifications_notice AS notice
        ON notice.measured_from >= wanted.day::timestamp AT TIME ZONE 'UTC'
        AND notice.measured_from < (wanted.day + 1)::timestamp AT TIME ZONE 'UTC'
    WHERE notice.state IN ({_SETTLED})
"""

#: Days added up from the notices: a row per day, channel and region. Parameter: days.
ADDED_UP = f"""
    SELECT
        counted.day, counted.channel, counted.region_id, counted.notices, counted.in_time,
        coalesce(spanned.spans, '{{}}'::jsonb) AS spans
    FROM (
        SELECT day, channel, region_id, count(*) AS notices, count(*) FILTER (WHERE is_in_time) AS in_time
        FROM fact GROUP BY day, channel, region_id
    ) AS counted
    LEFT JOIN (
        SELECT day, channel, region_id, jsonb_object_agg(leg, steps) AS spans
        FROM (
            SELECT day, channel, region_id, leg, jsonb_object_agg(step, notices) AS steps
            FROM (
                SELECT day, channel, region_id, leg, step, count(*) AS notices
                FROM fact CROSS JOIN LATERAL (
                    VALUES ('{WRITTEN}', {WRITTEN}), ('{SENT}', {SENT}), ('{DELIVERED}', {DELIVERED})
                ) AS took (leg, step)
                WHERE step IS NOT NULL
                GROUP BY day, channel, region_id, leg, step
            ) AS each_step
            GROUP BY day, channel, region_id, leg
        ) AS each_leg
        GROUP BY day, channel, region_id
    ) AS spanned
        ON spanned.day = counted.day AND spanned.channel = counted.channel
        AND spanned.region_id IS NOT DISTINCT FROM counted.region_id
"""

#: The same with its facts. Parameter: days.
DAYS = f"WITH fact AS MATERIALIZED ({_FACTS}) {ADDED_UP}"

#: The days that notices have touched since they were added up. Parameter: since.
TOUCHED = Statement(
    "days of notices touched since",
    f"""
    SELECT DISTINCT (measured_from AT TIME ZONE 'UTC')::date
    FROM notifications_notice WHERE handed_over_at IS NOT NULL AND handed_over_at >= %(since)s
    UNION
    SELECT (measured_from AT TIME ZONE 'UTC')::date
    FROM notifications_notice WHERE state IN ({_LOST}) AND ended_at >= %(since)s
    """,
)

#: Notices that should have gone by now, by day and channel: what a window holds is not late. Parameters: at, region.
OVERDUE = Statement(
    "notices that are overdue",
    f"""
    SELECT (notice.measured_from AT TIME ZONE 'UTC')::date, notice.channel, count(*)
    FROM notifications_notice AS notice
    WHERE notice.state IN ('waiting', 'sending')
        AND notice.measured_from + make_interval(secs => notice.target_seconds) < %(at)s
        AND (%(region)s::uuid IS NULL OR notice.region_id = %(region)s::uuid)
        AND NOT EXISTS ({HELD})
    GROUP BY 1, 2
    """,
)

LATEST = Statement("when days were added up last", "SELECT max(added_up_at) FROM notifications_dailytimeliness")


def _read(columns: str, groups: str, joins: str = "") -> str:
    return f"""
        WITH fact AS MATERIALIZED ({_FACTS})
        SELECT {columns}
        FROM (
            SELECT day, channel, region_id, notices, in_time, spans
            FROM notifications_dailytimeliness
            WHERE day BETWEEN %(since)s AND %(until)s AND day <> ALL(%(days)s::date[])
            UNION ALL
            {ADDED_UP}
        ) AS each_day
        {joins}
        WHERE %(region)s::uuid IS NULL OR region_id = %(region)s::uuid
        GROUP BY {groups}
    """


#: Parameters of both: since, until; days (of those the ones that are counted anew); region.
COUNTS = Statement("timeliness of notices", _read("day, channel, sum(notices), sum(in_time)", "1, 2"))
SPANS = Statement(
    "how long notices took",
    _read(
        "channel, leg.key, step.key::integer, sum(step.value::bigint)",
        "1, 2, 3",
        "CROSS JOIN LATERAL jsonb_each(spans) AS leg CROSS JOIN LATERAL jsonb_each_text(leg.value) AS step",
    ),
)

#: Keep days added up. Parameters: days, at.
ADD_UP = f"""
INSERT INTO notifications_dailytimeliness (day, channel, region_id, notices, in_time, spans, added_up_at)
SELECT day, channel, region_id, notices, in_time, spans, %(at)s FROM ({DAYS}) AS added_up
"""
