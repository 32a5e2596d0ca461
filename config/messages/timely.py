"""Notification timeliness as a figure among the others: brought to the page of figures, which knows no messages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from notifications.timeliness.reading import Place, Timeliness, Told
from reports.figures import contributed
from reports.figures.contributed import Contributed, ContributedTile
from reports.figures.definitions import Figure
from reports.figures.facts import Measure
from reports.figures.forms import Filters
from reports.figures.overview import trend
from reports.figures.reading import Key, Period, Sum, first_day
from reports.figures.saying import said

NAME = "notification_timeliness"
FIGURE = Figure(
    Measure(NAME, "notice", ""),
    _("Notification timeliness"),
    _(
        "Of the notices that were to go out, how many were handed over within the target of the rule that chose them"
        " (of several, the shortest). The clock runs from when the first event was recorded; where its reader wished"
        " for a digest or quiet hours, or a maintenance window held it, from when it was allowed to go. A rule's own"
        " delay, limits of a channel and tries that failed are not excused. What could not be sent, or is overdue now,"
        " is not in time, also where its news went another way; what was dropped because it was of no use any more is"
        " left out."
    ),
    _("notices handed over within their target ÷ notices to be handed over"),
    _("Ours: per notice and channel, from the times that each notice keeps."),
    "share",
    "up",
    _("In time"),
    _("Not in time"),
    _("the day on which its clock began"),
)


def bring() -> None:
    """Bring the figure to the page of figures."""
    contributed.contribute(Contributed(NAME, _tile, _read, _raw))


def in_buckets(counts: Mapping[Place, Told], bucket: str) -> dict[Key, Sum]:
    """Return counts as the charts of figures read them, by the first days of their buckets."""
    found: defaultdict[Key, Sum] = defaultdict(Sum)
    for place, told in counts.items():
        found[Key(NAME, first_day(place.day, bucket))] += sum_of(told)
    return dict(found)


def sum_of(told: Told) -> Sum:
    """Return a count as figures count."""
    return Sum(told.notices, told.in_time, Sum().weight + told.notices, Sum().value + told.in_time)


def region_of(filters: Filters) -> UUID | None:
    """Return the region that figures are narrowed to."""
    region = filters.where.get("region")
    return region if isinstance(region, UUID) else None


def _tile(filters: Filters) -> ContributedTile | None:
    """Return the tile; None where the figures are narrowed by what messages do not know. Five statements."""
    if set(filters.where) - {"region"}:
        return None
    period, region = filters.period, region_of(filters)
    reading = Timeliness(period.before.since, period.until, timezone.now(), region)
    counts = reading.told()
    now = {place: told for place, told in counts.items() if place.day >= period.since}
    before = sum((told for place, told in counts.items() if place.day < period.since), Told())
    total = sum(now.values(), Told())
    return ContributedTile(
        FIGURE.title,
        said(FIGURE.of(sum_of(total)), FIGURE.unit),
        said(FIGURE.of(sum_of(before)), FIGURE.unit) if before.notices else "",
        FIGURE.formula,
        trend(FIGURE, in_buckets(now, filters.bucket), period, filters.bucket).columns,
        reverse("notification-timeliness") + filters.address(),
    )


def _read(period: Period) -> dict[Key, Sum]:
    return _keyed(Timeliness(period.since, period.until, timezone.now()))


def _raw(period: Period) -> dict[Key, Sum]:
    reading = Timeliness(period.since, period.until, timezone.now())
    reading.fresh = [period.since + timedelta(days=number) for number in range(period.days)]
    return _keyed(reading)


def _keyed(reading: Timeliness) -> dict[Key, Sum]:
    """Return the counts by day and channel; what is overdue now depends on the moment, and is left out."""
    return {Key(NAME, place.day, "", place.channel): sum_of(told) for place, told in reading.settled().items()}
