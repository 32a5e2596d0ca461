"""Replays of demand in the back office."""

from __future__ import annotations

from django.contrib import admin

from parts.admin.offices import Shown
from reports.models import ReplayRun


@admin.register(ReplayRun)
class ReplayRunOffice(Shown):
    list_display = ("name", "seed", "months", "parts", "lived_until", "started_at", "finished_at")
    search_fields = ("name", "checksum")
    ordering = ("-id",)
