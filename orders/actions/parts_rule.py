"""The rule by which a service order waits for parts: paused when a line of it is short, let go on when none waits.

Service orders are locked after all orders, and all in one round (docs/adr/0006). So whoever works on lines opens
`jobs_last`; what happens inside of it only notes whom it concerns, and they follow at its end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from orders.actions import service_orders
from orders.actions.service_orders import Job
from orders.ledger import Cause, Ledger
from orders.models import OrderLine
from orders.statuses import LineStatus, ServiceOrderStatus
from parts.actors import Actor

IN_PROGRESS = ServiceOrderStatus.IN_PROGRESS.value
AWAITING_PARTS = ServiceOrderStatus.AWAITING_PARTS.value


class Jobs:
    """Service orders that something has happened to the lines of, until they follow."""

    def __init__(self, cause: Cause) -> None:
        self._cause = cause
        self._short: set[UUID] = set()
        self._maybe_short: dict[UUID, UUID] = {}
        self._served: set[UUID] = set()

    def are_short(self, ids: Iterable[UUID | None]) -> None:
        """Note the jobs of lines that became short, and that nobody will serve before the end."""
        self._short.update(key for key in ids if key)

    def may_be_short(self, jobs: Mapping[UUID, UUID | None]) -> None:
        """Note, by line, the jobs of lines that became short, and that may have got stock by the end."""
        self._maybe_short |= {line_id: key for line_id, key in jobs.items() if key}

    def may_go_on(self, ids: Iterable[UUID | None]) -> None:
        """Note the jobs of lines that got stock, or wait no more."""
        self._served.update(key for key in ids if key)

    def follow(self, also: Collection[UUID] = ()) -> dict[UUID, Job]:
        """Lock the jobs noted so far, and `also` these, and let them follow; return them as they stand.

        One that is in progress is paused where the line that became short still waits; one that awaits parts goes on
        where no line of it waits any more. Their lines are looked at after the locks: of two orders of one job that are
        filled at the same time, the second sees what the first has written, and so one of the two lets the job go on.
        """
        doubtful = self._served.union(self._maybe_short.values())
        ids = doubtful.union(self._short, also)
        if not ids:
            return {}
        jobs = service_orders.lock(ids)
        asked = [job.id for job in jobs.values() if job.id in doubtful and job.status in (IN_PROGRESS, AWAITING_PARTS)]
        waiting = _waiting_lines(asked)
        short = self._short | {key for line_id, key in self._maybe_short.items() if line_id in waiting.get(key, ())}
        ledger = Ledger(Cause(by=Actor.system("parts-rule"), source=self._cause.source, at=self._cause.at))
        steps = [(job, AWAITING_PARTS) for job in jobs.values() if job.status == IN_PROGRESS and job.id in short]
        steps += [
            (jobs[key], IN_PROGRESS) for key in asked if jobs[key].status == AWAITING_PARTS and key not in waiting
        ]
        for job, to in steps:
            job.check_step(to)
            ledger.record(job, "service_order.status_changed", to=to, data={"rule": "parts"})
        if steps:
            service_orders.write([job for job, _to in steps], ledger)
        self._short, self._maybe_short, self._served = set(), {}, set()
        return jobs


_noted: ContextVar[Jobs | None] = ContextVar("noted", default=None)


@contextmanager
def jobs_last(cause: Cause) -> Iterator[Jobs]:
    """Note whose lines change, and let their service orders follow at the end, once; within another, at its end."""
    outer = _noted.get()
    if outer is not None:
        yield outer
        return
    jobs = Jobs(cause)
    token = _noted.set(jobs)
    try:
        yield jobs
    finally:
        _noted.reset(token)
    jobs.follow()


def _waiting_lines(ids: Collection[UUID]) -> dict[UUID, set[UUID]]:
    """Return the waiting lines of those of these jobs that have any; one statement, none where nobody is asked."""
    found: dict[UUID, set[UUID]] = defaultdict(set)
    if ids:
        lines = OrderLine.objects.filter(
            order__service_order__in=ids, is_split=False, status__in=[LineStatus.BACK_ORDERED, LineStatus.OPEN]
        )
        for key, line_id in lines.order_by().values_list("order__service_order", "pk"):
            found[key].add(line_id)
    return found
