"""Parts, their numbers elsewhere, their relations and what they are sorted by."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.formats import number_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from parts.actions.changing import FIELDS, approve, lock_parts, refuse, request_change, text_of, withdraw
from parts.admin.deeds import Deed, Done, ReasonForm
from parts.admin.entries import PartForm, PartNumbers, ask, entries_of, is_asked
from parts.admin.filters import ChosenFilter
from parts.admin.importing import import_deed
from parts.admin.offices import Edited, Office, Shown
from parts.changes import controlled_since, difference_of, words_of
from parts.labels import counted, status_label
from parts.models import (
    Category,
    Part,
    PartChange,
    PurchaseOrderLine,
    StockLevel,
    UnitOfMeasure,
)
from parts.querysets import AVAILABLE
from parts.relations import drawing_of


@admin.register(UnitOfMeasure)
class UnitOfMeasureOffice(Office):
    list_display = ("code", "called", "decimals")
    search_fields = ("code", "name")
    ordering = ("code",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[UnitOfMeasure], search_term: str
    ) -> tuple[QuerySet[UnitOfMeasure], bool]:
        """Find a unit by its word in the reader's language as well; there are a few dozen at most."""
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        term = search_term.strip().casefold()
        meant = [unit.pk for unit in queryset if term and term in str(unit).casefold()]
        return found | queryset.filter(pk__in=meant), may_repeat

    @display(description=_("name"), ordering="name")
    def called(self, unit: UnitOfMeasure) -> str:
        """Its name in the reader's language."""
        return str(unit)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Keep the code of a unit in use: it is its key."""
        return ("code",) if obj else ()


@admin.register(Category)
class CategoryOffice(Office):
    list_display = ("path", "name")
    search_fields = ("path", "name")
    ordering = ("path",)


@admin.register(Part)
class PartOffice(Edited):
    list_display = ("number", "description", "category", "criticality", "ved_class", "free", "cost")
    list_filter = (
        ("category", ChosenFilter),
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
        return counted(part.free or Decimal(0), part.unit)

    @display(description=_("unit cost"), ordering="unit_cost")
    def cost(self, part: Any) -> str:
        """What one of its unit costs."""
        return "" if part.unit_cost is None else f"{number_format(part.unit_cost, 2)} {settings.CURRENCY}"

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Ask for a reason where there is something to change."""
        if obj is not None and self.has_change_permission(request, obj):
            kwargs["form"] = PartForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Keep the unit of a part: quantities are counted in it."""
        return ("unit",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody takes a controlled part away alone."""
        return not (obj is not None and obj.is_controlled) and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save; of a controlled part, save nothing: what changes is asked for with its numbers (`save_related`)."""
        locked = lock_parts([obj.pk]).get(obj.pk) if change else None
        form.asks = locked is not None and locked.is_controlled
        if not form.asks:
            super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save the numbers; of a controlled part, ask for all that changes at once."""
        if not form.asks:
            super().save_related(request, form, formsets, change)
            return
        wanted = {name: text_of(name, form.instance) for name in form.changed_data if name in FIELDS}
        entries = [entry for formset in formsets for entry in entries_of(formset)]
        facts: dict[str, Any] = {"part_id": form.instance.pk, "wanted": wanted, "entries": entries}
        if wanted or entries:
            reason = form.cleaned_data.get("change_reason") or ""
            ask(request, lambda told: request_change(reason=reason, **facts, **told))

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """What is only asked for is no change yet."""
        return None if is_asked(request) else super().log_change(request, obj, message)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Lead back to the part as it is, without saying that it was changed."""
        return redirect(request.path) if is_asked(request) else super().response_change(request, obj)

    def panel(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Show where it lies, what is on its way, what replaces it and what is to change about it."""
        seen = StockLevel.objects.shown_in_lists(request.user).filter(part=subject)
        levels = seen.with_available().select_related("warehouse")
        incoming = PurchaseOrderLine.objects.filter(part=subject).incoming().with_open_quantity().in_time_order()
        return {
            "levels": list(levels.order_by("warehouse__code", "condition", "id")[:100]),
            "drawing": drawing_of(subject),
            "control": controlled_since(subject) if subject.is_controlled else None,
            "waiting": PartChange.objects.filter(part=subject, status="waiting").first(),
            "incoming": list(incoming.select_related("purchase_order__supplier", "purchase_order__warehouse")[:20]),
        }


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
    list_filter = (("status", ChoicesDropdownFilter), ("part", ChosenFilter), "requested_by")
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

    def is_theirs(self, request: HttpRequest, deed: Deed, subject: Any) -> bool:
        """Who asked can take it back, and nobody else; another person decides."""
        return (subject.requested_by_id == request.user.pk) == (deed.slug == "withdraw")

    def panel(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Show the difference."""
        return {
            "difference": difference_of(subject),
            "is_own": subject.requested_by_id is not None and subject.requested_by_id == request.user.pk,
        }

    @display(description=_("changes"))
    def fields_of_it(self, row: PartChange) -> str:
        """Which fields, in words."""
        return ", ".join(words_of(row))

    @display(description=_("status"), ordering="status")
    def state(self, row: PartChange) -> SafeString:
        """Where it stands."""
        return status_label(row.status, row.get_status_display())
