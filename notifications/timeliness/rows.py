"""The notices behind a figure of timeliness, page by page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import (
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Value,
)

from notifications.models import MaintenanceWindow, Message, Notice
from notifications.statuses import LOST, SETTLED
from notifications.timeliness.reading import Place, Timeliness, Told
from notifications.timeliness.sql import OPEN

#: How many rows a page shows.
PAGE = 50


class Behind(NamedTuple):
    """A page of the notices that are counted, and after which of them the next page begins (None: no more)."""

    notices: Sequence[Notice]
    next: str | None


def rows_behind(
    reading: Timeliness, counts: Mapping[Place, Told], *, channel: str = "", met: bool | None = None, after: str = ""
) -> Behind:
    """Return the notices that a figure counts, the latest first; those that are overdue now come with their day.

    `counts` are the reading's own: only the days of this page are looked through. Two statements. A place that cannot
    be read means the first page.
    """
    place = _place(after)
    days = _days(counts, channel, met, place[0] if place else None)
    if not days:
        return Behind((), None)
    settled = _annotated(Notice.objects.filter(_on(days), state__in=SETTLED), reading, channel)
    in_time, missed = Q(took__lte=F("target")), Q(took__gt=F("target")) | Q(state__in=LOST)
    ways = [settled.filter({None: in_time | missed, True: in_time, False: missed}[met])]
    if met is not True:
        still = _annotated(Notice.objects.filter(_on(days), state__in=OPEN), reading, channel)
        ways.append(still.filter(~_held(reading.at), measured_from__lt=Value(reading.at) - F("target")))
    found: list[Any] = []
    for way in ways:  # two at most
        if place:
            way = way.filter(Q(measured_from__lt=place[0]) | Q(measured_from=place[0], pk__lt=place[1]))
        found += way.order_by("-measured_from", "-pk")[: PAGE + 1]
    rows = sorted(found, key=lambda one: (one.measured_from, one.pk), reverse=True)
    shown = rows[:PAGE]
    following = f"{shown[-1].measured_from.isoformat()}_{shown[-1].pk}" if len(rows) > PAGE else None
    return Behind(shown, following)


def _held(at: datetime) -> Exists:
    """Return whether a window holds a notice now, as `notifications.sql.HELD` says it."""
    windows = MaintenanceWindow.objects.filter(starts_at__lte=at, ends_at__gt=at, cancelled_at=None)
    passes = Message.objects.filter(notice=OuterRef(OuterRef("pk")), rule__cannot_be_muted=True)
    told_of = Func(OuterRef("sources"), F("source"), function="array_position", output_field=IntegerField())
    return Exists(
        windows.annotate(told_of=told_of).filter(
            Q(channel="") | Q(channel=OuterRef("channel")),
            Q(region=None) | Q(region=OuterRef("region")),
            Q(source="") | Q(told_of__isnull=False),
            Q(channel_is_down=True) | ~Exists(passes),
        )
    )


def _annotated(found: QuerySet[Notice], reading: Timeliness, channel: str) -> QuerySet[Any]:
    """Return notices with how long they took, and how long they might; of a channel and a region, where asked."""
    if channel:
        found = found.filter(channel=channel)
    if reading.region:
        found = found.filter(region=reading.region)
    took = ExpressionWrapper(F("handed_over_at") - F("measured_from"), DurationField())
    target = ExpressionWrapper(F("target_seconds") * Value(timedelta(seconds=1)), DurationField())
    return found.annotate(took=took, target=target).select_related("recipient", "region")


def _on(days: Sequence[date]) -> Q:
    """Return the condition that a notice belongs to one of the days from the first to the last of them."""
    first = datetime.combine(min(days), time(), UTC)
    return Q(measured_from__gte=first, measured_from__lt=datetime.combine(max(days), time(), UTC) + timedelta(days=1))


def _days(counts: Mapping[Place, Told], channel: str, met: bool | None, before: datetime | None) -> list[date]:
    """Return the days that hold the next page, the latest first, and a row more."""
    by_day: defaultdict[date, int] = defaultdict(int)
    for place, told in counts.items():
        if channel in ("", place.channel) and (before is None or place.day <= before.date()):
            by_day[place.day] += {None: told.notices, True: told.in_time, False: told.notices - told.in_time}[met]
    days, rows = [], 0
    for day in sorted((day for day, number in by_day.items() if number), reverse=True):
        days.append(day)
        rows += 0 if before and day == before.date() else by_day[day]
        if rows > PAGE:
            break
    return days


def _place(text: str) -> tuple[datetime, UUID] | None:
    moment, _sign, key = text.partition("_")
    try:
        place = datetime.fromisoformat(moment), UUID(key)
    except ValueError:
        return None
    return place if place[0].tzinfo else None
