"""When what was not taken is tried again, and how long an address that fails again and again is left alone.

The ladder is that of Standard Webhooks, up to its 28th hour; each pause is a little longer by chance, so that what
failed together is not tried together again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

#: How long after the one before each attempt is made.
LADDER = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=10),
)
#: By so much of itself a pause may be longer.
_JITTER = 0.2
#: No longer than this is waited because somebody asks for it.
MOST_ASKED_FOR = timedelta(hours=1)

#: So many failures in a row, and only one delivery at a time tries whether it works again.
FAILURES = 5
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=10)
#: Nothing but failure for so long, and it is switched off.
GIVEN_UP_AFTER = timedelta(days=5)


def next_attempt(tried: int, at: datetime, chance: float, asked: timedelta | None = None) -> datetime | None:
    """Return when to try again after so many attempts, None after the last. `chance` is from 0 to 1.

    `asked` is what the other side asked for: it makes a pause longer, never shorter.
    """
    if tried >= len(LADDER):
        return None
    pause = LADDER[tried] * (1 + _JITTER * chance)
    return at + max(pause, min(asked or timedelta(), MOST_ASKED_FOR))


def left_alone(failures: int) -> timedelta | None:
    """Return how long an address is left alone after so many failures in a row, None where it is not."""
    if failures < FAILURES:
        return None
    longer: timedelta = FIRST_PAUSE * 2 ** min(failures - FAILURES, 10)
    return min(longer, LONGEST_PAUSE)


def is_given_up(failures: int, since: datetime | None, at: datetime) -> bool:
    """Tell whether nothing but failure for so long is enough."""
    return failures >= FAILURES and since is not None and at - since >= GIVEN_UP_AFTER
