"""The systems that we speak with, their interfaces, and what they call our rows."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from integrations.formats import FORMS
from integrations.models import ExternalSystem, Interface, NumberElsewhere
from parts.admin.offices import Edited, Shown


@admin.register(ExternalSystem)
class ExternalSystemOffice(Edited):
    """Who is connected, in whose name it acts, and whom to call."""

    list_display = ("code", "name", "kind", "region", "is_active", "owner")
    list_filter = (("kind", ChoicesDropdownFilter), "is_active")
    list_select_related = ("region",)
    search_fields = ("code", "name")
    autocomplete_fields = ("region", "account")
    fields = ("code", "name", "kind", "account", "region", "time_zone", "is_active", "owner", "contacts")


@admin.register(Interface)
class InterfaceOffice(Edited):
    """What is sent in which form, how often, and who answers for it."""

    list_display = ("system", "code", "name", "direction", "format", "version", "is_active", "owner")
    list_filter = (("direction", ChoicesDropdownFilter), "is_active")
    list_select_related = ("system",)
    search_fields = ("code", "name", "system__code")
    autocomplete_fields = ("system",)
    fields = (
        "system",
        "code",
        "name",
        "direction",
        "format",
        "version",
        "code_list",
        "release",
        "is_active",
        "frequency",
        "fresh_for",
        "waits_for_hours",
        "when_down",
        "owner",
        "contacts",
    )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer the forms that are read here."""
        if db_field.name == "format":
            choices = [(code, form.name) for code, form in FORMS.items()]
            return forms.ChoiceField(label=db_field.verbose_name, choices=choices)
        return super().formfield_for_dbfield(db_field, request, **kwargs)


@admin.register(NumberElsewhere)
class NumberElsewhereOffice(Shown):
    """What others call our rows."""

    list_display = ("system", "kind", "number", "subject_kind", "known_since")
    list_select_related = ("system",)
    search_fields = ("number",)
    ordering = ("system", "kind", "number", "id")
