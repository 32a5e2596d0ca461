"""Quiet hours over changes of the clock, digests at their hour, pauses that grow."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from notifications.hours import pause_before, quiet_until
from notifications.planning import next_hour

BERLIN = ZoneInfo("Europe/Berlin")


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "until"),
    [
        (utc(2026, 3, 28, 21, 0), utc(2026, 3, 29, 5, 0)),  # the clocks go forward in this night: 7:00 is 5:00 UTC
        (utc(2026, 3, 27, 21, 0), utc(2026, 3, 28, 6, 0)),
        (utc(2026, 10, 24, 21, 0), utc(2026, 10, 25, 6, 0)),  # and back in this one
        (utc(2026, 10, 25, 5, 59), utc(2026, 10, 25, 6, 0)),
        (utc(2026, 10, 25, 6, 0), None),
        (utc(2026, 6, 1, 12, 0), None),
        (utc(2026, 6, 1, 19, 59), utc(2026, 6, 2, 5, 0)),  # 21:59 in Berlin, quiet from 20:00
        (utc(2026, 6, 1, 17, 59), None),
    ],
)
def test_quiet_hours_are_those_of_the_clock_on_the_wall(at: datetime, until: datetime | None):
    assert quiet_until(at, time(20), time(7), BERLIN) == until


def test_quiet_hours_within_a_day():
    assert quiet_until(utc(2026, 6, 1, 10, 30), time(12), time(13), BERLIN) == utc(2026, 6, 1, 11, 0)
    assert quiet_until(utc(2026, 6, 1, 11, 0), time(12), time(13), BERLIN) is None


def test_no_hours_and_an_empty_span_are_never_quiet():
    assert quiet_until(utc(2026, 6, 1, 2, 0), None, None, BERLIN) is None
    assert quiet_until(utc(2026, 6, 1, 2, 0), time(3), time(3), BERLIN) is None


@pytest.mark.parametrize(
    ("after", "hour", "then"),
    [
        (utc(2026, 6, 1, 4, 59), 7, utc(2026, 6, 1, 5)),
        (utc(2026, 6, 1, 5, 0), 7, utc(2026, 6, 2, 5)),
        (utc(2026, 3, 28, 12, 0), 7, utc(2026, 3, 29, 5)),
        (utc(2026, 10, 24, 12, 0), 7, utc(2026, 10, 25, 6)),
        (utc(2026, 10, 24, 23, 30), 2, utc(2026, 10, 25, 0)),  # two o'clock comes twice: at its first time
    ],
)
def test_a_digest_comes_at_its_hour_in_its_readers_zone(after: datetime, hour: int, then: datetime):
    assert next_hour(after, hour, "Europe/Berlin") == then


def test_an_hour_that_the_clocks_leave_out_still_comes_once():
    first = next_hour(utc(2026, 3, 28, 12, 0), 2, "Europe/Berlin")
    assert utc(2026, 3, 29, 0) < first <= utc(2026, 3, 29, 1)
    assert next_hour(first, 2, "Europe/Berlin") == utc(2026, 3, 30, 0)


def test_pauses_grow_fourfold_up_to_the_longest_and_vary_by_a_fifth():
    seconds = [pause_before(attempt, 30, 14_400, 0.5).total_seconds() for attempt in range(2, 9)]
    assert seconds == [30, 120, 480, 1920, 7680, 14_400, 14_400]
    assert pause_before(2, 30, 14_400, 0.0) == timedelta(seconds=24)
    assert pause_before(2, 30, 14_400, 1.0) == timedelta(seconds=36)
    assert pause_before(500, 30, 14_400, 0.5) == timedelta(seconds=14_400)
    with pytest.raises(ValueError, match="first attempt"):
        pause_before(1, 30, 14_400, 0.5)
