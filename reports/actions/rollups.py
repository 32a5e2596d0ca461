"""Add up the facts of days, so that figures over a year are read in milliseconds.

A day of a measure is always added up whole, from the same relation that the raw query reads, whenever an event may have
changed it (`facts.TOUCHED`): late messages, corrections, cancellations and overrides of long ago need no case of their
own, and adding up a day twice changes nothing.

Nothing slips past: the cursor `figures` stands at the oldest transaction that was still running when the days were
looked for. What it passes was committed and seen; what committed late, or later than the days were added up, lies
beyond it, is found by the next pass, and until then by the readers (`reading`), who count touched days raw.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import connection, transaction

from orders.models import EventCursor
from parts.actors import Actor
from parts.sql import Statement
from reports.figures.facts import MEASURES, PENDING, Measure
from reports.models import DailyFigure, Grain

logger = logging.getLogger(__name__)

#: The name of the cursor.
CURSOR = "figures"
#: Sorts after every event of its transaction.
_LAST_ID = UUID(int=2**128 - 1)

#: Take the turn: whoever holds the cursor's row is the only one who adds up. Parameter: name.
LOCK_CURSOR = Statement(
    "lock the figures' cursor",
    "SELECT transaction_id, event_id FROM orders_eventcursor WHERE name = %(name)s FOR NO KEY UPDATE",
)

#: The oldest transaction that is still running: all below it are done, and seen by every statement after this one.
_HORIZON = Statement("horizon", "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")


@dataclass(frozen=True, slots=True)
class RolledUp:
    """What a pass did: how many days of how many measures it added up anew, and how many rows that made."""

    days: int
    rows: int


def roll_up(*, by: Actor, at: datetime, everything: bool = False) -> RolledUp:
    """Add up all days that events since the last pass may have changed; with `everything`, all days there are.

    Everything also takes over what is no event: a customer's new tier, a part's new criticality. One transaction;
    who comes second waits, and then finds little or nothing to do. Raises Forbidden.
    """
    by.require("reports.view_dailyfigure")
    EventCursor.objects.get_or_create(name=CURSOR)
    with transaction.atomic():
        [(transaction_id, event_id)] = LOCK_CURSOR.rows(name=CURSOR)
        [(horizon,)] = _HORIZON.rows()
        if everything or not transaction_id:
            rows = sum(_add_up(measure, None) for measure in MEASURES.values())
            days = DailyFigure.objects.filter(grain=Grain.ALL).values("measure", "day").distinct().count()
        else:
            touched: defaultdict[str, list[date]] = defaultdict(list)
            for measure, day in PENDING.rows(transaction_id=transaction_id, event_id=event_id):
                touched[measure].append(day)
            rows = sum(_add_up(MEASURES[measure], found) for measure, found in touched.items())
            days = sum(map(len, touched.values()))
        EventCursor.objects.filter(name=CURSOR).update(transaction_id=horizon - 1, event_id=_LAST_ID, updated_at=at)
    if days:
        logger.info("figures rolled up", extra={"days": days, "rows": rows, "everything": everything})
    return RolledUp(days, rows)


#: Add up the facts of a measure by every grain. `{days}` keeps some days, or all.
_ADD_UP = """
INSERT INTO reports_dailyfigure (
    measure, day, grain, region_id, warehouse_id, criticality, tier, edge, facts, met, weight, value
)
SELECT
    %(measure)s, day, grouping(region_id, warehouse_id, criticality, tier), region_id, warehouse_id,
    coalesce(criticality, ''), coalesce(tier, ''), edge,
    count(*), count(*) FILTER (WHERE value >= weight), sum(weight), sum(value)
FROM ({facts}) AS fact
{days}
GROUP BY day, edge, GROUPING SETS (
    (), (region_id), (warehouse_id), (criticality), (tier), (region_id, warehouse_id, criticality, tier)
)
"""


def _add_up(measure: Measure, days: list[date] | None) -> int:
    """Add up days of a measure anew (None: all of them); return how many rows that makes."""
    old = DailyFigure.objects.filter(measure=measure.name)
    (old if days is None else old.filter(day__in=days)).delete()
    kept = "" if days is None else "WHERE day = ANY(%(days)s::date[])"
    statement = _ADD_UP.format(facts=measure.sql, days=kept)
    with connection.cursor() as cursor:
        cursor.execute(statement, {"measure": measure.name, "days": days})
        return cursor.rowcount
