"""The two kinds of pages in the back office: what is only looked at, and what people edit. Both may have deeds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import DecimalField, Max, Model, QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from parts.admin.counting import BoundedPaginator
from parts.admin.deeds import Deed, DeedForm, Done, Named, SelectOrType, say, told
from parts.errors import Forbidden, Refused
from parts.labels import full_name, names_of, written
from parts.sentences import sentence

#: So many decimals has money; numbers with more are quantities and points.
_OF_MONEY = 2


@dataclass(frozen=True)
class Guest:
    """What a floor above shows on a page of this one: a template, and what feeds it (as `guest`), given the subject."""

    template: str
    facts: Callable[[HttpRequest, Any], Any]
    permission: str
    comes_first: bool = False


class Office(ModelAdmin):
    """A kind of object in the back office: its list, its pages, and what can be done there.

    A page never costs more queries for a longer list, counts no long list, and has no bulk actions.
    """

    paginator: Any = BoundedPaginator
    show_full_result_count = False
    show_facets: Any = False
    list_per_page = 50
    list_max_show_all = 0
    empty_value_display = "–"
    list_filter_submit = True
    compressed_fields = True
    actions: Any = None
    list_before_template = "admin/desk/list.html"
    change_form_outer_before_template = "admin/desk/panel.html"

    deeds: ClassVar[tuple[Deed, ...]] = ()
    #: Template of what a page shows above its fields, fed by `panel`.
    panel_template = ""
    #: Template of what a list shows above its rows, fed by `overview`.
    overview_template = ""
    #: What floors above bring to the page of an object; this floor knows nothing of it.
    guests: ClassVar[tuple[Guest, ...]] = ()

    def panel(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Return what the page of an object shows besides its fields."""
        return {}

    def overview(self, request: HttpRequest) -> dict[str, Any]:
        """Return what the list shows above its rows."""
        return {}

    def title_of(self, subject: Any) -> str:
        """Return what a page is headed by."""
        return str(subject)

    def is_theirs(self, request: HttpRequest, deed: Deed, subject: Any) -> bool:
        """Tell whether a deed that is offered for an object is this person's to do; for subclasses."""
        return True

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Let what is chosen by typing be written out where no scripts run."""
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs |= {"widget": SelectOrType(db_field, self.admin_site), "form_class": Named}
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    # --- Quantities ---------------------------------------------------------------------------------------------------

    def get_list_display(self, request: HttpRequest) -> Any:
        """Show numbers as people write them (`2`, not `2.000`, which is two thousand to some)."""
        return [self._as_written(name) for name in super().get_list_display(request)]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show numbers that nobody edits as people write them."""
        if _is_old_version(request):
            return super().get_readonly_fields(request, obj)
        return [self._as_written(name) for name in super().get_readonly_fields(request, obj)]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Name what only is shown as `get_readonly_fields` does; who may not change shows all of it so."""
        if _is_old_version(request):
            return super().get_fieldsets(request, obj)
        only_shown = set(super().get_readonly_fields(request, obj))
        all_of_it = not (self.has_change_permission(request, obj) if obj else self.has_add_permission(request))

        def named(name: Any) -> Any:
            if isinstance(name, list | tuple):
                return [named(each) for each in name]
            return self._as_written(name) if all_of_it or name in only_shown else name

        shown = super().get_fieldsets(request, obj)
        return [(title, {**options, "fields": [named(name) for name in options["fields"]]}) for title, options in shown]

    def _as_written(self, name: Any) -> Any:
        """Return what shows a field: a quantity without the zeros that only say how it is stored; money keeps two."""
        fields = {
            field.name: field
            for field in self.opts.fields
            if isinstance(field, DecimalField) and field.decimal_places > _OF_MONEY
        }
        if not isinstance(name, str) or name not in fields:
            return name

        @display(description=fields[name].verbose_name, ordering=name)
        def shown(row: Any) -> str:
            value = getattr(row, name)
            return "–" if value is None else written(value)

        shown.__name__ = name
        return shown

    # --- Who did it ---------------------------------------------------------------------------------------------------

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Read the names of those who acted for the whole list at once, where the list shows them."""
        changelist = super().get_changelist_instance(request)
        if "by" in changelist.list_display:
            changelist.result_list = list(changelist.result_list)
            names = names_of(row.actor for row in changelist.result_list)
            for row in changelist.result_list:
                row.actor_name = names[row.actor]
        return changelist

    @display(description=_("by"), ordering="actor")
    def by(self, row: Any) -> str:
        """The name of the person, rule or system that acted."""
        return getattr(row, "actor_name", "") or names_of([row.actor])[row.actor]

    # --- Pages --------------------------------------------------------------------------------------------------------

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list with what can be done from it."""
        context = {
            "desk_deeds": [(deed, self._address(deed)) for deed in self.deeds if deed.on_list and _may(request, deed)],
            "overview_template": self.overview_template,
            **self.overview(request),
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show an object with what can be done to it now."""
        subject = self.get_object(request, unquote(object_id))
        context: dict[str, Any] = dict(extra_context or {})
        if subject is not None and self.has_view_permission(request, subject):
            context |= {
                "desk_deeds": [
                    (deed, self._address(deed, subject))
                    for deed in self.deeds
                    if not (deed.on_list or deed.hidden)
                    and _may(request, deed)
                    and deed.offered(subject)
                    and self.is_theirs(request, deed, subject)
                ],
                "subject": subject,
                "subtitle": self.title_of(subject),
                "panel_template": self.panel_template,
                **self._guests(request, subject),
                **self.panel(request, subject),
            }
        return super().change_view(request, object_id, form_url, context)

    def _guests(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        shown = [
            (guest, guest.template, guest.facts(request, subject))
            for guest in self.guests
            if request.user.has_perm(guest.permission)
        ]
        return {
            "guests_first": [(template, facts) for guest, template, facts in shown if guest.comes_first],
            "guests_last": [(template, facts) for guest, template, facts in shown if not guest.comes_first],
        }

    def _address(self, deed: Deed, subject: Any = None) -> str:
        return reverse(f"{self.admin_site.name}:{self._name(deed)}", args=[] if deed.on_list else [subject.pk])

    def _name(self, deed: Deed) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{deed.slug}"

    def get_urls(self) -> list[URLPattern]:
        """Add an address per deed."""
        own = [
            path(
                f"{deed.slug}/" if deed.on_list else f"<path:object_id>/{deed.slug}/",
                self.admin_site.admin_view(partial(self.deed_view, deed=deed)),
                name=self._name(deed),
            )
            for deed in self.deeds
        ]
        return own + super().get_urls()

    # --- Deeds --------------------------------------------------------------------------------------------------------

    def deed_view(self, request: HttpRequest, *, deed: Deed, object_id: str | None = None) -> HttpResponseBase:
        """Ask for what a deed needs, and do it. Refusals come back in words; nothing is changed then."""
        subject = self._subject(request, deed, object_id)
        if deed.inline and request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        sent = request.method == "POST"
        form = deed.form(
            request.POST if sent else None, request.FILES if sent else None, subject=subject, asked=request.GET
        )
        status = 200
        if sent and not form.is_valid():
            status = 400
        elif sent and not form.is_preview:
            try:
                return self._answer(request, deed, subject, self._act(request, deed, subject, form.cleaned_data))
            except Forbidden as refusal:
                raise PermissionDenied(refusal.detail) from refusal
            except Refused as refusal:
                form.refuse(refusal)
                status = refusal.status
        if deed.inline:
            messages.error(request, " ".join(_said(form)))
            return redirect(self._page_of(subject))
        return self._ask(request, deed, subject, form, status)

    def _act(self, request: HttpRequest, deed: Deed, subject: Any, data: Any) -> Any:
        """Do a deed. One that is no longer offered is refused: by its action, which can say why, or else by us."""
        if subject is None or deed.offered(subject):
            return deed.act(subject, data, told(request))
        with transaction.atomic():
            deed.act(subject, data, told(request))
            raise Refused(sentence("It stands otherwise by now: this can no longer be done to it."))

    def _subject(self, request: HttpRequest, deed: Deed, object_id: str | None) -> Any:
        """Return what the deed is done to. Raises Http404, and PermissionDenied for who may not see it or do it."""
        if not self.has_view_permission(request) or not _may(request, deed):
            raise PermissionDenied
        if object_id is None:
            return None
        subject = self.get_object(request, unquote(object_id))
        if subject is None:
            raise Http404
        if not self.has_view_permission(request, subject):
            raise PermissionDenied
        return subject

    def _answer(self, request: HttpRequest, deed: Deed, subject: Any, done: Done) -> HttpResponseBase:
        messages.success(request, done.says)
        return redirect(self._page_of(done.show or subject))

    def _page_of(self, shown: Any) -> str:
        site = self.admin_site.name
        if shown is None:
            return reverse(f"{site}:{self.opts.app_label}_{self.opts.model_name}_changelist")
        return reverse(f"{site}:{shown._meta.app_label}_{shown._meta.model_name}_change", args=[shown.pk])

    def _ask(self, request: HttpRequest, deed: Deed, subject: Any, form: DeedForm, status: int) -> TemplateResponse:
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "title": deed.title,
            "subtitle": self.title_of(subject) if subject is not None else None,
            "opts": self.opts,
            "original": subject,
            "subject": subject,
            "deed": deed,
            "form": form,
            "media": self.media + form.media,
            "back": self._page_of(subject),
            **(deed.context(subject, form, told(request)) if deed.context else {}),
        }
        return TemplateResponse(request, deed.template, context, status=status)


def bring(model: type[Model], *, deeds: tuple[Deed, ...] = (), guests: tuple[Guest, ...] = ()) -> None:
    """Let a floor above show and do something on the pages of a model of a floor below. Called once, at start."""
    office = type(admin.site.get_model_admin(model))
    assert issubclass(office, Office)
    office.deeds = (*office.deeds, *deeds)
    office.guests = (*office.guests, *guests)


def _is_old_version(request: HttpRequest) -> bool:
    """Tell whether the page shows a version of long ago: it is a form of the package's own, with fields by name."""
    match = request.resolver_match
    return match is not None and str(match.url_name).endswith("_simple_history")


def _may(request: HttpRequest, deed: Deed) -> bool:
    return request.user.has_perm(deed.permission)


def _said(form: DeedForm) -> Iterable[str]:
    return dict.fromkeys(str(error) for errors in form.errors.values() for error in errors)


class BySerial(ModelAdmin):
    """A list that is searched by one serial number, in any spelling: spaces in it separate no words."""

    search_fields = ("serial",)
    search_help_text = _("A whole serial number, in any spelling")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find it by what is left of it without case and separators."""
        return (queryset.filter(serial__key_is=search_term) if search_term.strip() else queryset), False


class Shown(Office):
    """What actions write and people only look at: no add, change or delete, whoever asks."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Name who acted instead of showing the reference by which the action wrote them down."""
        return ["by" if name == "actor" else name for name in super().get_fields(request, obj)]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the object without the admin's own history, in which nothing would stand."""
        return super().change_view(request, object_id, form_url, {"show_history": False, **(extra_context or {})})


class Stamp(forms.CharField):
    """What a page carries along unseen; it is no change."""

    widget = forms.HiddenInput

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Never."""
        return False


class ReasonedForm(forms.ModelForm[Model]):
    """The admin's form with a line for the reason, kept with the field history, and a stamp of what was opened.

    Who saves what somebody else has changed meanwhile is told so, and nothing is written over. `beside` are the models
    of the rows that are edited on the same page.
    """

    beside: ClassVar[tuple[type[Model], ...]] = ()

    change_reason = forms.CharField(
        label=_("Why this changes"),
        required=False,
        max_length=100,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Kept with the history of this page."),
    )
    opened = Stamp(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and not self.is_bound:
            self.initial["opened"] = stamp_of(self.instance, self.beside)

    def clean(self) -> dict[str, Any]:
        """Lock what is changed, and refuse where it has been changed since the page was opened."""
        cleaned: dict[str, Any] = super().clean() or {}
        opened = cleaned.get("opened")
        if opened and self.instance.pk:
            locked = type(self.instance)._base_manager.select_for_update(no_key=True).filter(pk=self.instance.pk)
            list(locked.values_list("pk", flat=True))
            if opened != stamp_of(self.instance, self.beside):
                self.add_error(None, _changed_meanwhile(self.instance, opened))
        return cleaned


def stamp_of(subject: Any, beside: Iterable[type[Model]] = ()) -> str:
    """Return what changes whenever an object, or a row of it on the same page, is changed. A query for each model."""
    newest = subject.history.aggregate(newest=Max("history_id"))["newest"] if hasattr(subject, "history") else None
    seen = hashlib.sha256()
    for model in beside:
        of = next(field.name for field in model._meta.fields if field.related_model is type(subject))
        rows = model._base_manager.filter(**{of: subject.pk}).order_by("pk").values_list()
        seen.update(repr(list(rows)).encode())
    return f"{newest or 0}-{seen.hexdigest()[:16]}"


def _changed_meanwhile(subject: Any, opened: str) -> str:
    last = subject.history.order_by("-history_id").select_related("history_user").first()
    is_own = last is not None and last.history_user and not opened.startswith(f"{last.history_id}-")
    return _g(
        "%(who)s has changed this since you opened it; nothing of yours was saved. What you entered still stands "
        "here: open the page anew in another tab, look at its history, and enter what still applies."
    ) % {"who": full_name(last.history_user) if is_own else _g("Somebody")}


class Edited(SimpleHistoryAdmin, Office):
    """What people edit, with the history of every field: who changed what, when and why."""

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[ModelForm[Any]]:
        """Ask for a reason where an existing object is changed."""
        if obj is not None and self.has_change_permission(request, obj):
            kwargs.setdefault("form", ReasonedForm)
        form = super().get_form(request, obj, change=change, **kwargs)
        if issubclass(form, ReasonedForm):
            form.beside = tuple(inline.model for inline in self.inlines)
        return form

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Put the reason last."""
        fieldsets = list(super().get_fieldsets(request, obj))
        named = [name for _, options in fieldsets for name in options["fields"]]
        if obj is not None and self.has_change_permission(request, obj):
            added = [name for name in ("change_reason", "opened") if name not in named]
            fieldsets.append((None, {"fields": added}))
        return fieldsets

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Write what the form changed and nothing else, so that what actions write meanwhile is never overwritten."""
        obj._history_user = request.user
        obj._change_reason = form.cleaned_data.get("change_reason") or None
        if not change:
            obj.save()
            return
        concrete = {field.name for field in obj._meta.concrete_fields}
        if changed := [name for name in form.changed_data if name in concrete]:
            obj.save(update_fields=changed)

    def revert_disabled(self, request: HttpRequest, obj: Any = None) -> bool:
        """Old versions are looked at, not brought back: that would write fields that only actions may write."""
        return True

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show an old version. A POST is refused: the package would write it back even for who may only look."""
        if request.method == "POST":
            raise PermissionDenied
        return super().history_form_view(request, object_id, version_id, extra_context)


__all__ = ["Edited", "Guest", "Office", "Shown", "bring", "say"]
