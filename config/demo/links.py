"""Customers of the demo who follow their orders by a link: one chooses another day, some write, one wants silence."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from config.demo.jobs import SOURCE
from config.demo.people import Cast
from orders.actions import tracking
from orders.models import ServiceOrder

#: The status of a job, for whom its link was made, and what that customer wrote.
WRITTEN = (
    ("scheduled", "Site office", "Please come to gate 2, the main gate is closed until nine."),
    ("awaiting_parts", "Fleet manager", "Can you lend us a machine until the part is here?"),
    ("ready_for_return", "Workshop", "Our driver comes on Thursday at ten."),
)


def tell(cast: Cast, now: datetime) -> None:
    """Make the links, and let their customers do what they do by them."""
    for hours, (status, requester, text) in enumerate(WRITTEN, start=2):
        job = ServiceOrder.objects.filter(status=status).order_by("-id").first()
        if job is None:
            continue
        at = now - timedelta(hours=hours)
        issued = tracking.issue(
            service_order_id=job.pk, requester=requester, by=cast.dispatcher, source=SOURCE, at=at - timedelta(hours=1)
        )
        theirs: dict[str, Any] = {"link_id": issued.link.pk, "by": tracking.holder(issued.link), "source": "link"}
        tracking.write_message(text=text, key="demo", at=at, **theirs)
        if status == "scheduled" and job.scheduled_for:
            day = max(job.scheduled_for, now.date()) + timedelta(days=2)
            tracking.reschedule(scheduled_for=day, seen=job.scheduled_for, at=at, **theirs)
        if status == "ready_for_return":
            tracking.want_messages(wanted=False, at=at, **theirs)
