"""The button by which somebody watches an order, or all of its customer's."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.desk.orders import for_staff
from config.faces.htmx import is_quick
from config.messages.watched import watched
from notifications.actions import watching
from orders.models import PartsOrder, ServiceOrder
from parts.actors import Actor
from parts.errors import Forbidden, Invalid, NotFound


@for_staff("notifications.add_watch")
@require_POST
def service_order(request: HttpRequest, key: UUID) -> HttpResponse:
    """Watch a service order or its customer, or no more."""
    return _do(request, "service_order", get_object_or_404(ServiceOrder.objects.visible_to(request.user), pk=key))


@for_staff("notifications.add_watch")
@require_POST
def parts_order(request: HttpRequest, key: UUID) -> HttpResponse:
    """Watch a parts order or its customer, or no more."""
    return _do(request, "parts_order", get_object_or_404(PartsOrder.objects.visible_to(request.user), pk=key))


def _do(request: HttpRequest, kind: str, order: Any) -> HttpResponse:
    deeds = {
        "watch": (watching.watch, kind, order.pk),
        "unwatch": (watching.unwatch, kind, order.pk),
        "watch-customer": (watching.watch, "customer", order.customer_id),
        "unwatch-customer": (watching.unwatch, "customer", order.customer_id),
    }
    deed = deeds.get(request.POST.get("do", ""))
    if deed is not None and deed[2] is not None:
        act, what, key = deed
        try:
            act(kind=what, key=key, by=Actor.user(request.user), at=timezone.now())
        except Forbidden as refusal:
            raise PermissionDenied from refusal
        except (NotFound, Invalid) as refusal:
            raise Http404 from refusal
    if is_quick(request):
        return render(request, "messages/watch.html", {"subject": order, **watched(request, order)})
    return redirect(reverse(f"desk:{kind.replace('_', '-')}", args=[order.reference]) + "#watch")
