"""The start page: where each person goes from here."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

#: (permission, title, what for, address name, query). Who may not do it is not shown it.
WAYS: tuple[tuple[str, Any, Any, str, str], ...] = (
    (
        "backorders.view_backorder",
        _("Back orders"),
        _("Who waits for what, how long, and why"),
        "admin:backorders_backorder_changelist",
        "?view=waiting",
    ),
    (
        "orders.place_partsorder",
        _("Place a parts order"),
        _("See at once what is reserved and what is back-ordered"),
        "admin:orders_partsorder_place",
        "",
    ),
    (
        "orders.view_serviceorder",
        _("Service orders"),
        _("Find a job, move it on, read its timeline"),
        "admin:orders_serviceorder_changelist",
        "",
    ),
    (
        "orders.view_partsorder",
        _("Parts orders"),
        _("Lines with four dates, shipments, holds"),
        "admin:orders_partsorder_changelist",
        "",
    ),
    (
        "parts.receive_delivery",
        _("Book a delivery"),
        _("Choose the purchase order; what is open is filled in"),
        "admin:parts_purchaseorder_changelist",
        "?status__exact=ordered",
    ),
    (
        "parts.view_part",
        _("Parts and stock"),
        _("What there is, where it lies, what is on its way"),
        "admin:parts_part_changelist",
        "",
    ),
    (
        "backorders.change_allocationpolicy",
        _("Ranking policy"),
        _("Weights that decide who gets the next unit, with a preview"),
        "admin:backorders_allocationpolicy_changelist",
        "",
    ),
    (
        "orders.view_orderevent",
        _("Event ledger"),
        _("What happened, who did it, and every override"),
        "admin:orders_orderevent_changelist",
        "",
    ),
    ("auth.change_user", _("People and roles"), _("Who may do what"), "admin:auth_user_changelist", ""),
    (
        "oauth2_provider.change_application",
        _("API clients"),
        _("Systems that connect, and their scopes"),
        "admin:oauth2_provider_application_changelist",
        "",
    ),
)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show who is signed in where to go, and everybody else where to sign in."""
    person = request.user
    ways: list[dict[str, Any]] = []
    if person.is_authenticated and person.is_staff:
        held = person.get_all_permissions()
        ways = [
            {"title": title, "what_for": what_for, "address": reverse(name) + query}
            for permission, title, what_for, name, query in WAYS
            if permission in held
        ]
    names = [group.name for group in person.groups.all()] if person.is_authenticated else []
    return render(request, "home.html", {"ways": ways, "roles": names})
