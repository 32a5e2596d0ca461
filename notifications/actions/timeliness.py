"""Add up how soon people were told, whole days at a time, so that a year is read in milliseconds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from django.db import connection, transaction
from django.db.models import Max, Min

from notifications.models import DailyTimeliness, Notice
from notifications.statuses import SETTLED
from notifications.timeliness.reading import last_added_up, touched_days
from notifications.timeliness.sql import ADD_UP

#: How many days one transaction adds up.
_BATCH = 7


def add_up(*, at: datetime) -> int:
    """Add up anew the days that notices touched since the last time; return how many. A repeat changes nothing."""
    return _all(touched_days(last_added_up()), at)


def add_up_all(*, at: datetime) -> int:
    """Add up all days anew; return how many."""
    settled = Notice.objects.filter(state__in=SETTLED).aggregate(first=Min("measured_from"), last=Max("measured_from"))
    if settled["first"] is None:
        return 0
    first, last = settled["first"].date(), settled["last"].date()
    return _all([first + timedelta(days=number) for number in range((last - first).days + 1)], at)


def _all(days: Sequence[date], at: datetime) -> int:
    for start in range(0, len(days), _BATCH):
        _some(days[start : start + _BATCH], at)
    return len(days)


def _some(days: Iterable[date], at: datetime) -> None:
    wanted = list(days)
    with transaction.atomic(), connection.cursor() as cursor:
        # Of two at once the second waits, so that neither counts what the other has counted.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('backline timeliness', 0))")
        DailyTimeliness.objects.filter(day__in=wanted).delete()
        cursor.execute(ADD_UP, {"days": wanted, "at": at})
