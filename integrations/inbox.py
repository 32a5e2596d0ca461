"""The worker of the inbox: what was kept and not settled is worked off until told to stop."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime
from threading import Event

from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from integrations.actions.working_off import wake, work_off

logger = logging.getLogger(__name__)

POLL = 0.5
_LONGEST_PAUSE = 30.0


def run(stopping: Event, clock: Callable[[], datetime] = timezone.now) -> None:
    """Work until told to stop; where the database is away, wait for it."""
    failures = 0
    try:
        while not stopping.is_set():
            try:
                worked = step(clock())
            except (OperationalError, InterfaceError) as error:
                connection.close()
                failures += 1
                pause = min(2.0 ** min(failures, 10) / 4, _LONGEST_PAUSE)
                logger.warning("database away: %s", error, extra={"pause_seconds": pause})
                stopping.wait(pause)
                continue
            failures = 0
            if worked:
                logger.info("messages worked off: %d", worked, extra={"messages": worked})
            else:
                stopping.wait(POLL)
    finally:
        connection.close()


def step(at: datetime) -> int:
    """Wake what waited long enough, then work off what is due; return how many messages were taken up."""
    wake(at=at)
    return work_off(at=at)


def catch_up(seconds: float, clock: Callable[[], float] = time.monotonic) -> int:
    """Work off what is due now, for at most so many seconds; return how many messages were taken up."""
    total, deadline = 0, clock() + seconds
    while clock() < deadline and (worked := step(timezone.now())):
        total += worked
    return total
