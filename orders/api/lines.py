"""Order lines: one step at a time, shipped, cancelled, promised, brought back."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponseBase
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request

from orders.actions import lines, overriding
from orders.api.parts_orders import shipped
from orders.api.shapes import OrderLineSerializer, SerialsField, ShippedSerializer
from orders.documents import lines_as_documents
from orders.doors import NoteSerializer, OrdersDoor, OverrideSerializer
from orders.filters import OrderLineFilter
from orders.models import OrderLine
from orders.statuses import LineStatus
from parts.doors import MovedSerializer, NothingSerializer
from parts.errors import NotFound
from parts.numbers import QuantityField
from parts.sentences import sentence

_LEAST = Decimal("0.001")


class LineMoveSerializer(NoteSerializer):
    to = serializers.ChoiceField(choices=LineStatus.choices)


class LineShipSerializer(serializers.Serializer[Any]):
    quantity = QuantityField(min_value=_LEAST, allow_null=True, default=None, help_text="Null for all of it.")
    serials = SerialsField()
    carrier = serializers.CharField(max_length=60, allow_blank=True, default="")
    tracking_number = serializers.CharField(max_length=80, allow_blank=True, default="")
    walk = serializers.BooleanField(
        default=False, help_text="Take a line that is not packed yet through the steps before; each is recorded."
    )


class LineCancelSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=2000, allow_blank=True)
    quantity = QuantityField(min_value=_LEAST, allow_null=True, default=None, help_text="Null for all of it.")


class PromiseSerializer(serializers.Serializer[Any]):
    promised_on = serializers.DateField()
    reason = serializers.CharField(
        max_length=2000, allow_blank=True, default="", help_text="Asked for where a promise that was given changes."
    )


class LineReturnSerializer(serializers.Serializer[Any]):
    quantity = QuantityField(min_value=_LEAST)
    unfit = QuantityField(min_value=Decimal(0), default=Decimal(0), help_text="How much of it is unfit.")
    note = serializers.CharField(max_length=2000, allow_blank=True, default="")


class OrderLineViewSet(OrdersDoor):
    """Lines of parts orders and the parts they were split into, newest first."""

    reads = "orders.view_orderline"
    writes: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "move": ("orders.move_orderline",),
        "let_go": ("orders.move_orderline",),
        "ship": ("orders.ship_orderline",),
        "cancel": ("orders.cancel_orderline",),
        "promise": ("orders.promise_orderline",),
        "bring_back": ("orders.move_orderline",),
        "override": ("orders.override_orderline",),
    }
    serializer_class = OrderLineSerializer
    filterset_class = OrderLineFilter
    queryset = OrderLine.objects.all()
    versioned: ClassVar[frozenset[str]] = frozenset({"move", "let_go", "cancel", "promise", "override"})

    def get_queryset(self) -> QuerySet[Any]:
        return OrderLine.objects.visible_to(self.user)

    def _check(self) -> None:
        self.check_visible(self.get_queryset())

    def list(self, request: Request) -> HttpResponseBase:
        """A page of lines, in one statement."""
        return self.page_of_documents(lines_as_documents(self.filter_queryset(self.get_queryset())))

    def retrieve(self, request: Request, pk: str) -> HttpResponseBase:
        """A line; one that was split, with the lines it was split into."""
        row = self.row_or_404(lines_as_documents(self.get_queryset()))
        return self.shown(row["document"].encode(), row["version"])

    @extend_schema(
        request=LineMoveSerializer,
        responses=MovedSerializer,
        examples=[OpenApiExample("The warehouse may pick it", request_only=True, value={"to": "released"})],
    )
    @action(detail=True, methods=["post"])
    def move(self, request: Request, pk: str) -> HttpResponseBase:
        """Take one step. What follows from stock alone (reserved, back-ordered) cannot be chosen."""
        given = self.given(LineMoveSerializer)
        self._check()
        return self.moved(
            lines.move(line_id=self.key, expected_version=self.expected_version(), **given, **self.cause())
        )

    @extend_schema(request=None, responses=MovedSerializer)
    @action(detail=True, methods=["post"], url_path="let-go")
    def let_go(self, request: Request, pk: str) -> HttpResponseBase:
        """Leave a line that was taken back from release to the rules again."""
        self.given(NothingSerializer)
        self._check()
        return self.moved(lines.let_go(line_id=self.key, expected_version=self.expected_version(), **self.cause()))

    @extend_schema(request=LineShipSerializer, responses=ShippedSerializer)
    @action(detail=True, methods=["post"])
    def ship(self, request: Request, pk: str) -> HttpResponseBase:
        """Ship a line, whole or in part."""
        given = self.given(LineShipSerializer)
        order_id: UUID | None = self.get_queryset().filter(pk=self.key).values_list("order_id", flat=True).first()
        if order_id is None:
            raise NotFound(sentence("There is nothing here, or it is not yours to see."), id=str(self.key))
        item = lines.ShipItem(self.key, given.pop("quantity"), tuple(given.pop("serials")))
        return shipped(lines.ship(order_id=order_id, items=[item], **given, **self.cause()))

    @extend_schema(request=LineCancelSerializer, responses=MovedSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> HttpResponseBase:
        """Cancel a line or a part of its quantity. What it held is free at once and serves who waits."""
        given = self.given(LineCancelSerializer)
        self._check()
        return self.moved(
            lines.cancel(line_id=self.key, expected_version=self.expected_version(), **given, **self.cause())
        )

    @extend_schema(request=PromiseSerializer, responses=MovedSerializer)
    @action(detail=True, methods=["post"])
    def promise(self, request: Request, pk: str) -> HttpResponseBase:
        """Promise a date. The first promise is kept for ever; a later one needs a reason."""
        given = self.given(PromiseSerializer)
        self._check()
        return self.moved(
            lines.promise(line_id=self.key, expected_version=self.expected_version(), **given, **self.cause())
        )

    @extend_schema(request=LineReturnSerializer, responses=MovedSerializer)
    @action(detail=True, methods=["post"], url_path="return")
    def bring_back(self, request: Request, pk: str) -> HttpResponseBase:
        """Book a shipped quantity that came back; the fit part of it is free at once."""
        given = self.given(LineReturnSerializer)
        self._check()
        return self.moved(lines.return_to_stock(line_id=self.key, **given, **self.cause()))

    @extend_schema(request=OverrideSerializer, responses=MovedSerializer)
    @action(detail=True, methods=["post"])
    def override(self, request: Request, pk: str) -> HttpResponseBase:
        """Put a line into any status, against the flow; stock and queue follow."""
        given = self.given(OverrideSerializer)
        self._check()
        return self.moved(
            overriding.override(line_id=self.key, expected_version=self.expected_version(), **given, **self.cause())
        )
