"""Floor 3, machines, in the back office."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from unfold.contrib.filters.admin import RangeDateTimeFilter

from integrations.models import IdempotentRequest
from parts.admin.offices import Shown


@admin.register(IdempotentRequest)
class IdempotentRequestOffice(Shown):
    list_display = ("created_at", "client", "key", "status")
    list_filter = (("created_at", RangeDateTimeFilter),)
    search_fields = ("client", "key")
    ordering = ("-id",)
    fields = ("client", "key", "status", "created_at")

    def title_of(self, subject: Any) -> str:
        """Say who asked and by which key."""
        return str(subject)
