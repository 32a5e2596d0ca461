"""What a provider reports of what it took: that it arrived, was opened, came back, or annoyed its reader.

Reports come late, twice and in any order; each may come again without changing anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import transaction

from notifications.actions import addresses
from notifications.actions.falling_back import fall_back
from notifications.models import Notice
from notifications.statuses import HANDED_OVER, DeadCause, NoticeState, OffReason


class Fate(StrEnum):
    """What became of something that a provider took."""

    DELIVERED = "delivered"
    OPENED = "opened"
    #: It came back, and nothing will ever arrive there.
    BOUNCED = "bounced"
    #: It did not arrive, for a reason that is not its address.
    FAILED = "failed"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"


#: Why nothing more is sent to the address.
_OFF = {
    Fate.BOUNCED: OffReason.BOUNCED,
    Fate.COMPLAINED: OffReason.COMPLAINED,
    Fate.UNSUBSCRIBED: OffReason.READER,
}
_ARRIVED = (Fate.DELIVERED, Fate.OPENED, Fate.COMPLAINED)


@dataclass(frozen=True, slots=True)
class Report:
    """What a provider says of one of its messages. `happened_at` is None where it does not say when."""

    fate: Fate
    provider_id: str
    channel: str
    address: str
    happened_at: datetime | None = None
    why: str = ""


def take(*, report: Report, at: datetime) -> bool:
    """Take a report in; return whether it changed anything.

    What did not arrive goes by the next channel of its rule. An address that does not work is switched off for
    everybody whose it is, unless it was confirmed since: then the report is of what was before.
    """
    happened_at = min(report.happened_at or at, at)
    with transaction.atomic():
        notice = _reported(report)
        since, values = happened_at, {report.address, report.address.lower()} - {""}
        if notice is not None:
            since, values = notice.handed_over_at or notice.ended_at or happened_at, {notice.address}
        changed = False
        if reason := _OFF.get(report.fate):
            changed = bool(
                addresses.switch_off(
                    channel=report.channel, values=values, reason=reason, at=at, since=since, recipient=None
                )
            )
        if notice is None or notice.state not in HANDED_OVER:
            return changed
        if report.fate in _ARRIVED:
            return _arrived(notice, max(happened_at, _handed_over(notice)), report.fate == Fate.OPENED) or changed
        if report.fate in (Fate.BOUNCED, Fate.FAILED) and notice.opened_at is None:
            cause = DeadCause.REJECTED if report.fate == Fate.BOUNCED else DeadCause.REFUSED
            _came_back(notice, cause, report.why or report.fate.value, at)
            return True
    return changed


def _reported(report: Report) -> Notice | None:
    """Return the locked notice that a report is of; None where it is of none, or of one that says too little."""
    if not report.provider_id:
        return None
    notices = Notice.objects.select_for_update(of=("self",)).select_related("recipient")
    return notices.filter(provider_id=report.provider_id[:200], channel=report.channel).first()


def _handed_over(notice: Notice) -> datetime:
    assert notice.handed_over_at is not None
    return notice.handed_over_at


def _arrived(notice: Notice, moment: datetime, is_opened: bool) -> bool:
    """Note when a notice arrived, and when it was opened first: each the earliest that was reported."""
    before = (notice.delivered_at, notice.opened_at)
    notice.delivered_at = min(notice.delivered_at or moment, moment)
    if is_opened:
        notice.opened_at = min(notice.opened_at or moment, moment)
    if (notice.delivered_at, notice.opened_at) == before:
        return False
    notice.state = NoticeState.DELIVERED
    notice.save(update_fields=["state", "delivered_at", "opened_at"])
    return True


def _came_back(notice: Notice, cause: DeadCause, why: str, at: datetime) -> None:
    """End a notice that did not arrive, and let its messages go by the next channel of their rules."""
    notice.state, notice.ended_at, notice.cause, notice.error = NoticeState.DEAD, at, cause, why[:500]
    notice.handed_over_at = notice.delivered_at = None
    notice.save(update_fields=["state", "ended_at", "cause", "error", "handed_over_at", "delivered_at"])
    fall_back(notice, at)
