"""The systems that we speak with, their interfaces, and what they call our rows."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from integrations import registry
from integrations.formats import FORMS
from integrations.models import ExternalSystem, Interface, NumberElsewhere
from integrations.statuses import Direction, Freshness, MessageStatus
from parts.admin.offices import Edited, Shown
from parts.labels import mark, moment_label

#: So many interfaces are looked at to say which are silent.
MOST_LOOKED_AT = 500
_TONES = {
    Freshness.FRESH: ("success", "circle-check"),
    Freshness.SILENT: ("danger", "triangle-alert"),
    Freshness.NEVER: ("warning", "hourglass"),
    Freshness.ON_NEWS: ("neutral", "refresh-cw"),
    Freshness.NOT_EXPECTED: ("neutral", "ban"),
}


def _mark(freshness: Freshness) -> SafeString:
    tone, icon = _TONES[freshness]
    return mark(tone, icon, freshness.label)


@admin.register(ExternalSystem)
class ExternalSystemOffice(Edited):
    """Who is connected, in whose name it acts, and whom to call."""

    list_display = ("code", "name", "kind", "region", "is_active", "owner")
    list_filter = (("kind", ChoicesDropdownFilter), "is_active")
    list_select_related = ("region",)
    search_fields = ("code", "name")
    autocomplete_fields = ("region", "account", "supplier", "numbers_of")
    fields = (
        "code",
        "name",
        "kind",
        "account",
        "region",
        "supplier",
        "numbers_of",
        "time_zone",
        "is_active",
        "owner",
        "contacts",
    )


@admin.register(Interface)
class InterfaceOffice(Edited):
    """What is sent in which form, how often, who answers for it, and whether it was heard as lately as it should be."""

    list_display = ("system", "code", "name", "direction", "freshness", "last_heard", "needing", "version", "owner")
    overview_template = "admin/integrations/interface/overview.html"
    panel_template = "admin/integrations/interface/panel.html"
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
        "fields",
        "is_active",
        "frequency",
        "fresh_for",
        "waits_for_hours",
        "when_down",
        "owner",
        "contacts",
    )

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Find out how the interfaces of the list stand, all at once."""
        changelist = super().get_changelist_instance(request)
        changelist.result_list = list(changelist.result_list)
        found = registry.standings(changelist.result_list, timezone.now())
        for row in changelist.result_list:
            row.standing = found[row.pk]
        return changelist

    def overview(self, request: HttpRequest) -> dict[str, Any]:
        """Return which interfaces are silent; nobody has so many that they could not be looked at one by one."""
        rows = Interface.objects.filter(is_active=True, system__is_active=True, direction=Direction.IN)
        looked_at = list(rows.select_related("system")[:MOST_LOOKED_AT])
        found = registry.standings(looked_at, timezone.now())
        return {"silent": [(row, found[row.pk]) for row in looked_at if found[row.pk].freshness == Freshness.SILENT]}

    def panel(self, request: HttpRequest, subject: Interface) -> dict[str, Any]:
        """Return how the interface stands, and which field of its messages becomes what."""
        standing = registry.standings([subject], timezone.now())[subject.pk]
        return {
            "standing": standing,
            "mark": _mark(standing.freshness),
            "counted": [(status, label, standing.counts.get(status, 0)) for status, label in MessageStatus.choices],
            "most": registry.MOST_COUNTED,
        }

    @display(description=_("heard"))
    def freshness(self, row: Any) -> SafeString:
        """Whether it was heard as lately as it should be."""
        return _mark(row.standing.freshness)

    @display(description=_("last heard"))
    def last_heard(self, row: Any) -> SafeString | str:
        """When its newest message came."""
        return moment_label(row.standing.last_at) if row.standing.last_at else "–"

    @display(description=_("needs somebody"))
    def needing(self, row: Any) -> str:
        """How many of its messages of the last day wait for somebody."""
        return f"{row.standing.needing}{'+' if row.standing.is_more else ''}" if row.standing.total else "–"

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
