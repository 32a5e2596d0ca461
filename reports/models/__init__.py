"""What the figures' floor keeps for itself, split by noun."""

from reports.models.access import AccessChange
from reports.models.exports import ExportDownload, ExportRun
from reports.models.figures import DailyFigure, Grain
from reports.models.replays import ReplayRun

__all__ = ["AccessChange", "DailyFigure", "ExportDownload", "ExportRun", "Grain", "ReplayRun"]
