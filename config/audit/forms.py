"""What the search of the history asks for; its answers are the address of the page."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from orders.event_words import TITLES
from orders.statuses import SubjectKind
from parts.rules import FIRST_DAY, LAST_DAY

_FIRST, _LAST = (datetime.combine(day, time.min, UTC) for day in (FIRST_DAY, LAST_DAY))


def kinds() -> list[tuple[str, str]]:
    """Return what can happen, in words, by subject; the name of the kind tells two of one title apart."""
    return [(kind, f"{word} ({kind})") for kind, (word, _icon) in TITLES.items()]


class MomentField(forms.DateTimeField):
    """A day, or a day and a time, in the reader's zone. Before and after all that is kept there is nothing to find, so
    that a time out there is as good as the first or the last one."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"}, format="%Y-%m-%dT%H:%M:%S")

    def to_python(self, value: Any) -> datetime | None:
        """Return the time, not before the first day of anything of ours and not after the last."""
        moment = super().to_python(value)
        return None if moment is None else min(max(moment, _FIRST), _LAST)


class HistoryForm(forms.Form):
    """The filters of the history."""

    order = forms.CharField(
        label=_("Order"),
        required=False,
        max_length=120,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": _("Any reference")}),
    )
    person = forms.CharField(
        label=_("Person or system"),
        required=False,
        max_length=80,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": _("Name, or system:allocation")}),
    )
    source = forms.CharField(
        label=_("Source"),
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": _("Name of a door or system")}),
    )
    kind = forms.ChoiceField(label=_("What"), required=False)
    about = forms.ChoiceField(label=_("About"), required=False, choices=[("", _("Everything")), *SubjectKind.choices])
    since = MomentField(label=_("Recorded from"), required=False)
    until = MomentField(label=_("Recorded before"), required=False)
    overrides = forms.BooleanField(label=_("Overrides only"), required=False)

    def __init__(self, data: Any) -> None:
        super().__init__(data, auto_id="filter-%s")
        kind = self.fields["kind"]
        assert isinstance(kind, forms.ChoiceField)
        kind.choices = [("", _("Anything")), *kinds()]

    def clean(self) -> dict[str, Any]:
        """Refuse a time that ends before it begins."""
        cleaned: dict[str, Any] = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until <= since:
            self.add_error("until", _("This is not after the beginning."))
        return cleaned
