"""Parts orders: placed in one call that says what is there, what is missing and until when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpResponseBase
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from orders.actions import lines, parts_orders, placing
from orders.api.shapes import PartsOrderSerializer, PlacedSerializer, SerialsField, ShippedSerializer
from orders.documents import orders_as_documents
from orders.doors import EventSerializer, OrdersDoor, ReasonSerializer
from orders.filters import PartsOrderFilter
from orders.models import OrderEvent, OrderLine, PartsOrder, ServiceOrder, Shipment
from orders.querysets import sees_all
from parts.doors import PAGE, MovedSerializer, NothingSerializer
from parts.errors import Forbidden, Invalid
from parts.numbers import QuantityField
from parts.sentences import sentence
from parts.statuses import Purpose

_LEAST = Decimal("0.001")


class WantedSerializer(serializers.Serializer[Any]):
    part = serializers.UUIDField(allow_null=True, default=None, help_text="The part's key, or else its number.")
    part_number = serializers.CharField(max_length=60, allow_blank=True, default="")
    quantity = QuantityField(min_value=_LEAST, help_text="In the part's unit.")
    requested_on = serializers.DateField(allow_null=True, default=None, help_text="The order's, if it is left out.")
    minimum_fill = QuantityField(
        min_value=Decimal(0),
        default=Decimal(0),
        help_text="The smallest part delivery that is accepted once the line is short.",
    )


class NewPartsOrderSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=Purpose.choices)
    customer = serializers.UUIDField(allow_null=True, default=None)
    service_order = serializers.UUIDField(allow_null=True, default=None)
    destination = serializers.UUIDField(
        allow_null=True, default=None, help_text="The warehouse to fill; for the kinds stock and transfer."
    )
    requested_on = serializers.DateField()
    complete_delivery_only = serializers.BooleanField(default=False)
    external_reference = serializers.CharField(max_length=80, allow_blank=True, default="")
    is_test = serializers.BooleanField(default=False)
    note = serializers.CharField(max_length=2000, allow_blank=True, default="")
    lines: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=WantedSerializer(), allow_empty=False, max_length=placing.MOST_LINES
    )


class ShipItemSerializer(serializers.Serializer[Any]):
    line = serializers.UUIDField()
    quantity = QuantityField(min_value=_LEAST, allow_null=True, default=None, help_text="Null for all of it.")
    serials = SerialsField()


class ShipSerializer(serializers.Serializer[Any]):
    lines: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=ShipItemSerializer(), allow_empty=False, max_length=placing.MOST_LINES
    )
    carrier = serializers.CharField(max_length=60, allow_blank=True, default="")
    tracking_number = serializers.CharField(max_length=80, allow_blank=True, default="")
    walk = serializers.BooleanField(
        default=False, help_text="Take lines that are not packed yet through the steps before; each is recorded."
    )


class HoldSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=200)


class PartsOrderViewSet(OrdersDoor):
    """The demand for parts, newest first, each with its lines."""

    reads = "orders.view_partsorder"
    writes: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "create": ("orders.place_partsorder",),
        "cancel": ("orders.cancel_orderline",),
        "hold": ("orders.hold_partsorder",),
        "let_go": ("orders.hold_partsorder",),
        "ship": ("orders.ship_orderline",),
    }
    serializer_class = PartsOrderSerializer
    filterset_class = PartsOrderFilter
    queryset = PartsOrder.objects.all()
    parameters: ClassVar[Mapping[str, frozenset[str]]] = {"timeline": PAGE}
    versioned: ClassVar[frozenset[str]] = frozenset({"cancel"})

    def get_queryset(self) -> QuerySet[Any]:
        return PartsOrder.objects.visible_to(self.user)

    def _documents(self, orders: QuerySet[Any]) -> QuerySet[Any, dict[str, Any]]:
        return orders_as_documents(orders, for_staff=sees_all(self.user))

    def list(self, request: Request) -> HttpResponseBase:
        """A page of parts orders with all their lines; every page costs the same, in one statement."""
        return self.page_of_documents(self._documents(self.filter_queryset(self.get_queryset())))

    def retrieve(self, request: Request, pk: str) -> HttpResponseBase:
        """A parts order with its lines."""
        row = self.row_or_404(self._documents(self.get_queryset()))
        return self.shown(row["document"].encode(), row["version"])

    @extend_schema(
        request=NewPartsOrderSerializer,
        responses={201: PlacedSerializer},
        examples=[
            OpenApiExample(
                "Two parts for a job",
                request_only=True,
                value={
                    "kind": "service",
                    "customer": "0199a1c0-0000-7000-8000-000000000004",
                    "requested_on": "2026-12-01",
                    "external_reference": "PO-2291",
                    "lines": [
                        {"part_number": "HP-20001", "quantity": "2"},
                        {"part_number": "HP-20002", "quantity": "5"},
                    ],
                },
            )
        ],
    )
    def create(self, request: Request) -> HttpResponseBase:
        """Place a parts order: every unit is reserved, or back-ordered in the same instant, and until when."""
        given = self.given(NewPartsOrderSerializer)
        self._check_may_place(given)
        wanted = [
            placing.Wanted(
                line["quantity"], line["part"], line["part_number"], line["requested_on"], line["minimum_fill"]
            )
            for line in given.pop("lines")
        ]
        ids = {f"{name}_id": given.pop(name) for name in ("customer", "service_order", "destination")}
        placed = placing.place(lines=wanted, **ids, **given, **self.cause())
        return self.created(_placed(placed), placed.id, placed.version)

    def _check_may_place(self, given: dict[str, Any]) -> None:
        """Keep a partner to their own customers and jobs. Raises Forbidden, Invalid."""
        if sees_all(self.user):
            return
        if given["kind"] in placing.SOFT_KINDS or given["destination"]:
            raise Forbidden(sentence("Only staff order for our own warehouses."))
        self.check_customer(given["customer"])
        job = given["service_order"]
        if job and not ServiceOrder.objects.visible_to(self.user).filter(pk=job).exists():
            raise Invalid(
                sentence("The order cannot be placed as it is."),
                {"service_order": [sentence("There is no such service order.")]},
            )

    @extend_schema(request=ReasonSerializer, responses=MovedSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> HttpResponseBase:
        """Cancel all of an order that has not left. What it held is free at once."""
        given = self.given(ReasonSerializer)
        self.check_visible(self.get_queryset())
        return self.moved(
            parts_orders.cancel(order_id=self.key, expected_version=self.expected_version(), **given, **self.cause())
        )

    @extend_schema(request=HoldSerializer, responses=MovedSerializer)
    @action(detail=True, methods=["post"])
    def hold(self, request: Request, pk: str) -> HttpResponseBase:
        """Stop an order where it stands."""
        given = self.given(HoldSerializer)
        self.check_visible(self.get_queryset())
        return self.moved(parts_orders.hold(order_id=self.key, **given, **self.cause()))

    @extend_schema(request=None, responses=MovedSerializer)
    @action(detail=True, methods=["post"], url_path="let-go")
    def let_go(self, request: Request, pk: str) -> HttpResponseBase:
        """Let a held order go on."""
        self.given(NothingSerializer)
        self.check_visible(self.get_queryset())
        return self.moved(parts_orders.let_go(order_id=self.key, **self.cause()))

    @extend_schema(request=ShipSerializer, responses=ShippedSerializer)
    @action(detail=True, methods=["post"])
    def ship(self, request: Request, pk: str) -> HttpResponseBase:
        """Ship lines of an order, whole or in part; what stays behind becomes a line of its own."""
        given = self.given(ShipSerializer)
        self.check_visible(self.get_queryset())
        items = [lines.ShipItem(item["line"], item["quantity"], tuple(item["serials"])) for item in given.pop("lines")]
        return shipped(lines.ship(order_id=self.key, items=items, **given, **self.cause()))

    @extend_schema(responses=EventSerializer(many=True), filters=False)
    @action(detail=True, serializer_class=EventSerializer)
    def timeline(self, request: Request, pk: str) -> HttpResponseBase:
        """What has happened to the order, its lines and their back orders, in the order it happened."""
        self.check_visible(self.get_queryset())
        of_order = OrderLine.objects.filter(order_id=self.key)
        return self.timeline_of(
            OrderEvent.objects.filter(
                Q(subject_id=self.key)
                | Q(subject_id__in=of_order.values("pk"))
                | Q(subject_id__in=of_order.filter(back_order__isnull=False).values("back_order"))
            )
        )


def shipped(shipments: Sequence[Shipment]) -> Response:
    """Answer with what has left."""
    return Response(
        {
            "shipments": [
                {
                    "id": shipment.pk,
                    "reference": shipment.reference,
                    "warehouse": shipment.warehouse_id,
                    "carrier": shipment.carrier,
                    "tracking_number": shipment.tracking_number,
                    "shipped_at": shipment.shipped_at,
                }
                for shipment in shipments
            ]
        }
    )


def _placed(placed: placing.Placed) -> dict[str, Any]:
    return {
        "id": placed.id,
        "reference": placed.reference,
        "status": placed.status,
        "version": placed.version,
        "lines": [_line(line) | {"children": [_line(child) for child in line.children]} for line in placed.lines],
    }


def _line(line: placing.PlacedLine) -> dict[str, Any]:
    opened = line.back_order
    back_order: dict[str, UUID | Any] | None = None
    if opened:
        back_order = {"id": opened.back_order_id, "reference": opened.reference, "expected_on": opened.expected_on}
    return {
        "id": line.id,
        "reference": line.reference,
        "part": line.part_id,
        "part_number": line.part_number,
        "quantity": line.quantity,
        "status": line.status,
        "warehouse": line.warehouse_id,
        "back_order": back_order,
    }
