"""The weights of the rank: tried first, then used."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.db.models import DecimalField
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from backorders.actions import policy
from backorders.admin.effects import effect_page
from backorders.models import AllocationPolicy
from parts.admin.deeds import Deed, DeedForm, Done
from parts.admin.offices import Edited
from parts.errors import Refused
from parts.labels import plain
from parts.statuses import Criticality


def _label(field: DecimalField[Any, Any]) -> str:
    """Return what a weight is called; that of a criticality by what the criticality means."""
    _before, _name, letter = field.name.partition("criticality_")
    return str(Criticality(letter.upper()).label if letter else capfirst(str(field.verbose_name)))


class WeightsForm(DeedForm):
    """All weights; the reason is asked for when they are to be used."""

    reason = forms.CharField(label=_("Reason"), required=False, max_length=80)

    def shape(self) -> None:
        """Add a field per weight, filled with the present one."""
        for name in policy.WEIGHTS:
            field = cast(DecimalField[Any, Any], AllocationPolicy._meta.get_field(name))
            self.fields[name] = forms.DecimalField(
                label=_label(field),
                decimal_places=3,
                initial=plain(getattr(self.subject, name)),
                help_text=field.help_text,
            )
        self.order_fields([*policy.WEIGHTS, "reason"])

    def clean(self) -> dict[str, Any]:
        """Keep what differs."""
        cleaned = super().clean() or {}
        cleaned["shown"] = self.data.get("shown", "")
        cleaned["changes"] = {
            name: cleaned[name]
            for name in policy.WEIGHTS
            if cleaned.get(name) is not None and cleaned[name] != getattr(self.subject, name)
        }
        return cleaned

    @property
    def is_preview(self) -> bool:
        """Whether it was sent to look: the queue is only weighed anew when that was asked for below the preview."""
        return not self.data.get("use")


def _preview(subject: AllocationPolicy, form: DeedForm, told: dict[str, Any]) -> dict[str, Any]:
    changes = form.cleaned_data.get("changes") if form.is_bound else None
    if changes is None:
        return {}
    try:
        found = policy.preview(changes=changes, at=told["at"])
    except Refused as refusal:
        form.refuse(refusal)
        return {}
    return {
        "previewed": True,
        "changes": [(form.fields[name].label, getattr(subject, name), value) for name, value in changes.items()],
        **effect_page(found, form.data.get("page", "")),
    }


def _use(subject: AllocationPolicy, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    facts = {name: cleaned[name] for name in ("changes", "reason", "shown")}
    ranks = policy.change_weights(**facts, **told)
    says = ngettext(
        "The queue is weighed anew: %(count)s rank changed.",
        "The queue is weighed anew: %(count)s ranks changed.",
        ranks,
    )
    return Done(says % {"count": ranks})


@admin.register(AllocationPolicy)
class AllocationPolicyOffice(Edited):
    list_display = ("name", "revision", "ageing_per_day", "emergency", "service", "platinum", "criticality_a")
    search_fields = ("name",)
    ordering = ("name",)
    readonly_fields = ("revision",)
    deeds = (
        Deed(
            slug="weights",
            title=_("Change the weights"),
            permission="backorders.change_allocationpolicy",
            form=WeightsForm,
            act=_use,
            icon="tune",
            intro=_("Points that decide who gets the next unit. The preview shows who would gain and lose."),
            template="admin/backorders/allocationpolicy/weights.html",
            context=_preview,
        ),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody: there is one policy."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody, on the form: the weights change by their deed, which ranks the queue anew."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False
