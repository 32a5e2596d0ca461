"""What the lists of floor 1 can be narrowed by; the API and the pages use the same."""

from __future__ import annotations

import django_filters as filters
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from orders.models import OrderLine, PartsOrder, ServiceOrder, ShippedSerial
from orders.searching import customers_named, jobs_with
from orders.statuses import LineStatus, ServiceOrderStatus
from parts.moments import MomentFilter
from parts.statuses import Purpose


class ServiceOrderFilter(filters.FilterSet):
    status = filters.MultipleChoiceFilter(choices=ServiceOrderStatus.choices, distinct=False)
    open = filters.BooleanFilter(method="only_open", help_text="true: neither completed nor cancelled.")
    reference = filters.CharFilter()
    external_reference = filters.CharFilter(help_text="The customer's own reference.")
    customer = filters.UUIDFilter(field_name="customer_id")
    customer_code = filters.CharFilter(field_name="customer__code")
    equipment = filters.UUIDFilter(field_name="equipment_id")
    region = filters.CharFilter(field_name="region__code", help_text="The region's code.")
    technician = filters.NumberFilter(field_name="technician_id", min_value=1, max_value=2**31 - 1)
    machine_down = filters.BooleanFilter()
    is_test = filters.BooleanFilter(help_text="Test and training orders.")
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")
    scheduled_from = filters.DateFilter(field_name="scheduled_for", lookup_expr="gte")
    scheduled_until = filters.DateFilter(field_name="scheduled_for", lookup_expr="lte")
    unassigned = filters.BooleanFilter(field_name="technician", lookup_expr="isnull", help_text="true: nobody has it.")
    late = filters.BooleanFilter(method="only_late", help_text="true: the contract's clock has run out.")
    waits_for_parts = filters.BooleanFilter(method="only_waiting", help_text="true: one of its lines is back-ordered.")
    customer_named = filters.CharFilter(
        method="of_customers", max_length=120, help_text="The customer's code, or how words of the name begin."
    )
    search = filters.CharFilter(
        method="find",
        min_length=2,
        max_length=120,
        help_text="References, customer, serial number of the machine, words of the title; each by its beginning.",
    )

    class Meta:
        model = ServiceOrder
        fields: list[str] = []

    def only_open(self, queryset: QuerySet[ServiceOrder], name: str, value: bool) -> QuerySet[ServiceOrder]:
        return queryset.open() if value else queryset  # type: ignore[attr-defined]  # our own queryset

    def only_late(self, queryset: QuerySet[ServiceOrder], name: str, value: bool) -> QuerySet[ServiceOrder]:
        return queryset.late(timezone.now()) if value else queryset  # type: ignore[attr-defined]  # our own queryset

    def only_waiting(self, queryset: QuerySet[ServiceOrder], name: str, value: bool) -> QuerySet[ServiceOrder]:
        return queryset.waiting_for_parts() if value else queryset  # type: ignore[attr-defined]  # our own queryset

    def of_customers(self, queryset: QuerySet[ServiceOrder], name: str, value: str) -> QuerySet[ServiceOrder]:
        return queryset.filter(customer__in=customers_named(value))

    def find(self, queryset: QuerySet[ServiceOrder], name: str, value: str) -> QuerySet[ServiceOrder]:
        return queryset.filter(jobs_with(value))


class PartsOrderFilter(filters.FilterSet):
    status = filters.MultipleChoiceFilter(choices=LineStatus.choices, distinct=False)
    kind = filters.MultipleChoiceFilter(choices=Purpose.choices, distinct=False)
    reference = filters.CharFilter()
    external_reference = filters.CharFilter(help_text="The customer's own reference.")
    customer = filters.UUIDFilter(field_name="customer_id")
    customer_code = filters.CharFilter(field_name="customer__code")
    service_order = filters.UUIDFilter(field_name="service_order_id")
    region = filters.CharFilter(field_name="region__code", help_text="The region's code.")
    part = filters.UUIDFilter(method="has_part", help_text="Has a line of this part.")
    warehouse = filters.UUIDFilter(method="draws_on", help_text="Has a line that draws on this warehouse.")
    serial = filters.CharFilter(
        method="sent", max_length=80, help_text="Something of it left with this serial number, in any spelling."
    )
    on_hold = filters.BooleanFilter()
    is_test = filters.BooleanFilter(help_text="Test and training orders.")
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = PartsOrder
        fields: list[str] = []

    def has_part(self, queryset: QuerySet[PartsOrder], name: str, value: str) -> QuerySet[PartsOrder]:
        return queryset.filter(Exists(OrderLine.objects.filter(order=OuterRef("pk"), part_id=value)))

    def draws_on(self, queryset: QuerySet[PartsOrder], name: str, value: str) -> QuerySet[PartsOrder]:
        return queryset.filter(Exists(OrderLine.objects.filter(order=OuterRef("pk"), warehouse_id=value)))

    def sent(self, queryset: QuerySet[PartsOrder], name: str, value: str) -> QuerySet[PartsOrder]:
        read_off = ShippedSerial.objects.filter(serial__key_is=value).values("shipment_line__shipment__order")
        return queryset.filter(pk__in=read_off)


class OrderLineFilter(filters.FilterSet):
    status = filters.MultipleChoiceFilter(choices=LineStatus.choices, distinct=False)
    order = filters.UUIDFilter(field_name="order_id")
    reference = filters.CharFilter()
    customer = filters.UUIDFilter(field_name="order__customer_id")
    customer_code = filters.CharFilter(field_name="order__customer__code")
    region = filters.CharFilter(field_name="order__region__code", help_text="The region's code.")
    part = filters.UUIDFilter(field_name="part_id")
    part_number = filters.CharFilter(field_name="part__number")
    warehouse = filters.UUIDFilter(field_name="warehouse_id")
    is_split = filters.BooleanFilter(help_text="false: only lines that hold stock or wait themselves.")
    requested_from = filters.DateFilter(field_name="requested_on", lookup_expr="gte")
    requested_until = filters.DateFilter(field_name="requested_on", lookup_expr="lte")
    promised_before = filters.DateFilter(field_name="promised_on", lookup_expr="lt")

    class Meta:
        model = OrderLine
        fields: list[str] = []
