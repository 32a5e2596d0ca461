"""What tests of messages need: rules that are on, events written down as they come, and what came of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from config.consumers import telling
from notifications.models import Message, Notice, Rule, Template
from notifications.sending import Sender
from notifications.statuses import Audience, Channel
from notifications.transports import Transport
from notifications.transports.choosing import transport_of
from orders.cursors import in_version_order
from orders.models import OrderEvent, ServiceOrder

#: The events that were handed over already.
_TOLD: set[UUID] = set()
#: What senders of this test hold open; its fixture closes them.
OPENED: list[Transport] = []
STEPS = ["service_order.status_changed"]


def only_rule(**fields: Any) -> Rule:
    """Switch every shipped rule off and one on: of each step of a job, to its customer, by email, at once."""
    Rule.objects.update(is_active=False)
    return one_more_rule(**fields)


def one_more_rule(**fields: Any) -> Rule:
    """Switch one more rule on, since a day ago."""
    asked: dict[str, Any] = {
        "code": f"rule-{Rule.objects.count()}",
        "name": "A rule of a test",
        "kinds": STEPS,
        "audience": Audience.CUSTOMER,
        "channel": Channel.EMAIL,
        "template": Template.objects.get(code="customer_news"),
        "is_active": True,
        "active_since": timezone.now() - timedelta(days=1),
    }
    return Rule.objects.create(**asked | fields)


def tell() -> int:
    """Hand the events since the last time to the consumer, as `consume_events` does; return how many messages are new.

    A cursor reads nothing of a transaction that has not ended, and a test is one; tests/notifications/test_kills.py
    goes by the cursor itself.
    """
    before = Message.objects.count()
    fresh = [event for event in OrderEvent.objects.order_by("recorded_at", "id") if event.pk not in _TOLD]
    _TOLD.update(event.pk for event in fresh)
    telling(in_version_order(fresh))
    return Message.objects.count() - before


def told_of(job: ServiceOrder) -> list[Message]:
    """Return the messages about a job, in the order in which they were written."""
    return list(Message.objects.filter(event__subject_id=job.pk).select_related("rule", "notice").order_by("id"))


def sender(channel: str = Channel.EMAIL, *, hours: float = 0, at: datetime | None = None) -> Sender:
    """Return a sender of a channel, whose clock stands some hours from now, or at a moment."""
    moment = at or timezone.now() + timedelta(hours=hours, seconds=1)
    transport = transport_of(channel)
    OPENED.append(transport)
    return Sender(channel, transport, clock=lambda: moment)


def notices(**which: Any) -> list[Notice]:
    """Return notices, the oldest first."""
    return list(Notice.objects.filter(**which).order_by("id"))
