"""Load the demo once: live through invented months until last night, then let its people do what they do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from django.db import transaction

from config.demo import (
    cases,
    decisions,
    desk,
    field,
    jobs,
    links,
    listeners,
    mornings,
    papers,
    partners,
    people,
    queue,
    systems,
    ways,
    words,
)
from orders import cursors
from reports.models import ReplayRun
from reports.replay.demand import Demand
from reports.replay.invented import invent_demand
from reports.replay.live import Replay, begin
from reports.replay.summary import figures

NAME = "demo"
SEED, MONTHS, PARTS = 7, 6, 240


def load(now: datetime | None = None) -> str:
    """Load the demo unless it is there; one that was broken off goes on. Returns a line that says what was loaded.

    Raises Refused where the database holds something else.
    """
    now = now or datetime.now(UTC)
    run = ReplayRun.objects.filter(name=NAME).first()
    if run is not None and run.figures:
        people.let_in()
        return ""
    first_month = run.first_day if run else _months_before(now.date(), MONTHS - 1)
    demand = demand_from(first_month)
    run, _ = begin(demand, SEED)
    for _day in Replay(run, demand, until=now.date() - timedelta(days=1)).live():
        pass
    # Months of invented history are no news: who opens the demo would find their inbox full of what is long over.
    cursors.begin_here(name="telling")
    with transaction.atomic():
        _tell(now)
        run.figures = figures()
        run.save(update_fields=["figures"])
    return f"{run.figures['orders']} orders, {run.figures['back_orders_open']} back orders waiting"


def demand_from(first_month: date) -> Demand:
    """Return the demo's demand, from a first month on."""
    return invent_demand(seed=SEED, name=NAME, first_month=first_month, months=MONTHS, parts=PARTS)


def _months_before(day: date, months: int) -> date:
    offset = day.year * 12 + day.month - 1 - months
    return date(offset // 12, offset % 12 + 1, 1)


def _tell(now: datetime) -> None:
    cast = people.let_in()
    waiting_jobs = len(jobs.WAITING)
    nobody_has = queue.special_parts(len(queue.WAITING) + waiting_jobs + desk.waiting())
    customers = jobs.tell(cast, now, nobody_has[:waiting_jobs])
    waiting = queue.fill_queue(cast, now, nobody_has[waiting_jobs : waiting_jobs + len(queue.WAITING)], customers)
    queue.work_the_day(cast, now, queue.parts_at_hand(len(queue.ENDINGS)), customers)
    queue.make_exceptions(cast, now, waiting)
    people.give_access(customers[:3])
    papers.tell(cast, now, nobody_has)
    links.tell(cast, now)
    field.tell(cast, now)
    cases.tell(cast, now)
    ways.tell(cast, now, customers)
    decisions.tell(cast, now, customers, nobody_has[0])
    desk.tell(cast, now, nobody_has[waiting_jobs + len(queue.WAITING) :])
    words.tell(cast, now)
    mornings.tell(cast, now)
    systems.tell(cast, now, customers)
    listeners.tell(cast, now)
    partners.tell(now)
