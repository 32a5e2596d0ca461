"""What the figures' floor keeps for itself, split by noun."""

from reports.models.replays import ReplayRun

__all__ = ["ReplayRun"]
