"""Hours of readers: when one is not to be disturbed, and how long to wait before something is tried again."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo


def quiet_until(at: datetime, quiet_from: time | None, quiet_end: time | None, zone: ZoneInfo) -> datetime | None:
    """Return when a reader's quiet hours end that run at a moment; None where it is not quiet.

    The hours are those of a clock on the reader's wall: a night in which the clocks change is an hour longer or
    shorter, and an hour that the clocks leave out begins when they do. From and until the same hour: never quiet.
    """
    if quiet_from is None or quiet_end is None or quiet_from == quiet_end:
        return None
    day = at.astimezone(zone).date()
    for begins_on in (day - timedelta(days=1), day):
        ends_on = begins_on if quiet_from < quiet_end else begins_on + timedelta(days=1)
        begins = datetime.combine(begins_on, quiet_from, zone)
        ends = datetime.combine(ends_on, quiet_end, zone)
        if begins.timestamp() <= at.timestamp() < ends.timestamp():
            return ends.astimezone(at.tzinfo)
    return None


def pause_before(attempt: int, first: float, longest: float, chance: float) -> timedelta:
    """Return how long to wait before an attempt (2, 3, …): four times as long each time, up to the longest.

    `chance` (0 to 1) moves it by up to a fifth either way, so that what failed together is not tried together again.
    """
    if attempt < 2:
        raise ValueError("The first attempt waits for nothing.")
    seconds = min(first * 4.0 ** min(attempt - 2, 20), longest)
    return timedelta(seconds=seconds * (0.8 + 0.4 * chance))
