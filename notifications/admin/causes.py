"""The root causes of which a proposal for a status names one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from notifications.models import RootCause
from parts.admin.offices import Edited


@admin.register(RootCause)
class RootCauseOffice(Edited):
    """A small list; one that is of no use any more is no longer offered."""

    list_display = ("name", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name",)
    ordering = ("name", "id")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: proposals name it."""
        return False
