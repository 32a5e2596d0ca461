"""What a customer can send."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from orders.actions.tracking import LONGEST_MESSAGE


class RescheduleForm(forms.Form):
    """Another day. `seen` is the one that the page showed."""

    scheduled_for = forms.DateField(
        label=_("Another day"),
        input_formats=["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y"],
        error_messages={
            "required": _("Choose a day."),
            "invalid": _("Write the day like 2026-12-31."),
        },
    )
    seen = forms.DateField(required=False, input_formats=["%Y-%m-%d"], widget=forms.HiddenInput)

    def __init__(self, *args: Any, choices: tuple[date, date], seen: date | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        first, last = choices
        bounds = {"type": "date", "min": first.isoformat(), "max": last.isoformat(), "autocomplete": "off"}
        self.fields["scheduled_for"].widget = forms.DateInput(format="%Y-%m-%d", attrs=bounds)
        if seen is None:
            self.fields["scheduled_for"].label = _("Day")
        self.fields["seen"].initial = seen.isoformat() if seen else ""


class MessageForm(forms.Form):
    """A message to the workshop. `key` is of this form alone: sent twice, it is one message."""

    text = forms.CharField(
        label=_("Your message"),
        max_length=LONGEST_MESSAGE,
        widget=forms.Textarea(attrs={"rows": 4, "autocomplete": "off"}),
        error_messages={"required": _("Write something.")},
    )
    key = forms.CharField(max_length=60, widget=forms.HiddenInput)


class WantMessagesForm(forms.Form):
    """Whether messages about the order are wanted."""

    wanted = forms.ChoiceField(choices=[("yes", ""), ("no", "")])
