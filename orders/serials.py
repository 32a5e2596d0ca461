"""Where serial numbers went."""

from __future__ import annotations

from django.db.models import Exists, OuterRef

from orders.models import ShippedSerial
from parts.lookups import Key
from parts.models import Delivery, DeliverySerial


def departures_of_delivery(delivery: Delivery) -> list[ShippedSerial]:
    """Return what left of the units that a delivery brought, by their serial numbers, the latest first. One query."""
    brought = DeliverySerial.objects.filter(line__delivery=delivery, line__part=OuterRef("part"))
    came = brought.annotate(key=Key("serial")).filter(key=Key(OuterRef("serial")))
    rows = ShippedSerial.objects.filter(
        Exists(came),
        part__in=delivery.lines.values("part"),
        shipment_line__shipment__shipped_at__gte=delivery.received_at,
    )
    return list(rows.select_related("part", "shipment_line__shipment__order").order_by("-id"))
