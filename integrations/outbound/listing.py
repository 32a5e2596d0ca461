"""What people look at of subscribers and deliveries."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Min, OuterRef, QuerySet, Subquery

from integrations.models import OutboundDelivery
from integrations.statuses import DeliveryState

#: So many that wait are counted; of more it is said that there are more.
MOST_COUNTED = 1_000


def with_waiting(subscribers: QuerySet[Any]) -> QuerySet[Any]:
    """Return subscribers with `waiting_since`: when the oldest happened that they were not told yet."""
    waiting = OutboundDelivery.objects.filter(subscriber=OuterRef("pk"), state=DeliveryState.WAITING).order_by()
    oldest = waiting.values("subscriber").annotate(oldest=Min("caused_at")).values("oldest")
    return subscribers.annotate(waiting_since=Subquery(oldest))


def waiting_count(subscriber: UUID) -> int:
    """Return how many wait for a subscriber; MOST_COUNTED + 1 where there are more than that."""
    waiting = OutboundDelivery.objects.filter(subscriber=subscriber, state=DeliveryState.WAITING).order_by()
    return waiting[: MOST_COUNTED + 1].count()
