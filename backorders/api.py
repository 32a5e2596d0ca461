"""Floor 2's resources: the queue, why it stands as it does, and what there is of a part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from backorders.actions import moving
from backorders.availability import availability
from backorders.explaining import Explanation, explain
from backorders.filters import BackOrderFilter
from backorders.models import BackOrder
from backorders.statuses import BackOrderStatus
from orders.actions import lines
from orders.api.lines import PromiseSerializer
from orders.doors import OrdersDoor
from orders.querysets import sees_all
from orders.visibility import sight_of
from parts.doors import Door, Lists, MovedSerializer, Reads
from parts.errors import Invalid, NotFound
from parts.models import Part
from parts.numbers import QuantityField
from parts.sentences import sentence

MOST_PARTS = 100


class BackOrderSerializer(serializers.ModelSerializer[BackOrder]):
    part = serializers.UUIDField(source="part_id", read_only=True)
    part_number = serializers.CharField(source="part.number", read_only=True)
    customer = serializers.UUIDField(source="customer_id", read_only=True, allow_null=True)
    customer_code = serializers.CharField(source="customer.code", allow_null=True, default=None, read_only=True)
    line = serializers.UUIDField(source="line_id", read_only=True)
    order = serializers.UUIDField(source="line.order_id", read_only=True, help_text="The parts order.")
    requested_on = serializers.DateField(source="line.requested_on", read_only=True)
    first_promised_on = serializers.DateField(source="line.first_promised_on", read_only=True, allow_null=True)
    promised_on = serializers.DateField(source="line.promised_on", read_only=True, allow_null=True)

    class Meta:
        model = BackOrder
        fields = (
            "id",
            "reference",
            "version",
            "status",
            "status_since",
            "part",
            "part_number",
            "customer",
            "customer_code",
            "line",
            "order",
            "quantity",
            "opened_quantity",
            "minimum_fill",
            "on_hold",
            "rank",
            "opened_at",
            "closed_at",
            "requested_on",
            "first_promised_on",
            "promised_on",
            "expected_on",
        )
        read_only_fields = fields


class BackOrderMoveSerializer(serializers.Serializer[Any]):
    to = serializers.ChoiceField(choices=BackOrderStatus.choices)
    note = serializers.CharField(max_length=2000, allow_blank=True, default="")


class AheadSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    reference = serializers.CharField()
    rank = serializers.DecimalField(max_digits=18, decimal_places=6)
    quantity = QuantityField()


class SupplySerializer(serializers.Serializer[Any]):
    purchase_order = serializers.CharField(allow_blank=True)
    quantity = QuantityField()
    expected_on = serializers.DateField(allow_null=True, help_text="Null where there is no date, or it has passed.")
    overdue = serializers.BooleanField(help_text="The supplier's date has passed, and there is no new one.")


class TurnSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    cause = serializers.CharField()
    outcome = serializers.CharField()
    rule = serializers.CharField()
    says = serializers.CharField(help_text="The rule in a sentence.")
    place = serializers.IntegerField()
    asked = QuantityField()
    free_before = QuantityField()
    given = QuantityField()
    delivery_note = serializers.CharField(allow_blank=True)


class ExplanationSerializer(serializers.Serializer[Any]):
    """Why a back order got, kept or did not get what it did. Who is ahead, and from whom we buy, is for staff."""

    back_order_id = serializers.UUIDField()
    reference = serializers.CharField()
    status = serializers.ChoiceField(choices=BackOrderStatus.choices)
    summary = serializers.CharField(help_text="All of it in one sentence.")
    missing = QuantityField()
    rank = serializers.DecimalField(max_digits=18, decimal_places=6)
    rank_terms = serializers.DictField(
        child=serializers.DecimalField(max_digits=18, decimal_places=6), help_text="They add up to the rank."
    )
    place = serializers.IntegerField(allow_null=True, help_text="1 is next; null once it waits no more.")
    quantity_ahead = QuantityField()
    ahead = AheadSerializer(many=True)
    free_now = QuantityField()
    minimum_fill = QuantityField()
    on_hold = serializers.BooleanField()
    expected_on = serializers.DateField(allow_null=True)
    supply = SupplySerializer(many=True)
    turns = TurnSerializer(many=True)


class BackOrderViewSet(Lists, Reads, OrdersDoor):
    """What we do not have, by rank: who gets the next unit comes first."""

    reads = "backorders.view_backorder"
    writes: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "promise": ("orders.promise_orderline",),
        "move": ("backorders.move_backorder",),
    }
    serializer_class = BackOrderSerializer
    filterset_class = BackOrderFilter
    keyset = ("-rank", "id")
    queryset = BackOrder.objects.all()
    versioned: ClassVar[frozenset[str]] = frozenset({"move"})

    def get_queryset(self) -> QuerySet[Any]:
        rows = BackOrder.objects.visible_to(self.user).select_related("part", "customer", "line")
        if self.action == "list" and "status" not in self.request.query_params:
            rows = rows.waiting()
        return rows

    def _visible(self) -> QuerySet[Any]:
        return BackOrder.objects.visible_to(self.user)

    @extend_schema(responses=ExplanationSerializer)
    @action(detail=True)
    def explain(self, request: Request, pk: str) -> HttpResponseBase:
        """Explain where a back order stands: its rank and terms, who is ahead, what there was at each of its turns."""
        self.check_visible(self._visible())
        explanation = explain(self.key)
        return Response(asdict(explanation if sees_all(self.user) else _for_outsiders(explanation)))

    @extend_schema(request=PromiseSerializer, responses=MovedSerializer)
    @action(detail=True, methods=["post"])
    def promise(self, request: Request, pk: str) -> HttpResponseBase:
        """Promise a date for the line that waits; the answer is where that line stands."""
        given = self.given(PromiseSerializer)
        line_id = self._visible().filter(pk=self.key).values_list("line_id", flat=True).first()
        if line_id is None:
            raise NotFound(sentence("There is nothing here, or it is not yours to see."), id=str(self.key))
        return self.moved(lines.promise(line_id=line_id, **given, **self.cause()))

    @extend_schema(
        request=BackOrderMoveSerializer,
        responses=MovedSerializer,
        examples=[OpenApiExample("The supplier has confirmed", request_only=True, value={"to": "supply_confirmed"})],
    )
    @action(detail=True, methods=["post"])
    def move(self, request: Request, pk: str) -> HttpResponseBase:
        """Note how the supply goes: open, sourcing, supply confirmed. The other statuses follow from stock."""
        given = self.given(BackOrderMoveSerializer)
        self.check_visible(self._visible())
        return self.moved(
            moving.move(back_order_id=self.key, expected_version=self.expected_version(), **given, **self.cause())
        )


def _for_outsiders(explanation: Explanation) -> Explanation:
    """Leave out other customers' orders and our suppliers' papers."""
    return replace(
        explanation,
        ahead=(),
        supply=tuple(replace(supply, purchase_order="") for supply in explanation.supply),
        turns=tuple(replace(turn, delivery_note="") for turn in explanation.turns),
    )


# --- Availability ----------------------------------------------------------------------------------------------------


class PlaceSerializer(serializers.Serializer[Any]):
    warehouse = serializers.UUIDField()
    code = serializers.CharField()
    serves_orders = serializers.BooleanField(help_text="Whether its stock may be promised to any order.")
    on_hand = QuantityField()
    reserved = QuantityField()
    unfit = QuantityField()
    available = QuantityField(help_text="on hand - unfit - reserved")
    promisable = QuantityField(help_text="What of it an order could have now.")
    consigned = QuantityField(help_text="How much of what is on hand somebody else owns or holds.")
    loaner = QuantityField(help_text="How much of what is on hand is lent to customers.")
    in_repair = QuantityField(help_text="How much of what is on hand is being repaired.")
    ordinary = QuantityField(help_text="What is available of all other stock.")


class IncomingSerializer(serializers.Serializer[Any]):
    expected_on = serializers.DateField(allow_null=True, help_text="Null where there is no date, or it has passed.")
    quantity = QuantityField(help_text="What no back order is pegged to.")


class AvailabilitySerializer(serializers.Serializer[Any]):
    part = serializers.UUIDField()
    number = serializers.CharField()
    is_active = serializers.BooleanField()
    on_hand = QuantityField()
    reserved = QuantityField()
    unfit = QuantityField()
    available = QuantityField(help_text="on hand - unfit - reserved")
    promisable = QuantityField(help_text="What of it an order could have now: fit, our own, where orders are served.")
    warehouses = PlaceSerializer(many=True)
    expected = IncomingSerializer(many=True)


@extend_schema_serializer(many=False)
class AvailabilitiesSerializer(serializers.Serializer[Any]):
    results = AvailabilitySerializer(many=True)


class AvailabilityViewSet(Door):
    """What there is of a part, and what comes when."""

    reads = "parts.view_stocklevel"
    serializer_class = AvailabilitiesSerializer
    parameters: ClassVar[Mapping[str, frozenset[str]]] = {"list": frozenset({"part", "customer"})}
    queryset = Part.objects.none()
    pagination_class = None

    @extend_schema(
        operation_id="availability_read",
        responses=AvailabilitiesSerializer,
        filters=False,
        parameters=[
            OpenApiParameter(
                "part",
                {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1, "maxItems": MOST_PARTS},
                description="A part's key or number; repeat it for more parts.",
                required=True,
            ),
            OpenApiParameter(
                "customer",
                {"type": "string", "format": "uuid"},
                description="Whose order it is for: a rule may show stock for the orders of one customer only.",
            ),
        ],
    )
    def list(self, request: Request) -> HttpResponseBase:
        """On hand, reserved, available and expected, per part and per warehouse. Unknown parts are left out.

        Consigned, loaner and in-repair stock is in it as far as the rules let the caller see it.
        """
        wanted = request.query_params.getlist("part")
        if not wanted or len(wanted) > MOST_PARTS:
            raise Invalid(
                sentence("Name the parts."),
                {"part": [sentence("From 1 to {most} keys or numbers.", most=MOST_PARTS)]},
            )
        if any("\x00" in word or len(word) > 60 for word in wanted):
            raise Invalid(
                sentence("That is no part."), {"part": [sentence("A key, or a number of at most 60 characters.")]}
            )
        keys = [key for key in map(_key, wanted) if key]
        customer = request.query_params.get("customer")
        if customer is not None and _key(customer) is None:
            raise Invalid(sentence("That is no customer."), {"customer": [sentence("A customer's key.")]})
        sight = sight_of(self.actor, _key(customer) if customer else None)
        today = timezone.now().astimezone(UTC).date()
        found = availability(sight=sight, part_ids=keys, part_numbers=wanted, today=today)
        return Response({"results": [asdict(item) for item in found]})


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
