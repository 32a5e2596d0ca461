"""When a digest comes: by the hour of a wall clock somewhere, on some days of the week, once on each of those days.

An hour that the clocks leave out comes at the moment at which they leave it out; one that comes twice, the first time.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from notifications.readers import zone_of

#: Within so many days each day of the week comes, also where somebody moved from one zone to any other meanwhile.
_LONGEST = 10


class Occurrence(NamedTuple):
    """A day on which a digest comes, by its reader's calendar, and the moment (UTC) at which it does."""

    day: date
    at: datetime


@dataclass(frozen=True, slots=True)
class Schedule:
    """An hour of a wall clock in a zone, on these days of the week (ISO: Monday is 1)."""

    hour: int
    weekdays: Collection[int]
    zone: str

    def on(self, day: date) -> Occurrence:
        """Return when it comes on a day."""
        return Occurrence(day, datetime.combine(day, time(self.hour), zone_of(self.zone)).astimezone(UTC))

    def next_after(self, moment: datetime, after_day: date | None = None) -> Occurrence:
        """Return the first one after a moment, and after a day that had its own."""
        here = moment.astimezone(zone_of(self.zone)).date()
        for ahead in range(-1, _LONGEST):
            one = self.on(here + timedelta(days=ahead))
            if self._is_meant(one.day) and one.at > moment and (after_day is None or one.day > after_day):
                return one
        raise ValueError("It comes on no day of the week.")

    def latest_until(self, moment: datetime) -> Occurrence | None:
        """Return the last one until a moment, within a week."""
        here = moment.astimezone(zone_of(self.zone)).date()
        days = (here + timedelta(days=1 - back) for back in range(_LONGEST))
        return next((one for one in map(self.on, days) if self._is_meant(one.day) and one.at <= moment), None)

    def _is_meant(self, day: date) -> bool:
        return day.isoweekday() in self.weekdays
