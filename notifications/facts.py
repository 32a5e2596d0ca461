"""What rules ask of the subject of an event, read for a batch at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from notifications.sql import FACTS
from orders.models import OrderEvent
from orders.statuses import SubjectKind


class Fact(NamedTuple):
    """An event's subject: whose it is and which order's thread it belongs to.

    `order_kind` and `criticality` are empty where there is no parts order or no part. `requester` is who began the
    order, as the ledger calls them.
    """

    subject_id: UUID
    thread_kind: str
    thread_id: UUID
    reference: str
    region_id: UUID
    customer_id: UUID | None
    tier: str
    order_kind: str
    criticality: str
    technician_id: int | None
    requester: str | None
    is_test: bool
    is_stopped: bool
    is_draft: bool

    @property
    def requester_id(self) -> int | None:
        """The person who began the order; None for a system or a partner's program."""
        kind, _, key = (self.requester or "").partition(":")
        return int(key) if kind == "user" and key.isdecimal() else None


#: The parameter of FACTS that takes the keys of each kind of subject. Cases have people of their own who answer for
#: them, and an escalation of their own.
_PARAMETER = {
    SubjectKind.LINE.value: "lines",
    SubjectKind.BACK_ORDER.value: "back_orders",
    SubjectKind.PARTS_ORDER.value: "parts_orders",
    SubjectKind.SERVICE_ORDER.value: "service_orders",
}


def read(events: Iterable[OrderEvent]) -> Mapping[UUID, Fact]:
    """Return the facts of the events' subjects, by subject. One statement."""
    return of_subjects({(event.subject_kind, event.subject_id) for event in events})


def of_subjects(subjects: Iterable[tuple[str, UUID]]) -> Mapping[UUID, Fact]:
    """Return the facts of subjects (kind, key), by key. One statement."""
    wanted: dict[str, list[UUID]] = {name: [] for name in _PARAMETER.values()}
    for kind, key in subjects:
        if kind in _PARAMETER:
            wanted[_PARAMETER[kind]].append(key)
    with connection.cursor() as cursor:
        cursor.execute(FACTS, wanted)
        return {row[0]: Fact._make(row) for row in cursor.fetchall()}
