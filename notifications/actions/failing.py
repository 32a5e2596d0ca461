"""A channel that fails again and again is left alone for a while; then one notice tries whether it works again.

So a provider that is dead is not hammered, and what waits for it does not use up its attempts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from notifications.models import ChannelSetting

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


def note(*, channel: str, tries: Sequence[bool], at: datetime) -> None:
    """Note whether a channel's provider answered, try by try. Nothing is written while all goes well."""
    if not tries:
        return  # nobody was asked
    before = ChannelSetting.objects.get(pk=channel)
    if all(tries) and not before.failures:
        return
    setting = ChannelSetting.objects.select_for_update().get(pk=channel)
    for answered in tries:
        setting.failures = 0 if answered else setting.failures + 1
        setting.failing_since = None if answered else setting.failing_since or at
    setting.trial_at = at + _pause(setting.failures) if setting.failures >= FAILURES else None
    ChannelSetting.objects.filter(pk=channel).update(
        failures=setting.failures, failing_since=setting.failing_since, trial_at=setting.trial_at
    )


def _pause(failures: int) -> timedelta:
    """Return how long a channel is left alone after so many failures in a row: twice as long each time."""
    longer: timedelta = FIRST_PAUSE * 2 ** min(failures - FAILURES, 10)
    return min(longer, LONGEST_PAUSE)
