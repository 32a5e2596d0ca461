"""The channels: how each is used, whether its provider fails; and the maintenance windows, looked at."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from notifications.actions import failing
from notifications.models import ChannelSetting, MaintenanceWindow, Notice
from notifications.statuses import NoticeState
from notifications.transports import choosing
from parts.admin.deeds import Deed, Done
from parts.admin.offices import Edited, ReasonedForm, Shown

#: No more of what waits is counted.
_MOST_COUNTED = 1_000


class ChannelForm(ReasonedForm):
    """How a channel is used. What contradicts itself is said at its field."""

    def clean(self) -> dict[str, Any]:
        """Say what cannot be."""
        said = super().clean() or {}
        for name in ("per_second", "most_attempts", "first_pause_seconds"):
            if said.get(name) == 0:
                self.add_error(name, _("At least 1."))
        first, longest = said.get("first_pause_seconds"), said.get("longest_pause_seconds")
        if first and longest is not None and longest < first:
            self.add_error("longest_pause_seconds", _("At least as long as the first pause."))
        return said


def _try_now(setting: ChannelSetting, _data: Any, told: dict[str, Any]) -> Done:
    failing.try_now(channel=setting.pk, by=told["by"], at=told["at"])
    return Done(_g("It is tried with the next notice."))


@admin.register(ChannelSetting)
class ChannelSettingOffice(Edited):
    """What each channel bears, and whether its provider fails."""

    list_display = (
        "channel",
        "is_on",
        "per_second",
        "per_day",
        "gap_seconds",
        "most_attempts",
        "failing_since",
        "trial_at",
    )
    list_filter = ("is_on",)
    search_fields = ("channel",)
    fields = (
        "is_on",
        "per_second",
        "per_day",
        "gap_seconds",
        "most_attempts",
        "first_pause_seconds",
        "longest_pause_seconds",
        "resend_in_doubt",
    )
    panel_template = "admin/notifications/channel.html"
    deeds = (
        Deed(
            slug="try-now",
            title=_("Try now"),
            permission="notifications.change_channelsetting",
            act=_try_now,
            offered=lambda setting: setting.trial_at is not None and setting.trial_at > timezone.now(),
            icon="restart_alt",
            inline=True,
        ),
    )

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[ModelForm[Any]]:
        """Say what cannot be at its field, where it may be edited."""
        if self.has_change_permission(request, obj):
            kwargs["form"] = ChannelForm
        return super().get_form(request, obj, change=change, **kwargs)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: the channels are what the program knows."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody, likewise."""
        return False

    def panel(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Return by whose hands it leaves, and what waits for it."""
        waiting = Notice.objects.filter(channel=subject.pk, state=NoticeState.WAITING)
        return {
            "channel_leaves_by": choosing.named(subject.pk),
            "channel_waiting": waiting.order_by()[: _MOST_COUNTED + 1].count(),
            "channel_most": _MOST_COUNTED,
            "channel_is_paused": subject.trial_at is not None and subject.trial_at > timezone.now(),
        }


@admin.register(MaintenanceWindow)
class MaintenanceWindowOffice(Shown):
    """When notices are held, by whom and why."""

    list_display = ("name", "starts_at", "ends_at", "source", "region", "channel", "reason")
    list_select_related = ("region",)
    list_filter = (("channel", ChoicesDropdownFilter),)
    search_fields = ("name", "reason", "source")
