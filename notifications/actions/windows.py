"""Maintenance windows: made, changed, ended early, cancelled, by who may silence; each time on record with a reason.

Whoever does so holds the locks of the channels that it is about: a claim that runs ends first, and the next one sees
what was decided. So from the moment at which a window was made nothing more is claimed that it holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from notifications.models import ChannelSetting, MaintenanceWindow
from notifications.models.windows import LONGEST
from notifications.statuses import Channel, WhenStale
from parts.actors import Actor
from parts.errors import Invalid, NotFound, Refused, VersionConflict
from parts.models import Region
from parts.sentences import sentence

SILENCE = "notifications.silence"
#: A form was filled in for so long: a beginning of a moment ago means now.
_A_MOMENT = timedelta(minutes=15)


class WindowOver(Refused):
    """It is over, or was cancelled, and stays as it was."""

    code = "window_over"


class WindowHolds(Refused):
    """It holds already, so it is ended, not cancelled."""

    code = "window_holds"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to be held: when, of what, and what becomes of old news."""

    name: str
    reason: str
    starts_at: datetime
    ends_at: datetime
    source: str = ""
    region_id: UUID | None = None
    channel: str = ""
    channel_is_down: bool = False
    when_stale: str = ""


def make(*, wanted: Wanted, by: Actor, at: datetime) -> MaintenanceWindow:
    """Make a window. Raises Forbidden, Invalid."""
    by.require(SILENCE)
    check(wanted, at, begun=None)
    with transaction.atomic():
        _lock({wanted.channel})
        window = MaintenanceWindow(made_by=by.reference)
        _fill(window, wanted, starts_at=wanted.starts_at)
        _save(window, wanted.reason, by)
    return window


def change(*, window_id: UUID, wanted: Wanted, why: str, version: int, by: Actor, at: datetime) -> MaintenanceWindow:
    """Change a window that is not over; the beginning of one that holds already stays.

    Raises Forbidden, NotFound, Invalid, WindowOver, VersionConflict.
    """
    by.require(SILENCE)
    why = _because(why)
    with transaction.atomic():
        window = _locked(window_id)
        _lock({window.channel, wanted.channel})
        if window.cancelled_at is not None or window.ends_at <= at:
            raise WindowOver(sentence("This window is over; it stays as it was."))
        if window.version != version:
            said = sentence("Somebody changed this window meanwhile. Look at it anew.")
            raise VersionConflict(said, version=window.version)
        begun = window.starts_at if window.starts_at <= at else None
        check(wanted, at, begun=begun)
        _fill(window, wanted, starts_at=begun or wanted.starts_at)
        window.version += 1
        _save(window, why, by)
    return window


def end(*, window_id: UUID, why: str, by: Actor, at: datetime) -> bool:
    """End a window that holds; what it held goes out. Tell whether that changed anything.

    Raises Forbidden, NotFound, Invalid, and WindowOver for one that has not begun.
    """
    by.require(SILENCE)
    why = _because(why)
    with transaction.atomic():
        window = _locked(window_id)
        _lock({window.channel})
        if window.cancelled_at is not None or window.ends_at <= at:
            return False
        if window.starts_at >= at:
            raise WindowOver(sentence("It has not begun: cancel it."))
        window.ends_at, window.ended_by = at, by.reference
        window.version += 1
        _save(window, why, by)
    return True


def cancel(*, window_id: UUID, why: str, by: Actor, at: datetime) -> bool:
    """Cancel a window that has not begun; tell whether that changed anything.

    Raises Forbidden, NotFound, Invalid, WindowHolds.
    """
    by.require(SILENCE)
    why = _because(why)
    with transaction.atomic():
        window = _locked(window_id)
        if window.cancelled_at is not None:
            return False
        if window.starts_at < at:
            raise WindowHolds(sentence("It has begun: end it instead."))
        window.cancelled_at, window.cancelled_by = at, by.reference
        window.version += 1
        _save(window, why, by)
    return True


def _locked(window_id: UUID) -> MaintenanceWindow:
    window = MaintenanceWindow.objects.select_for_update(of=("self",)).filter(pk=window_id).first()
    if window is None:
        raise NotFound(sentence("There is no such window."))
    return window


def _lock(channels: set[str]) -> None:
    """Wait for claims that run on these channels, and keep others out until this is committed; empty means all."""
    rows = ChannelSetting.objects.select_for_update().order_by("pk")
    list(rows if "" in channels else rows.filter(pk__in=channels))


def _fill(window: MaintenanceWindow, wanted: Wanted, *, starts_at: datetime) -> None:
    window.name, window.reason = wanted.name.strip(), wanted.reason.strip()
    window.starts_at, window.ends_at = starts_at, wanted.ends_at
    window.source, window.region_id, window.channel = wanted.source.strip(), wanted.region_id, wanted.channel
    window.channel_is_down, window.when_stale = wanted.channel_is_down, wanted.when_stale


def _save(window: Any, why: str, by: Actor) -> None:
    window._history_user = User.objects.filter(pk=by.user_id).first() if by.user_id else None
    window._change_reason = why.strip()[:100] or None
    window.save()


def _because(why: str) -> str:
    if not why.strip():
        raise Invalid(sentence("Say why."), {"why": [sentence("Say why.")]})
    return why.strip()


def check(wanted: Wanted, at: datetime, *, begun: datetime | None) -> None:
    """Raise Invalid for what cannot be a window; `begun` is when it began, where it holds already."""
    faults: dict[str, list[Any]] = {}
    starts_at = begun or wanted.starts_at
    if not wanted.name.strip() or len(wanted.name) > 120:
        faults["name"] = [sentence("Give it a name.")]
    if not wanted.reason.strip() or len(wanted.reason) > 300:
        faults["reason"] = [sentence("Say why.")]
    if begun is None and starts_at < at - _A_MOMENT:
        faults["starts_at"] = [sentence("This has passed.")]
    if wanted.ends_at <= starts_at:
        faults["ends_at"] = [sentence("It ends after it begins.")]
    elif wanted.ends_at <= at:
        faults["ends_at"] = [sentence("This has passed.")]
    elif wanted.ends_at.astimezone(UTC) - starts_at.astimezone(UTC) > LONGEST:
        faults["ends_at"] = [sentence("Nothing is held for more than {days} days.", days=LONGEST.days)]
    if len(wanted.source.strip()) > 40:
        faults["source"] = [sentence("There is no system of so long a name.")]
    if wanted.channel and wanted.channel not in Channel.values:
        faults["channel"] = [sentence("There is no such channel.")]
    if wanted.channel_is_down and not wanted.channel:
        faults["channel"] = [sentence("Say which channel is down.")]
    if wanted.when_stale and wanted.when_stale not in WhenStale.values:
        faults["when_stale"] = [sentence("Choose one.")]
    if wanted.region_id and not Region.objects.filter(pk=wanted.region_id).exists():
        faults["region"] = [sentence("There is no such region.")]
    if faults:
        raise Invalid(sentence("This cannot be kept as it is."), faults)
