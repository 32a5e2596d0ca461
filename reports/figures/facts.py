"""What each figure is made of: one SQL relation per measure, a row per thing counted. The only place that says so.

Every relation has the columns of `COLUMNS`. `event_id` and `day` are those of the event that dates the fact (its
`occurred_at`, as a day of UTC), so a fact is found by day through an index of the ledger. `weight` is what the fact
counts for, `value` what of it was achieved: a share is sum(value) / sum(weight), a mean the same. `edge` tells facts
of one measure apart (a transition: "from>to").

The raw query, the daily roll-up, the rows behind a figure, the replay's summary and the law that compares roll-up and
ledger all read these texts. Test and training orders are never in them.
"""

from __future__ import annotations

from dataclasses import dataclass

from orders.statuses import LINE_SHIPPED
from parts.sql import Statement

COLUMNS = (
    "id",
    "event_id",
    "day",
    "region_id",
    "warehouse_id",
    "criticality",
    "tier",
    "edge",
    "weight",
    "value",
)

#: The day of an event: what the index `order_event_by_day` is over, character by character.
DAY = "(event.occurred_at AT TIME ZONE 'UTC')::date"
_SHIPPED = ", ".join(f"'{status}'" for status in LINE_SHIPPED)

#: Where a line as it was ordered is served from: its warehouse, or that of the first part it was split into.
_SERVED_FROM = """coalesce(line.warehouse_id, (
        SELECT part_of.warehouse_id FROM orders_orderline AS part_of
        WHERE part_of.parent_id = line.id AND part_of.warehouse_id IS NOT NULL ORDER BY part_of.child_number LIMIT 1
    ))"""

_OF_LINE = """
    JOIN orders_partsorder AS parts_order ON parts_order.id = line.order_id AND NOT parts_order.is_test
    JOIN parts_part AS part ON part.id = line.part_id
    LEFT JOIN orders_customer AS customer ON customer.id = parts_order.customer_id
"""
_OF_BACK_ORDER = f"""
    JOIN orders_orderline AS line ON line.id = back_order.line_id
    {_OF_LINE}
"""

#: A line as the customer asked for it: written by the very transaction that placed its order (what an order's own
#: transaction wrote bears the order's own `created_at`, by that the first pass is known for ever). A line that another
#: part was put aside in days later is none; the one it stands in for is, although it was cancelled for it.
_ASKED_FIRST = """event.recorded_at = parts_order.created_at AND (line.status <> 'cancelled' OR EXISTS (
        SELECT FROM orders_orderline AS gone
        JOIN orders_orderevent AS instead ON instead.subject_id = gone.id AND instead.to_status = 'cancelled'
        WHERE (gone.id = line.id OR gone.parent_id = line.id) AND gone.status = 'cancelled'
            AND instead.data ->> 'substituted_by' IS NOT NULL
    ))"""

#: The day of an event where the customer is: a promise is one for a day of theirs.
_DAY_THERE = f"""CASE WHEN coalesce(customer.time_zone, 'UTC') = 'UTC' THEN {DAY}
        ELSE backline_day_in(customer.time_zone, event.occurred_at) END"""


@dataclass(frozen=True, slots=True)
class Measure:
    """A relation of facts: its name, whose keys its `id` holds (as the ledger calls them), and its SQL."""

    name: str
    subject_kind: str
    sql: str


ORDER_FILL = Measure(
    "order_fill_rate",
    "parts_order",
    f"""
    SELECT
        parts_order.id, event.id AS event_id, {DAY} AS day, parts_order.region_id, asked.warehouse_id,
        asked.criticality, coalesce(customer.tier, '') AS tier, '' AS edge,
        1::numeric AS weight, (event.to_status = 'reserved')::integer::numeric AS value
    FROM orders_orderevent AS event
    JOIN orders_partsorder AS parts_order
        ON parts_order.id = event.subject_id AND parts_order.status <> 'cancelled' AND NOT parts_order.is_test
    LEFT JOIN orders_customer AS customer ON customer.id = parts_order.customer_id
    CROSS JOIN LATERAL (
        SELECT
            coalesce(min(part.criticality), '') AS criticality,
            (array_agg(line.warehouse_id ORDER BY line.position, line.child_number)
                FILTER (WHERE line.warehouse_id IS NOT NULL))[1] AS warehouse_id
        FROM orders_orderline AS line JOIN parts_part AS part ON part.id = line.part_id
        WHERE line.order_id = parts_order.id
    ) AS asked
    WHERE event.kind = 'parts_order.placed' AND event.to_status <> ''
    """,
)

LINE_FILL = Measure(
    "line_fill_rate",
    "line",
    f"""
    SELECT
        line.id, event.id AS event_id, {DAY} AS day, parts_order.region_id, {_SERVED_FROM} AS warehouse_id,
        part.criticality, coalesce(customer.tier, '') AS tier, '' AS edge,
        1::numeric AS weight, (event.to_status = 'reserved')::integer::numeric AS value
    FROM orders_orderevent AS event
    JOIN orders_orderline AS line ON line.id = event.subject_id
    {_OF_LINE}
    WHERE event.kind = 'line.placed' AND event.to_status <> '' AND {_ASKED_FIRST}
    """,
)

FIRST_PASS = Measure(
    "first_pass_fill_rate",
    "line",
    f"""
    SELECT
        line.id, event.id AS event_id, {DAY} AS day, parts_order.region_id, {_SERVED_FROM} AS warehouse_id,
        part.criticality, coalesce(customer.tier, '') AS tier, '' AS edge,
        (event.data ->> 'quantity')::numeric AS weight,
        (event.data ->> 'quantity')::numeric - coalesce((
            SELECT sum((short.data ->> 'quantity')::numeric)
            FROM orders_orderline AS child
            JOIN orders_orderevent AS short ON short.subject_id = child.id AND short.version = 1
            WHERE child.parent_id = line.id AND short.kind = 'line.split_off' AND short.to_status = 'back_ordered'
                AND short.recorded_at = parts_order.created_at
        ), 0) AS value
    FROM orders_orderevent AS event
    JOIN orders_orderline AS line ON line.id = event.subject_id
    {_OF_LINE}
    WHERE event.kind = 'line.placed' AND event.to_status <> '' AND {_ASKED_FIRST}
    """,
)

UNIT_FILL = Measure(
    "unit_fill_rate",
    "line",
    f"""
    SELECT
        line.id, event.id AS event_id, {DAY} AS day, parts_order.region_id, line.warehouse_id,
        part.criticality, coalesce(customer.tier, '') AS tier, '' AS edge,
        line.quantity AS weight, CASE WHEN line.status IN ({_SHIPPED}) THEN line.quantity ELSE 0 END AS value
    FROM orders_orderevent AS event
    CROSS JOIN LATERAL (
        SELECT whole.* FROM orders_orderline AS whole WHERE whole.id = event.subject_id AND NOT whole.is_split
        UNION ALL
        SELECT child.* FROM orders_orderline AS child WHERE child.parent_id = event.subject_id
    ) AS line
    {_OF_LINE}
    WHERE event.kind = 'line.placed' AND event.to_status <> '' AND line.status <> 'cancelled'
    """,
)

PROMISES_KEPT = Measure(
    "promises_kept",
    "line",
    f"""
    SELECT
        line.id, event.id AS event_id, {DAY} AS day, parts_order.region_id, line.warehouse_id,
        part.criticality, coalesce(customer.tier, '') AS tier, '' AS edge,
        1::numeric AS weight, ({_DAY_THERE} <= line.first_promised_on)::integer::numeric AS value
    FROM orders_orderevent AS event
    JOIN orders_orderline AS line
        ON line.id = event.subject_id AND NOT line.is_split AND line.first_promised_on IS NOT NULL
    {_OF_LINE}
    WHERE event.subject_kind = 'line' AND event.to_status = 'delivered' AND event.to_status <> '' AND NOT EXISTS (
        SELECT FROM orders_orderevent AS earlier
        WHERE earlier.subject_id = event.subject_id AND earlier.to_status = 'delivered'
            AND (earlier.occurred_at, earlier.version) < (event.occurred_at, event.version)
    )
    """,
)

BACK_ORDER_DAYS = Measure(
    "back_order_days",
    "back_order",
    f"""
    SELECT
        back_order.id, event.id AS event_id, {DAY} AS day, parts_order.region_id, line.warehouse_id,
        part.criticality, coalesce(customer.tier, '') AS tier, '' AS edge,
        1::numeric AS weight,
        round(extract(epoch FROM back_order.status_since - back_order.opened_at) / 86400, 6) AS value
    FROM orders_orderevent AS event
    JOIN backorders_backorder AS back_order
        ON back_order.id = event.subject_id AND back_order.status = 'fulfilled'
    {_OF_BACK_ORDER}
    WHERE event.subject_kind = 'back_order' AND event.to_status = 'fulfilled' AND event.to_status <> ''
        AND NOT EXISTS (
        SELECT FROM orders_orderevent AS later
        WHERE later.subject_id = event.subject_id AND later.to_status = 'fulfilled' AND later.version > event.version
    )
    """,
)

BACK_ORDERS_OPENED = Measure(
    "back_orders_opened",
    "back_order",
    f"""
    SELECT
        back_order.id, event.id AS event_id, {DAY} AS day, parts_order.region_id, NULL::uuid AS warehouse_id,
        part.criticality, coalesce(customer.tier, '') AS tier, '' AS edge,
        1::numeric AS weight, (event.data ->> 'quantity')::numeric AS value
    FROM orders_orderevent AS event
    JOIN backorders_backorder AS back_order ON back_order.id = event.subject_id
    {_OF_BACK_ORDER}
    WHERE event.kind = 'back_order.opened' AND event.to_status <> ''
    """,
)

_STEP = """
        event.from_status || '>' || event.to_status AS edge, 1::numeric AS weight,
        extract(epoch FROM event.dwell) AS value
"""

JOB_STEPS = Measure(
    "job_steps",
    "service_order",
    f"""
    SELECT
        job.id, event.id AS event_id, {DAY} AS day, job.region_id, NULL::uuid AS warehouse_id,
        coalesce(equipment.criticality, '') AS criticality, coalesce(customer.tier, '') AS tier, {_STEP}
    FROM orders_orderevent AS event
    JOIN orders_serviceorder AS job ON job.id = event.subject_id AND NOT job.is_test
    LEFT JOIN orders_equipment AS equipment ON equipment.id = job.equipment_id
    LEFT JOIN orders_customer AS customer ON customer.id = job.customer_id
    WHERE event.subject_kind = 'service_order' AND event.dwell IS NOT NULL AND event.to_status <> ''
    """,
)

LINE_STEPS = Measure(
    "line_steps",
    "line",
    f"""
    SELECT
        line.id, event.id AS event_id, {DAY} AS day, parts_order.region_id, line.warehouse_id,
        part.criticality, coalesce(customer.tier, '') AS tier, {_STEP}
    FROM orders_orderevent AS event
    JOIN orders_orderline AS line ON line.id = event.subject_id
    {_OF_LINE}
    WHERE event.subject_kind = 'line' AND event.kind <> 'line.status_derived'
        AND event.dwell IS NOT NULL AND event.to_status <> ''
    """,
)

BACK_ORDER_STEPS = Measure(
    "back_order_steps",
    "back_order",
    f"""
    SELECT
        back_order.id, event.id AS event_id, {DAY} AS day, parts_order.region_id, NULL::uuid AS warehouse_id,
        part.criticality, coalesce(customer.tier, '') AS tier, {_STEP}
    FROM orders_orderevent AS event
    JOIN backorders_backorder AS back_order ON back_order.id = event.subject_id
    {_OF_BACK_ORDER}
    WHERE event.subject_kind = 'back_order' AND event.dwell IS NOT NULL AND event.to_status <> ''
    """,
)

MEASURES = {
    measure.name: measure
    for measure in (
        ORDER_FILL,
        LINE_FILL,
        FIRST_PASS,
        UNIT_FILL,
        PROMISES_KEPT,
        BACK_ORDER_DAYS,
        BACK_ORDERS_OPENED,
        JOB_STEPS,
        LINE_STEPS,
        BACK_ORDER_STEPS,
    )
}

#: CTEs that end in `touched` (measure, day): the days whose facts the events of a CTE `fresh` may have changed.
#:
#: A fact changes only together with an event of its subject, and its day, now or before, is that of an event of its
#: subject or of the placing of its line or order. So these days are enough. What merely walks a line to the door
#: changes nothing but its own steps; everything else may move it to another warehouse, split, cancel or undo it.
TOUCHED = f"""
changed_line AS MATERIALIZED (
    SELECT DISTINCT line.id, line.order_id, coalesce(line.parent_id, line.id) AS root_id
    FROM fresh
    JOIN orders_orderline AS line ON line.id = fresh.subject_id
    WHERE fresh.subject_kind = 'line' AND (
        fresh.is_override
        OR fresh.to_status NOT IN ('released', 'picking', 'awaiting_kitting', 'packed', 'delivered')
    )
),
placed_line AS MATERIALIZED (
    SELECT DISTINCT {DAY} AS day
    FROM (SELECT DISTINCT root_id FROM changed_line) AS changed
    JOIN orders_orderevent AS event ON event.subject_id = changed.root_id AND event.version = 1
),
touched AS MATERIALIZED (
    SELECT measure, day FROM placed_line
    CROSS JOIN unnest(ARRAY['{LINE_FILL.name}', '{FIRST_PASS.name}', '{UNIT_FILL.name}']) AS measure
    UNION
    SELECT '{ORDER_FILL.name}', {DAY}
    FROM (
        SELECT order_id FROM changed_line UNION SELECT subject_id FROM fresh WHERE subject_kind = 'parts_order'
    ) AS changed
    JOIN orders_orderevent AS event ON event.subject_id = changed.order_id AND event.version = 1
    UNION
    SELECT '{PROMISES_KEPT.name}', {DAY}
    FROM (
        SELECT id FROM changed_line
        UNION SELECT subject_id FROM fresh WHERE subject_kind = 'line' AND to_status = 'delivered'
    ) AS changed
    JOIN orders_orderevent AS event ON event.subject_id = changed.id AND event.to_status = 'delivered'
    UNION
    SELECT '{BACK_ORDER_DAYS.name}', {DAY}
    FROM (SELECT DISTINCT subject_id FROM fresh WHERE subject_kind = 'back_order' AND to_status <> '') AS changed
    JOIN orders_orderevent AS event ON event.subject_id = changed.subject_id AND event.to_status = 'fulfilled'
    UNION
    SELECT '{BACK_ORDER_DAYS.name}', {DAY}
    FROM changed_line
    JOIN backorders_backorder AS back_order ON back_order.line_id = changed_line.id
    JOIN orders_orderevent AS event ON event.subject_id = back_order.id AND event.to_status = 'fulfilled'
    UNION
    SELECT '{BACK_ORDERS_OPENED.name}', day FROM fresh WHERE kind = 'back_order.opened'
    UNION
    SELECT '{JOB_STEPS.name}', day FROM fresh WHERE subject_kind = 'service_order' AND dwell IS NOT NULL
    UNION
    SELECT '{BACK_ORDER_STEPS.name}', day FROM fresh WHERE subject_kind = 'back_order' AND dwell IS NOT NULL
    UNION
    SELECT '{LINE_STEPS.name}', day FROM fresh WHERE subject_kind = 'line' AND dwell IS NOT NULL
    UNION
    SELECT '{LINE_STEPS.name}', {DAY}
    FROM changed_line
    JOIN orders_orderevent AS event ON event.subject_id = changed_line.id AND event.dwell IS NOT NULL
)
"""

#: What is fresh: all events after the place up to which days are rolled up. Parameters: transaction_id, event_id.
FRESH = f"""
fresh AS MATERIALIZED (
    SELECT
        event.id, event.subject_kind, event.subject_id, event.kind, event.to_status, event.is_override, event.dwell,
        {DAY} AS day
    FROM orders_orderevent AS event
    WHERE (event.transaction_id, event.id) > (%(transaction_id)s, %(event_id)s::uuid)
)
"""

#: Which days of which measures the roll-up does not know of yet. Parameters: those of FRESH.
PENDING = Statement("days touched since the roll-up", f"WITH {FRESH}, {TOUCHED} SELECT measure, day FROM touched")

#: The months in which anything happened, the first one first: one short look into an index for each.
MONTHS = Statement(
    "months of the ledger",
    f"""
    WITH RECURSIVE month AS (
        SELECT date_trunc('month', min({DAY}))::date AS first FROM orders_orderevent AS event WHERE to_status <> ''
        UNION ALL
        SELECT (
            SELECT date_trunc('month', min({DAY}))::date FROM orders_orderevent AS event
            WHERE to_status <> '' AND {DAY} >= (month.first + interval '1 month')::date
        )
        FROM month WHERE month.first IS NOT NULL
    )
    SELECT first, (first + interval '1 month')::date FROM month WHERE first IS NOT NULL
    """,
)
