"""Who watches an order, for its page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from notifications import watches
from orders.models import ServiceOrder


def watched(request: HttpRequest, order: Any) -> dict[str, Any]:
    """Return what the panel shows: who watches, and where the button leads. One statement."""
    kind = "service_order" if isinstance(order, ServiceOrder) else "parts_order"
    return {
        "watched": watches.of_order(
            kind=kind, order_id=order.pk, customer_id=order.customer_id, user_id=request.user.pk
        ),
        "watch_address": reverse(f"messages:watch-{kind.replace('_', '-')}", args=[order.pk]),
    }
