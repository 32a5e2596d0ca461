"""The start page: where each person goes from here."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from config.faces.context import LOOK_COOKIE, LOOKS
from config.messages.tabs import SEES_MAILBOX, has_mailbox
from parts.labels import role_word

_YEAR = 365 * 24 * 3600

#: (permission, title, icon, what for, address name, query). Who may not do it is not shown it.
WAYS: tuple[tuple[str, Any, str, Any, str, str], ...] = (
    (
        "orders.view_customer",
        _("Board"),
        "columns-3",
        _("Open jobs by status, with clock, missing parts and technician"),
        "desk:board",
        "",
    ),
    (
        "orders.view_customer",
        _("When?"),
        "calendar-clock",
        _("From a customer's name to the answer, and what to tell them"),
        "desk:when",
        "",
    ),
    (
        "orders.claim_serviceorder",
        _("My jobs"),
        "phone",
        _("On the phone: today's jobs, parts on their way, the van"),
        "phone:day",
        "",
    ),
    (
        "backorders.view_backorder",
        _("Back orders"),
        "hourglass",
        _("Who waits for what, how long, and why"),
        "admin:backorders_backorder_changelist",
        "?view=waiting",
    ),
    (
        "orders.place_partsorder",
        _("Place a parts order"),
        "plus",
        _("See at once what is reserved and what is back-ordered"),
        "desk:place",
        "",
    ),
    (
        "orders.view_serviceorder",
        _("Service orders"),
        "wrench",
        _("Find a job, move it on, read its timeline"),
        "admin:orders_serviceorder_changelist",
        "",
    ),
    (
        "orders.view_partsorder",
        _("Parts orders"),
        "package",
        _("Lines with four dates, shipments, holds"),
        "admin:orders_partsorder_changelist",
        "",
    ),
    (
        "parts.receive_delivery",
        _("Book a delivery"),
        "package-check",
        _("What is due is filled in; then you see which orders it freed"),
        "admin:parts_delivery_book",
        "",
    ),
    (
        "parts.view_part",
        _("Parts and stock"),
        "warehouse",
        _("What there is, where it lies, what is on its way"),
        "admin:parts_part_changelist",
        "",
    ),
    (
        "backorders.change_allocationpolicy",
        _("Ranking policy"),
        "scale",
        _("Weights that decide who gets the next unit, with a preview"),
        "admin:backorders_allocationpolicy_changelist",
        "",
    ),
    (
        "reports.view_dailyfigure",
        _("Figures"),
        "chart-column",
        _("Fill rates, promises kept, ages, time per step: each with its definition and the rows behind it"),
        "figures:figures",
        "",
    ),
    (
        "orders.view_orderevent",
        _("History"),
        "history",
        _("What happened, who did it, every override, and the proof"),
        "audit:history",
        "",
    ),
    (
        SEES_MAILBOX,
        _("Mailbox"),
        "mail",
        _("Nothing leaves the house yet: what people would get, as they would get it"),
        "messages:mailbox",
        "",
    ),
    ("auth.change_user", _("People and roles"), "users", _("Who may do what"), "admin:auth_user_changelist", ""),
    (
        "oauth2_provider.change_application",
        _("API clients"),
        "key",
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
            {"title": title, "icon": icon, "what_for": what_for, "address": reverse(name) + query}
            for permission, title, icon, what_for, name, query in WAYS
            if permission in held and (name != "messages:mailbox" or has_mailbox(request))
        ]
    names = [role_word(group.name) for group in person.groups.all()] if person.is_authenticated else []
    return render(request, "home.html", {"ways": ways, "roles": names})


@require_POST
def choose_look(request: HttpRequest) -> HttpResponse:
    """Keep the chosen look (light, dark; anything else: the device's own) in a cookie and go back to the page."""
    address = request.POST.get("next", "")
    known = url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())
    answer = redirect(address if known else "home")
    look = request.POST.get("look", "")
    if look in LOOKS:
        answer.set_cookie(LOOK_COOKIE, look, max_age=_YEAR, samesite="Lax", secure=request.is_secure())
    else:
        answer.delete_cookie(LOOK_COOKIE, samesite="Lax")
    return answer
