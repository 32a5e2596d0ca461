"""Floor 3, figures, in the back office."""

from reports.admin import replays

__all__ = ["replays"]
