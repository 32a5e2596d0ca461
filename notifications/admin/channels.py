"""The channels and the maintenance windows, looked at."""

from __future__ import annotations

from django.contrib import admin
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from notifications.models import ChannelSetting, MaintenanceWindow
from parts.admin.offices import Shown


@admin.register(ChannelSetting)
class ChannelSettingOffice(Shown):
    """What each channel bears, and whether its provider fails."""

    list_display = ("channel", "is_on", "per_second", "per_day", "gap_seconds", "most_attempts", "failing_since")
    list_filter = ("is_on",)
    search_fields = ("channel",)


@admin.register(MaintenanceWindow)
class MaintenanceWindowOffice(Shown):
    """When notices are held, by whom and why."""

    list_display = ("name", "starts_at", "ends_at", "source", "region", "channel", "reason")
    list_select_related = ("region",)
    list_filter = (("channel", ChoicesDropdownFilter),)
    search_fields = ("name", "reason", "source")
