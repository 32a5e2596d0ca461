"""What the templates of customers' links and words are written with."""

from __future__ import annotations

from typing import Any

from django import template
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from orders import tracking, wording
from orders.models import PartsOrder, ServiceOrder
from parts.labels import names_of

register = template.Library()


@register.simple_tag(takes_context=True)
def tracking_of(context: template.Context, order: ServiceOrder | PartsOrder) -> dict[str, Any]:
    """Return what staff may know and do about an order's links.

    Three queries at most; none for who may not see them.
    """
    request: HttpRequest = context["request"]
    if not request.user.has_perm("orders.view_trackinglink"):
        return {"seen": False}
    links = tracking.links_of(order, timezone.now())
    names = names_of(shown.link.created_by for shown in links)
    return {
        "seen": True,
        "rows": [{"link": shown.link, "state": shown.state, "by": names[shown.link.created_by]} for shown in links],
        "newest_message": tracking.newest_message(order),
        "may_issue": request.user.has_perm("orders.issue_trackinglink"),
        "may_revoke": request.user.has_perm("orders.revoke_trackinglink"),
        "can_be_issued": order.customer_id is not None and order.status != "draft",
        "address": reverse(f"links:of_{order.subject_kind}", args=[order.pk]),
        "here": request.get_full_path(),
    }


@register.simple_tag
def customer_word(subject: str, status: str, language: str = "") -> str:
    """Return what a customer reads for a status (`subject`: service_order or line), in the present language or another.

    One query: a list asks `orders.wording.read` once instead.
    """
    return wording.read(language or None).word(subject, status)
