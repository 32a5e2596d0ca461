"""Numbers of a part in other systems and its relations, edited; of a controlled part, asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from parts.actions.changing import keep_entry
from parts.admin.deeds import Deed, Done, ReasonForm, told
from parts.admin.filters import ChosenFilter
from parts.admin.offices import Edited, Office, ReasonedForm
from parts.entries import Entry, kind_of, texts_of
from parts.errors import Refused
from parts.models import Part, PartChange, PartNumber, PartRelation

#: Where a request keeps that what it sent was asked for and not done.
_ASKED = "backline.asked_for"


def ask(request: HttpRequest, asking: Callable[[dict[str, Any]], PartChange | None]) -> PartChange | None:
    """Do or ask for something, and tell the person that it waits, or why it was refused."""
    try:
        row = asking(told(request))
    except Refused as refusal:
        messages.error(request, refusal.detail)
        request.META[_ASKED] = True
        return None
    if row is not None:
        request.META[_ASKED] = True
        address = reverse("admin:parts_partchange_change", args=[row.pk])
        says = _g("Nothing has changed yet: {} waits for the approval of another person.")
        messages.warning(request, format_html(says, format_html('<a href="{}">{}</a>', address, _g("the change"))))
    return row


def is_asked(request: HttpRequest) -> bool:
    """Tell whether what the request sent was asked for, or refused, so that nothing was changed."""
    return bool(request.META.get(_ASKED))


def entries_of(formset: Any) -> list[Entry]:
    """Return what a formset of numbers would do, without doing it. One query."""
    formset.save(commit=False)
    changed = [row for row, _names in formset.changed_objects]
    keys = [row.pk for row in (*changed, *formset.deleted_objects)]
    before = {row.pk: texts_of(row) for row in formset.model._default_manager.filter(pk__in=keys)}
    return [
        *(Entry(kind_of(row), row.pk, None, texts_of(row)) for row in formset.new_objects),
        *(Entry(kind_of(row), row.pk, before[row.pk], texts_of(row)) for row in changed if row.pk in before),
        *(Entry(kind_of(row), row.pk, before[row.pk], None) for row in formset.deleted_objects if row.pk in before),
    ]


class NumbersFormSet(BaseInlineFormSet[PartNumber, Part, Any]):
    """The numbers of a part. What changes about a controlled one is asked for, and a reason goes with it."""

    def clean(self) -> None:
        """Want a reason where another person has to approve."""
        super().clean()
        if self.instance.is_controlled and self.has_changed() and not self.data.get("change_reason", "").strip():
            raise ValidationError(_g("The part is controlled: say why, so that another person can approve."))


class PartNumbers(TabularInline):
    model = PartNumber
    formset = NumbersFormSet
    extra = 1  # an empty row for a browser that runs no scripts; left empty, it is nothing
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


class EntryForm(ReasonedForm):
    """A number or a relation. What touches a controlled part is asked for, and a reason goes with it."""

    def clean(self) -> dict[str, Any]:
        """Want a reason where another person has to approve."""
        cleaned: dict[str, Any] = super().clean() or {}
        before = [key for key in (self.initial.get(name) for name in ("part", "other")) if key]
        touched = [cleaned.get(name) for name in ("part", "other")]
        controlled = any(part.is_controlled for part in touched if part is not None)
        controlled = controlled or Part.objects.filter(pk__in=before, is_controlled=True).exists()
        if controlled and not cleaned.get("change_reason"):
            self.add_error("change_reason", _g("The part is controlled: say why, so that another person can approve."))
        return cleaned


def _is_controlled(row: Any) -> bool:
    return any(part.is_controlled for part in (row.part, getattr(row, "other", None)) if part is not None)


def _remove(subject: Any, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    entry = Entry(kind_of(subject), subject.pk, texts_of(subject), None)
    row = keep_entry(entry=entry, reason=cleaned["reason"], **told)
    if row is None:  # control was taken off meanwhile
        return Done(_g("%(what)s is removed.") % {"what": subject}, subject.part)
    return Done(_g("Asked for: another person has to approve. Nothing has changed yet."), row)


def removal(permission: str) -> Deed:
    """Return the deed by which the removal of what belongs to a controlled part is asked for."""
    return Deed(
        slug="remove",
        title=_("Remove"),
        permission=permission,
        form=ReasonForm,
        act=_remove,
        offered=_is_controlled,
        icon="delete",
        intro=_("The part is controlled: another person has to approve before it is gone."),
        danger=True,
    )


class Entered(Office):
    """What belongs to parts. Where one of them is controlled, nobody changes it alone."""

    panel_template = "admin/parts/part/entry.html"

    def panel(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Tell whether it is changed at once."""
        return {"is_controlled": _is_controlled(subject)}

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Ask for a reason, also for what is new."""
        if obj is None or self.has_change_permission(request, obj):
            kwargs["form"] = EntryForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Put the reason last."""
        fields = [name for name in super().get_fields(request, obj) if name != "change_reason"]
        may = self.has_change_permission(request, obj) if obj is not None else self.has_add_permission(request)
        return [*fields, "change_reason"] if may else fields

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody takes something from a controlled part alone, nor with another part that is deleted."""
        return not (obj is not None and _is_controlled(obj)) and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save it; where a part of it is controlled, ask for it instead, and save nothing."""
        before = texts_of(type(obj)._default_manager.get(pk=obj.pk)) if change else None
        entry = Entry(kind_of(obj), obj.pk, before, texts_of(obj))
        reason = form.cleaned_data.get("change_reason") or ""
        ask(request, lambda told: keep_entry(entry=entry, reason=reason, **told))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete it, unless somebody has put its part under control at this moment."""
        entry = Entry(kind_of(obj), obj.pk, texts_of(obj), None)
        try:
            keep_entry(entry=entry, reason="", **told(request))
        except Refused as refusal:
            raise PermissionDenied(refusal.detail) from refusal

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """What is only asked for is not there yet."""
        return None if is_asked(request) else super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """What is only asked for is no change yet."""
        return None if is_asked(request) else super().log_change(request, obj, message)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Lead to the list where nothing was added."""
        if is_asked(request):
            return redirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))
        return super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Lead back to it as it is, without saying that it was changed."""
        return redirect(request.path) if is_asked(request) else super().response_change(request, obj)


@admin.register(PartNumber)
class PartNumberOffice(Entered):
    list_display = ("number", "system", "part")
    list_filter = (("part", ChosenFilter),)
    list_select_related = ("part",)
    search_fields = ("number", "system", "part__number")
    autocomplete_fields = ("part",)
    ordering = ("-id",)
    deeds = (removal("parts.delete_partnumber"),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PartNumber]:
        """Read the part along: whether it is controlled decides what can be done."""
        return super().get_queryset(request).select_related("part")


@admin.register(PartRelation)
class PartRelationOffice(Entered, Edited):
    list_display = ("part", "kind", "other", "both_ways", "quantity_factor", "effective_from", "effective_until")
    list_filter = (("kind", ChoicesDropdownFilter), ("part", ChosenFilter))
    list_select_related = ("part", "other")
    search_fields = ("part__number", "other__number")
    autocomplete_fields = ("part", "other")
    ordering = ("-id",)
    deeds = (removal("parts.delete_partrelation"),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PartRelation]:
        """Read both parts along: the name of a relation is made of them."""
        return super().get_queryset(request).select_related("part", "other")
