"""What the phone's forms ask. They clean and convert; rules are the actions'."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _

from orders.statuses import ServiceOrderStatus
from parts.models import StockLevel
from parts.vans import part_by_code

LONGEST_TEXT = 2000
#: What the field of a photo asks for. A phone that keeps its photos as HEIC hands over JPEG where HEIC is not named.
PHOTOS = "image/jpeg,image/png,image/webp"
#: Marks the value of a button that walks every step up to a status.
WALK = "walk:"


class PhoneForm(forms.Form):
    """A form of the phone. Its fields' ids begin with the name of the deed, since a page has several."""

    deed = ""

    def __init__(self, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files, auto_id=f"{self.deed}_%s", label_suffix="")


class ClaimForm(PhoneForm):
    """A button is enough."""

    deed = "claim"


class AdvanceForm(PhoneForm):
    """The status to go to (or to walk to), from the version that the page showed, and a note."""

    deed = "advance"
    note = forms.CharField(
        label=_("Note with it"), required=False, max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 2})
    )
    to = forms.CharField(widget=forms.HiddenInput, max_length=40)
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def clean_to(self) -> tuple[str, bool]:
        """Return the status, and whether every step up to it is walked."""
        text: str = self.cleaned_data["to"]
        status = text.removeprefix(WALK)
        if status not in ServiceOrderStatus.values:
            raise ValidationError(_g("There is no such status."))
        return status, text != status


class NoteForm(PhoneForm):
    """What to remember, and whether the customer may read it."""

    deed = "note"
    text = forms.CharField(label=_("Note"), max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 3}))
    public = forms.BooleanField(label=_("The customer may read it"), required=False)


class LabourForm(PhoneForm):
    """How long, and at what. It ended when it is sent (or when it was written down, without a network)."""

    deed = "labour"
    minutes = forms.IntegerField(
        label=_("Minutes worked"),
        min_value=1,
        max_value=1440,
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "list": "usual-minutes"}),
    )
    description = forms.CharField(label=_("What was done"), required=False, max_length=300)


class DiagnosisForm(PhoneForm):
    """What was found wrong."""

    deed = "diagnosis"
    text = forms.CharField(label=_("Finding"), max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 3}))
    failure_code = forms.CharField(
        label=_("Failure code"),
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"autocapitalize": "characters"}),
    )


class PhotoForm(PhoneForm):
    """A photo with a word on it. It is made smaller in the browser where that can do so."""

    deed = "photo"
    photo = forms.FileField(label=_("Photo"), widget=forms.FileInput(attrs={"accept": PHOTOS}))
    caption = forms.CharField(label=_("What it shows"), required=False, max_length=300)
    public = forms.BooleanField(label=_("The customer may see it"), required=False)


class CodeForm(PhoneForm):
    """A code from a box; `job` narrows it to one job."""

    deed = "code"
    code = forms.CharField(
        label=_("Code on the box"),
        max_length=120,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false", "enterkeyhint": "done"}
        ),
        help_text=_("Shipment, tracking number, order, line or part number."),
    )
    job = forms.UUIDField(required=False, widget=forms.HiddenInput)


@dataclass(frozen=True, slots=True)
class CountedLevel:
    """What was counted of a level (or of a part that the books do not have in the van)."""

    part_id: UUID
    condition: str
    owner: str
    counted: Decimal
    expected: Decimal | None


class CountForm(PhoneForm):
    """What was found in the van. Fields left empty were not counted.

    A level has two fields, `counted-<key>` and `expected-<key>`: what the books said on the page that was counted from.
    """

    deed = "count"
    extra_code = forms.CharField(
        label=_("Part number"),
        required=False,
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )
    extra_counted = forms.DecimalField(
        label=_("Quantity"), required=False, min_value=0, max_digits=14, decimal_places=3
    )
    note = forms.CharField(label=_("Note"), required=False, max_length=300)
    anyway = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def typed(self, level: StockLevel) -> str:
        """Return what was typed for a level, so that nothing is lost when the form comes back."""
        return str(self.data.get(f"counted-{level.pk}", "")) if self.is_bound else ""

    def clean(self) -> dict[str, Any]:
        """Gather what was counted as `found`. Something must have been."""
        cleaned = super().clean() or self.cleaned_data
        found = self._levels(self.data)
        if extra := self._extra(cleaned):
            found.append(extra)
        if not found and not self.errors:
            raise ValidationError(_g("Type what you found of at least one part."))
        return {**cleaned, "found": found}

    def _levels(self, data: Mapping[str, Any]) -> list[CountedLevel]:
        typed: dict[UUID, tuple[Decimal, Decimal]] = {}
        quantity = forms.DecimalField(min_value=0, max_digits=14, decimal_places=3)
        for name in data:
            key = name.removeprefix("counted-")
            if key == name or not str(data[name]).strip():
                continue
            try:
                counted = quantity.clean(str(data[name]).replace(",", "."))
                typed[UUID(key)] = (counted, quantity.clean(data.get(f"expected-{key}", "")))
            except (ValidationError, ValueError):
                self.add_error(None, _g("“%(typed)s” is not a quantity.") % {"typed": data[name]})
        levels = StockLevel.objects.in_bulk(list(typed))
        return [CountedLevel(level.part_id, level.condition, level.owner, *typed[key]) for key, level in levels.items()]

    def _extra(self, cleaned: Mapping[str, Any]) -> CountedLevel | None:
        code, counted = cleaned.get("extra_code"), cleaned.get("extra_counted")
        if not code:
            return None
        if counted is None:
            self.add_error("extra_counted", _g("How many are there?"))
            return None
        part_id = part_by_code(code)
        if part_id is None:
            self.add_error("extra_code", _g("No part is known by this number."))
            return None
        return CountedLevel(part_id, "new", "own", counted, None)
