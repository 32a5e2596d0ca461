"""Saved views: the filters of a page, kept by a person under a name."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from config.desk.orders import for_staff
from orders.actions.saved_views import forget_view, save_view
from parts.actors import Actor
from parts.errors import NotFound, Refused

#: Page → the name of its address.
ADDRESSES = {"board": "desk:board"}


def _back(page: str, query: str) -> HttpResponse:
    address = reverse(ADDRESSES.get(page, "desk:board"))
    return redirect(f"{address}?{query}" if query else address)


@for_staff("orders.add_savedview")
@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Keep a page's filters under a name, and go back to them."""
    page, query = request.POST.get("page", ""), request.POST.get("query", "")
    try:
        view = save_view(
            page=page,
            name=request.POST.get("name", ""),
            query=query,
            by=Actor.user(request.user),
            at=timezone.now(),
        )
    except Refused as refusal:
        said = refusal.extra.get("fields") or {"": [refusal.detail]}
        messages.error(request, " ".join(text for texts in said.values() for text in texts))
        return _back(page, query if len(query) <= 600 else "")
    messages.success(request, _("Saved as “%(name)s”.") % {"name": view.name})
    return _back(page, view.query)


@for_staff("orders.delete_savedview")
@require_POST
def forget(request: HttpRequest, key: UUID) -> HttpResponse:
    """Delete one of one's own views; a repeat, or another's, changes nothing."""
    try:
        forget_view(view_id=key, by=Actor.user(request.user))
    except NotFound:
        messages.info(request, _("This view was gone already."))
    else:
        messages.success(request, _("The view is deleted."))
    return _back("board", request.POST.get("query", ""))
