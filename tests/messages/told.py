"""People who were told something in the house."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User

from notifications.models import ChannelSetting, Notice, Rule, Template
from notifications.statuses import Audience, Channel
from orders.actions import service_orders
from orders.models import ServiceOrder
from tests.notifications.telling import only_rule, sender, tell
from tests.orders.desk import TOLD, Desk


def rule_for_dispatchers(**fields: Any) -> Rule:
    """Switch only one rule on: of each step of a job, to the dispatchers, in the house."""
    asked: dict[str, Any] = {
        "name": "Dispatchers: each step",
        "audience": Audience.DISPATCHERS,
        "channel": Channel.INBOX,
        "template": Template.objects.get(code="staff_news"),
    }
    return only_rule(**asked | fields)


def deliver(channel: str = Channel.INBOX) -> None:
    """Write down what happened and hand it over."""
    tell()
    ChannelSetting.objects.filter(channel=channel).update(per_second=10_000)
    while sender(channel, hours=1).step():
        pass


def step(job: ServiceOrder, to: str, note: str = "") -> None:
    """Move a job and let it be told."""
    service_orders.move(service_order_id=job.pk, to=to, note=note, **TOLD)
    deliver()


def told(desk: Desk, person: User, times: int = 1) -> list[Notice]:
    """Tell dispatchers of so many jobs; return what this one of them got, the latest first."""
    rule_for_dispatchers()
    for _ in range(times):
        desk.job("new")
    deliver()
    return list(Notice.objects.filter(recipient__user=person).order_by("-id"))
