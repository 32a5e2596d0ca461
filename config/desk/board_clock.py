"""What a contract's clock says of a job at a moment, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from config.templatetags.faces import span
from orders.statuses import SLA_RESPONSE

#: From when on a deadline is near.
NEAR = timedelta(hours=8)


@dataclass(frozen=True, slots=True)
class Clock:
    """Until when something is to be done, in words, and what that means (late, waiting, neutral)."""

    due_at: datetime
    text: str
    meaning: str


def clock_of(job: Any, now: datetime) -> Clock | None:
    """Return the clock that runs for a job; None where its contract sets none, or where it has stopped."""
    if job.due_at is None:
        return None
    responds = job.status in SLA_RESPONSE and job.due_at == job.response_due_at
    left = job.due_at - now
    facts = {"time": span(abs(left))}
    if left < timedelta(0):
        says = _("Response %(time)s late") if responds else _("Repair %(time)s late")
        return Clock(job.due_at, says % facts, "late")
    says = _("Response due in %(time)s") if responds else _("Repair due in %(time)s")
    return Clock(job.due_at, says % facts, "waiting" if left <= NEAR else "neutral")
