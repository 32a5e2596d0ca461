"""The back-order desk: where the back office begins for whoever gives out what there is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from backorders.admin import ways
from backorders.dossiers import Row
from backorders.overview import Overview, kept_overview, page_of, worth
from backorders.prospects import prospects
from backorders.statuses import AGE_BUCKETS
from config.desk.orders_why import why_expected
from config.desk.when_says import Promise, promise
from config.navigation import DESK_RIGHTS

#: Whose first page this is: the parts manager's right.
RIGHT = "backorders.allocate_backorder"

#: Name of a list, its title, and what is to be done with it.
TABS: tuple[tuple[str, Any, Any], ...] = (
    ("promise", _("Promises at risk"), _("Broken, or supply comes too late for them: the most urgent first.")),
    ("no-supply", _("Without supply"), _("No purchase order covers them: the oldest first.")),
    ("critical", _("A-critical"), _("A machine stands still for want of them: the oldest first.")),
    ("nearest", _("Nearest to restock"), _("Covered by supply with a day: the nearest first.")),
    ("held", _("On hold"), _("They get nothing until they are let go.")),
    ("all", _("All"), _("The oldest first.")),
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A row of a list: the back order, what it is worth (None: no cost known), and why it is where it is."""

    row: Any
    worth: Decimal | None
    days: int
    why: str
    queue: str
    meaning: str
    promise: Promise


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """Lead the parts manager to their desk, and everybody else to the list of what there is."""
    if request.user.is_active and request.user.is_staff and request.user.has_perm(RIGHT):
        return redirect("office_desk")
    return admin.site.index(request)


@require_safe
def desk(request: HttpRequest) -> HttpResponse:
    """Show the figures of the queue and one of its lists; both in the address, nothing is kept."""
    if not any(map(request.user.has_perm, DESK_RIGHTS)):
        raise PermissionDenied
    now = timezone.now()
    which = request.GET.get("list", "")
    which = which if which in {name for name, _title, _what in TABS} else TABS[0][0]
    age = request.GET.get("age", "")
    age = age if age in {name for name, _low, _high in AGE_BUCKETS} else ""
    figures, as_of = kept_overview(now)
    found = page_of(which, bucket=age, after=request.GET.get("after", ""), now=now)
    request.current_app = admin.site.name
    context = {
        **admin.site.each_context(request),
        "title": _("Back-order desk"),
        "figures": figures,
        "as_of": as_of if as_of != now else None,
        "ages": _ages(figures, which, age),
        "tabs": _tabs(figures, which, age),
        "what_for": next(what for name, _title, what in TABS if name == which),
        "rows": _listed(found.rows, now.date()),
        "next": _address(which, age, found.after) if found.after else "",
        "first": _address(which, age) if request.GET.get("after") else "",
        "age": age,
        "without_age": _address(which),
        "currency": settings.CURRENCY,
        "may_choose": request.user.has_perm(ways.RIGHT),
    }
    return TemplateResponse(request, "admin/office/desk.html", context)


def _address(which: str, age: str = "", after: str = "") -> str:
    asked = {"list": which, "age": age, "after": after}
    return f"{reverse('office_desk')}?{urlencode({name: value for name, value in asked.items() if value})}"


def _ages(figures: Overview, which: str, age: str) -> list[dict[str, Any]]:
    most = max((amount.count for amount in figures.ages.values()), default=0)
    shown = "all" if which == "promise" else which
    return [
        {
            "word": _g("%(days)s days") % {"days": name},
            "amount": figures.ages[name],
            "address": _address(shown, name),
            "here": age == name,
            "most": most or 1,
        }
        for name, _low, _high in AGE_BUCKETS
    ]


def _tabs(figures: Overview, which: str, age: str) -> list[dict[str, Any]]:
    amounts = {
        "promise": figures.broken + figures.in_danger,
        "no-supply": figures.no_supply,
        "critical": figures.critical,
        "nearest": figures.expected,
        "held": figures.held,
        "all": figures.all,
    }
    broken = _g("%(broken)s broken, %(danger)s in danger")
    more = {"promise": broken % {"broken": figures.broken.count, "danger": figures.in_danger.count}}
    return [
        {
            "title": title,
            "amount": amounts[name],
            "more": more.get(name, ""),
            "address": _address(name, age),
            "here": name == which,
        }
        for name, title, _what in TABS
    ]


def _listed(rows: list[Any], today: date) -> list[Listed]:
    expected = prospects([row.pk for row in rows])
    listed = []
    for row in rows:
        seen = Row(row.line, row, expected.get(row.pk))
        why = why_expected(seen, today)
        listed.append(
            Listed(
                row=row,
                worth=worth(row),
                days=(timezone.now() - row.opened_at).days,
                why=why.text,
                queue=why.queue,
                meaning=why.meaning,
                promise=promise(seen, row.expected_on, today),
            )
        )
    return listed
