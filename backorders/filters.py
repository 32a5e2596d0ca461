"""What the queue can be narrowed by; the API and the pages use the same."""

from __future__ import annotations

import django_filters as filters
from django.db.models import QuerySet
from django.utils import timezone

from backorders.models import BackOrder
from backorders.statuses import AGE_BUCKETS, BackOrderStatus
from parts.moments import MomentFilter


class BackOrderFilter(filters.FilterSet):
    status = filters.MultipleChoiceFilter(
        choices=BackOrderStatus.choices, distinct=False, help_text="Left out: those that wait."
    )
    reference = filters.CharFilter()
    part = filters.UUIDFilter(field_name="part_id")
    part_number = filters.CharFilter(field_name="part__number")
    customer = filters.UUIDFilter(field_name="customer_id")
    customer_code = filters.CharFilter(field_name="customer__code")
    region = filters.CharFilter(field_name="region__code", help_text="The region's code.")
    order = filters.UUIDFilter(field_name="line__order_id", help_text="The parts order.")
    age = filters.ChoiceFilter(
        choices=[(name, name) for name, _low, _high in AGE_BUCKETS], method="in_bucket", help_text="Days it has waited."
    )
    opened_after = MomentFilter(field_name="opened_at", lookup_expr="gte")
    opened_before = MomentFilter(field_name="opened_at", lookup_expr="lt")
    expected_before = filters.DateFilter(field_name="expected_on", lookup_expr="lt")
    without_supply = filters.BooleanFilter(method="only_without_supply", help_text="true: no purchase order covers it.")
    promise_overdue = filters.BooleanFilter(method="only_overdue", help_text="true: its promised date has passed.")
    on_hold = filters.BooleanFilter()

    class Meta:
        model = BackOrder
        fields: list[str] = []

    def in_bucket(self, queryset: QuerySet[BackOrder], name: str, value: str) -> QuerySet[BackOrder]:
        return queryset.aged(value, timezone.now())  # type: ignore[attr-defined]  # our own queryset

    def only_without_supply(self, queryset: QuerySet[BackOrder], name: str, value: bool) -> QuerySet[BackOrder]:
        return queryset.without_supply() if value else queryset  # type: ignore[attr-defined]  # our own queryset

    def only_overdue(self, queryset: QuerySet[BackOrder], name: str, value: bool) -> QuerySet[BackOrder]:
        today = timezone.now().date()
        return queryset.promise_overdue(today) if value else queryset  # type: ignore[attr-defined]  # our own queryset
