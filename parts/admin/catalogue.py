"""Parts, their numbers elsewhere, their relations and what they are sorted by."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import display

from parts.admin.importing import import_deed
from parts.admin.offices import Edited, Office
from parts.labels import plain
from parts.models import Category, Part, PartNumber, PartRelation, PurchaseOrderLine, StockLevel, UnitOfMeasure
from parts.querysets import AVAILABLE


@admin.register(UnitOfMeasure)
class UnitOfMeasureOffice(Office):
    list_display = ("code", "name", "decimals")
    search_fields = ("code", "name")
    ordering = ("code",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Keep the code of a unit in use: it is its key."""
        return ("code",) if obj else ()


@admin.register(Category)
class CategoryOffice(Office):
    list_display = ("path", "name")
    search_fields = ("path", "name")
    ordering = ("path",)


class PartNumbers(TabularInline):
    model = PartNumber
    extra = 0
    tab = True


@admin.register(Part)
class PartOffice(Edited):
    list_display = ("number", "description", "category", "criticality", "ved_class", "free", "unit", "unit_cost")
    list_filter = (
        ("category", AutocompleteSelectFilter),
        ("criticality", ChoicesDropdownFilter),
        ("ved_class", ChoicesDropdownFilter),
        "is_active",
    )
    list_select_related = ("category", "unit")
    search_fields = ("number", "description", "numbers__number")
    search_help_text = _("Part number, description, or the number in another system")
    autocomplete_fields = ("category", "unit")
    ordering = ("number",)
    inlines = (PartNumbers,)
    panel_template = "admin/parts/part/panel.html"
    deeds = (import_deed("catalogue", _("Import the catalogue"), "parts.import_catalogue"),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Part]:
        """Read along what is available, everywhere together; worked out for the rows of the page alone."""
        seen = StockLevel.objects.shown_in_lists(request.user)
        levels = seen.filter(part=OuterRef("pk")).order_by().values("part")
        return (
            super().get_queryset(request).annotate(free=Subquery(levels.annotate(free=Sum(AVAILABLE)).values("free")))
        )

    @display(description=_("available"))
    def free(self, part: Any) -> str:
        """On hand, neither reserved nor unfit, in all warehouses."""
        return plain(part.free) or "0"

    def panel(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Show where it lies and what is on its way."""
        seen = StockLevel.objects.shown_in_lists(request.user).filter(part=subject)
        levels = seen.with_available().select_related("warehouse")
        incoming = PurchaseOrderLine.objects.filter(part=subject).incoming().with_open_quantity().in_time_order()
        return {
            "levels": list(levels.order_by("warehouse__code", "condition", "id")[:100]),
            "incoming": list(incoming.select_related("purchase_order__supplier", "purchase_order__warehouse")[:20]),
        }


@admin.register(PartNumber)
class PartNumberOffice(Office):
    list_display = ("number", "system", "part")
    list_filter = (("part", AutocompleteSelectFilter),)
    list_select_related = ("part",)
    search_fields = ("number", "system", "part__number")
    autocomplete_fields = ("part",)
    ordering = ("-id",)


@admin.register(PartRelation)
class PartRelationOffice(Edited):
    list_display = ("part", "kind", "other", "both_ways", "quantity_factor", "effective_from", "effective_until")
    list_filter = (("kind", ChoicesDropdownFilter), ("part", AutocompleteSelectFilter))
    list_select_related = ("part", "other")
    search_fields = ("part__number", "other__number")
    autocomplete_fields = ("part", "other")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PartRelation]:
        """Read both parts along: the name of a relation is made of them."""
        return super().get_queryset(request).select_related("part", "other")
