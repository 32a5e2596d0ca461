"""What the pages of every subject of the ledger share: moving on, cancelling, overriding, finding by reference."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from orders.actions.service_orders import Moved
from parts.admin.deeds import Act, Deed, DeedForm, Done
from parts.labels import status_label
from parts.searching import is_searchable

#: A reference of ours or the beginning of one: SO-000012, PO-000120-1.
REFERENCE = re.compile(r"[A-Z]{1,4}-[0-9][0-9A-Z./-]*", re.IGNORECASE)


class MoveForm(DeedForm):
    """One step: where to, with a note. Which steps there are is the action's to say."""

    to = forms.ChoiceField(label=_("To"))
    note = forms.CharField(label=_("Note"), required=False, max_length=2000, widget=forms.Textarea)
    public = forms.BooleanField(label=_("The customer may read it"), required=False)

    def shape(self) -> None:
        """Know the statuses there are."""
        self.fields["to"] = forms.ChoiceField(choices=self.subject._meta.get_field("status").flatchoices)


class OverrideForm(DeedForm):
    """Where to, why, and on whose word."""

    to = forms.ChoiceField(label=_("New status"))
    reason = forms.CharField(label=_("Reason"), max_length=2000, widget=forms.Textarea)
    reference = forms.CharField(
        label=_("Reference"), max_length=120, help_text=_("The ticket, mail or name that this rests on.")
    )

    def shape(self) -> None:
        """Offer every status but the present one."""
        choices = [choice for choice in self.statuses() if choice[0] != self.subject.status]
        self.fields["to"] = forms.ChoiceField(label=_("New status"), choices=[("", _("Choose…")), *choices])

    def statuses(self) -> list[tuple[Any, Any]]:
        """Return the statuses that can be reached by an override."""
        return list(self.subject._meta.get_field("status").flatchoices)


OVERRIDE_INTRO = _(
    "An override goes round the flow. The ledger marks it for ever, with your name, the reason and the reference."
)


def stepping(verb: Callable[..., Moved], *, key: str, names: tuple[str, ...] | None = None) -> Act:
    """Return what a deed does whose verb leads the subject (named by `key`) to another status: do it, say where it is.

    The verb is told all that the form asked, or just these names of it.
    """

    def act(subject: Any, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
        asked = cleaned if names is None else {name: cleaned[name] for name in names}
        moved = verb(**{key: subject.pk}, **asked, **told)
        words = dict(subject._meta.get_field("status").flatchoices)
        says = _g("%(reference)s is %(status)s now.")
        return Done(says % {"reference": moved.reference, "status": words[moved.status]})

    return act


def noting(verb: Callable[..., object], *, key: str, names: tuple[str, ...] = (), says: Any) -> Act:
    """Return what a deed does whose verb is told these names of what the form asked; `says` may repeat any of it."""

    def act(subject: Any, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
        verb(**{key: subject.pk}, **{name: cleaned[name] for name in names}, **told)
        return Done(str(says) % cleaned)

    return act


def move_deed(permission: str, act: Act, form: type[DeedForm] = MoveForm) -> Deed:
    """Return the deed behind the buttons of `moves_panel`: one step, on the page itself."""
    return Deed(slug="move", title=_("Move"), permission=permission, form=form, act=act, inline=True, hidden=True)


def override_deed(
    permission: str,
    act: Act,
    form: type[DeedForm] = OverrideForm,
    offered: Callable[[Any], bool] = lambda subject: True,
) -> Deed:
    """Return the deed that goes round the flow."""
    return Deed(
        slug="override",
        title=_("Override"),
        permission=permission,
        form=form,
        act=act,
        offered=offered,
        icon="warning",
        intro=OVERRIDE_INTRO,
        danger=True,
    )


def moves_panel(
    subject: Any, allowed: list[str], *, may_move: bool, may_cancel: bool, public_notes: bool
) -> dict[str, Any]:
    """Return what the template of the moves needs."""
    words = dict(subject._meta.get_field("status").flatchoices)
    meta = subject._meta
    return {
        "moves": [(to, words[to]) for to in allowed if to != "cancelled"] if may_move else [],
        "cancels": may_move and may_cancel and "cancelled" in allowed,
        "public_notes": public_notes,
        "move_address": reverse(f"admin:{meta.app_label}_{meta.model_name}_move", args=[subject.pk]),
    }


class ByReference:
    """Finds by a reference, or its beginning, through its index; anything else is searched for as usual."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Return what was searched for."""
        term = search_term.strip()
        if REFERENCE.fullmatch(term):
            found = self.called(queryset, term.upper())
            if found.exists():
                return found, False
        if is_searchable(term) and (meant := self.meant_by(term)) is not None:
            return queryset.filter(meant), False
        return super().get_search_results(request, queryset, search_term)  # type: ignore[misc]  # of ModelAdmin

    def called(self, rows: QuerySet[Any], reference: str) -> QuerySet[Any]:
        """Return the rows whose reference begins so (in capitals)."""
        # A range instead of LIKE: it uses the unique index whatever the collation's pattern support is.
        return rows.filter(reference__gte=reference, reference__lt=reference + "￿")

    def meant_by(self, term: str) -> Q | None:
        """Return what a term that is no reference means, where indexes can tell; None where all columns are read."""
        return None


class Standing:
    """Shows the status of each row as a word with a colour."""

    @display(description=_("status"), ordering="status")
    def state(self, row: Any) -> SafeString:
        """The status, coloured."""
        return status_label(row.status, row.get_status_display())
