"""Who is told of events by webhook, set up by whoever it is; and what each was told, with request and answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import django_filters as filters
from django.db.models import QuerySet
from django.http import HttpResponseBase
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.actions import publishing, subscribing
from integrations.actions.subscribing import OWN, WISHES, Wish
from integrations.envelope import PRESENT_VERSION
from integrations.models import OutboundDelivery, Subscriber
from integrations.outbound.kinds import KINDS
from integrations.outbound.listing import with_waiting
from integrations.statuses import DeliveryState, OffBecause, SubscriberState
from parts.doors import Door, Lists, NothingSerializer, Reads, ToldOnce
from parts.moments import MomentField

_DELIVERY = (
    "id",
    "subscriber",
    "event",
    "kind",
    "reference",
    "version",
    "state",
    "error",
    "attempts",
    "due_at",
    "caused_at",
    "created_at",
    "ended_at",
)
_SHOWN_ONCE = "Shown once and never again. Sign with it: https://www.standardwebhooks.com/."


class SubscriberSerializer(serializers.ModelSerializer[Subscriber]):
    state = serializers.ChoiceField(choices=SubscriberState.choices, read_only=True)
    off_because = serializers.ChoiceField(choices=OffBecause.choices, allow_blank=True, read_only=True)
    event_types = serializers.ListField(child=serializers.CharField(), read_only=True, help_text="Empty: all.")
    contact = serializers.CharField(read_only=True, help_text="Empty: nobody is written to.")
    waiting_since = serializers.DateTimeField(
        read_only=True, allow_null=True, help_text="When the oldest happened of what it was not told yet."
    )

    class Meta:
        model = Subscriber
        fields = (
            "id",
            "code",
            "name",
            "address",
            "event_types",
            "newest_only",
            "per_second",
            "burst",
            "contact",
            "schema_version",
            "state",
            "off_because",
            "off_since",
            "failures",
            "failing_since",
            "failing_because",
            "paused_until",
            "last_taken_at",
            "waiting_since",
            "created_at",
        )
        read_only_fields = fields


class NewSubscriberSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(max_length=40, help_text="Small letters, digits and hyphens: dealer-portal.")
    name = serializers.CharField(max_length=120)
    address = serializers.CharField(max_length=500, help_text="https, of a public host, without a port.")
    event_types = serializers.ListField(
        child=serializers.ChoiceField(choices=KINDS), default=list, max_length=len(KINDS), help_text="Empty: all."
    )
    newest_only = serializers.BooleanField(
        default=False, help_text="Of several that wait about one order, only the latest is told."
    )
    per_second = serializers.IntegerField(default=50, min_value=1, max_value=10_000)
    burst = serializers.IntegerField(default=100, min_value=1, max_value=10_000)
    contact = serializers.EmailField(default="", allow_blank=True, max_length=254)
    schema_version = serializers.IntegerField(default=PRESENT_VERSION, min_value=1, max_value=PRESENT_VERSION)


class ChangedSubscriberSerializer(serializers.Serializer[Any]):
    """What is left out stays."""

    name = serializers.CharField(max_length=120, required=False)
    address = serializers.CharField(max_length=500, required=False)
    event_types = serializers.ListField(
        child=serializers.ChoiceField(choices=KINDS), required=False, max_length=len(KINDS)
    )
    newest_only = serializers.BooleanField(required=False)
    per_second = serializers.IntegerField(required=False, min_value=1, max_value=10_000)
    burst = serializers.IntegerField(required=False, min_value=1, max_value=10_000)
    contact = serializers.EmailField(required=False, allow_blank=True, max_length=254)
    schema_version = serializers.IntegerField(required=False, min_value=1, max_value=PRESENT_VERSION)


class AddedSubscriberSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    code = serializers.CharField()
    secret = serializers.CharField(allow_null=True, help_text=f"{_SHOWN_ONCE} Null where the call is repeated.")


class SecretSerializer(serializers.Serializer[Any]):
    secret = serializers.CharField(allow_null=True, help_text=f"{_SHOWN_ONCE} Null where the call is repeated.")


class SinceSerializer(serializers.Serializer[Any]):
    since = MomentField(help_text="By the moment at which events were recorded here.")


class CountSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField(help_text="How many are told.")


class DeliveryKeySerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()


class DeliveryAttemptSerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    at = serializers.DateTimeField()
    milliseconds = serializers.IntegerField()
    status = serializers.IntegerField(allow_null=True, help_text="Null where nobody answered.")
    error = serializers.CharField(allow_blank=True)
    request_headers = serializers.DictField(child=serializers.CharField())
    answer = serializers.CharField(allow_blank=True, help_text="Its beginning.")


class OutboundDeliverySerializer(serializers.ModelSerializer[OutboundDelivery]):
    subscriber = serializers.UUIDField(source="subscriber_id", read_only=True)
    event = serializers.UUIDField(source="event_id", read_only=True, allow_null=True, help_text="Null for a test.")
    state = serializers.ChoiceField(choices=DeliveryState.choices, read_only=True)

    class Meta:
        model = OutboundDelivery
        fields: tuple[str, ...] = _DELIVERY
        read_only_fields: tuple[str, ...] = _DELIVERY


class DeliveryInFullSerializer(OutboundDeliverySerializer):
    """A delivery with what was told, and each attempt to tell it."""

    body = serializers.SerializerMethodField(help_text="What is told, in the very words; empty before the first try.")
    tries = DeliveryAttemptSerializer(many=True, read_only=True)

    class Meta(OutboundDeliverySerializer.Meta):
        fields: tuple[str, ...] = (*_DELIVERY, "body", "tries")
        read_only_fields: tuple[str, ...] = fields

    def get_body(self, row: OutboundDelivery) -> str:
        return bytes(row.body or b"").decode()


class OutboundDeliveryFilter(filters.FilterSet):
    subscriber = filters.UUIDFilter(field_name="subscriber_id")
    state = filters.MultipleChoiceFilter(choices=DeliveryState.choices, distinct=False)

    class Meta:
        model = OutboundDelivery
        fields: list[str] = []


class SubscriberViewSet(Lists, Reads, Door):
    """Where the caller's account is told what happens: each address, what it wants, and how it goes."""

    reads = OWN
    writes: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "create": (OWN,),
        "change": (OWN,),
        "rotate_secret": (OWN,),
        "switch_off": (OWN,),
        "switch_on": (OWN,),
        "test": (OWN,),
        "replay": (OWN,),
    }
    serializer_class = SubscriberSerializer
    queryset = Subscriber.objects.none()

    def get_queryset(self) -> QuerySet[Any]:
        return with_waiting(Subscriber.objects.filter(account=self.request.user.pk))

    @extend_schema(
        request=NewSubscriberSerializer,
        responses={201: AddedSubscriberSerializer},
        examples=[
            OpenApiExample(
                "A dealer's portal wants to know where its orders stand",
                request_only=True,
                value={
                    "code": "dealer-portal",
                    "name": "Portal",
                    "address": "https://portal.dealer.example/backline",
                    "event_types": ["line.status_changed", "service_order.status_changed"],
                },
            )
        ],
    )
    def create(self, request: Request) -> HttpResponseBase:
        """Let an address be told from now on. The secret is in this answer and nowhere else."""
        given = self.given(NewSubscriberSerializer)
        code = given.pop("code")
        row, secret = subscribing.add(
            code=code, account=self.account, wish=_wish(given), by=self.actor, at=self.cause()["at"]
        )
        body = {"id": row.pk, "code": row.code, "secret": secret}
        return ToldOnce(body, ("secret",), status=201, headers={"Location": f"{request.path}{row.pk}/"})

    @extend_schema(request=ChangedSubscriberSerializer, responses=SubscriberSerializer)
    @action(detail=True, methods=["post"])
    def change(self, request: Request, pk: str) -> HttpResponseBase:
        """Change where it is told, of what and how fast. Another address begins without the failures of this one."""
        given = self.given(ChangedSubscriberSerializer)
        row = self.row_or_404(self.get_queryset())
        wish = _wish({name: getattr(row, name) for name in WISHES} | given)
        subscribing.change(subscriber=row.pk, wish=wish, by=self.actor, at=self.cause()["at"])
        return self._now()

    @extend_schema(request=None, responses=SecretSerializer)
    @action(detail=True, methods=["post"], url_path="rotate-secret")
    def rotate_secret(self, request: Request, pk: str) -> HttpResponseBase:
        """Get another secret. For 24 hours more every message is signed with the one before as well."""
        self.given(NothingSerializer)
        secret = subscribing.rotate_secret(**self._told())
        return ToldOnce({"secret": secret}, ("secret",))

    @extend_schema(request=None, responses=SubscriberSerializer)
    @action(detail=True, methods=["post"], url_path="switch-off")
    def switch_off(self, request: Request, pk: str) -> HttpResponseBase:
        """Be told nothing more. What waits, waits on."""
        self.given(NothingSerializer)
        subscribing.switch_off(**self._told())
        return self._now()

    @extend_schema(request=None, responses=SubscriberSerializer)
    @action(detail=True, methods=["post"], url_path="switch-on")
    def switch_on(self, request: Request, pk: str) -> HttpResponseBase:
        """Be told again: what waits, and what happens from now on. `replay` tells what happened meanwhile."""
        self.given(NothingSerializer)
        subscribing.switch_on(**self._told())
        return self._now()

    @extend_schema(request=None, responses={202: DeliveryKeySerializer})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> HttpResponseBase:
        """Be told that this is a test; look at the delivery to see what came of it."""
        self.given(NothingSerializer)
        return Response({"id": publishing.send_test(**self._told()).pk}, status=202)

    @extend_schema(request=SinceSerializer, responses={202: CountSerializer})
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, pk: str) -> HttpResponseBase:
        """Be told everything since a moment, once more or for the first time; of 50,000 events at most."""
        given = self.given(SinceSerializer)
        return Response({"count": publishing.replay_since(since=given["since"], **self._told())}, status=202)

    @property
    def account(self) -> int:
        return int(self.request.user.pk or 0)

    def _told(self) -> dict[str, Any]:
        """Return what actions on the subscriber of the address are told. Raises NotFound where it is not theirs."""
        row = self.row_or_404(self.get_queryset())
        return {"subscriber": row.pk, "by": self.actor, "at": self.cause()["at"]}

    def _now(self) -> Response:
        return Response(self.get_serializer(self.row_or_404(self.get_queryset())).data)


class OutboundDeliveryViewSet(Lists, Reads, Door):
    """What the caller's addresses were told, newest first: each with what was asked and answered."""

    reads = OWN
    writes: ClassVar[Mapping[str, tuple[str, ...]]] = {"replay": (OWN,)}
    serializer_class = OutboundDeliverySerializer
    filterset_class = OutboundDeliveryFilter
    queryset = OutboundDelivery.objects.none()

    def get_queryset(self) -> QuerySet[Any]:
        mine = Subscriber.objects.filter(account=self.request.user.pk)
        return OutboundDelivery.objects.filter(subscriber__in=mine).defer("body")

    @extend_schema(responses=DeliveryInFullSerializer)
    def retrieve(self, request: Request, pk: str) -> HttpResponseBase:
        """One of them, with what was told and each attempt."""
        row = self.row_or_404(self.get_queryset().prefetch_related("tries").defer(None))
        return Response(DeliveryInFullSerializer(row, context=self.get_serializer_context()).data)

    @extend_schema(request=None, responses={202: CountSerializer})
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, pk: str) -> HttpResponseBase:
        """Be told it once more, in the same words under the same id. 0 where it is on its way."""
        self.given(NothingSerializer)
        row = self.row_or_404(self.get_queryset())
        count = publishing.replay(deliveries=[row.pk], by=self.actor, at=self.cause()["at"])
        return Response({"count": count}, status=202)


def _wish(given: Mapping[str, Any]) -> Wish:
    return Wish(**{**given, "event_types": tuple(given["event_types"])})
