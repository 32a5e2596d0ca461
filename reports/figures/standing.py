"""What stands now, whatever the period: open back orders by age, and what is stuck. Read from the rows themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from backorders.sql import WAITING
from backorders.statuses import AGE_BUCKETS
from orders.statuses import LINE_CLOSED, LINE_OPEN, SERVICE_ORDER_OPEN
from parts.sql import Statement
from reports.figures.facts import JOB_STEPS, LINE_STEPS, Measure
from reports.figures.reading import DIMENSIONS, Key, Period, Reading, Sum, Where

_CLOSED_LINES = ", ".join(f"'{status}'" for status in LINE_CLOSED)
_OPEN_JOBS = ", ".join(f"'{status}'" for status in SERVICE_ORDER_OPEN)

_OPEN = f"""
    SELECT
        back_order.id, back_order.id AS event_id, (back_order.opened_at AT TIME ZONE 'UTC')::date AS day,
        {{order}}.region_id, NULL::uuid AS warehouse_id, part.criticality, coalesce(customer.tier, '') AS tier,
        age.name AS edge, 1::numeric AS weight, back_order.quantity AS value
    FROM unnest(%(ages)s::text[], %(ages_after)s::timestamptz[], %(ages_until)s::timestamptz[])
        AS age (name, after, until)
    JOIN backorders_backorder AS back_order
        ON back_order.opened_at > age.after AND back_order.opened_at <= age.until
    {{joins}}
    LEFT JOIN parts_part AS part ON part.id = back_order.part_id
    LEFT JOIN orders_customer AS customer ON customer.id = {{order}}.customer_id
    WHERE back_order.status IN {WAITING} AND NOT {{order}}.is_test
"""

#: Weight: one back order; value: the units missing; edge: how many whole days it has been open. Parameters: ages,
#: ages_after, ages_until: the buckets, and between which moments what is in each was opened.
#:
#: All of it lies in one index, `back_order_by_age`, and what a question does not ask of is not joined: the whole queue
#: is read with each page of figures.
OPEN_BACK_ORDERS = Measure("open_back_orders", "back_order", _OPEN.format(order="back_order", joins=""))

#: The same by what the orders themselves say: slow; what the other must equal.
OPEN_BACK_ORDERS_RAW = Measure(
    OPEN_BACK_ORDERS.name,
    OPEN_BACK_ORDERS.subject_kind,
    _OPEN.format(
        order="parts_order",
        joins="JOIN orders_orderline AS line ON line.id = back_order.line_id"
        " JOIN orders_partsorder AS parts_order ON parts_order.id = line.order_id",
    ),
)

#: Weight: one; value: seconds in its status; edge: its status. Parameters: now, and jobs, job_limits (text[],
#: interval[]): how long is too long in which status.
STUCK_JOBS = Measure(
    "stuck_jobs",
    "service_order",
    f"""
    SELECT
        job.id, job.id AS event_id, (job.status_since AT TIME ZONE 'UTC')::date AS day, job.region_id,
        NULL::uuid AS warehouse_id, coalesce(equipment.criticality, '') AS criticality,
        coalesce(customer.tier, '') AS tier, job.status AS edge, 1::numeric AS weight,
        extract(epoch FROM %(now)s - job.status_since) AS value
    FROM unnest(%(jobs)s::text[], %(job_limits)s::interval[]) AS too_long (status, after)
    JOIN orders_serviceorder AS job
        ON job.status = too_long.status AND job.status_since < %(now)s - too_long.after AND NOT job.is_test
    LEFT JOIN orders_equipment AS equipment ON equipment.id = job.equipment_id
    LEFT JOIN orders_customer AS customer ON customer.id = job.customer_id
    WHERE job.status IN ({_OPEN_JOBS})
    """,
)

#: The same of lines that are open and not split. They are found first, whatever else is asked (OFFSET keeps it so), in
#: the index `order_line_open_leaves`, hence how it is said which are open. Parameters: now, lines, line_limits.
STUCK_LINES = Measure(
    "stuck_lines",
    "line",
    f"""
    SELECT
        line.id, line.id AS event_id, (line.status_since AT TIME ZONE 'UTC')::date AS day, parts_order.region_id,
        line.warehouse_id, part.criticality, coalesce(customer.tier, '') AS tier, line.status AS edge,
        1::numeric AS weight, extract(epoch FROM %(now)s - line.status_since) AS value
    FROM (
        SELECT line.id, line.status, line.status_since, line.order_id, line.part_id, line.warehouse_id
        FROM unnest(%(lines)s::text[], %(line_limits)s::interval[]) AS too_long (status, after)
        JOIN orders_orderline AS line ON line.status = too_long.status AND line.status_since < %(now)s - too_long.after
        WHERE NOT line.is_split AND line.status NOT IN ({_CLOSED_LINES})
        OFFSET 0
    ) AS line
    JOIN orders_partsorder AS parts_order ON parts_order.id = line.order_id AND NOT parts_order.is_test
    LEFT JOIN parts_part AS part ON part.id = line.part_id
    LEFT JOIN orders_customer AS customer ON customer.id = parts_order.customer_id
    """,
)

STANDING = {measure.name: measure for measure in (OPEN_BACK_ORDERS, STUCK_JOBS, STUCK_LINES)}

#: Before everything and after everything.
_EVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

#: Nothing is stuck that has not been in its status for so long.
LEAST_LIMIT = timedelta(days=3)
#: Nor what has been there no longer than so many times what is usual.
TIMES_USUAL = 2
#: Over how many days "usual" is taken.
USUAL_DAYS = 90


@dataclass(frozen=True, slots=True)
class Limit:
    """From when on a status is too long, and what is usual there (None: nobody has left it in these days)."""

    after: timedelta
    usual: timedelta | None


class Standing:
    """What stands at a moment. One statement for what is usual, then one per question."""

    def __init__(self, now: datetime, where: Where | None = None) -> None:
        self.now, self.where = now, dict(where or {})
        today = now.astimezone(UTC).date()
        reading = Reading([JOB_STEPS.name, LINE_STEPS.name], Period(today - timedelta(days=USUAL_DAYS - 1), today))
        found: defaultdict[tuple[str, str], Sum] = defaultdict(Sum)
        for key, total in reading.sums(edges=True).items():
            found[key.measure, key.edge.split(">")[0]] += total
        self.limits = {
            STUCK_JOBS.name: {status: _limit(found.get((JOB_STEPS.name, status))) for status in SERVICE_ORDER_OPEN},
            STUCK_LINES.name: {status: _limit(found.get((LINE_STEPS.name, status))) for status in LINE_OPEN},
        }

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of the measures' SQL."""
        jobs, lines = self.limits[STUCK_JOBS.name], self.limits[STUCK_LINES.name]
        edges = [self.now - timedelta(days=most + 1) for _name, _least, most in AGE_BUCKETS if most is not None]
        return {
            "now": self.now,
            "ages": [name for name, _least, _most in AGE_BUCKETS],
            "ages_after": [*edges, _EVER[0]],
            "ages_until": [_EVER[1], *edges],
            "jobs": list(jobs),
            "job_limits": [limit.after for limit in jobs.values()],
            "lines": list(lines),
            "line_limits": [limit.after for limit in lines.values()],
        }

    def sums(
        self, names: Collection[str], *, by: str | None = None, edges: bool = True, of: Mapping[str, Measure] = STANDING
    ) -> dict[Key, Sum]:
        """Return what stands, told apart as asked. One statement. Each fact weighs one."""
        part = DIMENSIONS[by] if by else "NULL::text"
        text = " UNION ALL ".join(
            f"""
            SELECT '{name}', part::text, edge, facts, total
            FROM (
                SELECT {part} AS part, {"edge" if edges else "''"} AS edge, count(*) AS facts, sum(value) AS total
                FROM ({of[name].sql}) AS fact {narrowed(self.where)}
                GROUP BY 1, 2
            ) AS part_of_it
            """
            for name in names
        )
        rows = Statement("what stands", text).rows(**self.parameters, **self.where)
        return {
            Key(name, None, value, edge): Sum(facts, facts, Decimal(facts), Decimal(total))
            for name, value, edge, facts, total in rows
        }


def _limit(usual: Sum | None) -> Limit:
    mean = usual.ratio if usual else None
    if mean is None:
        return Limit(LEAST_LIMIT, None)
    span = timedelta(seconds=float(mean))
    return Limit(max(LEAST_LIMIT, TIMES_USUAL * span), span)


def narrowed(where: Mapping[str, Any]) -> str:
    """Return the condition on facts that a narrowing means, with its parameters named like the dimensions."""
    conditions = [
        f"{DIMENSIONS[name]} IS NOT DISTINCT FROM %({name})s{'::uuid' if name in ('region', 'warehouse') else ''}"
        for name in where
    ]
    return f"WHERE {' AND '.join(conditions)}" if conditions else ""
