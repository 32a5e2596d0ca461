"""The alerts that stand: page by page, each with what it is about and who was told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from notifications.models import Alert, Message
from orders.models import OrderLine, PartsOrder, ServiceOrder
from orders.statuses import SubjectKind

PAGE = 30
_JOB, _LINE = SubjectKind.SERVICE_ORDER.value, SubjectKind.LINE.value


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody who was told of an alert."""

    name: str
    channel: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Shown:
    """An alert as it is listed. `line` is empty where it is about a job; `seen_by` where nobody acknowledged it."""

    alert: Alert
    order: Any
    customer: str
    line: Any
    told: Sequence[Told]
    seen_by: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the list, and where the next one begins (empty: this was the last)."""

    rows: Sequence[Shown]
    after: str


def standing(*, trigger: str = "", region: str = "", mine_of: int | None = None, unseen: bool = False) -> Any:
    """Return the alerts that stand, the latest first: of a kind, of a region (its code), those one was told of."""
    found = Alert.objects.filter(resolved_at=None).order_by("-raised_at", "-id")
    if trigger:
        found = found.filter(trigger=trigger)
    if region:
        found = found.filter(region__code=region)
    if unseen:
        found = found.filter(acknowledged_at=None)
    if mine_of is not None:
        told = Message.objects.filter(alert=OuterRef("pk"), recipient__user=mine_of, notice__isnull=False)
        found = found.filter(Exists(told))
    return found


def page_of(found: Any, after: str = "", most: int = PAGE) -> Page:
    """Return a page behind the place that `after` tells; one that means nothing is the beginning. Six statements."""
    if behind := _behind(after):
        found = found.filter(behind)
    alerts = list(found.select_related("rule", "region")[: most + 1])
    last = alerts[most - 1] if len(alerts) > most else None
    return Page(shown(alerts[:most]), f"{last.raised_at.isoformat()}_{last.pk}" if last else "")


def shown(alerts: Sequence[Alert]) -> list[Shown]:
    """Return alerts with what they are about. Five statements at most."""
    lines = OrderLine.objects.select_related("part__unit").in_bulk(_keys(alerts, _LINE))
    orders = _orders(alerts)
    told = _told(alerts)
    people = _people(alerts)
    return [
        Shown(
            alert,
            orders.get(alert.thread_id),
            _customer(orders.get(alert.thread_id)),
            lines.get(alert.subject_id),
            told.get(alert.pk, []),
            people.get(alert.acknowledged_by, "") if alert.acknowledged_by else "",
        )
        for alert in alerts
    ]


def _keys(alerts: Iterable[Alert], kind: str) -> set[UUID]:
    return {alert.subject_id for alert in alerts if alert.subject_kind == kind}


def _orders(alerts: Iterable[Alert]) -> dict[UUID, Any]:
    threads: defaultdict[bool, set[UUID]] = defaultdict(set)
    for alert in alerts:
        threads[alert.thread_kind == _JOB].add(alert.thread_id)
    jobs = ServiceOrder.objects.select_related("customer").in_bulk(threads[True])
    parts_orders = PartsOrder.objects.select_related("customer", "destination").in_bulk(threads[False])
    return {**jobs, **parts_orders}


def _customer(order: Any) -> str:
    if order is None:
        return ""
    customer = order.customer or getattr(order, "destination", None)
    return customer.name if customer else ""


def _told(alerts: Sequence[Alert]) -> dict[UUID, list[Told]]:
    rows = (
        Message.objects.filter(alert__in=[alert.pk for alert in alerts], notice__isnull=False)
        .select_related("recipient")
        .order_by("alert_level", "id")
    )
    found: defaultdict[UUID, list[Told]] = defaultdict(list)
    for message in rows:
        assert message.alert_id is not None
        found[message.alert_id].append(
            Told(str(message.recipient), str(message.get_channel_display()), message.written_at)
        )
    return found


def _people(alerts: Iterable[Alert]) -> dict[str, str]:
    """Return the names of those who acknowledged, by how they are written down."""
    references = {alert.acknowledged_by for alert in alerts if alert.acknowledged_by}
    keys = [int(key) for kind, _sep, key in (each.partition(":") for each in references) if kind == "user"]
    names = {
        f"user:{user.pk}": user.get_full_name() or user.get_username() for user in User.objects.filter(pk__in=keys)
    }
    return {reference: names.get(reference) or _("The system") for reference in references}


def _behind(after: str) -> Q | None:
    text, _separator, key = after.partition("_")
    try:
        at, row = parse_datetime(text), UUID(key)
    except ValueError:
        return None
    if at is None or at.tzinfo is None:
        return None
    return Q(raised_at__lte=at) & (Q(raised_at__lt=at) | Q(id__lt=row))
