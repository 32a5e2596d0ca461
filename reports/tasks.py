"""What the figures' floor does by the clock. Each task is safe to run twice and at the same time."""

from __future__ import annotations

from datetime import UTC, datetime

from parts.actors import Actor
from reports.actions import rollups


def roll_up_figures(at: datetime | None = None) -> int:
    """Add up the days that events have touched since the last time; return how many."""
    return rollups.roll_up(by=Actor.system("figures"), at=at or datetime.now(UTC)).days


def roll_up_all_figures(at: datetime | None = None) -> int:
    """Add up all days anew, by the tiers and criticalities that hold today; return how many."""
    return rollups.roll_up(by=Actor.system("figures"), at=at or datetime.now(UTC), everything=True).days
