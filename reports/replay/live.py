"""Live through the days of a replay, each in one transaction with the note that it has been lived."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid5

from django.db import IntegrityError, connection, transaction

from orders.models import Customer, OrderLine, PartsOrder, ServiceOrder
from parts.errors import Refused
from parts.models import Part, Supplier, Warehouse
from reports.models import ReplayRun
from reports.replay import jobs, ordering, sql, world
from reports.replay.day import ACTOR, SOURCE, Stage
from reports.replay.demand import Demand, months_from
from reports.replay.dice import Dice
from reports.replay.floor import Floor
from reports.replay.plan import SUNDAY, make_plan, moment
from reports.replay.supply import Supply

#: The name space of all replays' keys (a random UUID, fixed for good).
NAMESPACE = UUID("b9f2ab5e-0cb4-4e3c-8f4e-6a1c7c1b9d52")
#: How long a replay lives on after its last month, at most, so that what is on order can come.
MOST_RUN_OUT = timedelta(days=240)


@dataclass(frozen=True, slots=True)
class Lived:
    """A day that was lived through and committed."""

    day: date
    taken: ordering.Taken
    is_run_out: bool


def run_key(demand: Demand, seed: int) -> UUID:
    """Return the key that a file, a seed and a scope always have."""
    return uuid5(NAMESPACE, f"{demand.checksum}/{seed}/{len(demand.months)}/{len(demand.parts)}")


def begin(demand: Demand, seed: int) -> tuple[ReplayRun, bool]:
    """Return the replay's row and whether it had been begun before; a new one comes with its world, all or nothing.

    Raises Refused where the database holds anything that is not of this replay.
    """
    key = run_key(demand, seed)
    if found := ReplayRun.objects.filter(pk=key).first():
        return found, True
    _refuse_inhabited()
    first_day = demand.months[0]
    run = ReplayRun(
        id=key,
        name=demand.name[:200],
        checksum=demand.checksum,
        seed=seed,
        months=len(demand.months),
        parts=len(demand.parts),
        first_day=first_day,
        last_day=list(months_from(demand.months[-1], 2))[1] - timedelta(days=1),
        started_at=datetime.now(UTC),
    )
    try:
        with transaction.atomic():
            run.save(force_insert=True)
            imagined = world.imagine(key, demand, Dice(seed))
            world.write(imagined, by=ACTOR, source=SOURCE, at=moment(first_day, 5))
    except IntegrityError as error:
        if ReplayRun.objects.filter(pk=key).exists():
            raise Refused("Another process has begun this replay a moment ago.") from error
        raise
    return run, False


def _refuse_inhabited() -> None:
    models = (Part, Warehouse, Supplier, Customer, PartsOrder, ServiceOrder)
    held = [
        f"{count} {model._meta.verbose_name_plural}" for model in models if (count := model._default_manager.count())
    ]
    if held:
        raise Refused(
            f"A replay needs a database of its own; this one holds {', '.join(held)}. "
            "Name an empty one by DATABASE_URL, or another folder by BACKLINE_VAR, and migrate it."
        )


class Replay:
    """A replay that goes on from where its row says it stands."""

    def __init__(self, run: ReplayRun, demand: Demand, *, until: date | None = None) -> None:
        """Work out the whole plan. `until` ends the replay on that day; without it, it ends when nothing is to come."""
        dice = Dice(run.seed)
        imagined = world.imagine(run.pk, demand, dice)
        plan = make_plan(demand, dice, run.pk, list(imagined.customers.values()))
        self.stage = Stage(imagined, dice, plan)
        self._run, self._until = run, until
        self._supply, self._floor = Supply(self.stage, demand), Floor(self.stage)
        if run.lived_until:
            self._supply.restore(run.lived_until)
            self._floor.restore(run.lived_until)

    @property
    def last_day(self) -> date:
        """The day on which the orders end."""
        return min(self._run.last_day, self._until) if self._until else self._run.last_day

    def live(self) -> Iterator[Lived]:
        """Live one day after the other and yield each once it is committed. Nothing of a day that fails remains.

        Raises Refused where another process goes on with the same replay.
        """
        clock = time.monotonic()
        while (day := self._next_day()) is not None:
            is_run_out = day > self._run.last_day
            with transaction.atomic():
                self._claim(day, time.monotonic() - clock)
                clock = time.monotonic()
                taken = self._live(day, is_run_out)
            before, self._run.lived_until = self._run.lived_until, day
            if before and before.month != day.month:
                self._let_planner_look(day)
            yield Lived(day, taken, is_run_out)
        if self._run.finished_at is None:
            self._run.finished_at = datetime.now(UTC)
            self._run.seconds += time.monotonic() - clock
            self._run.save(update_fields=["finished_at", "seconds"])

    def _next_day(self) -> date | None:
        lived = self._run.lived_until
        day = lived + timedelta(days=1) if lived else self._run.first_day
        if day.weekday() == SUNDAY:
            day += timedelta(days=1)
        if self._run.finished_at or (self._until and day > self._until):
            return None
        if lived and day > self._run.last_day and (self._is_over(lived) or day > self._run.last_day + MOST_RUN_OUT):
            return None
        return day

    def _is_over(self, day: date) -> bool:
        """Tell whether nothing is under way any more: no supply, no goods, nobody who waits."""
        return (
            self._supply.is_quiet_after(day)
            and not self._floor.has_returns_after(day)
            and not OrderLine.objects.leaves().open().exists()
        )

    def _claim(self, day: date, seconds: float) -> None:
        """Note the day as lived, in its transaction: whoever else tries the same waits here and is refused."""
        self._run.seconds += seconds
        mine = ReplayRun.objects.filter(pk=self._run.pk, lived_until=self._run.lived_until)
        if self._run.lived_until is None:
            mine = ReplayRun.objects.filter(pk=self._run.pk, lived_until__isnull=True)
        if not mine.update(lived_until=day, seconds=self._run.seconds):
            raise Refused("Another process goes on with this replay; let it.")

    def _live(self, day: date, is_run_out: bool) -> ordering.Taken:
        """One day, hour by hour."""
        self._supply.hear_suppliers(day)
        self._supply.receive(day)
        self._floor.deliver(day)
        self._floor.take_back(day)
        self._floor.pick_and_pack(day)
        self._floor.ship(day)
        taken = ordering.take_orders(self.stage, day)
        ordering.cancel_unwanted(self.stage, day)
        self._floor.release(day)
        self._supply.replenish(day, is_running_out=is_run_out)
        ordering.promise_dated(day)
        ordering.promise_anew(day)
        jobs.complete_served(day)
        return taken

    def _let_planner_look(self, day: date) -> None:
        """Refresh the planner's statistics after 1, 2, 4, 8 … months: by then the tables have doubled."""
        months = (day.year - self._run.first_day.year) * 12 + day.month - self._run.first_day.month
        if months & (months - 1) == 0:
            with connection.cursor() as cursor:
                cursor.execute(sql.ANALYZE)
