"""Customers, who acts for them, their machines and their contracts."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateFilter

from orders.models import Customer, CustomerAccess, Equipment, ServiceContract
from parts.admin.filters import ChosenFilter
from parts.admin.offices import Edited


@admin.register(Customer)
class CustomerOffice(Edited):
    list_display = ("code", "name", "tier", "region", "language", "time_zone", "is_active")
    list_filter = (("tier", ChoicesDropdownFilter), ("region", ChosenFilter), "is_active")
    list_select_related = ("region",)
    search_fields = ("code", "name", "email")
    autocomplete_fields = ("region",)
    ordering = ("code",)


@admin.register(CustomerAccess)
class CustomerAccessOffice(Edited):
    list_display = ("customer", "user")
    list_filter = (("customer", ChosenFilter), ("user", ChosenFilter))
    list_select_related = ("customer", "user")
    search_fields = ("customer__code", "customer__name", "user__username")
    autocomplete_fields = ("customer", "user")
    ordering = ("-id",)

    def title_of(self, subject: Any) -> str:
        """Say who for whom, not their keys."""
        return f"{subject.user} · {subject.customer}"


@admin.register(Equipment)
class EquipmentOffice(Edited):
    list_display = ("model", "serial_number", "customer", "criticality", "downtime_cost_per_hour")
    list_filter = (("customer", ChosenFilter), ("criticality", ChoicesDropdownFilter))
    list_select_related = ("customer",)
    search_fields = ("serial_number", "model", "customer__code", "customer__name")
    search_help_text = _("Serial number, model or customer")
    autocomplete_fields = ("customer",)
    ordering = ("-id",)


@admin.register(ServiceContract)
class ServiceContractOffice(Edited):
    list_display = ("number", "name", "customer", "repair_hours", "priority_points", "valid_from", "valid_until")
    list_filter = (("customer", ChosenFilter), ("valid_until", RangeDateFilter))
    list_select_related = ("customer",)
    search_fields = ("number", "name", "customer__code", "customer__name")
    autocomplete_fields = ("customer",)
    ordering = ("-id",)
