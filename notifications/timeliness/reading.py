"""How soon people were told, read over days: the counts of each day and channel, and how long each leg took."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from notifications.timeliness import sql


@dataclass(frozen=True, slots=True)
class Told:
    """How many notices, and how many of them in time."""

    notices: int = 0
    in_time: int = 0

    def __add__(self, other: Told) -> Told:
        return Told(self.notices + other.notices, self.in_time + other.in_time)

    @property
    def share(self) -> float | None:
        """The share in time, of 0 to 1; None of none."""
        return self.in_time / self.notices if self.notices else None


class Place(NamedTuple):
    """What a count is of: a day and a channel."""

    day: date
    channel: str


class Span(NamedTuple):
    """How long a leg took, in seconds: half took no longer than `p50`, 95 of a hundred no longer than `p95`."""

    notices: int
    p50: float
    p95: float


def last_added_up() -> datetime | None:
    """Return when days were added up last. One statement."""
    ((moment,),) = sql.LATEST.rows()
    found: datetime | None = moment
    return found


def touched_days(since: datetime | None) -> list[date]:
    """Return the days to be added up anew: those touched since a moment, a little before it; all without one."""
    return sorted(day for (day,) in sql.TOUCHED.rows(since=since - sql.SLACK if since else sql.EVER))


class Timeliness:
    """How soon people were told between two days, both counted, right to the moment; of one region or of all."""

    def __init__(self, since: date, until: date, at: datetime, region: UUID | None = None) -> None:
        self.since, self.until, self.at, self.region = since, until, at, region
        self.fresh = [day for day in touched_days(last_added_up()) if since <= day <= until]

    def told(self) -> dict[Place, Told]:
        """Return the counts of each day and channel, what is overdue now among them. Two statements."""
        found = defaultdict(Told, self.settled())
        for day, channel, notices in sql.OVERDUE.rows(**self._overdue):
            if self.since <= day <= self.until:
                found[Place(day, channel)] += Told(int(notices), 0)
        return dict(found)

    def settled(self) -> dict[Place, Told]:
        """Return the counts of each day and channel of what was handed over or given up. One statement."""
        return {
            Place(day, channel): Told(int(notices), int(in_time))
            for day, channel, notices, in_time in sql.COUNTS.rows(**self._asked)
        }

    def overdue(self) -> int:
        """Return how many notices should have gone by now and have not. One statement."""
        return sum(int(notices) for _day, _channel, notices in sql.OVERDUE.rows(**self._overdue))

    def spans(self) -> dict[tuple[str, str], Span]:
        """Return how long each leg took, by channel and leg. One statement."""
        steps: defaultdict[tuple[str, str], dict[int, int]] = defaultdict(dict)
        for channel, leg, step, notices in sql.SPANS.rows(**self._asked):
            steps[channel, leg][step] = int(notices)
        return {key: _span(found) for key, found in steps.items()}

    @property
    def _overdue(self) -> dict[str, object]:
        return {"at": self.at, "region": self.region}

    @property
    def _asked(self) -> dict[str, object]:
        return {"days": self.fresh, "since": self.since, "until": self.until, "region": self.region}


def _span(steps: dict[int, int]) -> Span:
    """Return what steps with their counts say."""
    total = sum(steps.values())
    return Span(total, _percentile(steps, total, 0.5), _percentile(steps, total, 0.95))


def _percentile(steps: dict[int, int], total: int, share: float) -> float:
    passed = 0
    for step in sorted(steps):
        passed += steps[step]
        if passed >= share * total:
            return _seconds(step)
    raise AssertionError("A share of at most one lies in some step.")


def _seconds(step: int) -> float:
    """Return what a step stands for: its middle; nothing for the first one."""
    return 0.0 if step == 0 else float(sql.FIRST * sql.TIMES ** (step - 0.5))
