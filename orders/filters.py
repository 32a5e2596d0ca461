"""What the lists of floor 1 can be narrowed by; the API and the pages use the same."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

import django_filters as filters
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from orders.models import OrderLine, PartsOrder, ServiceOrder, ShippedSerial
from orders.querysets import PartsOrderQuerySet, ServiceOrderQuerySet
from orders.searching import customers_named, jobs_with, orders_with
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
    days_in_status = filters.NumberFilter(
        method="only_stuck", min_value=0, max_value=3650, help_text="In its present status for more than so many days."
    )
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

    def only_stuck(self, queryset: ServiceOrderQuerySet, name: str, value: Decimal) -> ServiceOrderQuerySet:
        return queryset.in_status_since(timezone.now() - timedelta(days=float(value)))

    def of_customers(self, queryset: QuerySet[ServiceOrder], name: str, value: str) -> QuerySet[ServiceOrder]:
        return queryset.filter(customer__in=customers_named(value))

    def find(self, queryset: QuerySet[ServiceOrder], name: str, value: str) -> QuerySet[ServiceOrder]:
        return queryset.filter(jobs_with(value))


#: Who has a job on the board: nobody yet.
NOBODY = "nobody"
#: What of a board's address is ticked or not.
_TICKED = ("late", "waits_for_parts", "machine_down")
#: What of a board's address narrows it, by the names of its form; its statuses come besides.
BOARD_FILTERS = ("search", "customer_named", "technician", "region", "days_in_status", *_TICKED)


def jobs_of_board(given: Mapping[str, str], rows: ServiceOrderQuerySet) -> ServiceOrderQuerySet:
    """Return those of the jobs that a board's filters let through; none where one of them means nothing.

    The board, its saved views and the digests made of them mean the same by the same words.
    """
    asked = {name: given[name] for name in BOARD_FILTERS if given.get(name)}
    if asked.get("technician") == NOBODY:
        del asked["technician"]
        asked["unassigned"] = "true"
    for name in _TICKED:
        if name in asked:
            asked[name] = "true"
    found = ServiceOrderFilter(asked, rows)
    result: ServiceOrderQuerySet = found.qs if found.is_valid() else rows.none()
    return result


def parts_orders_of_board(given: Mapping[str, str], rows: PartsOrderQuerySet) -> PartsOrderQuerySet:
    """Return those of the parts orders without a job that a board's filters let through, as far as they speak of them.

    Only a job has a technician and a contract's clock: who asks for those asks for no parts order.
    """
    if given.get("technician") or given.get("late"):
        return rows.none()
    found = rows.filter(service_order=None)
    if text := given.get("search"):
        found = found.filter(orders_with(text))
    if text := given.get("customer_named"):
        found = found.filter(customer__in=customers_named(text))
    if code := given.get("region"):
        found = found.filter(region__code=code)
    if given.get("waits_for_parts"):
        found = found.filter(status=LineStatus.BACK_ORDERED)
    return found.filter(kind=Purpose.EMERGENCY) if given.get("machine_down") else found


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
