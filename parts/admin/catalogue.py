"""Parts, their numbers elsewhere, their relations and what they are sorted by."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import Field, OuterRef, QuerySet, Subquery, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import display

from parts.actions.changing import FIELDS, approve, refuse, request_change, text_of, withdraw
from parts.admin.deeds import Deed, Done, ReasonForm, told
from parts.admin.importing import import_deed
from parts.admin.offices import Edited, Office, ReasonedForm, Shown
from parts.errors import Refused
from parts.labels import plain, status_label
from parts.models import (
    Category,
    Part,
    PartChange,
    PartNumber,
    PartRelation,
    PurchaseOrderLine,
    StockLevel,
    UnitOfMeasure,
)
from parts.querysets import AVAILABLE
from parts.relations import drawing_of


class _PartRequest(HttpRequest):
    """A request that may have led to a change request, where the part was to be saved."""

    asked_for: bool


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


class PartForm(ReasonedForm):
    """A part. What changes about a controlled one is asked for, and a reason goes with it."""

    def clean(self) -> dict[str, Any]:
        """Want a reason where another person has to approve."""
        cleaned: dict[str, Any] = super().clean() or {}
        asks = self.initial.get("is_controlled") and set(self.changed_data) - {"change_reason"}
        if asks and not cleaned.get("change_reason"):
            self.add_error("change_reason", _g("The part is controlled: say why, so that another person can approve."))
        return cleaned


@admin.register(Part)
class PartOffice(Edited):
    list_display = ("number", "description", "category", "criticality", "ved_class", "free", "unit", "unit_cost")
    list_filter = (
        ("category", AutocompleteSelectFilter),
        ("criticality", ChoicesDropdownFilter),
        ("ved_class", ChoicesDropdownFilter),
        "is_active",
        "is_controlled",
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

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Ask for a reason where there is something to change."""
        if obj is not None and self.has_change_permission(request, obj):
            kwargs["form"] = PartForm
        return super().get_form(request, obj, change=change, **kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody takes a controlled part away alone."""
        return not (obj is not None and obj.is_controlled) and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save; of a controlled part, ask for the change instead, and save nothing."""
        if not (change and form.initial.get("is_controlled")):
            super().save_model(request, obj, form, change)
            return
        changed = [name for name in form.changed_data if name in FIELDS]
        if not changed:
            return
        wanted = {name: text_of(name, obj) for name in changed}
        reason = form.cleaned_data["change_reason"]
        try:
            row = request_change(part_id=obj.pk, wanted=wanted, reason=reason, **told(request))
        except Refused as refusal:
            messages.error(request, refusal.detail)
            cast(_PartRequest, request).asked_for = True
            return
        cast(_PartRequest, request).asked_for = True
        address = reverse("admin:parts_partchange_change", args=[row.pk])
        says = _g("Nothing has changed yet: {} waits for the approval of another person.")
        link = format_html('<a href="{}">{}</a>', address, _g("the change"))
        messages.warning(request, format_html(says, link))

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """What is only asked for is no change yet."""
        return None if getattr(request, "asked_for", False) else super().log_change(request, obj, message)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Lead back to the part as it is, without saying that it was changed."""
        if getattr(request, "asked_for", False):
            return redirect(request.path)
        return super().response_change(request, obj)

    def panel(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Show where it lies, what is on its way, what replaces it and what is to change about it."""
        seen = StockLevel.objects.shown_in_lists(request.user).filter(part=subject)
        levels = seen.with_available().select_related("warehouse")
        incoming = PurchaseOrderLine.objects.filter(part=subject).incoming().with_open_quantity().in_time_order()
        return {
            "levels": list(levels.order_by("warehouse__code", "condition", "id")[:100]),
            "drawing": drawing_of(subject),
            "waiting": PartChange.objects.filter(part=subject, status="waiting").first(),
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


# --- Changes of controlled parts -------------------------------------------------------------------------------------


def _approve(subject: PartChange, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    approve(change_id=subject.pk, **told)
    return Done(_g("%(part)s is changed.") % {"part": subject.part}, subject.part)


def _refuse(subject: PartChange, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    refuse(change_id=subject.pk, reason=cleaned["reason"], **told)
    return Done(_g("Refused; %(part)s stays as it is.") % {"part": subject.part})


def _withdraw(subject: PartChange, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    withdraw(change_id=subject.pk, **told)
    return Done(_g("Taken back; %(part)s stays as it is.") % {"part": subject.part})


def _waits(row: Any) -> bool:
    return row.status == "waiting"


@admin.register(PartChange)
class PartChangeOffice(Shown):
    list_display = ("part", "fields_of_it", "state", "reason", "requested_by", "requested_at", "decided_by")
    list_filter = (("status", ChoicesDropdownFilter), ("part", AutocompleteSelectFilter), "requested_by")
    list_select_related = ("part", "requested_by", "decided_by")
    search_fields = ("part__number", "reason")
    ordering = ("-id",)
    fields = ("part", "reason", "source", "requested_by", "requested_at", "decided_by", "decided_at", "refusal")
    panel_template = "admin/parts/partchange/panel.html"
    deeds = (
        Deed(
            slug="approve",
            title=_("Approve"),
            permission="parts.approve_partchange",
            act=_approve,
            offered=_waits,
            icon="task_alt",
            inline=True,
        ),
        Deed(
            slug="refuse",
            title=_("Refuse"),
            permission="parts.approve_partchange",
            form=ReasonForm,
            act=_refuse,
            offered=_waits,
            icon="block",
        ),
        Deed(
            slug="withdraw",
            title=_("Take it back"),
            permission="parts.change_part",
            act=_withdraw,
            offered=_waits,
            icon="undo",
            inline=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[PartChange]:
        """Read the part and the people along."""
        return super().get_queryset(request).select_related("part", "requested_by", "decided_by")

    def title_of(self, subject: Any) -> str:
        """Say the part, and which fields, in words."""
        return f"{subject.part}: {self.fields_of_it(subject)}"

    def panel(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Show the difference."""
        categories = dict(
            Category.objects.filter(pk__in=[key for key in subject.changes.get("category", []) if key]).values_list(
                "pk", "path"
            )
        )
        named = {str(key): path for key, path in categories.items()}
        words = {field.name: field.verbose_name for field in Part._meta.concrete_fields}
        return {
            "difference": [
                (words.get(name, name), named.get(before, before), named.get(after, after))
                for name, (before, after) in subject.changes.items()
            ],
            "is_own": subject.requested_by_id is not None and subject.requested_by_id == request.user.pk,
        }

    @display(description=_("changes"))
    def fields_of_it(self, row: PartChange) -> str:
        """Which fields, in words."""
        return ", ".join(str(cast(Field, Part._meta.get_field(name)).verbose_name) for name in row.changes)

    @display(description=_("status"), ordering="status")
    def state(self, row: PartChange) -> SafeString:
        """Where it stands."""
        return status_label(row.status, row.get_status_display())
