"""Files on jobs: who added what, and what was taken away. They are added and read on the job's page."""

from __future__ import annotations

from django.contrib import admin
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from orders.models import Attachment
from parts.admin.offices import Shown


@admin.register(Attachment)
class AttachmentOffice(Shown):
    list_display = ("name", "service_order", "content_type", "size", "visibility", "added_by", "added_at", "removed_at")
    list_filter = (("visibility", ChoicesDropdownFilter), ("removed_at", admin.EmptyFieldListFilter))
    list_select_related = ("service_order", "added_by")
    search_fields = ("name", "service_order__reference", "sha256")
    ordering = ("-id",)
    exclude = ("file",)
