"""What is asked of whoever wants to be told."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from integrations.actions.subscribing import WISHES, Wish
from integrations.models import Subscriber
from integrations.outbound.kinds import FOR_PARTNERS
from orders.event_words import title_of
from parts.errors import Refused

_CLOCK = "%Y-%m-%dT%H:%M"


class AddressForm(forms.Form):
    """An address and what is to be told there."""

    code = forms.CharField(
        label=_("Code"), max_length=40, help_text=_("Small letters, digits and hyphens: dealer-portal.")
    )
    name = forms.CharField(label=_("Name"), max_length=120)
    address = forms.CharField(
        label=_("Address"),
        max_length=500,
        help_text=_("Begins with https://, and names a host that the internet reaches."),
        widget=forms.URLInput,
    )
    event_types = forms.MultipleChoiceField(
        label=_("Events"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None chosen: everything that you may see."),
    )
    newest_only = forms.BooleanField(label=_("Only the newest, where several wait about one order"), required=False)
    per_second = forms.IntegerField(label=_("At most each second"), min_value=1, max_value=10_000, initial=50)
    burst = forms.IntegerField(label=_("At once at most"), min_value=1, max_value=10_000, initial=100)
    contact = forms.EmailField(
        label=_("Whom to write to"),
        required=False,
        help_text=_("When it is switched off because it fails."),
    )

    def __init__(self, data: Any = None, *, subject: Subscriber | None = None) -> None:
        initial = {name: getattr(subject, name) for name in WISHES} if subject else {}
        super().__init__(data, initial=initial, label_suffix="")
        kinds = self.fields["event_types"]
        assert isinstance(kinds, forms.MultipleChoiceField)
        known = dict.fromkeys([*FOR_PARTNERS, *(subject.event_types if subject else ())])
        kinds.choices = [(kind, f"{title_of(kind)} ({kind})") for kind in sorted(known)]
        if subject is not None:
            del self.fields["code"]

    def wish(self, subject: Subscriber | None = None) -> Wish:
        """Return what was filled in."""
        data = {name: self.cleaned_data[name] for name in WISHES if name in self.cleaned_data}
        kept = {"schema_version": subject.schema_version} if subject else {}
        return Wish(**{**data, **kept, "event_types": tuple(data["event_types"])})

    def refuse(self, refusal: Refused) -> None:
        """Show a refusal at the fields it names, otherwise above the form."""
        fields = refusal.extra.get("fields", {})
        for name, said in fields.items():
            self.add_error(name if name in self.fields else None, said)
        if not fields:
            self.add_error(None, refusal.detail)


class SinceForm(forms.Form):
    """A moment that has passed."""

    since = forms.DateTimeField(
        label=_("Everything since"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_CLOCK),
        input_formats=[_CLOCK, f"{_CLOCK}:%S"],
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, label_suffix="")
