"""Maintenance windows as they are looked at: by month, with what they hold, held, or would have held."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from notifications.actions.windows import Wanted
from notifications.models import MaintenanceWindow, Message, Notice
from notifications.statuses import NoticeState

#: How many weeks back somebody is shown what would have been held.
WEEKS = 4
_MOST_URGENT = 5
#: Windows that are listed beside others; more are counted.
MOST_LISTED = 50


@dataclass(frozen=True, slots=True)
class Held:
    """What a window holds now."""

    notices: int
    messages: int
    urgent: int
    orders: int
    customers: int
    house: int
    first: Sequence[Notice]


@dataclass(frozen=True, slots=True)
class CameOf:
    """What became of what a window held."""

    notices: int
    messages: int
    sent: int
    dropped: int
    waiting: int
    undelivered: int


@dataclass(frozen=True, slots=True)
class Week:
    """What went out in the same hours of an earlier week."""

    day: date
    notices: int
    urgent: int
    customers: int


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the calendar with the windows that hold in it."""

    day: date
    is_of_month: bool
    windows: Sequence[MaintenanceWindow]


def standing_of(window: MaintenanceWindow, at: datetime) -> str:
    """Return where a window stands: cancelled, coming, holding or over."""
    if window.cancelled_at is not None:
        return "cancelled"
    if window.starts_at > at:
        return "coming"
    return "holding" if window.ends_at > at else "over"


def current(at: datetime) -> list[MaintenanceWindow]:
    """Return the windows that hold or are to come, those that end first before others. One statement."""
    found = MaintenanceWindow.objects.filter(ends_at__gt=at, cancelled_at=None).select_related("region")
    return list(found.order_by("ends_at", "starts_at", "id")[:MOST_LISTED])


def count_holding(at: datetime) -> int:
    """Return how many windows hold now. One statement."""
    return MaintenanceWindow.objects.filter(starts_at__lte=at, ends_at__gt=at, cancelled_at=None).count()


def month_of(first: date) -> list[list[Day]]:
    """Return the weeks of a month, each of its days with its windows, in the zone that is active. One statement."""
    weeks = calendar.Calendar().monthdatescalendar(first.year, first.month)
    begins, ends = _midnight(weeks[0][0]), _midnight(weeks[-1][-1] + timedelta(days=1))
    windows = list(
        MaintenanceWindow.objects.filter(starts_at__lt=ends, ends_at__gt=begins)
        .select_related("region")
        .order_by("starts_at", "id")
    )
    return [
        [
            Day(
                day,
                day.month == first.month,
                _within(windows, _midnight(day), _midnight(day + timedelta(days=1))),
            )
            for day in week
        ]
        for week in weeks
    ]


def _within(windows: Sequence[MaintenanceWindow], begins: datetime, ends: datetime) -> list[MaintenanceWindow]:
    return [window for window in windows if window.starts_at < ends and window.ends_at > begins]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), timezone.get_current_timezone())


def held_now(window: MaintenanceWindow, at: datetime) -> Held:
    """Return what a window holds now, for whom, and the most urgent of it. Two statements."""
    waiting = _matching(window).filter(state=NoticeState.WAITING, due_at__lte=at)
    told = Message.objects.filter(notice=OuterRef("pk"), rule__cannot_be_muted=True)
    if not window.channel_is_down:
        waiting = waiting.filter(~Exists(told))
    counted = waiting.order_by().aggregate(
        notices=Count("id"),
        messages=Sum("messages_count", default=0),
        urgent=Count("id", filter=Q(is_urgent=True)),
        orders=Count("thread_id", distinct=True),
        customers=Count("recipient", distinct=True, filter=Q(recipient__customer__isnull=False)),
        house=Count("recipient", distinct=True, filter=Q(recipient__user__isnull=False)),
    )
    first = waiting.select_related("recipient").order_by("-is_urgent", "due_at", "id")[:_MOST_URGENT]
    return Held(**counted, first=list(first))


def came_of(window: MaintenanceWindow) -> CameOf:
    """Return what became of what a window held. One statement."""
    rows = list(
        Notice.objects.filter(held_by=window)
        .order_by()
        .values_list("state")
        .annotate(number=Count("id"), news=Sum("messages_count"))
    )
    by_state = {state: number for state, number, _news in rows}

    def of(*states: str) -> int:
        return sum(by_state.get(state, 0) for state in states)

    return CameOf(
        notices=sum(by_state.values()),
        messages=sum(news for _state, _number, news in rows),
        sent=of("sent", "delivered"),
        dropped=of("dropped"),
        waiting=of("waiting", "sending"),
        undelivered=of("dead", "discarded", "replayed", "told"),
    )


def would_hold(wanted: Wanted, at: datetime) -> list[Week]:
    """Return what went out in the same hours by the clock of the last weeks. A statement for each week."""
    zone = timezone.get_current_timezone()
    starts, ends = wanted.starts_at.astimezone(zone), wanted.ends_at.astimezone(zone)
    found = []
    for weeks in range(1, WEEKS + 1):
        # Days taken from a clock in its zone keep its hours, however long the night was between them.
        begins, until = starts - timedelta(weeks=weeks), ends - timedelta(weeks=weeks)
        if until.timestamp() > at.timestamp():
            continue
        counted = (
            _matching(wanted)
            .filter(handed_over_at__gte=begins, handed_over_at__lt=until)
            .order_by()
            .aggregate(
                notices=Count("id"),
                urgent=Count("id", filter=Q(is_urgent=True)),
                customers=Count("id", filter=Q(recipient__customer__isnull=False)),
            )
        )
        found.append(Week(begins.date(), **counted))
    return found


def overlapping(wanted: Wanted, but: UUID | None = None) -> list[MaintenanceWindow]:
    """Return the windows that hold at the same time. One statement."""
    found = MaintenanceWindow.objects.filter(
        starts_at__lt=wanted.ends_at, ends_at__gt=wanted.starts_at, cancelled_at=None
    )
    if but:
        found = found.exclude(pk=but)
    return list(found.select_related("region").order_by("starts_at", "id")[:MOST_LISTED])


def history_of(window: MaintenanceWindow) -> list[Any]:
    """Return each version of a window, the latest first, with who made it and why. One statement."""
    return list(window.history.select_related("history_user").order_by("-history_date", "-history_id")[:MOST_LISTED])


def _matching(window: Any) -> QuerySet[Notice]:
    """Return the notices of a window's channel, region and system."""
    found = Notice.objects.all()
    if window.channel:
        found = found.filter(channel=window.channel)
    if window.region_id:
        found = found.filter(region=window.region_id)
    if window.source:
        found = found.filter(sources__contains=[window.source])
    return found
