"""Which page of ours a notice leads to."""

from __future__ import annotations

from django.urls import reverse

from notifications.digest_letters import STUCK
from notifications.models import Notice
from orders.statuses import SubjectKind

_PAGES = {
    SubjectKind.SERVICE_ORDER.value: "desk:service-order",
    SubjectKind.PARTS_ORDER.value: "desk:parts-order",
}


def page_of(notice: Notice) -> str:
    """Return the address of what a notice is about: an order, or digests; empty where it is about neither."""
    if notice.thread_kind == STUCK:
        return reverse("messages:digests")
    name = _PAGES.get(notice.thread_kind)
    return reverse(name, args=[notice.reference]) if name and notice.reference else ""
