"""Who listens, in tests: partners and systems with their accounts, and what they are to be told."""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from config import roles
from config.consumers import publishing
from integrations.actions import subscribing
from integrations.actions.subscribing import Wish
from integrations.models import OutboundDelivery, Subscriber
from orders.models import Customer, CustomerAccess, OrderEvent
from parts.actors import Actor

OURSELVES = Actor.system("test")


def account(role: roles.Role = roles.SYSTEM, *customers: Customer) -> User:
    """An account of a machine; a partner's sees these customers."""
    user = User.objects.create_user(f"machine-{uuid.uuid4().hex[:8]}")
    roles.give_role(user, role)
    for customer in customers:
        CustomerAccess.objects.create(user=user, customer=customer)
    return user


def wish(address: str = "https://partner.example/hook", **more: Any) -> Wish:
    return Wish(**{"name": "Portal", "address": address, **more})


def listen(
    of: User | None = None, address: str = "https://partner.example/hook", at: datetime | None = None, **more: Any
) -> Subscriber:
    """Let an account be told; everything, if it is of the house."""
    row, _secret = subscribing.add(
        code=f"listener-{uuid.uuid4().hex[:8]}",
        account=(of or account()).pk,
        wish=wish(address, **more),
        by=OURSELVES,
        at=at or datetime(2020, 1, 1, tzinfo=timezone.get_default_timezone()),
    )
    return row


def publish() -> None:
    """Let the consumer have all that happened; it may have had it before. A cursor reads nothing of an open test."""
    publishing(list(OrderEvent.objects.order_by("id")))


def kinds(subscriber: Subscriber) -> list[str]:
    """What a subscriber is to be told, in order."""
    return list(OutboundDelivery.objects.filter(subscriber=subscriber).order_by("id").values_list("kind", flat=True))


def body_of(delivery: OutboundDelivery) -> dict[str, Any]:
    delivery.refresh_from_db()
    return dict(json.loads(bytes(delivery.body or b"")))
