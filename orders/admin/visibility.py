"""Who is shown special stock: consigned, loaner and in repair."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from orders.models import StockVisibilityRule
from parts.admin.filters import ChosenFilter
from parts.admin.offices import Edited


@admin.register(StockVisibilityRule)
class StockVisibilityRuleOffice(Edited):
    list_display = ("stock", "where", "for_whom", "who", "note")
    list_filter = (
        ("stock", ChoicesDropdownFilter),
        ("warehouse", ChosenFilter),
        ("customer", ChosenFilter),
    )
    list_select_related = ("warehouse", "customer", "person")
    search_fields = ("warehouse__code", "customer__code", "customer__name", "person__username", "note")
    search_help_text = _("Warehouse, customer, person or reason")
    autocomplete_fields = ("warehouse", "customer", "person")
    ordering = ("stock", "id")

    def title_of(self, subject: Any) -> str:
        """Say which stock, and where."""
        return f"{subject.get_stock_display()} · {self.where(subject)}"

    @display(description=_("warehouse"), ordering="warehouse")
    def where(self, rule: Any) -> str:
        """The warehouse, or all of them."""
        return rule.warehouse.code if rule.warehouse else _g("every warehouse")

    @display(description=_("for orders of"), ordering="customer")
    def for_whom(self, rule: Any) -> str:
        """The customer, or any."""
        return str(rule.customer) if rule.customer else _g("every customer")

    @display(description=_("seen by"), ordering="person")
    def who(self, rule: Any) -> str:
        """The person, or everybody who may see stock."""
        return (rule.person.get_full_name() or rule.person.get_username()) if rule.person else _g("everybody")
