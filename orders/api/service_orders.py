"""Jobs, their nine statuses and their timeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponseBase
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request

from orders.actions import service_orders
from orders.api.shapes import IN_CUSTOMERS_WORDS
from orders.documents import with_customer_status
from orders.doors import EventSerializer, NoteSerializer, OrdersDoor, OverrideSerializer
from orders.filters import ServiceOrderFilter
from orders.models import OrderEvent, ServiceOrder
from orders.statuses import SERVICE_ORDER_STEPS, ServiceOrderStatus
from parts.doors import PAGE, Lists, MovedSerializer, NothingSerializer, Reads
from parts.numbers import WholeNumberField


class ServiceOrderSerializer(serializers.ModelSerializer[ServiceOrder]):
    customer = serializers.UUIDField(source="customer_id", read_only=True)
    customer_code = serializers.CharField(source="customer.code", read_only=True)
    equipment = serializers.UUIDField(source="equipment_id", read_only=True, allow_null=True)
    contract = serializers.UUIDField(source="contract_id", read_only=True, allow_null=True)
    region = serializers.CharField(source="region.code", read_only=True)
    technician = serializers.IntegerField(source="technician_id", read_only=True, allow_null=True)
    customer_status = serializers.CharField(read_only=True, help_text=IN_CUSTOMERS_WORDS)
    allowed = serializers.SerializerMethodField(help_text="The statuses one step away.")

    class Meta:
        model = ServiceOrder
        fields = (
            "id",
            "reference",
            "version",
            "status",
            "customer_status",
            "status_since",
            "allowed",
            "customer",
            "customer_code",
            "equipment",
            "contract",
            "region",
            "title",
            "description",
            "external_reference",
            "machine_down",
            "technician",
            "scheduled_for",
            "estimated_completion_at",
            "is_test",
            "created_at",
        )
        read_only_fields = fields

    def get_allowed(self, order: ServiceOrder) -> list[str]:
        return list(SERVICE_ORDER_STEPS[order.status])


class NewServiceOrderSerializer(serializers.Serializer[Any]):
    customer = serializers.UUIDField()
    title = serializers.CharField(max_length=160)
    status = serializers.ChoiceField(choices=["draft", "new"], default="draft")
    equipment = serializers.UUIDField(allow_null=True, default=None)
    contract = serializers.UUIDField(allow_null=True, default=None)
    description = serializers.CharField(max_length=10_000, allow_blank=True, default="")
    external_reference = serializers.CharField(max_length=80, allow_blank=True, default="")
    machine_down = serializers.BooleanField(default=False)
    scheduled_for = serializers.DateField(allow_null=True, default=None)
    is_test = serializers.BooleanField(default=False)
    note = serializers.CharField(max_length=2000, allow_blank=True, default="")


class ServiceOrderMoveSerializer(NoteSerializer):
    to = serializers.ChoiceField(choices=ServiceOrderStatus.choices)


class NewNoteSerializer(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=10_000)
    public = serializers.BooleanField(default=False, help_text="Whether the customer reads it.")


class AssignmentSerializer(serializers.Serializer[Any]):
    technician = WholeNumberField(
        allow_null=True,
        min_value=1,
        max_value=2**31 - 1,
        help_text="The key of a technician. Null takes the job from whoever has it.",
    )


class ServiceOrderViewSet(Lists, Reads, OrdersDoor):
    """Jobs, newest first. One step forward or back, or cancelled; Completed and Cancelled are final."""

    reads = "orders.view_serviceorder"
    writes: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "create": ("orders.add_serviceorder",),
        "move": ("orders.move_serviceorder",),
        "fast_forward": ("orders.move_serviceorder",),
        "override": ("orders.override_serviceorder",),
        "assign": ("orders.assign_serviceorder",),
        "claim": ("orders.claim_serviceorder",),
        "notes": ("orders.change_serviceorder",),
    }
    serializer_class = ServiceOrderSerializer
    filterset_class = ServiceOrderFilter
    queryset = ServiceOrder.objects.all()
    parameters: ClassVar[Mapping[str, frozenset[str]]] = {"timeline": PAGE}
    versioned: ClassVar[frozenset[str]] = frozenset({"move", "fast_forward", "override", "assign", "claim"})

    def get_queryset(self) -> QuerySet[Any]:
        return with_customer_status(ServiceOrder.objects.visible_to(self.user).select_related("customer", "region"))

    def _check(self) -> None:
        self.check_visible(ServiceOrder.objects.visible_to(self.user))

    @extend_schema(
        request=NewServiceOrderSerializer,
        responses={201: MovedSerializer},
        examples=[
            OpenApiExample(
                "A press stands still",
                request_only=True,
                value={
                    "customer": "0199a1c0-0000-7000-8000-000000000004",
                    "title": "Press loses pressure",
                    "machine_down": True,
                    "external_reference": "WO-7781",
                },
            )
        ],
    )
    def create(self, request: Request) -> HttpResponseBase:
        """Open a job, as draft or (logged on site) as new."""
        given = self.given(NewServiceOrderSerializer)
        self.check_customer(given["customer"])
        ids = {f"{name}_id": given.pop(name) for name in ("customer", "equipment", "contract")}
        order = service_orders.create(**ids, **given, **self.cause())
        body = {"id": order.pk, "reference": order.reference, "status": order.status, "version": order.version}
        return self.created(body, order.pk, order.version)

    @extend_schema(
        request=ServiceOrderMoveSerializer,
        responses=MovedSerializer,
        examples=[
            OpenApiExample("A technician begins", request_only=True, value={"to": "in_progress"}),
            OpenApiExample(
                "Cancelled for a reason", request_only=True, value={"to": "cancelled", "note": "Machine was sold"}
            ),
        ],
    )
    @action(detail=True, methods=["post"])
    def move(self, request: Request, pk: str) -> HttpResponseBase:
        """Take one step forward or back, or cancel (the note is the reason). A jump or a repeat is refused."""
        given = self.given(ServiceOrderMoveSerializer)
        self._check()
        moved = service_orders.move(
            service_order_id=self.key, expected_version=self.expected_version(), **given, **self.cause()
        )
        return self.moved(moved)

    @extend_schema(request=ServiceOrderMoveSerializer, responses=MovedSerializer)
    @action(detail=True, methods=["post"], url_path="fast-forward")
    def fast_forward(self, request: Request, pk: str) -> HttpResponseBase:
        """Walk every step to a status; each is an event, those in between are marked as passed through."""
        given = self.given(ServiceOrderMoveSerializer)
        self._check()
        moved = service_orders.fast_forward(
            service_order_id=self.key, expected_version=self.expected_version(), **given, **self.cause()
        )
        return self.moved(moved)

    @extend_schema(request=OverrideSerializer, responses=MovedSerializer)
    @action(detail=True, methods=["post"])
    def override(self, request: Request, pk: str) -> HttpResponseBase:
        """Put a job into any status, against the flow, with a reason and a reference."""
        given = self.given(OverrideSerializer)
        self._check()
        moved = service_orders.override(
            service_order_id=self.key, expected_version=self.expected_version(), **given, **self.cause()
        )
        return self.moved(moved)

    @extend_schema(request=AssignmentSerializer, responses=MovedSerializer)
    @action(detail=True, methods=["post"])
    def assign(self, request: Request, pk: str) -> HttpResponseBase:
        """Give a job to a technician, or to nobody."""
        technician = self.given(AssignmentSerializer)["technician"]
        self._check()
        moved = service_orders.assign(
            service_order_id=self.key,
            technician_id=technician,
            expected_version=self.expected_version(),
            **self.cause(),
        )
        return self.moved(moved)

    @extend_schema(request=None, responses=MovedSerializer)
    @action(detail=True, methods=["post"])
    def claim(self, request: Request, pk: str) -> HttpResponseBase:
        """Take a job that nobody has."""
        self.given(NothingSerializer)
        self._check()
        moved = service_orders.claim(
            service_order_id=self.key, expected_version=self.expected_version(), **self.cause()
        )
        return self.moved(moved)

    @extend_schema(request=NewNoteSerializer, responses=MovedSerializer)
    @action(detail=True, methods=["post"])
    def notes(self, request: Request, pk: str) -> HttpResponseBase:
        """Put a note on the job's timeline."""
        given = self.given(NewNoteSerializer)
        self._check()
        return self.moved(service_orders.add_note(service_order_id=self.key, **given, **self.cause()))

    @extend_schema(responses=EventSerializer(many=True), filters=False)
    @action(detail=True, serializer_class=EventSerializer)
    def timeline(self, request: Request, pk: str) -> HttpResponseBase:
        """What has happened to the job, in the order it happened."""
        self._check()
        return self.timeline_of(OrderEvent.objects.filter(subject_id=self.key))
