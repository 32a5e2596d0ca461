"""The board's filters: what the address says, what of it is a filter, and the form that changes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.models import AnonymousUser, User
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from orders.filters import NOBODY, jobs_of_board
from orders.models import ServiceOrder
from orders.people import technicians
from orders.querysets import ServiceOrderQuerySet
from orders.statuses import SERVICE_ORDER_OPEN
from parts.models import Region


class BoardForm(forms.Form):
    """The filters that people see. The names are those of the API, but for `technician`, who may be nobody."""

    search = forms.CharField(
        label=_("Text"),
        required=False,
        min_length=2,
        max_length=120,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": _("Reference, title, serial")}),
    )
    customer_named = forms.CharField(
        label=_("Customer"),
        required=False,
        max_length=120,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": _("Name or code")}),
    )
    technician = forms.ChoiceField(label=_("Technician"), required=False)
    region = forms.ChoiceField(label=_("Region"), required=False)
    days_in_status = forms.IntegerField(
        label=_("Days in status, more than"), required=False, min_value=0, max_value=3650
    )
    late = forms.BooleanField(label=_("Late"), required=False)
    waits_for_parts = forms.BooleanField(label=_("Waits for parts"), required=False)
    machine_down = forms.BooleanField(label=_("Machine down"), required=False)

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__(data, auto_id="filter-%s", prefix=None)
        people = [(str(person.pk), person.get_full_name() or person.get_username()) for person in technicians()]
        self._choices("technician", [("", _("Anybody")), (NOBODY, _("Nobody yet")), *people])
        regions = Region.objects.order_by("code").values_list("code", "name")
        self._choices("region", [("", _("All regions")), *regions])

    def _choices(self, name: str, choices: list[tuple[str, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices


class BoardFilters:
    """What the address of a board says."""

    def __init__(self, query: QueryDict) -> None:
        self.query = query
        self.as_table = query.get("as") == "table"
        wanted = [status for status in query.getlist("status") if status in SERVICE_ORDER_OPEN]
        self.statuses = wanted or list(SERVICE_ORDER_OPEN)
        self.chosen = wanted

    @cached_property
    def form(self) -> BoardForm:
        """The form as it is shown. Two queries."""
        return BoardForm({name: self.query.get(name, "") for name in BoardForm.base_fields})

    @cached_property
    def given(self) -> dict[str, str]:
        """What of the address narrows the list, by the names of the form."""
        said = {name: str(self.query.get(name, "")).strip() for name in BoardForm.base_fields}
        return {name: value for name, value in said.items() if value}

    @property
    def count(self) -> int:
        """How many filters are set."""
        return len(self.given)

    def jobs(self, person: User | AnonymousUser) -> ServiceOrderQuerySet:
        """Return the jobs that a person may see and that the filters let through; none where one means nothing."""
        return jobs_of_board(self.given, ServiceOrder.objects.visible_to(person))

    def query_text(self, **changes: str | None) -> str:
        """Return the query that says the same, without what is empty, some of it changed (None: without it)."""
        words = {**({"as": "table"} if self.as_table else {}), **self.given, **changes}
        pairs = [(name, value) for name, value in words.items() if value]
        chosen = [] if "status" in changes or not self.as_table else [("status", status) for status in self.chosen]
        return urlencode(pairs + chosen)

    @cached_property
    def said(self) -> str:
        """The query as it is: each card carries it."""
        return self.query_text()

    def address(self, **changes: str | None) -> str:
        """Return the query as the end of an address."""
        text = self.query_text(**changes)
        return f"?{text}" if text else ""

    @property
    def as_columns_address(self) -> str:
        """The same jobs as columns."""
        text = self.query_text(**{"as": None, "status": None})
        return f"?{text}" if text else "?"

    @property
    def as_table_address(self) -> str:
        """The same jobs as a table."""
        return f"?{self.query_text(**{'as': 'table'})}"
