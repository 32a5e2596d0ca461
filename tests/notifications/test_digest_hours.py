"""When a digest comes: by a wall clock somewhere, once on each of its days, whatever the clocks do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from notifications.occurrences import Schedule

EVERY_DAY = range(1, 8)
BERLIN = "Europe/Berlin"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("hour", "day", "moment"),
    [
        (7, date(2026, 3, 28), "2026-03-28T06:00"),
        (7, date(2026, 3, 29), "2026-03-29T05:00"),
        (2, date(2026, 3, 29), "2026-03-29T01:00"),  # 02:00 is left out: it comes when the clocks go to 03:00
        (2, date(2026, 10, 25), "2026-10-25T00:00"),  # 02:00 comes twice: the first time
        (3, date(2026, 10, 25), "2026-10-25T02:00"),
    ],
)
def test_an_hour_is_that_of_the_wall_clock_of_that_day(hour: int, day: date, moment: str):
    assert Schedule(hour, EVERY_DAY, BERLIN).on(day).at == at(moment)


def test_an_hour_that_comes_twice_is_one_occurrence():
    schedule = Schedule(2, EVERY_DAY, BERLIN)
    first = schedule.next_after(at("2026-10-24T12:00"))
    assert first.at == at("2026-10-25T00:00")
    assert schedule.next_after(first.at).at == at("2026-10-26T01:00")
    assert schedule.latest_until(at("2026-10-25T01:30")) == first  # while it is 02:30 there for the second time


def test_every_day_of_a_year_has_exactly_one_occurrence():
    for zone in (BERLIN, "America/St_Johns", "Pacific/Chatham", "Australia/Lord_Howe", "America/Santiago"):
        for hour in (0, 2, 23):
            schedule = Schedule(hour, EVERY_DAY, zone)
            one = schedule.next_after(at("2026-01-01T12:00"))
            days = [one.day]
            while len(days) < 370:
                following = schedule.next_after(one.at)
                assert following.at > one.at
                assert schedule.latest_until(following.at) == following
                assert schedule.latest_until(following.at - timedelta(seconds=1)) == one
                one = following
                days.append(one.day)
            assert days == [days[0] + timedelta(days=number) for number in range(370)]


def test_days_that_are_not_meant_are_left_out():
    working = Schedule(7, (1, 2, 3, 4, 5), BERLIN)
    friday = working.next_after(at("2026-11-19T12:00"))
    assert friday.day == date(2026, 11, 20)
    assert working.next_after(friday.at).day == date(2026, 11, 23)
    assert working.latest_until(at("2026-11-22T12:00")) == friday


def test_a_day_that_had_its_own_gets_no_second_one_after_a_move_west():
    west = Schedule(7, EVERY_DAY, "America/Los_Angeles")
    tokyo = Schedule(7, EVERY_DAY, "Asia/Tokyo").on(date(2026, 11, 22))
    moved = tokyo.at + timedelta(hours=1)
    assert west.next_after(moved).day == date(2026, 11, 22)
    assert west.next_after(moved, tokyo.day).day == date(2026, 11, 23)


def test_no_day_of_the_week_is_no_schedule():
    with pytest.raises(ValueError, match="no day"):
        Schedule(7, (), BERLIN).next_after(at("2026-11-22T12:00"))
