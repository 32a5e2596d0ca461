"""When nothing goes out: the calendar of maintenance windows, and how one is made, changed, ended and cancelled."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from config.desk.orders import for_staff
from config.messages.watch_tabs import watch_tabs
from integrations.models import ExternalSystem
from notifications import window_list
from notifications.actions import windows as deeds
from notifications.actions.windows import SILENCE, Wanted
from notifications.models import MaintenanceWindow
from notifications.statuses import Channel, WhenStale
from parts.actors import Actor
from parts.errors import Refused
from parts.labels import names_of
from parts.models import Region

SEE = "notifications.view_maintenancewindow"
_CLOCK = "%Y-%m-%dT%H:%M"
_FIRST_YEAR, _LAST_YEAR = 2000, 2100
#: No more systems are offered.
_MOST_SYSTEMS = 500


def _moment(label: Any) -> forms.DateTimeField:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_CLOCK)
    return forms.DateTimeField(label=label, widget=widget, input_formats=[_CLOCK, f"{_CLOCK}:%S"])


class WindowForm(forms.Form):
    """A window. Times are those of the reader's clock; one that a change of the clocks leaves out, or has twice, is
    refused."""

    name = forms.CharField(label=_("Name"), max_length=120)
    starts_at = _moment(_("From"))
    ends_at = _moment(_("Until"))
    channel = forms.ChoiceField(label=_("Channel"), required=False, choices=[("", _("All channels")), *Channel.choices])
    region = forms.ChoiceField(label=_("Region"), required=False)
    source = forms.ChoiceField(
        label=_("System"),
        required=False,
        error_messages={"invalid_choice": _("There is no system “%(value)s” here. Choose one of the list.")},
    )
    channel_is_down = forms.BooleanField(
        label=_("The channel itself is down: what cannot be muted goes by another"), required=False
    )
    when_stale = forms.ChoiceField(
        label=_("If it is old news by then"), required=False, choices=[("", _("As each rule says")), *WhenStale.choices]
    )
    reason = forms.CharField(label=_("Reason"), max_length=300)
    why = forms.CharField(label=_("Why it changes"), max_length=100)

    def __init__(self, data: Any = None, *, window: MaintenanceWindow | None = None, now: datetime) -> None:
        super().__init__(data, initial=_initial(window, now), label_suffix="")
        regions = self.fields["region"]
        assert isinstance(regions, forms.ChoiceField)
        rows = Region.objects.order_by("name").values_list("pk", "name")
        regions.choices = [("", _("All regions")), *((str(key), name) for key, name in rows)]
        systems = self.fields["source"]
        assert isinstance(systems, forms.ChoiceField)
        systems.choices = _systems(window)
        if window is None:
            del self.fields["why"]
        elif window.starts_at <= now:
            self.fields["starts_at"].disabled = True

    def wanted(self) -> Wanted:
        """Return what was filled in."""
        data = {name: value for name, value in self.cleaned_data.items() if name not in ("region", "why")}
        for name in ("starts_at", "ends_at"):  # what lies between two times of one zone's clock is no duration
            data[name] = data[name].astimezone(UTC)
        region = self.cleaned_data["region"]
        return Wanted(**data, region_id=UUID(region) if region else None)

    def seen(self) -> str:
        """Return what stands for the values that were looked at before they are kept."""
        said = repr(sorted((name, str(value)) for name, value in self.cleaned_data.items() if name != "why"))
        return hashlib.sha256(said.encode()).hexdigest()


class WhyForm(forms.Form):
    """A reason."""

    why = forms.CharField(label=_("Why"), max_length=100)


def _systems(window: MaintenanceWindow | None) -> list[tuple[str, Any]]:
    """Return the systems that are connected, and that of a window as it was kept, whether it is still known or not."""
    known = dict(ExternalSystem.objects.order_by("code").values_list("code", "name")[:_MOST_SYSTEMS])
    if window and window.source:
        known.setdefault(window.source, "")
    return [("", _("All systems")), *((code, f"{code} · {name}" if name else code) for code, name in known.items())]


def _initial(window: MaintenanceWindow | None, now: datetime) -> dict[str, Any]:
    if window is None:
        hour = timezone.localtime(now).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        return {"starts_at": hour, "ends_at": hour + timedelta(hours=2)}
    names = ("name", "channel", "source", "channel_is_down", "when_stale", "reason")
    return {
        **{name: getattr(window, name) for name in names},
        "region": str(window.region_id or ""),
        "starts_at": timezone.localtime(window.starts_at),
        "ends_at": timezone.localtime(window.ends_at),
    }


@for_staff(SEE)
@require_safe
def windows(request: HttpRequest) -> HttpResponse:
    """Show the windows that hold and are to come, and a month with all of its windows."""
    now = timezone.now()
    first = _month(request.GET.get("month", ""))
    last = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
    context = {
        "current": [{"window": one, "stands": window_list.standing_of(one, now)} for one in window_list.current(now)],
        "weeks": [
            [{"day": day, "windows": [(one, window_list.standing_of(one, now)) for one in day.windows]} for day in week]
            for week in window_list.month_of(first)
        ],
        "first": first,
        "today": timezone.localdate(),
        "earlier": (first - timedelta(days=1)).strftime("%Y-%m"),
        "later": last.strftime("%Y-%m"),
        "may": request.user.has_perm(SILENCE),
        **watch_tabs(request, "windows"),
    }
    return render(request, "messages/windows.html", context)


def _month(text: str) -> date:
    """Return the first day of the month that the address names; that of this month for one that means nothing."""
    try:
        named = date.fromisoformat(f"{text[:7]}-01")
    except ValueError:
        return timezone.localdate().replace(day=1)
    return named if _FIRST_YEAR <= named.year <= _LAST_YEAR else timezone.localdate().replace(day=1)


@for_staff(SILENCE)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Make a window: first what it would have held is shown, then it is kept."""
    return _edit(request, None)


@for_staff(SILENCE)
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, key: UUID) -> HttpResponse:
    """Change a window that is not over, in the same two steps."""
    return _edit(request, get_object_or_404(MaintenanceWindow, pk=key))


def _edit(request: HttpRequest, window: MaintenanceWindow | None) -> HttpResponse:
    now = timezone.now()
    form = WindowForm(request.POST if request.method == "POST" else None, window=window, now=now)
    context: dict[str, Any] = {"form": form, "window": window, **watch_tabs(request, "windows")}
    context["version"] = request.POST.get("version", "") or (window.version if window else "")
    if request.method != "POST":
        return render(request, "messages/window_form.html", context)
    if form.is_valid():
        try:
            if request.POST.get("seen") == form.seen():
                kept = _keep(request, form, window, now)
                said = _g("The window is kept. What is being sent at this moment still goes out.")
                messages.success(request, said)
                return redirect("messages:window", kept.pk)
            deeds.check(form.wanted(), now, begun=window.starts_at if window and window.starts_at <= now else None)
        except Refused as refusal:
            _refuse(form, refusal)
        else:
            return render(request, "messages/window_form.html", {**context, **_preview(form, window, now)})
    return render(request, "messages/window_form.html", context, status=422)


def _keep(request: HttpRequest, form: WindowForm, window: MaintenanceWindow | None, now: datetime) -> MaintenanceWindow:
    told: dict[str, Any] = {"by": Actor.user(request.user), "at": now, "wanted": form.wanted()}
    if window is None:
        return deeds.make(**told)
    version = request.POST.get("version", "")
    asked = int(version) if version.isascii() and version.isdecimal() and len(version) < 9 else 0
    return deeds.change(window_id=window.pk, why=form.cleaned_data["why"], version=asked, **told)


def _preview(form: WindowForm, window: MaintenanceWindow | None, now: datetime) -> dict[str, Any]:
    wanted = form.wanted()
    weeks = window_list.would_hold(wanted, now)
    starts, ends = timezone.localtime(wanted.starts_at), timezone.localtime(wanted.ends_at)
    return {
        "seen": form.seen(),
        "weeks": weeks,
        "most": max((week.notices for week in weeks), default=0),
        "lasts": wanted.ends_at - wanted.starts_at,
        "clocks_change": starts.utcoffset() != ends.utcoffset(),
        "overlapping": window_list.overlapping(wanted, window.pk if window else None),
        "wanted": wanted,
    }


def _refuse(form: forms.Form, refusal: Refused) -> None:
    fields = {name: said for name, said in refusal.extra.get("fields", {}).items() if name in form.fields}
    for name, said in fields.items():
        form.add_error(name, list(said))
    if not fields:
        form.add_error(None, refusal.detail)


@for_staff(SEE)
@require_safe
def window(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show a window: what it holds now, what became of what it held, and who did what with it and why."""
    return _show(request, key)


@for_staff(SILENCE)
@require_POST
def end(request: HttpRequest, key: UUID) -> HttpResponse:
    """End a window now."""
    return _do(request, key, "end")


@for_staff(SILENCE)
@require_POST
def cancel(request: HttpRequest, key: UUID) -> HttpResponse:
    """Cancel a window that has not begun."""
    return _do(request, key, "cancel")


def _do(request: HttpRequest, key: UUID, deed: str) -> HttpResponse:
    form = WhyForm(request.POST, label_suffix="")
    if not form.is_valid():
        return _show(request, key, form, 422)
    told = {"window_id": key, "why": form.cleaned_data["why"], "by": Actor.user(request.user), "at": timezone.now()}
    try:
        done = deeds.end(**told) if deed == "end" else deeds.cancel(**told)
    except Refused as refusal:
        if refusal.status == 404:
            raise Http404 from refusal
        _refuse(form, refusal)
        return _show(request, key, form, refusal.status)
    if not done:
        messages.info(request, _g("It was over already: somebody else was first, or its time was up."))
    elif deed == "end":
        messages.success(request, _g("Ended. What it held goes out now, merged."))
    else:
        messages.success(request, _g("Cancelled. It stays on record."))
    return redirect("messages:window", key)


def _show(request: HttpRequest, key: UUID, form: forms.Form | None = None, status: int = 200) -> HttpResponse:
    now = timezone.now()
    found = get_object_or_404(MaintenanceWindow.objects.select_related("region"), pk=key)
    stands = window_list.standing_of(found, now)
    starts, ends = timezone.localtime(found.starts_at), timezone.localtime(found.ends_at)
    context = {
        "window": found,
        "stands": stands,
        "held": window_list.held_now(found, now) if stands == "holding" else None,
        "came_of": window_list.came_of(found) if stands in ("holding", "over") else None,
        "history": window_list.history_of(found),
        "made_by": names_of([found.made_by]).get(found.made_by, "") if found.made_by else "",
        "lasts": found.ends_at - found.starts_at,
        "clocks_change": starts.utcoffset() != ends.utcoffset(),
        "form": form or WhyForm(label_suffix=""),
        "may": request.user.has_perm(SILENCE),
        **watch_tabs(request, "windows"),
    }
    return render(request, "messages/window.html", context, status=status)
