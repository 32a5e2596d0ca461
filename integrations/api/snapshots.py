"""The door of inventory snapshots: a file of all stock, kept at once and compared beside all other work."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import datetime
from typing import IO, BinaryIO, ClassVar, cast

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.utils.dateparse import parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.actions import snapshots
from integrations.api.inbound import AnyForm, AsItCame
from integrations.models import ExternalSystem, InventorySnapshot
from integrations.statuses import SnapshotStatus
from parts.doors import PAGE, Door
from parts.errors import Invalid, NotFound, Refused
from parts.sentences import Figure, sentence

LOADS = "integrations.load_inventorysnapshot"
_PIECE = 1 << 20
_IN_MEMORY = 1 << 20


class TooLarge(Refused):
    """A body that is larger than is taken in."""

    code = "too_large"
    status = 413


class InventorySnapshotSerializer(serializers.ModelSerializer[InventorySnapshot]):
    status = serializers.ChoiceField(choices=SnapshotStatus.choices)
    problem = serializers.CharField(source="refused_because", help_text="Why it was refused.")

    class Meta:
        model = InventorySnapshot
        fields = (
            "id",
            "key",
            "as_of",
            "is_complete",
            "received_at",
            "status",
            "problem",
            "slices",
            "slices_done",
            "rows",
            "unreadable",
            "stock",
            "same",
            "different",
            "unknown",
            "not_listed",
            "beyond",
            "compared_at",
        )


class InventorySnapshotViewSet(Door):
    """What a warehouse's system has, all of it at one moment. It is compared with the books; nothing is corrected."""

    reads = LOADS
    writes: ClassVar[Mapping[str, tuple[str, ...]]] = {"create": (LOADS,)}
    parameters: ClassVar[Mapping[str, frozenset[str]]] = {
        "create": frozenset({"as_of", "complete"}),
        "list": PAGE,
    }
    parser_classes = [AsItCame]
    content_negotiation_class = AnyForm
    serializer_class = InventorySnapshotSerializer
    queryset = InventorySnapshot.objects.none()

    @extend_schema(
        request={"text/csv": OpenApiTypes.STR, "application/octet-stream": OpenApiTypes.BINARY},
        parameters=[
            OpenApiParameter("as_of", OpenApiTypes.DATETIME, required=True, description="When it was so."),
            OpenApiParameter(
                "complete",
                str,
                enum=["true", "false"],
                description="`true`: what it does not list of its warehouses, they do not have.",
            ),
        ],
        responses={200: InventorySnapshotSerializer, 202: InventorySnapshotSerializer},
    )
    def create(self, request: Request, system: str) -> HttpResponseBase:
        """Keep a CSV file (plain, or packed with gzip) to be compared: 202. 200: it is known, by its key or content."""
        as_of, is_complete = _as_of(request.query_params.get("as_of", "")), _is_complete(request)
        found = self._system(system)
        cause = self.cause()
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
            _copy(request._request, file)
            file.seek(0)
            snapshot, is_new = snapshots.receive(
                system=found,
                file=cast(BinaryIO, file),
                name=f"{found.code}-{as_of:%Y%m%dT%H%M%S}.csv",
                as_of=as_of,
                by=cause["by"],
                at=cause["at"],
                key=request.headers.get("Idempotency-Key", "").strip(),
                is_complete=is_complete,
            )
        body = InventorySnapshotSerializer(snapshot).data
        return Response(body, status=status.HTTP_202_ACCEPTED if is_new else status.HTTP_200_OK)

    def list(self, request: Request, system: str) -> HttpResponseBase:
        """The snapshots of the system, the newest first."""
        rows = self.paginate_queryset(self._of(system))
        return self.get_paginated_response(InventorySnapshotSerializer(rows or [], many=True).data)

    def retrieve(self, request: Request, system: str, pk: str) -> HttpResponseBase:
        """How far one is, and what came of it."""
        return Response(InventorySnapshotSerializer(self.row_or_404(self._of(system))).data)

    def _system(self, code: str) -> ExternalSystem:
        """Return the system that is the caller's own."""
        found = ExternalSystem.objects.filter(code=code, account=self.request.user.pk, is_active=True).first()
        if found is None:
            raise NotFound(sentence("There is no such system of yours."))
        return found

    def _of(self, system: str) -> QuerySet[InventorySnapshot]:
        return InventorySnapshot.objects.filter(system__code=system, system__account=self.request.user.pk)


def _as_of(text: str) -> datetime:
    try:
        moment = parse_datetime(text.replace(" ", "+"))
    except ValueError:
        moment = None
    if moment is None or moment.utcoffset() is None:
        says = sentence("Say the zone as well, for example {example}.", example="2026-11-20T09:00:00Z")
        raise Invalid(sentence("The address cannot be read."), {"as_of": [says]})
    return moment


def _is_complete(request: Request) -> bool:
    said = request.query_params.get("complete", "true")
    if said not in ("true", "false"):
        raise Invalid(sentence("The address cannot be read."), {"complete": [sentence("Must be true or false.")]})
    return said == "true"


def _copy(request: HttpRequest, file: IO[bytes]) -> None:
    """Copy the body as it comes; it is never in memory as a whole. Raises TooLarge."""
    size = 0
    while piece := request.read(_PIECE):
        size += len(piece)
        if size > settings.SNAPSHOT_MAX_BYTES:
            raise TooLarge(sentence("The body is larger than {most} bytes.", most=Figure(settings.SNAPSHOT_MAX_BYTES)))
        file.write(piece)
