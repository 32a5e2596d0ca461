"""The tabs over what is to be watched: alerts, what could not be told, when nothing goes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from notifications import dead_list, window_list


@dataclass(frozen=True, slots=True)
class Tab:
    """A page beside the others; `count` is how much stands there, as it is written."""

    name: str
    title: Any
    address: str
    count: str = ""


#: Name, title, page, who may see it.
_TABS = (
    ("alerts", _("Alerts"), "messages:alerts", "notifications.view_alert"),
    ("dead", _("Undelivered"), "messages:dead", "notifications.view_notice"),
    ("windows", _("Maintenance windows"), "messages:windows", "notifications.view_maintenancewindow"),
)


def watch_tabs(request: HttpRequest, here: str) -> dict[str, Any]:
    """Return what the tabs show; `here` is the present one. Two statements."""
    shown = [
        Tab(name, title, reverse(page), _count(name))
        for name, title, page, right in _TABS
        if request.user.has_perm(right)
    ]
    return {"watch_tabs": shown, "watch_tab": here}


def _count(name: str) -> str:
    if name == "windows":
        return str(window_list.count_holding(timezone.now()) or "")
    if name != "dead":
        return ""
    number = dead_list.count_open()
    return f"{dead_list.MOST_COUNTED}+" if number > dead_list.MOST_COUNTED else str(number or "")
