"""What other systems report of lines and jobs: many in one call, late ones, repeated ones, each with its result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponseBase
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from orders.actions.reporting import MOST_REPORTS, UNKNOWN, Report, Result, report_many
from orders.doors import NoteSerializer, OrdersDoor
from orders.models import OrderLine, ServiceOrder
from orders.querysets import sees_all
from parts.doors import refuse_unknown
from parts.errors import Invalid, NotFound
from parts.moments import MomentField
from parts.sentences import sentence


class StatusUpdateSerializer(NoteSerializer):
    subject = serializers.ChoiceField(choices=["line", "service_order"])
    id = serializers.UUIDField()
    status = serializers.CharField(max_length=20)
    occurred_at = MomentField(help_text="When it was reached, by your clock.")
    message_id = serializers.CharField(
        max_length=120, allow_blank=True, default="", help_text="Your own id of this report; a repeat changes nothing."
    )


class StatusUpdatesSerializer(serializers.Serializer[Any]):
    updates: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=StatusUpdateSerializer(), allow_empty=False, max_length=MOST_REPORTS
    )


class RefusalSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()
    extra = serializers.DictField(child=serializers.JSONField())


class ResultSerializer(serializers.Serializer[Any]):
    outcome = serializers.ChoiceField(
        choices=["moved", "filed", "repeated", "refused"],
        help_text="filed: it came late and is on the timeline; repeated: it was known already.",
    )
    reference = serializers.CharField(allow_blank=True)
    status = serializers.CharField(allow_blank=True, help_text="Where it stands now.")
    version = serializers.IntegerField()
    refusal = RefusalSerializer(allow_null=True)


class ResultsSerializer(serializers.Serializer[Any]):
    results = ResultSerializer(many=True, help_text="One for each update, in their order.")


class StatusUpdateViewSet(OrdersDoor):
    """Reports of statuses that were reached outside."""

    writes: ClassVar[Mapping[str, tuple[str, ...]]] = {"create": ("orders.move_orderline", "orders.move_serviceorder")}
    serializer_class = StatusUpdatesSerializer
    queryset = OrderLine.objects.none()

    @extend_schema(
        request=StatusUpdatesSerializer,
        responses={200: ResultsSerializer},
        examples=[
            OpenApiExample(
                "A carrier reports a delivery",
                request_only=True,
                value={
                    "updates": [
                        {
                            "subject": "line",
                            "id": "0199a1c0-0000-7000-8000-000000000005",
                            "status": "delivered",
                            "occurred_at": "2026-11-20T09:00:00Z",
                            "message_id": "tms-99812",
                        }
                    ]
                },
            )
        ],
    )
    def create(self, request: Request) -> HttpResponseBase:
        """Take in up to 1,000 reports at once. One that is refused does not hinder the others: look at each result."""
        rows = self._rows()
        reports: list[Report | Result] = [_read(row) for row in rows]
        if not sees_all(self.user):
            reports = self._only_visible(reports)
        good = [report for report in reports if isinstance(report, Report)]
        answers = iter(self.take(good) if good else ())
        results = [next(answers) if isinstance(report, Report) else report for report in reports]
        return Response({"results": [_result(result) for result in results]})

    def take(self, reports: Sequence[Report]) -> list[Result]:
        """Take the reports in."""
        return report_many(reports=reports, **self.cause())

    def _rows(self) -> list[Any]:
        body = self.request.data
        rows = body.get("updates") if isinstance(body, dict) else None
        if isinstance(body, dict):
            refuse_unknown(_ENVELOPE, dict.fromkeys(body))
        if not isinstance(rows, list) or not rows:
            raise Invalid(sentence("Send a list of updates."), {"updates": [sentence("At least one.")]})
        if len(rows) > MOST_REPORTS:
            raise Invalid(
                sentence("At most {most} updates in one call.", most=MOST_REPORTS),
                {"updates": [sentence("At most {most}.", most=MOST_REPORTS)]},
            )
        return rows

    def _only_visible(self, reports: list[Report | Result]) -> list[Report | Result]:
        """Answer reports about what the caller may not see as if it did not exist. Two queries at most."""
        wanted: dict[str, list[UUID]] = {"line": [], "service_order": []}
        for report in reports:
            if isinstance(report, Report):
                wanted[report.subject].append(report.id)
        lines = OrderLine.objects.visible_to(self.user).filter(pk__in=wanted["line"])
        jobs = ServiceOrder.objects.visible_to(self.user).filter(pk__in=wanted["service_order"])
        visible = {*lines.values_list("pk", flat=True), *jobs.values_list("pk", flat=True)}
        return [
            report if isinstance(report, Result) or report.id in visible else _unknown(report) for report in reports
        ]


_FORM = StatusUpdateSerializer()
_ENVELOPE = StatusUpdatesSerializer()


def _read(row: Any) -> Report | Result:
    """Return the report of one item, or its refusal where it cannot be read."""
    try:
        refuse_unknown(_FORM, row)
        return Report(**_FORM.run_validation(row))
    except Invalid as refusal:
        return Result("refused", refusal=refusal)
    except ValidationError as error:
        detail = error.detail if isinstance(error.detail, dict) else {"": error.detail}
        fields = {name: [str(message) for message in messages] for name, messages in detail.items()}
        return Result("refused", refusal=Invalid(sentence("This update cannot be read."), fields))


def _unknown(report: Report) -> Result:
    return Result("refused", refusal=NotFound(UNKNOWN[report.subject], id=str(report.id)))


def _result(result: Result) -> dict[str, Any]:
    refusal = result.refusal
    return {
        "outcome": result.outcome,
        "reference": result.reference,
        "status": result.status,
        "version": result.version,
        "refusal": {"code": refusal.code, "detail": refusal.detail, "extra": dict(refusal.extra)} if refusal else None,
    }
