"""Which serial number left with which order: a list, and what it adds to the pages of a part and of a delivery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from orders.models import ShippedSerial
from orders.serials import departures_of_delivery
from parts.admin.filters import ChosenFilter
from parts.admin.offices import BySerial, Guest, Shown, bring
from parts.models import Delivery, Part

#: How many of a part's page shows; the list has them all.
MOST_SHOWN = 20


@admin.register(ShippedSerial)
class ShippedSerialOffice(BySerial, Shown):
    list_display = ("serial", "part", "order", "shipment", "shipped_at", "is_gone")
    list_filter = (("part", ChosenFilter), "is_gone")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ShippedSerial]:
        """Read the shipment along: a serial number is told by it."""
        rows = super().get_queryset(request).select_related("part", "shipment_line__shipment__order")
        return rows.select_related("shipment_line__line")

    @display(description=_("parts order"))
    def order(self, row: ShippedSerial) -> str:
        """Which order got it."""
        return row.shipment_line.shipment.order.reference

    @display(description=_("shipment"))
    def shipment(self, row: ShippedSerial) -> str:
        """With which shipment it left."""
        return row.shipment_line.shipment.reference

    @display(description=_("shipped at"))
    def shipped_at(self, row: ShippedSerial) -> Any:
        """When it left."""
        return row.shipment_line.shipment.shipped_at


@dataclass(frozen=True, slots=True)
class _Departures:
    """Numbers that left, the latest first, and whether there are more."""

    rows: list[ShippedSerial]
    is_cut: bool = False


def _of_part(request: HttpRequest, part: Any) -> _Departures:
    rows = ShippedSerial.objects.filter(part=part).select_related("shipment_line__shipment__order")
    found = list(rows.order_by("-id")[: MOST_SHOWN + 1])
    return _Departures(found[:MOST_SHOWN], len(found) > MOST_SHOWN)


def _of_delivery(request: HttpRequest, delivery: Any) -> _Departures:
    return _Departures(departures_of_delivery(delivery))


_TEMPLATE = "admin/orders/serials_gone.html"
bring(Part, guests=(Guest(_TEMPLATE, _of_part, permission="orders.view_shippedserial"),))
bring(Delivery, guests=(Guest(_TEMPLATE, _of_delivery, permission="orders.view_shippedserial"),))
