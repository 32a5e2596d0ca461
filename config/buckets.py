"""Buckets of tries that fill up again all the time: how often somebody may do something.

Kept in the memory of each process, so that it costs no query and no round trip: with N web processes somebody may get
up to N times the rate.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

#: A client that was quiet may catch up this many seconds of its rate at once.
BURST_SECONDS = 10


class Buckets:
    """One bucket per client; the least lately used is forgotten (that is: full) where there are too many."""

    def __init__(self, most: int = 10_000, clock: Callable[[], float] = time.monotonic) -> None:
        self.most, self.clock = most, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, name: str, per_minute: int, at_once: float | None = None) -> float:
        """Take one call; return 0, or the seconds after which there will be one.

        A full bucket holds `at_once` calls; by default, BURST_SECONDS of the rate.
        """
        return self._ask(name, per_minute, at_once, taking=True)

    def wait(self, name: str, per_minute: int, at_once: float | None = None) -> float:
        """Return what `take` would, and take nothing."""
        return self._ask(name, per_minute, at_once, taking=False)

    def _ask(self, name: str, per_minute: int, at_once: float | None, *, taking: bool) -> float:
        rate = per_minute / 60
        most = max(1.0, rate * BURST_SECONDS) if at_once is None else at_once
        with self._lock:
            now = self.clock()
            left, seen = self._left.pop(name, (most, now))
            left = min(most, left + (now - seen) * rate)
            wait = 0.0 if left >= 1 else (1 - left) / rate
            self._left[name] = (left if wait or not taking else left - 1, now)
            if len(self._left) > self.most:
                self._left.popitem(last=False)
        return wait

    def empty_all(self) -> None:
        """Forget everybody."""
        with self._lock:
            self._left.clear()
