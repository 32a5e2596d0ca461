"""The shape of parts orders and lines, for the API's description; `orders.documents` writes them in SQL."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from orders.statuses import LineStatus
from parts.statuses import Purpose

#: How many serial numbers a line takes at once.
MOST_SERIALS = 1_000
#: What the description says of such a field.
IN_CUSTOMERS_WORDS = "The status as customers read it, in the language that Accept-Language asks for."


class SerialsField(serializers.ListField):
    """Serial numbers that are read off what leaves."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            child=serializers.CharField(max_length=80),
            max_length=MOST_SERIALS,
            default=list,
            help_text="Read off its units: of some or of all. One that has left before and is not back is refused.",
            **options,
        )


class BackOrderOfLineSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    reference = serializers.CharField()
    status = serializers.CharField()
    quantity = serializers.CharField(help_text="What is still missing.")
    expected_on = serializers.DateField(allow_null=True, help_text="Null where no supply with a date is ordered.")


class LeafSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    reference = serializers.CharField()
    version = serializers.IntegerField()
    position = serializers.IntegerField()
    part = serializers.UUIDField()
    part_number = serializers.CharField()
    quantity = serializers.CharField(help_text="In the part's unit.")
    status = serializers.ChoiceField(choices=LineStatus.choices)
    customer_status = serializers.CharField(help_text=IN_CUSTOMERS_WORDS)
    status_since = serializers.DateTimeField()
    progress = serializers.CharField(help_text="Share of the quantity that has left, 0 to 1.")
    warehouse = serializers.UUIDField(allow_null=True)
    warehouse_code = serializers.CharField(allow_null=True)
    requested_on = serializers.DateField()
    first_promised_on = serializers.DateField(allow_null=True)
    promised_on = serializers.DateField(allow_null=True)
    kept_back = serializers.BooleanField(help_text="No rule releases it before a person does, or lets it go.")
    serials = serializers.ListField(
        child=serializers.CharField(), help_text="Serial numbers that were read off its units when they left."
    )
    back_order = BackOrderOfLineSerializer(allow_null=True)


class LineOfOrderSerializer(LeafSerializer):
    """A line as it was ordered; where it had to be split, its parts are its children and it is derived from them."""

    children = LeafSerializer(many=True)


class OrderLineSerializer(LineOfOrderSerializer):
    """A line, or a part of one (`parent` is then the line as it was ordered)."""

    order = serializers.UUIDField()
    parent = serializers.UUIDField(allow_null=True)  # type: ignore[assignment]  # a field, taken off the class by DRF


class PartsOrderSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    reference = serializers.CharField()
    version = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=Purpose.choices)
    status = serializers.ChoiceField(choices=LineStatus.choices, help_text="Its least advanced line's.")
    customer_status = serializers.CharField(help_text=IN_CUSTOMERS_WORDS)
    status_since = serializers.DateTimeField()
    progress = serializers.CharField(help_text="Share of all that has left, 0 to 1.")
    customer = serializers.UUIDField(allow_null=True)
    customer_code = serializers.CharField(allow_null=True)
    service_order = serializers.UUIDField(allow_null=True)
    region = serializers.CharField()
    destination = serializers.UUIDField(allow_null=True, help_text="The warehouse it goes to.")
    external_reference = serializers.CharField(allow_blank=True)
    requested_on = serializers.DateField()
    complete_delivery_only = serializers.BooleanField()
    on_hold = serializers.BooleanField()
    hold_reason = serializers.CharField(allow_blank=True, allow_null=True, help_text="For staff; others read null.")
    is_test = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    lines = LineOfOrderSerializer(many=True)


class OpenedSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    reference = serializers.CharField()
    expected_on = serializers.DateField(allow_null=True)


class PlacedLeafSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    reference = serializers.CharField()
    part = serializers.UUIDField()
    part_number = serializers.CharField()
    quantity = serializers.CharField()
    status = serializers.ChoiceField(choices=LineStatus.choices)
    warehouse = serializers.UUIDField(allow_null=True)
    back_order = OpenedSerializer(allow_null=True)


class PlacedLineSerializer(PlacedLeafSerializer):
    children = PlacedLeafSerializer(many=True)


class PlacedSerializer(serializers.Serializer[Any]):
    """What is reserved where, and what is back-ordered and until when."""

    id = serializers.UUIDField()
    reference = serializers.CharField()
    status = serializers.ChoiceField(choices=LineStatus.choices)
    version = serializers.IntegerField()
    lines = PlacedLineSerializer(many=True)


class ShipmentSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    reference = serializers.CharField()
    warehouse = serializers.UUIDField()
    carrier = serializers.CharField(allow_blank=True)
    tracking_number = serializers.CharField(allow_blank=True)
    shipped_at = serializers.DateTimeField()


class ShippedSerializer(serializers.Serializer[Any]):
    shipments = ShipmentSerializer(many=True, help_text="One for each warehouse that something left.")
