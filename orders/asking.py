"""What the desk and the back office ask for alike: fields of forms, and their answers in the words of an action."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Literal

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _

from orders.actions import consents, lines
from orders.files import KINDS
from orders.models import OrderLine, OverrideRequest, PartsOrder
from orders.statuses import LINE_HOLDS_STOCK, LINE_SHIPPED
from parts.errors import Refused
from parts.lookups import serials_in


def accepted() -> str:
    """Return what a file field offers in the browser: the endings of the kinds that are taken."""
    return ",".join(ending for name in settings.ATTACHMENT_KINDS if name in KINDS for ending in KINDS[name].endings)


# --- An override -----------------------------------------------------------------------------------------------------


class OverrideAsked(forms.Form):
    """Where to, why, and what it rests on: a reference, or a file. `subject` is a line or a job."""

    subject: Any

    to = forms.ChoiceField(label=_("New status"))
    reason = forms.CharField(label=_("Reason"), max_length=2000, widget=forms.Textarea)
    reference = forms.CharField(
        label=_("Reference"),
        max_length=120,
        required=False,
        help_text=_("The ticket, mail or name that this rests on; or give a file."),
    )
    evidence = forms.FileField(
        label=_("Evidence"),
        required=False,
        help_text=_(
            "A photo, a signed note, a mail as PDF. Size and kind are checked; photos lose all but their pixels."
        ),
    )

    def shape(self) -> None:
        """Offer every status but the present one."""
        statuses = self.subject._meta.get_field("status").flatchoices
        choices = [choice for choice in statuses if choice[0] != self.subject.status]
        self.fields["to"] = forms.ChoiceField(label=_("New status"), choices=[("", _("Choose…")), *choices])
        self.fields["evidence"].widget.attrs["accept"] = accepted()

    def clean(self) -> dict[str, Any]:
        """Want the one or the other."""
        cleaned = super().clean() or {}
        if "reference" in cleaned and not cleaned["reference"].strip() and not cleaned.get("evidence"):
            self.add_error("reference", _g("Give a reference, or a file as evidence."))
        return cleaned


class LineOverrideAsked(OverrideAsked):
    """For a line, also when it was shipped outside the system."""

    happened_at = forms.DateTimeField(
        label=_("Shipped or delivered outside the system on"),
        required=False,
        help_text=_("Only for these two statuses; left empty: now."),
    )

    def clean(self) -> dict[str, Any]:
        """Take a time only for what left outside the system."""
        cleaned = super().clean()
        if cleaned.get("happened_at") and cleaned.get("to") and cleaned["to"] not in LINE_SHIPPED:
            self.add_error("happened_at", _g("Only for what was shipped or delivered."))
        return cleaned


def ask_for_override(
    about: Literal["line", "service_order"], subject: Any, cleaned: dict[str, Any], told: dict[str, Any]
) -> tuple[OverrideRequest, str]:
    """Override, or ask for consent where a rule wants it; return the request and what to tell the person.

    `cleaned` is of the form above, `told` who asks, from where and when. Raises as `consents.ask`.
    """
    upload = cleaned.get("evidence")
    wish = consents.Wish(
        about=about,
        subject_id=subject.pk,
        to=cleaned["to"],
        reason=cleaned["reason"],
        reference=cleaned["reference"],
        evidence=consents.Evidence(upload.name, upload.read()) if upload else None,
        happened_at=cleaned.get("happened_at"),
    )
    row = consents.ask(wish=wish, expected_version=cleaned["expected_version"], **told)
    if row.status == "waiting":
        says = _g("Asked for: the rule “%(rule)s” wants the consent of another person. Nothing has changed yet.")
        return row, says % {"rule": row.rule}
    subject.refresh_from_db(fields=["status"])
    says = _g("%(reference)s is %(status)s now.")
    return row, says % {"reference": subject.reference, "status": subject.get_status_display()}


# --- A shipment ------------------------------------------------------------------------------------------------------


#: How an action names what is wrong with a line that leaves.
_OF_A_LINE = re.compile(r"lines\.(?P<place>[0-9]+)\.(?P<name>quantity|serials)")


class ShipAsked(forms.Form):
    """How much of each line leaves, with which serial numbers, and with whom. The rest becomes a line of its own."""

    subject: PartsOrder

    carrier = forms.CharField(label=_("Carrier"), required=False, max_length=60)
    tracking_number = forms.CharField(label=_("Tracking number"), required=False, max_length=80)
    walk = forms.BooleanField(
        label=_("Take it there first"),
        required=False,
        initial=True,
        help_text=_("Lines that are not packed yet are; the steps are recorded as passed through."),
    )

    def shape(self) -> None:
        """Add a field for each line that holds stock; what is not kept back is taken to leave whole."""
        held = OrderLine.objects.filter(order=self.subject, is_split=False, status__in=LINE_HOLDS_STOCK)
        self.lines = list(held.select_related("part__unit", "warehouse").order_by("position", "child_number"))
        for line in self.lines:
            self.fields[line.pk.hex] = forms.DecimalField(
                label=_("%(line)s, leaves now") % {"line": line.reference},
                required=False,
                min_value=Decimal(0),
                max_value=line.quantity,
                initial=None if line.kept_back else line.quantity.normalize(),
            )
            self.fields[f"serials_{line.pk.hex}"] = forms.CharField(
                label=_("%(line)s, serial numbers") % {"line": line.reference},
                required=False,
                max_length=4000,
                # A scanner ends each number with Enter, which is a new line here and ships nothing.
                widget=forms.Textarea(attrs={"rows": 1, "autocomplete": "off", "spellcheck": "false"}),
            )

    def heads(self) -> list[forms.BoundField]:
        """Give the fields above the rows."""
        return [self["carrier"], self["tracking_number"], self["walk"]]

    def rows(self) -> Iterator[tuple[Any, forms.BoundField, forms.BoundField]]:
        """Give each line with its fields: how much, and which."""
        for line in self.lines:
            yield line, self[line.pk.hex], self[f"serials_{line.pk.hex}"]

    def clean(self) -> dict[str, Any]:
        """Turn the filled rows into what leaves."""
        cleaned = super().clean() or {}
        cleaned["items"] = list(self._items(cleaned))
        if not cleaned["items"] and not self.errors:
            self.add_error(None, _g("Nothing is to be shipped: enter what leaves."))
        return cleaned

    def _items(self, cleaned: Mapping[str, Any]) -> Iterator[lines.ShipItem]:
        for line in self.lines:
            quantity, serials = cleaned.get(line.pk.hex), serials_in(cleaned.get(f"serials_{line.pk.hex}", ""))
            if quantity:
                yield lines.ShipItem(line.pk, None if quantity == line.quantity else quantity, serials)
            elif serials:
                self.add_error(line.pk.hex, _g("Say how much leaves."))

    def at_its_line(self, refusal: Refused) -> Refused:
        """Return a refusal that names the fields of this form where the action named those of what leaves."""
        if "fields" not in refusal.extra:
            return refusal
        named = {self._field_of(path): said for path, said in refusal.extra["fields"].items()}
        return Refused(refusal.says, **{**refusal.extra, "fields": named})

    def _field_of(self, path: str) -> str:
        found, items = _OF_A_LINE.fullmatch(path), self.cleaned_data["items"]
        if found is None or int(found["place"]) >= len(items):
            return path
        key = items[int(found["place"])].line_id.hex
        return key if found["name"] == "quantity" else f"serials_{key}"
