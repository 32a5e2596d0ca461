"""Add up the facts of days, so that figures over a year are read in milliseconds.

A day of a measure is always added up whole, from the same relation that the raw query reads, whenever an event may have
changed it (`facts.TOUCHED`): late messages, corrections, cancellations and overrides of long ago need no case of their
own, and adding up a day twice changes nothing.

Nothing slips past: the cursor `figures` stands at the oldest transaction that was still running when the days were
looked for. What it passes was committed and seen; what committed late, or later than the days were added up, lies
beyond it, is found by the next pass, and until then by the readers (`reading`), who count touched days raw.

All days anew (nightly, and the first time) go month by month and measure by measure, each a transaction of its own: a
ledger of any length holds no task near its limit, nor the horizon that consumers of the ledger wait for. How far that
has come stands in the database; whoever comes next goes on there.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from orders.models import EventCursor
from parts.actors import Actor
from parts.sql import Statement
from reports.figures.facts import MEASURES, MONTHS, PENDING, Measure
from reports.models import DailyFigure, Grain

logger = logging.getLogger(__name__)

#: The name of the cursor.
CURSOR = "figures"
#: The name of the cursor of the pass over all days: its transaction is the horizon when the pass began (0: none is
#: under way), and what it counts are not events but slices that are done.
ANEW = "figures anew"
#: Sorts after every event of its transaction.
_LAST_ID = UUID(int=2**128 - 1)

#: Take the turn: whoever holds the cursor's row is the only one who adds up. Parameter: name.
LOCK_CURSOR = Statement(
    "lock the figures' cursor",
    "SELECT transaction_id, event_id FROM orders_eventcursor WHERE name = %(name)s FOR NO KEY UPDATE",
)

#: The same, for who has something better to do than to wait: no row where another one adds up. Parameter: name.
LOCK_CURSOR_IF_FREE = Statement("lock the figures' cursor if it is free", f"{LOCK_CURSOR.text} SKIP LOCKED")

#: The oldest transaction that is still running: all below it are done, and seen by every statement after this one.
_HORIZON = Statement("horizon", "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")


@dataclass(frozen=True, slots=True)
class RolledUp:
    """What a pass did: how many days of how many measures it added up anew, and how many rows that made. `is_done`: it
    leaves nothing to go on with."""

    days: int
    rows: int
    is_done: bool = True


def roll_up(
    *, by: Actor, at: datetime, everything: bool = False, seconds: float | None = None, waits: bool = True
) -> RolledUp:
    """Add up all days that events since the last pass may have changed; with `everything`, all days there are.

    Everything also takes over what is no event: a customer's new tier, a part's new criticality. It goes on, slice by
    slice, until it is done or so many seconds have passed (one slice at least); any later pass goes on with it. Of two
    at once the second waits at each slice, and then finds little or nothing to do; or, where it does not wait, leaves
    it to the other, except that it begins what it is asked to begin. Raises Forbidden.
    """
    by.require("reports.view_dailyfigure")
    until = None if seconds is None else time.monotonic() + seconds
    EventCursor.objects.get_or_create(name=CURSOR)
    EventCursor.objects.get_or_create(name=ANEW)
    done = _touched(at, everything, waits or everything)
    while not done.is_done:
        more = _slice(at, waits)
        done = RolledUp(done.days + more.days, done.rows + more.rows, more.is_done)
        if until is not None and time.monotonic() >= until:
            break
    if done.days:
        logger.info("figures rolled up", extra={"days": done.days, "rows": done.rows, "everything": everything})
    return done


def _turn(waits: bool) -> tuple[int, UUID] | None:
    """Return where the cursor stands, locked; None where another one has it and this one does not wait."""
    return next(iter((LOCK_CURSOR if waits else LOCK_CURSOR_IF_FREE).rows(name=CURSOR)), None)


def _touched(at: datetime, everything: bool, waits: bool) -> RolledUp:
    """Add up the touched days; begin with all days where that is asked for, or nothing was ever added up."""
    with transaction.atomic():
        turn = _turn(waits)
        if turn is None:
            return RolledUp(0, 0)
        transaction_id, event_id = turn
        [(horizon,)] = _HORIZON.rows()
        anew = EventCursor.objects.filter(name=ANEW)
        is_under_way = anew.exclude(transaction_id=0).exists()
        if (everything or not transaction_id) and not is_under_way:
            anew.update(transaction_id=horizon, events_read=0, updated_at=at)
            is_under_way = True
        if not transaction_id:
            return RolledUp(0, 0, is_done=False)
        touched: defaultdict[str, list[date]] = defaultdict(list)
        for measure, day in PENDING.rows(transaction_id=transaction_id, event_id=event_id):
            touched[measure].append(day)
        rows = sum(_add_up(MEASURES[measure], found) for measure, found in touched.items())
        EventCursor.objects.filter(name=CURSOR).update(transaction_id=horizon - 1, event_id=_LAST_ID, updated_at=at)
    return RolledUp(sum(map(len, touched.values())), rows, is_done=not is_under_way)


def _slice(at: datetime, waits: bool) -> RolledUp:
    """Add up the next month of the next measure of the pass over all days; end the pass where it was the last.

    The months only become more: one that a late message adds before those that are done makes the pass do some twice.
    """
    with transaction.atomic():
        turn = _turn(waits)
        if turn is None:
            return RolledUp(0, 0)  # the other one goes on
        transaction_id, _event_id = turn
        anew = EventCursor.objects.get(name=ANEW)
        if not anew.transaction_id:
            return RolledUp(0, 0)  # another one has just ended it
        slices = [(measure, *month) for month in MONTHS.rows() for measure in MEASURES.values()]
        days = rows = 0
        if anew.events_read < len(slices):
            measure, first, end = slices[anew.events_read]
            rows = _add_up(measure, (first, end))
            added = DailyFigure.objects.filter(measure=measure.name, grain=Grain.ALL, day__gte=first, day__lt=end)
            days = added.values("day").distinct().count()
        is_done = anew.events_read + 1 >= len(slices)
        if is_done and not transaction_id:
            EventCursor.objects.filter(name=CURSOR).update(
                transaction_id=anew.transaction_id - 1, event_id=_LAST_ID, updated_at=at
            )
        EventCursor.objects.filter(name=ANEW).update(
            transaction_id=0 if is_done else anew.transaction_id, events_read=anew.events_read + 1, updated_at=at
        )
    return RolledUp(days, rows, is_done)


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


def _add_up(measure: Measure, days: list[date] | tuple[date, date]) -> int:
    """Add up days of a measure anew: those of a list, or from one to before another; return how many rows it makes."""
    old = DailyFigure.objects.filter(measure=measure.name)
    parameters: dict[str, Any] = {"measure": measure.name}
    if isinstance(days, list):
        old.filter(day__in=days).delete()
        parameters["days"], kept = days, "WHERE day = ANY(%(days)s::date[])"
    else:
        old.filter(day__gte=days[0], day__lt=days[1]).delete()
        parameters["first"], parameters["end"] = days
        kept = "WHERE day >= %(first)s::date AND day < %(end)s::date"
    with connection.cursor() as cursor:
        cursor.execute(_ADD_UP.format(facts=measure.sql, days=kept), parameters)
        return cursor.rowcount
