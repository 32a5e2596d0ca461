"""What the figures' floor does in the background. Each task is safe to run twice and at the same time."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from parts.actors import Actor
from reports.actions import exports, rollups


def roll_up_figures(at: datetime | None = None) -> int:
    """Add up the days that events have touched since the last time; return how many."""
    return rollups.roll_up(by=Actor.system("figures"), at=at or datetime.now(UTC)).days


def roll_up_all_figures(at: datetime | None = None) -> int:
    """Add up all days anew, by the tiers and criticalities that hold today; return how many."""
    return rollups.roll_up(by=Actor.system("figures"), at=at or datetime.now(UTC), everything=True).days


def make_export(run_id: str) -> str:
    """Make an export; return what became of it."""
    run = exports.make_export(run_id=UUID(run_id), at=datetime.now(UTC))
    return str(run.status) if run else "nothing to do"


def clear_exports_away() -> int:
    """Delete the files of exports whose time is over; return how many exports were touched."""
    return exports.clear_away(at=datetime.now(UTC))
