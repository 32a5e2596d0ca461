"""Runs the consumers of the ledger: until stopped (`manage.py consume_events`), or once over all (the safety net)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from threading import Event

from django.db import InterfaceError, OperationalError, connection

from orders.cursors import Handler, check_numbering, process

logger = logging.getLogger(__name__)

#: How many events a consumer gets at a time.
BATCH = 500
#: How long to wait after nothing was found, in seconds (docs/adr/0004-consumers-poll-the-ledger.md).
POLL = 0.5
#: How long a consumer that failed is left alone, or a database that is away; doubled each time, up to the longest.
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0


def pause_after(failures: int) -> float:
    """Return how many seconds to wait after so many failures in a row."""
    return min(FIRST_PAUSE * 2.0 ** min(failures - 1, 20), LONGEST_PAUSE)


@dataclass(slots=True)
class Consumer:
    """A consumer and how it fares: after a failure it pauses, while the others go on."""

    name: str
    handler: Handler
    failures: int = 0
    paused_until: float = 0.0

    def step(self, now: float) -> int:
        """Do one batch; return how many events that was. A failure is logged and paused for, and the batch comes again.

        Raises OperationalError or InterfaceError where the database itself is away.
        """
        if now < self.paused_until:
            return 0
        connection.ensure_connection()
        session = connection.connection
        try:
            read = process(name=self.name, handler=self.handler, limit=BATCH).read
        except Exception as error:  # whatever a consumer's own code raises must not stop the other consumers
            lost = connection.connection is not session or not connection.is_usable()  # Django may be back already
            if lost and isinstance(error, OperationalError | InterfaceError):
                raise
            self.failures += 1
            pause = pause_after(self.failures)
            self.paused_until = now + pause
            facts = {"consumer": self.name, "failures": self.failures, "pause_seconds": pause}
            logger.exception("consumer failed: %s", self.name, extra=facts)
            return 0
        if self.failures:
            logger.info("consumer goes on: %s", self.name, extra={"consumer": self.name, "failures": self.failures})
        self.failures, self.paused_until = 0, 0.0
        if read:
            logger.info("events consumed: %d by %s", read, self.name, extra={"consumer": self.name, "events": read})
        return read


def consumers_of(handlers: Mapping[str, Handler]) -> list[Consumer]:
    """Return a consumer for each registered handler."""
    return [Consumer(name, handler) for name, handler in handlers.items()]


def run(consumers: Iterable[Consumer], stopping: Event, clock: Callable[[], float] = time.monotonic) -> None:
    """Consume until told to stop, through restarts of the database. Raises LedgerAhead after a wrong restore."""
    consumers, failures, checked = list(consumers), 0, False
    while not stopping.is_set():
        try:
            if not checked:
                check_numbering()
                checked = True
            read = sum(consumer.step(clock()) for consumer in consumers)
        except (OperationalError, InterfaceError) as error:
            connection.close()
            failures, checked = failures + 1, False
            pause = pause_after(failures)
            logger.warning("database away: %s", error, extra={"failures": failures, "pause_seconds": pause})
            stopping.wait(pause)
            continue
        if failures:
            logger.info("database back", extra={"failures": failures})
            failures = 0
        if not read:
            stopping.wait(POLL)


def catch_up(consumers: Iterable[Consumer], seconds: float, clock: Callable[[], float] = time.monotonic) -> int:
    """Consume what there is now, for at most so many seconds; return how many events that was."""
    consumers, total, deadline = list(consumers), 0, clock() + seconds
    check_numbering()
    while clock() < deadline:
        read = sum(consumer.step(clock()) for consumer in consumers)
        if not read:
            break
        total += read
    return total
