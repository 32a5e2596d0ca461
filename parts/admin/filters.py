"""Filters of the back office's lists by another object: chosen while one types, or written out where no scripts run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.contrib.filters.forms import AutocompleteDropdownForm

from parts.admin.deeds import Named, SelectOrType


class _Form(AutocompleteDropdownForm):
    """The theme's form of one filter, whose field understands what is written out."""

    field = Named
    widget = SelectOrType


class ChosenFilter(AutocompleteSelectFilter):
    """Narrows a list to what belongs to one object. What is called by no object leaves nothing, and says so.

    A browser that runs no scripts sends the list of choices, which nothing fills there, and the text field after it:
    the last one counts, so that an emptied text field takes the filter away.
    """

    def __init__(self, field: Any, request: HttpRequest, params: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(field, request, params, *args, **kwargs)
        asked = self.lookup_val or [""]
        name, self.text = self.lookup_kwarg, asked[-1].strip()
        label = _("By %(what)s") % {"what": self.title}
        self.form = _Form(
            request=request,
            name=name,
            label=label,
            choices=(),
            field=self.field,
            model_admin=self.model_admin,
            data={name: self.text},
        )
        chosen: Model | None = self.form.cleaned_data[name] if self.form.is_valid() else None
        widget = self.form.fields[name].widget
        widget.label = _("%(label)s: number or name, written out") % {"label": label}
        if chosen is not None:
            self.used_parameters[name] = [getattr(chosen, self.field.target_field.attname)]
            self.form.data[name] = str(chosen.pk)  # the list of choices shows it, also to who followed a written link
            widget.text = self.form.fields[name].name_of(chosen)

    def value(self) -> str:
        """Return what was asked for: a key, or what somebody wrote."""
        return self.text

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        """Return what belongs to the object; nothing where what was written is no object."""
        return super().queryset(request, queryset) if self.form.is_valid() else queryset.none()

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        """Return the form in which it is chosen or written."""
        yield {"form": self.form}
