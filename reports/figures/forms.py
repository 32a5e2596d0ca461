"""What the address of the figures' pages says: which days, which part of the business, told apart by what."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orders.statuses import Tier
from parts.models import Region, Warehouse
from parts.rules import FIRST_DAY, LAST_DAY
from parts.statuses import Criticality
from reports.figures.reading import DIMENSIONS, Period

#: Days of the periods that are offered; the first is taken where the address names none.
PERIODS = {"90": _("90 days"), "30": _("30 days"), "365": _("365 days")}
#: No page reads more days at once.
MOST_DAYS = 3 * 366
NONE = "none"
BY = {"region": _("Region"), "warehouse": _("Warehouse"), "criticality": _("Criticality"), "tier": _("Tier")}
BUCKETS = {"day": _("Days"), "week": _("Weeks"), "month": _("Months")}


_DAY = forms.DateInput(attrs={"type": "date"})
_POSSIBLE = [MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)]


class FiguresForm(forms.Form):
    """The filters as people see them; every field may be left empty."""

    period = forms.ChoiceField(label=_("Period"), required=False, choices=list(PERIODS.items()))
    since = forms.DateField(label=pgettext_lazy("day", "From"), required=False, widget=_DAY, validators=_POSSIBLE)
    until = forms.DateField(label=pgettext_lazy("day", "To"), required=False, widget=_DAY, validators=_POSSIBLE)
    bucket = forms.ChoiceField(label=_("In"), required=False, choices=[("", _("As fits")), *BUCKETS.items()])
    region = forms.ChoiceField(label=_("Region"), required=False)
    warehouse = forms.ChoiceField(label=_("Warehouse"), required=False)
    criticality = forms.ChoiceField(
        label=_("Criticality"), required=False, choices=[("", _("All")), *Criticality.choices]
    )
    tier = forms.ChoiceField(label=_("Tier"), required=False, choices=[("", _("All")), *Tier.choices])


class Filters:
    """What an address asks for. What means nothing is said at its field and left out. Two statements, for the names."""

    def __init__(self, query: QueryDict, today: date) -> None:
        self.query, self.today = query, today
        self.regions = {region.pk: region for region in Region.objects.order_by("code")}
        self.warehouses = {warehouse.pk: warehouse for warehouse in Warehouse.objects.order_by("code")}
        self.form = FiguresForm({name: query.get(name, "") for name in FiguresForm.base_fields}, auto_id="filter-%s")
        self._choices("region", [(region.code, region.name) for region in self.regions.values()])
        warehouses = [(warehouse.code, warehouse.name) for warehouse in self.warehouses.values()]
        self._choices("warehouse", [*warehouses, (NONE, _("None yet"))])
        self.form.is_valid()
        self.said: dict[str, Any] = self.form.cleaned_data

    def _choices(self, name: str, choices: list[tuple[str, Any]]) -> None:
        field = self.form.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("All")), *choices]

    @cached_property
    def period(self) -> Period:
        """The days asked for; the last 90 where the address names none that can be."""
        days = int(self.said.get("period") or next(iter(PERIODS)))
        until = min(self.said.get("until") or self.today, self.today)
        since = self.said.get("since") or until - timedelta(days=days - 1)
        return Period(max(min(since, until), until - timedelta(days=MOST_DAYS - 1)), until)

    @property
    def bucket(self) -> str:
        """The step of the charts: as asked, or such that there are neither too few nor too many."""
        asked: str = self.said.get("bucket") or ""
        if asked and (asked != "day" or self.period.days <= 100):
            return asked
        return "day" if self.period.days <= 14 else "week" if self.period.days <= 200 else "month"

    @cached_property
    def where(self) -> dict[str, UUID | str | None]:
        """The narrowing asked for."""
        found: dict[str, UUID | str | None] = {
            name: self.said[name] for name in ("criticality", "tier") if self.said.get(name)
        }
        if code := self.said.get("region"):
            found["region"] = next(key for key, region in self.regions.items() if region.code == code)
        if code := self.said.get("warehouse"):
            keys = (key for key, warehouse in self.warehouses.items() if warehouse.code == code)
            found["warehouse"] = next(keys, None)
        return found

    @property
    def by(self) -> str:
        """By what figures are told apart."""
        asked = self.query.get("by", "")
        return asked if asked in DIMENSIONS else "region"

    def name_of(self, dimension: str, value: Any) -> Any:
        """Return what a value of a dimension is called."""
        if dimension == "region":
            region = self.regions.get(value)
            return region.name if region else _("No region")
        if dimension == "warehouse":
            warehouse = self.warehouses.get(value)
            return warehouse.name if warehouse else _("None yet")
        if dimension == "criticality":
            return dict(Criticality.choices).get(value, _("Not rated"))
        return dict(Tier.choices).get(value, _("No customer"))

    def code_of(self, dimension: str, value: Any) -> str:
        """Return how the address names a value of a dimension; empty where it has no name there."""
        if dimension == "region":
            return self.regions[value].code if value in self.regions else ""
        if dimension == "warehouse":
            return self.warehouses[value].code if value in self.warehouses else NONE
        return str(value or "")

    def address(self, **changes: str | None) -> str:
        """Return the same question as the end of an address, some of it changed (None: without it)."""
        words = {name: self.query.get(name, "") for name in FiguresForm.base_fields if name not in self.form.errors}
        words["by"] = self.query.get("by", "")
        pairs = [(name, value) for name, value in {**words, **changes}.items() if value]
        return f"?{urlencode(pairs)}" if pairs else ""
