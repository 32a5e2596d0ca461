"""The door of the inbox: what other systems send, each message kept as it came and answered with what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django_filters import ChoiceFilter, FilterSet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.actions.taking_in import Taken, take_in
from integrations.models import InboundMessage
from integrations.senders import sender_of
from integrations.statuses import MessageStatus, Way
from parts.doors import PAGE, Door
from parts.errors import Invalid
from parts.sentences import from_kept, sentence

#: What a body of one message may be known by where it does not say so itself.
_KEY_HEADERS = ("Idempotency-Key", "Ce-Id")
_LONGEST_KEY = 200
#: Who may not send may still not look.
SENDS = "integrations.send_inboundmessage"


class AsItCame(BaseParser):
    """Leaves a body alone, whatever it is: it is read when it has been kept."""

    media_type = "*/*"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return nothing: the door takes the bytes of the request."""
        return {}


class AnyForm(BaseContentNegotiation):
    """Takes whatever comes; answers in the one format of the API."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """Return the one parser."""
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        """Return the one renderer."""
        return renderers[0], renderers[0].media_type


class InboundProblemSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()
    extra = serializers.DictField(child=serializers.JSONField())
    fact = serializers.IntegerField(allow_null=True, help_text="Which of the message's facts, from 0.")


class InboundFactSerializer(serializers.Serializer[Any]):
    outcome = serializers.ChoiceField(choices=["moved", "filed", "repeated", "noted", "refused"])
    reference = serializers.CharField(allow_blank=True)
    status = serializers.CharField(allow_blank=True, help_text="Where it stood then.")
    version = serializers.IntegerField()


class InboundMessageSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="Ours.")
    key = serializers.CharField(help_text="Yours.")
    status = serializers.ChoiceField(choices=MessageStatus.choices)
    cause = serializers.CharField(allow_blank=True)
    problems = InboundProblemSerializer(many=True)
    facts = InboundFactSerializer(many=True)
    is_repeat = serializers.BooleanField()


class InboundAnswerSerializer(serializers.Serializer[Any]):
    received = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="They add up to `received`.")
    messages = InboundMessageSerializer(many=True, help_text="One for each, in their order.")


class InboundFilterSet(FilterSet):
    status = ChoiceFilter(choices=MessageStatus.choices)

    class Meta:
        model = InboundMessage
        fields = ("status",)


_INTERFACE = OpenApiParameter("interface", str, description="Code of the interface, where the system has several.")
_WAIT = OpenApiParameter(
    "wait", str, enum=["true", "false"], description="`false`: answer as soon as the messages are kept."
)


class InboundViewSet(Door):
    """What an external system sends. Kept before anything is made of it; a repeat is answered as the first one was."""

    reads = SENDS
    writes: ClassVar[Mapping[str, tuple[str, ...]]] = {"create": (SENDS,)}
    parameters: ClassVar[Mapping[str, frozenset[str]]] = {
        "create": frozenset({"interface", "wait"}),
        "list": PAGE | {"status"},
    }
    parser_classes = [AsItCame]
    content_negotiation_class = AnyForm
    serializer_class = InboundMessageSerializer
    filterset_class = InboundFilterSet
    queryset = InboundMessage.objects.none()

    @extend_schema(
        request={"application/json": OpenApiTypes.OBJECT, "application/octet-stream": OpenApiTypes.BINARY},
        parameters=[_INTERFACE, _WAIT],
        responses={200: InboundAnswerSerializer, 202: InboundAnswerSerializer},
        examples=[
            OpenApiExample(
                "A warehouse reports that a line has left",
                request_only=True,
                media_type="application/json",
                value={
                    "id": "wms-4711",
                    "subject": "line",
                    "reference": "PO-000017/2",
                    "status": "shipped",
                    "occurred_at": "2026-11-22T08:58:00Z",
                },
            )
        ],
    )
    def create(self, request: Request, system: str) -> HttpResponseBase:
        """Take in one message or many, in the form of the interface. 200: all are settled; 202: some are only kept.

        Once it is answered, nothing has to be sent again: look at the status of each.
        """
        sender = sender_of(system, request.query_params.get("interface"), account_id=request.user.pk)
        at_once = _said(request.query_params.get("wait", "true"))
        taken = take_in(
            sender=sender,
            body=request._request.body,
            way=Way.REST,
            at=self.cause()["at"],
            content_type=request.content_type or "",
            key=_key(request),
            at_once=at_once,
        )
        counts = dict.fromkeys(MessageStatus.values, 0)
        for one in taken:
            counts[one.status] += 1
        body = {"received": len(taken), "counts": counts, "messages": [_shown(one) for one in taken]}
        waits = counts[MessageStatus.RECEIVED]
        return Response(body, status=status.HTTP_202_ACCEPTED if waits else status.HTTP_200_OK)

    @extend_schema(parameters=[OpenApiParameter("status", str, enum=MessageStatus.values)])
    def list(self, request: Request, system: str) -> HttpResponseBase:
        """The messages of the system, the newest first."""
        rows = self.paginate_queryset(self.filter_queryset(self._of(system)))
        return self.get_paginated_response([_shown(_taken(row)) for row in rows or ()])

    def retrieve(self, request: Request, system: str, pk: str) -> HttpResponseBase:
        """What became of one message."""
        return Response(_shown(_taken(self.row_or_404(self._of(system)))))

    def _of(self, system: str) -> QuerySet[InboundMessage]:
        sender = self.request.user.pk
        return InboundMessage.objects.filter(system__code=system, system__account=sender).defer("body")


def _said(wait: str) -> bool:
    if wait not in ("true", "false"):
        raise Invalid(sentence("The address cannot be read."), {"wait": [sentence("Must be true or false.")]})
    return wait == "true"


def _key(request: Request) -> str:
    key = next((request.headers[name] for name in _KEY_HEADERS if name in request.headers), "").strip()
    if len(key) > _LONGEST_KEY or not key.isprintable():
        raise Invalid(
            sentence("The key of a message must have 1 to {most} visible characters.", most=_LONGEST_KEY),
            {"Idempotency-Key": [sentence("Not a key.")]},
        )
    return key


def _taken(row: Any) -> Taken:
    return Taken(row.pk, row.key, row.status, row.cause, row.problems, row.facts)


def _shown(taken: Taken) -> dict[str, Any]:
    problems = [{**kept, "detail": from_kept(kept["detail"]), "fact": kept.get("fact")} for kept in taken.problems]
    key: UUID = taken.id
    return {
        "id": key,
        "key": taken.key,
        "status": taken.status,
        "cause": taken.cause,
        "problems": problems,
        "facts": list(taken.facts),
        "is_repeat": taken.is_repeat,
    }
