"""Which page of ours a notice leads to."""

from __future__ import annotations

from django.urls import reverse

from notifications.models import Notice
from orders.statuses import SubjectKind

_PAGES = {
    SubjectKind.SERVICE_ORDER.value: "desk:service-order",
    SubjectKind.PARTS_ORDER.value: "desk:parts-order",
}


def page_of(notice: Notice) -> str:
    """Return the address of the order that a notice is about; empty where it is about none."""
    name = _PAGES.get(notice.thread_kind)
    return reverse(name, args=[notice.reference]) if name and notice.reference else ""
