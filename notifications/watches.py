"""Who watches an order, or all orders of its customer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from notifications.models import Watch

#: What is watched: its kind, by the name of the field that holds it.
KINDS = ("service_order", "parts_order", "customer")
#: More people than these are counted, not named.
MOST_NAMED = 12


@dataclass(frozen=True, slots=True)
class Watched:
    """Who watches an order. `others` counts those who are not named."""

    names: Sequence[str]
    others: int
    by_me: bool
    customer_by_me: bool


def of_order(*, kind: str, order_id: UUID, customer_id: UUID | None, user_id: int | None) -> Watched:
    """Return who watches an order, or its customer. One statement."""
    wanted = Q(**{kind: order_id})
    if customer_id is not None:
        wanted |= Q(customer=customer_id)
    rows = (
        Watch.objects.filter(wanted, recipient__user__is_active=True)
        .order_by("id")
        .values_list(
            "recipient__user",
            "customer",
            "recipient__user__first_name",
            "recipient__user__last_name",
            "recipient__user__username",
        )
    )
    names: dict[int, str] = {}
    by_me = customer_by_me = False
    for person, customer, first, last, username in rows:
        names.setdefault(person, f"{first} {last}".strip() or username)
        if person == user_id:
            by_me, customer_by_me = by_me or customer is None, customer_by_me or customer is not None
    named = list(names.values())
    return Watched(named[:MOST_NAMED], max(len(named) - MOST_NAMED, 0), by_me, customer_by_me)
