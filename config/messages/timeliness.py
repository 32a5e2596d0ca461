"""Notification timeliness: what it says, its definition and course, each channel and leg, and the notices behind it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from config.messages import timely
from config.messages.pages import page_of
from notifications.models import Notice
from notifications.statuses import Channel
from notifications.timeliness.reading import Place, Span, Timeliness, Told
from notifications.timeliness.rows import rows_behind
from notifications.timeliness.sql import LEGS
from reports.figures.forms import Filters
from reports.figures.overview import trend
from reports.figures.saying import NOTHING, count_said, said, span_said
from reports.figures.views import for_figures

#: Which filters of figures messages know of.
FILTERS = ("period", "since", "until", "bucket", "region")
SEES_ROWS = "notifications.view_notice"
_MET = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """A channel: its count and share, how long each leg took (its median, 95th percentile), where it leads."""

    word: Any
    notices: str
    share: str
    legs: list[tuple[str, str]]
    address: str
    is_shown: bool


@dataclass(frozen=True, slots=True)
class BehindRow:
    """A notice behind the figure."""

    notice: Notice
    page: str
    took: str
    target: str
    is_met: bool


@for_figures
@require_safe
def timeliness(request: HttpRequest) -> HttpResponse:
    """Show whether people are told in time, and how long each leg of the way takes."""
    now = timezone.now()
    filters = Filters(request.GET, now.astimezone(UTC).date())
    channel = request.GET.get("channel", "")
    channel = channel if channel in Channel.values else ""
    met = _MET.get(request.GET.get("met", ""))
    period = filters.period
    reading = Timeliness(period.since, period.until, now, timely.region_of(filters))
    counts = reading.told()
    shown = {place: told for place, told in counts.items() if channel in ("", place.channel)}
    total = sum(shown.values(), Told())
    figure = timely.FIGURE
    context = {
        "filters": filters,
        "fields": [filters.form[name] for name in FILTERS],
        "figure": figure,
        "channel": Channel(channel).label if channel else "",
        "channel_code": channel,
        "value": said(figure.of(timely.sum_of(total)), figure.unit),
        "here": _g("%(met)s ÷ %(all)s") % {"met": count_said(total.in_time), "all": count_said(total.notices)},
        "overdue": reading.overdue(),
        "trend": trend(figure, timely.in_buckets(shown, filters.bucket), period, filters.bucket),
        "channels": _channels(counts, reading.spans(), filters, channel),
        "outcomes": _outcomes(filters, channel, met, total),
        "back": reverse("figures:figures") + filters.address(),
        "all_channels": _address(filters),
        "now": now,
        **_rows(request, reading, counts, filters, channel, met),
    }
    return render(request, "messages/timeliness.html", context)


def _address(filters: Filters, **more: str) -> str:
    """Return the same question, of a channel or of what was met."""
    address = filters.address()
    pairs = urlencode([(name, value) for name, value in more.items() if value])
    return reverse("notification-timeliness") + (f"{address}{'&' if address else '?'}{pairs}" if pairs else address)


def _channels(
    counts: dict[Place, Told], spans: dict[tuple[str, str], Span], filters: Filters, shown: str
) -> list[ChannelRow]:
    by_channel: defaultdict[str, Told] = defaultdict(Told)
    for place, told in counts.items():
        by_channel[place.channel] += told
    return [
        ChannelRow(
            Channel(name).label,
            count_said(by_channel[name].notices),
            said(timely.FIGURE.of(timely.sum_of(by_channel[name])), "share"),
            [_leg(spans.get((name, leg))) for leg in LEGS],
            _address(filters, channel=name),
            name == shown,
        )
        for name in Channel.values
        if name in by_channel
    ]


def _leg(span: Span | None) -> tuple[str, str]:
    return (seconds_said(span.p50), seconds_said(span.p95)) if span else (NOTHING, NOTHING)


def seconds_said(seconds: float) -> str:
    """Return a span of a notice's way: to the hundredth of a second below ten, in seconds below two minutes."""
    if seconds < 120:
        places = 2 if seconds < 1 else 1 if seconds < 10 else 0
        return _g("%(number)s s") % {"number": number_format(round(seconds, places), places)}
    return span_said(timedelta(seconds=seconds))


def _outcomes(filters: Filters, channel: str, met: bool | None, total: Told) -> list[tuple[Any, str, str, bool]]:
    """Return the ways to all rows, to those in time and to the others."""
    ways = (
        (_("All"), "", None, total.notices),
        (timely.FIGURE.met, "yes", True, total.in_time),
        (timely.FIGURE.missed, "no", False, total.notices - total.in_time),
    )
    return [
        (word, count_said(number), _address(filters, channel=channel, met=code), met is value)
        for word, code, value, number in ways
    ]


def _rows(
    request: HttpRequest,
    reading: Timeliness,
    counts: dict[Place, Told],
    filters: Filters,
    channel: str,
    met: bool | None,
) -> dict[str, Any]:
    """Return a page of the notices behind it, for who may see notices."""
    if not request.user.has_perm(SEES_ROWS):
        return {"may_see_rows": False}
    after = request.GET.get("after", "")
    page = rows_behind(reading, counts, channel=channel, met=met, after=after)
    asked = {"channel": channel, "met": request.GET.get("met", "") if met is not None else ""}
    return {
        "may_see_rows": True,
        "rows": [_row(notice) for notice in page.notices],
        "more": _address(filters, **asked, after=page.next) if page.next else "",
        "first_page": _address(filters, **asked) if after else "",
    }


def _row(notice: Any) -> BehindRow:
    took = notice.took.total_seconds() if notice.took is not None else None
    return BehindRow(
        notice,
        page_of(notice) if notice.reference else "",
        seconds_said(max(took, 0.0)) if took is not None else NOTHING,
        seconds_said(float(notice.target_seconds)),
        took is not None and took <= notice.target_seconds,
    )
