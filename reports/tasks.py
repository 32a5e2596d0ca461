"""What the figures' floor does in the background. Each task is safe to run twice and at the same time."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from parts.actors import Actor
from reports.actions import exports, rollups

#: For how long a pass over all days goes on in one task; the task of the next minute goes on with it.
SECONDS = 40.0


def roll_up_figures(at: datetime | None = None) -> int:
    """Add up the days that events have touched since the last time, and go on with all days where that is under way;
    return how many. Where another one does so already, this worker is free for something else."""
    at = at or datetime.now(UTC)
    return rollups.roll_up(by=Actor.system("figures"), at=at, seconds=SECONDS, waits=False).days


def roll_up_all_figures(at: datetime | None = None) -> int:
    """Begin to add up all days anew, by the tiers and criticalities that hold today; return how many it came to."""
    at = at or datetime.now(UTC)
    return rollups.roll_up(by=Actor.system("figures"), at=at, everything=True, seconds=SECONDS, waits=False).days


def make_export(run_id: str) -> str:
    """Make an export; return what became of it."""
    run = exports.make_export(run_id=UUID(run_id), at=datetime.now(UTC))
    return str(run.status) if run else "nothing to do"


def clear_exports_away() -> int:
    """Delete the files of exports whose time is over; return how many exports were touched."""
    return exports.clear_away(at=datetime.now(UTC))
