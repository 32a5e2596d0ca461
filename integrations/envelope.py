"""An event as others are told of it, whichever way: a CloudEvent 1.0 whose data has the form of a declared version.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md and its extension `sequence`. The form of `data` is
in `integrations/event_schemas/`, served under the API. Free text is not in it: it can be erased here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from integrations.outbound.kinds import TEST
from parts.documents import as_json
from parts.masking import masked

#: The version of the form that is written where nobody asked for another.
PRESENT_VERSION = 1
VERSIONS = (1,)
CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Told:
    """An event with what belongs to it, and whether its reader is of the house."""

    id: UUID
    for_staff: bool
    subject_kind: str
    subject_id: UUID
    reference: str
    version: int
    kind: str
    from_status: str
    to_status: str
    occurred_at: datetime
    recorded_at: datetime
    visibility: str
    order_kind: str | None
    order_id: UUID | None
    order_reference: str | None
    is_test: bool
    customer: str | None
    actor: str
    source: str
    data: Mapping[str, Any]
    passed_through: bool
    is_override: bool
    has_note: bool


def envelope(told: Told, version: int = PRESENT_VERSION) -> bytes:
    """Return an event as JSON. The same event for the same reader is the same bytes. Raises KeyError for no version."""
    data = _DATA[version](told)
    return as_json(
        {
            "specversion": "1.0",
            "id": str(told.id),
            "source": source(),
            "type": type_of(told.kind, version),
            "subject": told.reference,
            "time": _moment(told.occurred_at),
            "datacontenttype": "application/json",
            "dataschema": f"{settings.SITE_URL}/api/v1/event-schemas/event.v{version}.json",
            "sequence": str(told.version),
            "sequencetype": "Integer",
            "partitionkey": str(told.subject_id),
            "data": masked("event", data, for_staff=told.for_staff),
        }
    )


def envelope_of_a_test(key: UUID, at: datetime, version: int = PRESENT_VERSION) -> bytes:
    """Return what a subscriber is told to try whether it hears us."""
    return as_json(
        {
            "specversion": "1.0",
            "id": str(key),
            "source": source(),
            "type": type_of(TEST, version),
            "time": _moment(at),
            "datacontenttype": "application/json",
            "data": {"kind": TEST, "says": "This is a test. Nothing has happened."},
        }
    )


def source() -> str:
    """Return by what others know that this installation speaks."""
    return settings.SITE_URL


def type_of(kind: str, version: int) -> str:
    """Return what a kind of event is called outside."""
    return f"backline.{kind}.v{version}"


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _version_1(told: Told) -> dict[str, Any]:
    order = None
    if told.order_id is not None:
        order = {"kind": told.order_kind, "id": str(told.order_id), "reference": told.order_reference}
    return {
        "kind": told.kind,
        "subject_kind": told.subject_kind,
        "subject_id": str(told.subject_id),
        "reference": told.reference,
        "version": told.version,
        "from_status": told.from_status or None,
        "to_status": told.to_status or None,
        "occurred_at": _moment(told.occurred_at),
        "recorded_at": _moment(told.recorded_at),
        "passed_through": told.passed_through,
        "is_override": told.is_override,
        "visibility": told.visibility,
        "has_note": told.has_note,
        "is_test": told.is_test,
        "customer": told.customer,
        "order": order,
        "actor": told.actor,
        "source": told.source,
        "data": told.data,
    }


_DATA = {1: _version_1}
