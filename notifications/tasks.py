"""What runs by the clock. Each task is safe to run twice and at the same time."""

from __future__ import annotations

import time

from django.utils import timezone

from notifications.actions import alerting, dead_listing, digests, timeliness
from notifications.sending import catch_up
from notifications.statuses import Channel

#: Well under the task's time limit and under the minute after which the next one comes.
_SECONDS = 40.0


def send_messages() -> int:
    """Do what `manage.py send_messages` does, where it does not run; return how many notices were sent."""
    return catch_up(Channel.values, seconds=_SECONDS)


def raise_alerts() -> str:
    """List what could not be told, then look at the clock: which time ran out, which alert is over, whom the next level
    tells. Return what was done."""
    deadline = time.monotonic() + _SECONDS
    listed = dead_listing.collect(at=timezone.now(), go_on=lambda: time.monotonic() < deadline)
    dead_listing.weigh()
    swept = alerting.sweep(at=timezone.now(), go_on=lambda: time.monotonic() < deadline)
    done = f"{swept.raised} raised, {swept.resolved} resolved, {swept.escalated} escalated"
    return f"{listed} could not be told, {done}" if listed else done


def fire_digests() -> str:
    """Write down the digests whose hour has come; return what was done."""
    deadline = time.monotonic() + _SECONDS
    fired = digests.fire_due(at=timezone.now(), go_on=lambda: time.monotonic() < deadline)
    return f"{fired.due} due, {fired.told} told"


def add_up_timeliness() -> str:
    """Add up how soon people were told on the days that notices touched; return what was done."""
    return f"{timeliness.add_up(at=timezone.now())} days"


def add_up_all_timeliness() -> str:
    """Add up how soon people were told on all days anew; return what was done."""
    return f"{timeliness.add_up_all(at=timezone.now())} days"
