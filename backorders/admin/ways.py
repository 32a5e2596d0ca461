"""The page of a back order's ways, and the one on which a person takes one: with its consequences, and as shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _

from backorders import ways as finding
from backorders.actions import taking
from backorders.admin import saying
from backorders.ways import Way, ways
from backorders.whatif import tell
from parts.admin.deeds import DeedForm, told
from parts.errors import Forbidden, Refused

#: Who may choose a way.
RIGHT = "backorders.source_backorder"
#: How many of those who gain or lose a page names.
MOST_NAMED = 50


@dataclass(frozen=True, slots=True)
class Said:
    """A way in words. `allowed`: whether this person may take it."""

    way: Way
    title: Any
    icon: str
    says: str
    when: str
    costs: str
    takes: str
    allowed: bool
    address: str


class TakeForm(DeedForm):
    """What a way still needs to know, and what was shown of it."""

    day = forms.DateField(label=_("Day"), required=False)
    reason = forms.CharField(label=_("Reason"), required=False, max_length=2000, widget=forms.Textarea)

    def __init__(self, *args: Any, kind: str, day: date | None, **kwargs: Any) -> None:
        self.kind = kind
        super().__init__(*args, **kwargs)
        del self.fields["expected_version"]
        if kind not in taking.NEED_DAY:
            del self.fields["day"]
        else:
            self.fields["day"].initial = day
        if kind in taking.NEED_REASON:
            self.fields["reason"].required = True


def show(request: HttpRequest, site: Any, row: Any) -> HttpResponseBase:
    """Show the ways of a back order; or, where one is named, what taking it does, and take it."""
    if not request.user.has_perm(RIGHT):
        raise PermissionDenied
    key = request.GET.get("take", "")
    if not key:
        if request.method == "POST":
            raise Http404
        return _list(request, site, row)
    return _one(request, site, row, key)


def _address(row: Any) -> str:
    return reverse("admin:backorders_backorder_ways", args=[row.pk])


def _say(request: HttpRequest, row: Any, way: Way) -> Said:
    title, icon = saying.TITLES[way.kind]
    return Said(
        way=way,
        title=title,
        icon=icon,
        says=saying.says(way),
        when=saying.when(way),
        costs=saying.costs(way),
        takes=saying.takes(way),
        allowed=request.user.has_perms(finding.RIGHTS[way.kind]),
        address=f"{_address(row)}?take={way.key}",
    )


def _page(request: HttpRequest, site: Any, row: Any, template: str, context: dict[str, Any], status: int = 200) -> Any:
    request.current_app = site.name
    facts = {
        **site.each_context(request),
        "opts": row._meta,
        "original": row,
        "subject": row,
        "subtitle": f"{row.reference} · {row.part}",
        "back": reverse("admin:backorders_backorder_change", args=[row.pk]),
        **context,
    }
    return TemplateResponse(request, template, facts, status=status)


def _list(request: HttpRequest, site: Any, row: Any) -> HttpResponse:
    found = ways(row.pk, told(request)["at"])
    context = {
        "title": _("Ways out"),
        "found": found,
        "ways": [_say(request, row, way) for way in found.ways] if found else [],
    }
    return _page(request, site, row, "admin/backorders/backorder/ways.html", context)


def _one(request: HttpRequest, site: Any, row: Any, key: str) -> HttpResponseBase:
    kind = key.partition(":")[0]
    if kind not in finding.KINDS:
        raise Http404
    if not request.user.has_perms(finding.RIGHTS[kind]):
        raise PermissionDenied
    sent = request.method == "POST"
    day = _day(request)
    form = TakeForm(request.POST if sent else None, kind=kind, day=day, subject=row)
    status = 200
    if sent and not form.is_valid():
        status = 400
    elif sent and "look" not in request.POST:
        try:
            return _take(request, row, key, form.cleaned_data)
        except Forbidden as refusal:
            raise PermissionDenied(refusal.detail) from refusal
        except Refused as refusal:
            form.refuse(refusal)
            status = refusal.status
    found = ways(row.pk, told(request)["at"], day)
    way = found.named(key) if found else None
    context: dict[str, Any] = {"title": saying.TITLES[kind][0], "form": form, "ways": _address(row), "way": None}
    if way is not None and found is not None:
        context |= {
            "way": _say(request, row, way),
            "expected_on": found.expected_on,
            "rows": tell([*way.losers, *way.gainers][:MOST_NAMED]),
            "more": max(0, len(way.shifts) - MOST_NAMED),
            "asks_day": kind in taking.NEED_DAY,
            "is_ready": kind not in taking.NEED_DAY or day is not None,
            "danger": kind == finding.CANCEL,
        }
    return _page(request, site, row, "admin/backorders/backorder/take.html", context, status)


def _day(request: HttpRequest) -> date | None:
    text = request.POST.get("day", "") if request.method == "POST" else request.GET.get("day", "")
    try:
        return parse_date(text)
    except ValueError:
        return None


def _take(request: HttpRequest, row: Any, key: str, cleaned: dict[str, Any]) -> HttpResponse:
    taken = taking.take(
        back_order_id=row.pk,
        key=key,
        shown=request.POST.get("shown", ""),
        reason=cleaned["reason"],
        day=cleaned.get("day"),
        **told(request),
    )
    title = saying.TITLES[taken.way.kind][0]
    done = _g("Done: %(what)s. %(reference)s") % {"what": title, "reference": taken.reference}
    messages.success(request, done.strip())
    return redirect("admin:backorders_backorder_change", row.pk)
