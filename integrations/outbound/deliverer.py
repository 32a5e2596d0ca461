"""The worker that tells subscribers: the quick ones by some threads, those that fail or answer slowly by others.

So one that answers after fifteen seconds, or never, delays none of the others. Of the quick ones, too, each has its
share of the threads and no more.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, Lock, Thread
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from integrations.actions import delivering
from integrations.actions.delivering import Batch, Claimed, Outcome
from integrations.outbound.ways import WAYS, Outgoing, Way
from parts.sealing import NoSealingKey

logger = logging.getLogger(__name__)

#: So many are claimed at once; what is not told within so many seconds is given back.
BATCH, BATCH_SECONDS = 50, 60.0
#: What came of attempts is written down this often, in seconds.
_FLUSH_SECONDS = 1.0
#: How long to wait after nothing was due, and after what is due had to wait for its rate, in seconds.
POLL, _SHORT_POLL = 0.5, 0.05
_LONGEST_PAUSE = 30.0
#: How many threads tell the quick ones, and how many the others.
QUICK, SLOW = 4, 2


class Shares:
    """Which subscribers are being told by this process, and by how many threads at once."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._taken: Counter[UUID] = Counter()
        self._lock = Lock()

    def full(self) -> list[UUID]:
        """Return the subscribers that have their share."""
        with self._lock:
            return [key for key, count in self._taken.items() if count >= self.most]

    @contextmanager
    def one_of(self, key: UUID) -> Iterator[bool]:
        """Take a part of a subscriber's share for a while, if there is one left."""
        with self._lock:
            is_ours = self._taken[key] < self.most
            self._taken[key] += is_ours
        try:
            yield is_ours
        finally:
            with self._lock:
                self._taken[key] -= is_ours
                if not self._taken[key]:
                    del self._taken[key]


@dataclass(slots=True)
class Deliverer:
    """One thread's work: one lane of subscribers."""

    is_slow: bool
    shares: Shares
    stopping: Event = field(default_factory=Event)
    clock: Callable[[], datetime] = timezone.now
    timer: Callable[[], float] = time.monotonic

    def step(self) -> tuple[int, bool]:
        """Tell one batch of the subscriber that waited longest; return how many were tried, and whether any is due."""
        at = self.clock()
        found = delivering.due(is_slow=self.is_slow, busy=self.shares.full(), at=at)
        for key in found:
            with self.shares.one_of(key) as is_ours:
                batch = self._claim(key, at) if is_ours else None
                if batch:
                    return self._tell(batch), True
        return 0, bool(found)

    def _claim(self, key: UUID, at: datetime) -> Batch | None:
        try:
            return delivering.claim(subscriber=key, most=BATCH, at=at)
        except NoSealingKey as refusal:
            logger.error("a subscriber's secret cannot be opened: %s", refusal, extra={"subscriber": str(key)})
            return None

    def _tell(self, batch: Batch) -> int:
        """Tell a batch, and write down what came of it; return how many were tried."""
        way = WAYS[batch.road](batch.address, batch.secrets)
        outcomes: list[Outcome] = []
        tried, flushed, began = 0, self.timer(), self.timer()
        left: list[Claimed] = list(batch.claimed)
        try:
            while left and not self.stopping.is_set() and self.timer() - began < BATCH_SECONDS:
                outcome = self._tell_one(way, left.pop(0))
                outcomes.append(outcome)
                tried += 1
                if outcome.said.is_busy or outcome.said.is_gone:
                    break
                if self.timer() - flushed >= _FLUSH_SECONDS:
                    delivering.record(batch=batch, outcomes=outcomes)
                    outcomes, flushed = [], self.timer()
        finally:
            way.close()
        delivering.record(batch=batch, outcomes=outcomes, given_back=left)
        return tried

    def _tell_one(self, way: Way, claimed: Claimed) -> Outcome:
        began = self.timer()
        said = way.tell(Outgoing(claimed.message_id, claimed.body), self.clock())
        return Outcome(claimed, self.clock(), int((self.timer() - began) * 1000), said)


def run(stopping: Event, quick: int = QUICK, slow: int = SLOW) -> None:
    """Tell subscribers until told to stop; where the database is away, wait for it."""
    lanes = [(False, quick, Shares(max(1, quick // 2))), (True, slow, Shares(1))]
    threads = [
        Thread(target=_run_one, args=(Deliverer(is_slow, shares, stopping),), name=f"deliver {number}")
        for is_slow, count, shares in lanes
        for number in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _run_one(deliverer: Deliverer) -> None:
    stopping, failures = deliverer.stopping, 0
    try:
        while not stopping.is_set():
            try:
                told, is_due = deliverer.step()
            except (OperationalError, InterfaceError) as error:
                connection.close()
                failures += 1
                pause = min(2.0 ** min(failures, 10) / 4, _LONGEST_PAUSE)
                logger.warning("database away: %s", error, extra={"pause_seconds": pause})
                stopping.wait(pause)
                continue
            failures = 0
            if told:
                logger.debug("subscribers told: %d", told, extra={"deliveries": told})
            else:
                stopping.wait(_SHORT_POLL if is_due else POLL)
    finally:
        connection.close()


def catch_up(seconds: float, clock: Callable[[], float] = time.monotonic) -> int:
    """Tell what is due now, for at most so many seconds; return how many were tried."""
    total, deadline = 0, clock() + seconds
    lanes = [Deliverer(False, Shares(1)), Deliverer(True, Shares(1))]
    while clock() < deadline and (told := sum(lane.step()[0] for lane in lanes)):
        total += told
    return total
