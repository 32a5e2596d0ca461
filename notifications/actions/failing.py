"""A channel that fails again and again is left alone for a while; then one notice tries whether it works again.

So a provider that is dead is not hammered, and what waits for it does not use up its attempts.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from notifications.models import ChannelSetting, Notice
from notifications.statuses import NoticeState
from parts.actors import Actor
from parts.errors import NotFound, Refused
from parts.sentences import sentence

logger = logging.getLogger(__name__)

#: So many failures in a row, and the channel is left alone.
FAILURES = 5
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=10)
#: How long a trial may take before another may be made.
_TRIAL_LASTS = timedelta(minutes=1)
_ANY = 1_000_000


def most_of(setting: ChannelSetting, at: datetime) -> int:
    """Return how many may be tried now on a channel: any, one for a trial, or none while it is left alone."""
    if setting.trial_at is None:
        return _ANY
    return 1 if setting.trial_at <= at else 0


def hold_for_trial(setting: ChannelSetting, at: datetime) -> None:
    """Let nobody else try while a trial is made, on a channel whose row is locked."""
    if setting.trial_at is not None:
        ChannelSetting.objects.filter(pk=setting.pk).update(trial_at=at + _TRIAL_LASTS)


def paused_until(channel: str) -> datetime | None:
    """Return until when a channel is left alone; None where it is not."""
    return ChannelSetting.objects.values_list("trial_at", flat=True).get(pk=channel)


def note(*, channel: str, faults: Sequence[str], at: datetime) -> None:
    """Note whether a channel's provider answered, try by try: empty, or what was wrong. Nothing while all goes well."""
    if not faults:
        return  # nobody was asked
    before = ChannelSetting.objects.get(pk=channel)
    if not any(faults) and not before.failures:
        return
    setting = ChannelSetting.objects.select_for_update().get(pk=channel)
    for fault in faults:
        setting.failures = setting.failures + 1 if fault else 0
        setting.failing_since = (setting.failing_since or at) if fault else None
        setting.failing_because = fault[:500]
    setting.trial_at = at + _pause(setting.failures) if setting.failures >= FAILURES else None
    ChannelSetting.objects.filter(pk=channel).update(
        failures=setting.failures,
        failing_since=setting.failing_since,
        failing_because=setting.failing_because,
        trial_at=setting.trial_at,
    )


def try_now(*, channel: str, by: Actor, at: datetime) -> None:
    """Let a channel that is left alone be tried now, with the first notice that waits for it.

    Raises Forbidden, NotFound, and Refused where it is not left alone or nothing waits for it.
    """
    by.require("notifications.change_channelsetting")
    with transaction.atomic():
        setting = ChannelSetting.objects.select_for_update().filter(pk=channel).first()
        if setting is None:
            raise NotFound(sentence("There is no such channel."), id=channel)
        if setting.trial_at is None:
            raise Refused(sentence("This channel is not left alone: what is due goes out by itself."))
        waiting = Notice.objects.filter(channel=channel, state=NoticeState.WAITING)
        first = waiting.filter(due_at__lte=max(setting.trial_at, at)).order_by("-is_urgent", "due_at", "id").first()
        if first is None:
            raise Refused(sentence("Nothing waits for this channel with which it could be tried."))
        Notice.objects.filter(pk=first.pk).update(due_at=min(first.due_at, at))
        ChannelSetting.objects.filter(pk=channel).update(trial_at=at)
    logger.info("a channel is tried now", extra={"channel": channel, "by": by.reference})


def _pause(failures: int) -> timedelta:
    """Return how long a channel is left alone after so many failures in a row: twice as long each time."""
    longer: timedelta = FIRST_PAUSE * 2 ** min(failures - FAILURES, 10)
    return min(longer, LONGEST_PAUSE)
