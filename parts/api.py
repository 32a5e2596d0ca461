"""The ground floor's resources: parts, stock movements, purchase orders, deliveries."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponseBase
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from parts.actions import supply
from parts.doors import Door, Lists, Reads
from parts.filters import DeliveryFilter, PartFilter, PurchaseOrderFilter, StockMovementFilter
from parts.masking import is_hidden
from parts.models import Delivery, DeliveryLine, DeliverySerial, Part, PurchaseOrder, PurchaseOrderLine, StockMovement
from parts.models.stock import OWN
from parts.moments import MomentField
from parts.numbers import MoneyField, QuantityField
from parts.statuses import Condition

MOST_LINES, MOST_SERIALS = 1_000, 1_000


class StaffMoneyField(MoneyField):
    """What something costs us: for staff. Others read null."""

    def __init__(self, says: str = "", **options: Any) -> None:
        options |= {"read_only": True, "allow_null": True, "help_text": f"{says} For staff; others read null.".strip()}
        super().__init__(**options)

    def get_attribute(self, instance: Any) -> Any:
        """Return the amount, None for whom it is not for."""
        hidden = is_hidden("part", str(self.source), for_staff=self.context["request"].user.is_staff)
        return None if hidden else super().get_attribute(instance)


# --- Parts -----------------------------------------------------------------------------------------------------------


class PartNumberSerializer(serializers.Serializer[Any]):
    system = serializers.CharField()
    number = serializers.CharField()


class PartSerializer(serializers.ModelSerializer[Part]):
    category = serializers.CharField(source="category.path", allow_null=True, default=None, read_only=True)
    unit = serializers.CharField(source="unit_id", read_only=True, help_text="UN/ECE Recommendation 20.")
    numbers = PartNumberSerializer(many=True, read_only=True, help_text="By which other systems know it.")
    unit_cost = StaffMoneyField()
    core_charge = StaffMoneyField("Deposit for the old unit; 0 if none.")

    class Meta:
        model = Part
        fields = (
            "id",
            "number",
            "description",
            "category",
            "criticality",
            "ved_class",
            "unit",
            "unit_cost",
            "core_charge",
            "is_active",
            "numbers",
        )
        read_only_fields = fields


class PartViewSet(Lists, Reads, Door):
    """The catalogue, newest entries first."""

    reads = "parts.view_part"
    serializer_class = PartSerializer
    filterset_class = PartFilter
    queryset = Part.objects.select_related("category").prefetch_related("numbers")


# --- Stock movements -------------------------------------------------------------------------------------------------


class StockMovementSerializer(serializers.ModelSerializer[StockMovement]):
    part = serializers.UUIDField(source="level.part_id", read_only=True)
    part_number = serializers.CharField(source="level.part.number", read_only=True)
    warehouse = serializers.UUIDField(source="level.warehouse_id", read_only=True)
    warehouse_code = serializers.CharField(source="level.warehouse.code", read_only=True)
    condition = serializers.CharField(source="level.condition", read_only=True)
    owner = serializers.CharField(source="level.owner", read_only=True)

    class Meta:
        model = StockMovement
        fields = (
            "id",
            "kind",
            "part",
            "part_number",
            "warehouse",
            "warehouse_code",
            "condition",
            "owner",
            "on_hand_change",
            "reserved_change",
            "unfit_change",
            "occurred_at",
            "recorded_at",
            "actor",
            "source",
        )
        read_only_fields = fields


class StockMovementViewSet(Lists, Door):
    """Every change of every stock level, newest first. A level is the sum of its movements."""

    reads = "parts.view_stockmovement"
    serializer_class = StockMovementSerializer
    filterset_class = StockMovementFilter
    queryset = StockMovement.objects.select_related("level__part", "level__warehouse")


# --- Purchase orders -------------------------------------------------------------------------------------------------


class PurchaseOrderLineSerializer(serializers.ModelSerializer[PurchaseOrderLine]):
    part = serializers.UUIDField(source="part_id", read_only=True)
    part_number = serializers.CharField(source="part.number", read_only=True)

    class Meta:
        model = PurchaseOrderLine
        fields = (
            "id",
            "position",
            "part",
            "part_number",
            "quantity",
            "received",
            "cancelled",
            "unit_cost",
            "first_confirmed_on",
            "expected_on",
            "is_open",
        )
        read_only_fields = fields


class PurchaseOrderSerializer(serializers.ModelSerializer[PurchaseOrder]):
    supplier = serializers.UUIDField(source="supplier_id", read_only=True)
    supplier_code = serializers.CharField(source="supplier.code", read_only=True)
    warehouse = serializers.UUIDField(source="warehouse_id", read_only=True)
    warehouse_code = serializers.CharField(source="warehouse.code", read_only=True)
    lines = PurchaseOrderLineSerializer(many=True, read_only=True)

    class Meta:
        model = PurchaseOrder
        fields = (
            "id",
            "number",
            "status",
            "supplier",
            "supplier_code",
            "warehouse",
            "warehouse_code",
            "ordered_at",
            "lines",
        )
        read_only_fields = fields


class NewPurchaseLineSerializer(serializers.Serializer[Any]):
    part = serializers.UUIDField()
    quantity = QuantityField(min_value=Decimal("0.001"))
    unit_cost = MoneyField(min_value=Decimal(0), default=Decimal(0))
    expected_on = serializers.DateField(allow_null=True, default=None)


class NewPurchaseOrderSerializer(serializers.Serializer[Any]):
    supplier = serializers.UUIDField()
    warehouse = serializers.UUIDField(help_text="Where it is to be delivered.")
    number = serializers.CharField(
        max_length=40, allow_null=True, default=None, help_text="Your own number; without one it gets the next of ours."
    )
    ordered_at = MomentField()
    lines: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=NewPurchaseLineSerializer(), allow_empty=False, max_length=MOST_LINES
    )


class PlacedPurchaseOrderSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    number = serializers.CharField()
    lines = serializers.ListField(child=serializers.UUIDField(), help_text="The lines' keys in their order.")


class PurchaseOrderViewSet(Lists, Reads, Door):
    """What is ordered from suppliers, newest first."""

    reads = "parts.view_purchaseorder"
    writes: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "create": ("parts.manage_purchase_orders",),
    }
    serializer_class = PurchaseOrderSerializer
    filterset_class = PurchaseOrderFilter
    queryset = PurchaseOrder.objects.select_related("supplier", "warehouse").prefetch_related("lines__part")

    @extend_schema(
        request=NewPurchaseOrderSerializer,
        responses={201: PlacedPurchaseOrderSerializer},
        examples=[
            OpenApiExample(
                "Two pumps, a date given",
                request_only=True,
                value={
                    "supplier": "0199a1c0-0000-7000-8000-000000000001",
                    "warehouse": "0199a1c0-0000-7000-8000-000000000002",
                    "ordered_at": "2026-11-20T09:00:00Z",
                    "lines": [
                        {
                            "part": "0199a1c0-0000-7000-8000-000000000003",
                            "quantity": "2",
                            "unit_cost": "112.00",
                            "expected_on": "2026-12-04",
                        }
                    ],
                },
            )
        ],
    )
    def create(self, request: Request) -> HttpResponseBase:
        """Place a purchase order. The expected dates of who waits for its parts are worked out again at once."""
        given = self.given(NewPurchaseOrderSerializer)
        placed = supply.place_purchase_order(
            supplier_id=given["supplier"],
            warehouse_id=given["warehouse"],
            number=given["number"],
            ordered_at=given["ordered_at"],
            lines=[
                supply.PurchaseLine(line["part"], line["quantity"], line["unit_cost"], line["expected_on"])
                for line in given["lines"]
            ],
            **self.cause(),
        )
        return self.created({"id": placed.id, "number": placed.number, "lines": placed.line_ids}, placed.id)


# --- Deliveries ------------------------------------------------------------------------------------------------------


class DeliveryLineSerializer(serializers.ModelSerializer[DeliveryLine]):
    part = serializers.UUIDField(source="part_id", read_only=True)
    part_number = serializers.CharField(source="part.number", read_only=True)
    purchase_order_line = serializers.UUIDField(source="purchase_order_line_id", read_only=True, allow_null=True)
    serials: serializers.SlugRelatedField[DeliverySerial] = serializers.SlugRelatedField(
        slug_field="serial", many=True, read_only=True, help_text="Serial numbers that were read off its units."
    )

    class Meta:
        model = DeliveryLine
        fields = (
            "id",
            "position",
            "part",
            "part_number",
            "purchase_order_line",
            "quantity",
            "unfit_quantity",
            "open_before",
            "condition",
            "owner",
            "serials",
        )
        read_only_fields = fields


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    supplier = serializers.UUIDField(source="supplier_id", read_only=True)
    warehouse = serializers.UUIDField(source="warehouse_id", read_only=True)
    lines = DeliveryLineSerializer(many=True, read_only=True)

    class Meta:
        model = Delivery
        fields = ("id", "note_number", "supplier", "warehouse", "received_at", "recorded_at", "lines")
        read_only_fields = fields


class NewDeliveryLineSerializer(serializers.Serializer[Any]):
    part = serializers.UUIDField()
    quantity = QuantityField(min_value=Decimal("0.001"))
    unfit_quantity = QuantityField(
        min_value=Decimal(0), default=Decimal(0), help_text="How much of the quantity is damaged or wrong."
    )
    purchase_order_line = serializers.UUIDField(
        allow_null=True, default=None, help_text="Without it, the oldest open lines of the supplier are filled."
    )
    condition = serializers.ChoiceField(choices=Condition.choices, default=Condition.NEW.value)
    owner = serializers.CharField(max_length=40, default=OWN)
    serials = serializers.ListField(
        child=serializers.CharField(max_length=80),
        max_length=MOST_SERIALS,
        default=list,
        help_text="Serial numbers read off its units: of some or of all, none twice. The last are of what is damaged.",
    )


class NewDeliverySerializer(serializers.Serializer[Any]):
    supplier = serializers.UUIDField()
    warehouse = serializers.UUIDField()
    note_number = serializers.CharField(max_length=60, help_text="Unique per supplier; a repeat changes nothing.")
    received_at = MomentField()
    lines: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=NewDeliveryLineSerializer(), allow_empty=False, max_length=MOST_LINES
    )


class BookedLineSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    position = serializers.IntegerField()
    part = serializers.UUIDField()
    quantity = QuantityField()
    unfit_quantity = QuantityField()
    purchase_order_line = serializers.UUIDField(allow_null=True)
    over = QuantityField(help_text="How much more came than was waited for.")
    still_open = QuantityField(help_text="How much of the purchase order line is still to come.")


class BookedDeliverySerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    note_number = serializers.CharField()
    replayed = serializers.BooleanField(help_text="It had been booked before; nothing was changed now.")
    lines = BookedLineSerializer(many=True)


class DeliveryViewSet(Lists, Reads, Door):
    """What suppliers delivered, newest first."""

    reads = "parts.view_delivery"
    writes: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "create": ("parts.receive_delivery",),
    }
    serializer_class = DeliverySerializer
    filterset_class = DeliveryFilter
    queryset: QuerySet[Delivery] = Delivery.objects.prefetch_related("lines__part", "lines__serials")

    @extend_schema(
        request=NewDeliverySerializer,
        responses={201: BookedDeliverySerializer},
        examples=[
            OpenApiExample(
                "Ten came, one of them damaged",
                request_only=True,
                value={
                    "supplier": "0199a1c0-0000-7000-8000-000000000001",
                    "warehouse": "0199a1c0-0000-7000-8000-000000000002",
                    "note_number": "DN-4711",
                    "received_at": "2026-11-20T09:00:00Z",
                    "lines": [
                        {
                            "part": "0199a1c0-0000-7000-8000-000000000003",
                            "quantity": "10",
                            "unfit_quantity": "1",
                            "serials": ["HP-88121", "HP-88122"],
                        }
                    ],
                },
            )
        ],
    )
    def create(self, request: Request) -> HttpResponseBase:
        """Book a delivery. Who waits for its parts has them when this call has answered."""
        given = self.given(NewDeliverySerializer)
        booked = supply.receive_delivery(
            supplier_id=given["supplier"],
            warehouse_id=given["warehouse"],
            note_number=given["note_number"],
            received_at=given["received_at"],
            lines=[
                supply.DeliveryItem(
                    part_id=line["part"],
                    quantity=line["quantity"],
                    unfit_quantity=line["unfit_quantity"],
                    purchase_order_line_id=line["purchase_order_line"],
                    condition=line["condition"],
                    owner=line["owner"],
                    serials=tuple(line["serials"]),
                )
                for line in given["lines"]
            ],
            **self.cause(),
        )
        return self.created(_booked(booked), booked.delivery_id)


def _booked(booked: supply.BookedDelivery) -> dict[str, Any]:
    return {
        "id": booked.delivery_id,
        "note_number": booked.note_number,
        "replayed": booked.replayed,
        "lines": [
            {
                "id": line.delivery_line_id,
                "position": line.position,
                "part": line.part_id,
                "quantity": line.quantity,
                "unfit_quantity": line.unfit_quantity,
                "purchase_order_line": line.purchase_order_line_id,
                "over": line.over,
                "still_open": line.still_open,
            }
            for line in booked.lines
        ],
    }
