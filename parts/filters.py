"""What the lists of the ground floor can be narrowed by; the API and the pages use the same."""

from __future__ import annotations

import django_filters as filters
from django.db.models import Exists, OuterRef, Q, QuerySet

from parts.models import (
    Delivery,
    DeliveryLine,
    DeliverySerial,
    Part,
    PartNumber,
    PurchaseOrder,
    PurchaseOrderLine,
    StockMovement,
)
from parts.moments import MomentFilter
from parts.statuses import Criticality, MovementKind, PurchaseOrderStatus


class PartFilter(filters.FilterSet):
    number = filters.CharFilter(help_text="The part number, exactly.")
    search = filters.CharFilter(method="find", help_text="Number begins with it, or description holds it.")
    external_number = filters.CharFilter(method="known_elsewhere_as", help_text="Its number in any other system.")
    category = filters.CharFilter(
        field_name="category__path", lookup_expr="startswith", help_text="Path of a category and all below it."
    )
    criticality = filters.MultipleChoiceFilter(choices=Criticality.choices, distinct=False)
    is_active = filters.BooleanFilter(help_text="Whether it can be ordered.")

    class Meta:
        model = Part
        fields: list[str] = []

    def find(self, queryset: QuerySet[Part], name: str, value: str) -> QuerySet[Part]:
        return queryset.filter(Q(number__istartswith=value) | Q(description__icontains=value))

    def known_elsewhere_as(self, queryset: QuerySet[Part], name: str, value: str) -> QuerySet[Part]:
        return queryset.filter(Exists(PartNumber.objects.filter(part=OuterRef("pk"), number=value)))


class StockMovementFilter(filters.FilterSet):
    part = filters.UUIDFilter(field_name="level__part_id")
    warehouse = filters.UUIDFilter(field_name="level__warehouse_id")
    kind = filters.MultipleChoiceFilter(choices=MovementKind.choices, distinct=False)
    occurred_after = MomentFilter(field_name="occurred_at", lookup_expr="gte")
    occurred_before = MomentFilter(field_name="occurred_at", lookup_expr="lt")

    class Meta:
        model = StockMovement
        fields: list[str] = []


class PurchaseOrderFilter(filters.FilterSet):
    number = filters.CharFilter()
    status = filters.MultipleChoiceFilter(choices=PurchaseOrderStatus.choices, distinct=False)
    supplier = filters.UUIDFilter(field_name="supplier_id")
    warehouse = filters.UUIDFilter(field_name="warehouse_id")
    part = filters.UUIDFilter(method="orders_part", help_text="Orders this part.")
    ordered_after = MomentFilter(field_name="ordered_at", lookup_expr="gte")
    ordered_before = MomentFilter(field_name="ordered_at", lookup_expr="lt")

    class Meta:
        model = PurchaseOrder
        fields: list[str] = []

    def orders_part(self, queryset: QuerySet[PurchaseOrder], name: str, value: str) -> QuerySet[PurchaseOrder]:
        return queryset.filter(Exists(PurchaseOrderLine.objects.filter(purchase_order=OuterRef("pk"), part_id=value)))


class DeliveryFilter(filters.FilterSet):
    note_number = filters.CharFilter()
    supplier = filters.UUIDFilter(field_name="supplier_id")
    warehouse = filters.UUIDFilter(field_name="warehouse_id")
    part = filters.UUIDFilter(method="brought_part", help_text="Brought this part.")
    serial = filters.CharFilter(
        method="brought_serial", max_length=80, help_text="Brought the unit of this serial number, in any spelling."
    )
    received_after = MomentFilter(field_name="received_at", lookup_expr="gte")
    received_before = MomentFilter(field_name="received_at", lookup_expr="lt")

    class Meta:
        model = Delivery
        fields: list[str] = []

    def brought_part(self, queryset: QuerySet[Delivery], name: str, value: str) -> QuerySet[Delivery]:
        return queryset.filter(Exists(DeliveryLine.objects.filter(delivery=OuterRef("pk"), part_id=value)))

    def brought_serial(self, queryset: QuerySet[Delivery], name: str, value: str) -> QuerySet[Delivery]:
        read_off = DeliverySerial.objects.filter(serial__key_is=value).values("line__delivery")
        return queryset.filter(pk__in=read_off)
