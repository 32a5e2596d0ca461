"""What people of the demo want to be told each morning: which orders stand still."""

from __future__ import annotations

from datetime import datetime, timedelta

from config.demo.people import Cast
from notifications.actions import digests
from notifications.actions.digests import Wanted

WORKING_DAYS = (1, 2, 3, 4, 5)


def tell(cast: Cast, now: datetime) -> None:
    """Make their digests, as of a day ago, so that the last morning had its issue."""
    at = now - timedelta(days=1)
    berlin = "Europe/Berlin"
    digests.make(wanted=Wanted("Orders that stand still", time_zone=berlin), by=cast.dispatcher, at=at)
    nobody = Wanted(
        "Nobody has them", "technician=nobody", days=1, hour=6, weekdays=WORKING_DAYS, time_zone=berlin, channel="inbox"
    )
    digests.make(wanted=nobody, by=cast.dispatcher, at=at)
    waiting = Wanted("Waiting for parts", "waits_for_parts=true", days=7, weekdays=(1,), time_zone=berlin)
    digests.make(wanted=waiting, by=cast.manager, at=at)
