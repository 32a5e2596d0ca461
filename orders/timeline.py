"""What happened to an order and to all that belongs to it, newest first, a page at a time."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orders.models import OrderEvent
from orders.statuses import LINE_SHIPPED, SubjectKind

#: How many events a page holds.
PAGE = 40
#: Follows from what happened to others, and says nothing that these do not say.
DERIVED = ("line.status_derived", "line.promise_derived", "parts_order.status_derived")

_WORK = (
    "labour.logged",
    "diagnosis.added",
    "service_order.assigned",
    "service_order.claimed",
    "service_order.rescheduled",
    "service_order.completion_estimated",
)

#: What a timeline can be narrowed to: name → (title, condition).
KINDS = {
    "status": (_("Status"), Q(subject_kind=SubjectKind.SERVICE_ORDER) & ~Q(to_status="")),
    "notes": (_("Notes"), Q(note_commitment__isnull=False) | Q(kind__startswith="note.")),
    "parts": (_("Parts"), Q(subject_kind__in=[SubjectKind.LINE, SubjectKind.PARTS_ORDER])),
    "back-orders": (_("Back orders"), Q(subject_kind=SubjectKind.BACK_ORDER) | Q(to_status="back_ordered")),
    "shipments": (
        _("Shipments"),
        Q(subject_kind=SubjectKind.LINE, to_status__in=LINE_SHIPPED) | Q(kind__startswith="equipment."),
    ),
    "work": (_("Work"), Q(kind__in=_WORK)),
    "files": (_("Files"), Q(kind__startswith="attachment.")),
    "messages": (_("Messages"), Q(kind__startswith="message.")),
    "promises": (_("Promises"), Q(kind="line.promise_changed")),
    "overrides": (_("Overrides"), Q(is_override=True)),
}


@dataclass(frozen=True, slots=True)
class Events:
    """A page of events, the latest first; `older` is where the next one begins, empty where this was the last."""

    rows: list[OrderEvent]
    older: str


def events(subject_ids: Collection[UUID], *, kind: str = "", before: str = "", size: int = PAGE) -> Events:
    """Return a page of what happened to these subjects. One query, however many they are.

    `kind` is a name of KINDS; any other means everything. `before` is what the page before gave as `older`; nonsense
    begins at the newest.
    """
    rows = OrderEvent.objects.of_subjects(list(subject_ids)).exclude(kind__in=DERIVED).select_related("text")
    if kind in KINDS:
        rows = rows.filter(KINDS[kind][1])
    if place := _read(before):
        occurred_at, recorded_at, key = place
        rows = rows.filter(
            Q(occurred_at__lt=occurred_at)
            | Q(occurred_at=occurred_at, recorded_at__lt=recorded_at)
            | Q(occurred_at=occurred_at, recorded_at=recorded_at, id__lt=key)
        )
    found = list(rows.order_by("-occurred_at", "-recorded_at", "-id")[: size + 1])
    shown = found[:size]
    return Events(shown, _write(shown[-1]) if len(found) > size else "")


def _write(row: OrderEvent) -> str:
    place = f"{row.occurred_at.isoformat()}|{row.recorded_at.isoformat()}|{row.pk}"
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _read(text: str) -> tuple[datetime, datetime, UUID] | None:
    try:
        place = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        occurred_at, recorded_at, key = place.split("|")
        found = datetime.fromisoformat(occurred_at), datetime.fromisoformat(recorded_at), UUID(key)
    except (ValueError, binascii.Error):
        return None
    return found if found[0].tzinfo and found[1].tzinfo else None
