"""The laws of the roll-up: what it says is what the ledger says, day for day, and its grains say the same."""

from __future__ import annotations

from parts.sql.law import Law
from reports.actions.rollups import CURSOR
from reports.figures.facts import FRESH, MEASURES, TOUCHED
from reports.models import Grain

_FRESH = FRESH.replace(
    "(%(transaction_id)s, %(event_id)s::uuid)",
    f"(coalesce((SELECT transaction_id FROM orders_eventcursor WHERE name = '{CURSOR}'), 0),"
    f" coalesce((SELECT event_id FROM orders_eventcursor WHERE name = '{CURSOR}'),"
    " '00000000-0000-0000-0000-000000000000'))",
)

#: What tells facts apart, so that it can be joined by: a place that a fact has none of is no place at all.
_PLACE = """
    coalesce(region_id, '00000000-0000-0000-0000-000000000000') AS region_id,
    coalesce(warehouse_id, '00000000-0000-0000-0000-000000000000') AS warehouse_id,
    coalesce(criticality, '') AS criticality, coalesce(tier, '') AS tier
"""
_RAW = " UNION ALL ".join(
    f"""
    SELECT '{measure.name}' AS measure, day, edge, {_PLACE}, count(*) AS facts,
        count(*) FILTER (WHERE value >= weight) AS met, sum(weight) AS weight, sum(value) AS value
    FROM ({measure.sql}) AS fact GROUP BY 2, 3, 4, 5, 6, 7
    """
    for measure in MEASURES.values()
)

LAWS: list[Law] = [
    Law(
        "rolled_up_figures_are_the_ledgers",
        "Each rolled-up day says of each region, warehouse, criticality and tier what the raw query says, unless an"
        " event touched it since and it waits for its turn.",
        f"""
        WITH {_FRESH}, {TOUCHED}, raw AS MATERIALIZED ({_RAW})
        SELECT format('%s %s %s', measure, day, edge),
            format('%s facts, %s met, %s of %s', coalesce(rolled.facts, 0), coalesce(rolled.met, 0),
                coalesce(rolled.value, 0), coalesce(rolled.weight, 0)),
            format('%s facts, %s met, %s of %s', coalesce(raw.facts, 0), coalesce(raw.met, 0),
                coalesce(raw.value, 0), coalesce(raw.weight, 0))
        FROM raw
        FULL JOIN (
            SELECT measure, day, edge, {_PLACE}, facts, met, weight, value
            FROM reports_dailyfigure WHERE grain = {int(Grain.EACH)}
        ) AS rolled
            USING (measure, day, edge, region_id, warehouse_id, criticality, tier)
        WHERE (raw.facts, raw.met, raw.weight, raw.value)
                IS DISTINCT FROM (rolled.facts, rolled.met, rolled.weight, rolled.value)
            AND (measure, day) NOT IN (SELECT touched.measure, touched.day FROM touched)
        """,
    ),
    Law(
        "figures_by_part_add_up_to_the_whole",
        "What a day says by region, by warehouse, by criticality, by tier and by all four adds up to the day.",
        f"""
        SELECT format('%s %s %s by grain %s', measure, day, edge, part.grain),
            format('%s facts, %s of %s', part.facts, part.value, part.weight),
            format('%s facts, %s of %s', whole.facts, whole.value, whole.weight)
        FROM (
            SELECT measure, day, edge, grain, sum(facts) AS facts, sum(met) AS met, sum(weight) AS weight,
                sum(value) AS value
            FROM reports_dailyfigure GROUP BY measure, day, edge, grain
        ) AS part
        LEFT JOIN (SELECT * FROM reports_dailyfigure WHERE grain = {int(Grain.ALL)}) AS whole
            USING (measure, day, edge)
        WHERE (part.facts, part.met, part.weight, part.value)
            IS DISTINCT FROM (whole.facts, whole.met, whole.weight, whole.value)
        """,
    ),
]
