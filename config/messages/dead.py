"""What could not be told: the costliest silence first, grouped by cause, and what is done about it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from config.desk.orders import for_staff
from config.faces.htmx import is_quick
from config.messages.watch_tabs import watch_tabs
from notifications import dead_list
from notifications.actions import correcting, dead
from notifications.actions.dead import Replayed
from notifications.models import DeadLetter
from notifications.statuses import Channel, DeadCause
from orders.actions import customers
from parts.actors import Actor
from parts.errors import Refused
from parts.models import Region

SEE = "notifications.view_notice"


class DeadFilters(forms.Form):
    """What of them is shown."""

    cause = forms.ChoiceField(label=_("Cause"), required=False, choices=[("", _("All causes")), *DeadCause.choices])
    region = forms.ChoiceField(label=_("Region"), required=False)
    down = forms.BooleanField(label=_("Machine is down"), required=False)

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data, auto_id="filter-%s")
        regions = self.fields["region"]
        assert isinstance(regions, forms.ChoiceField)
        regions.choices = [("", _("All regions")), *Region.objects.order_by("code").values_list("code", "name")]

    @property
    def given(self) -> dict[str, str]:
        """What is set and means something, as the address says it."""
        self.is_valid()
        said = {name: value for name, value in self.cleaned_data.items() if value}
        return {name: "on" if value is True else str(value) for name, value in said.items()}

    @property
    def query(self) -> str:
        """The same as the query of an address."""
        return urlencode(self.given)

    def found(self) -> Any:
        """Return the letters that are asked for; what means nothing asks for nothing."""
        given = self.given
        return dead_list.open_letters(
            cause=given.get("cause", ""), region=given.get("region", ""), down="down" in given
        )


class WhyForm(forms.Form):
    """A reason."""

    why = forms.CharField(label=_("Why"), max_length=dead.LONGEST_WHY)

    def __init__(self, data: Any = None, **more: Any) -> None:
        super().__init__(data, label_suffix="", **more)


class CorrectForm(WhyForm):
    """The right address."""

    value = forms.CharField(label=_("Right address"), max_length=320)
    field_order = ("value", "why")


class TellForm(WhyForm):
    """Who was told by telephone, and when."""

    whom = forms.CharField(label=_("Who was told"), max_length=dead.LONGEST_WHOM)
    told_at = forms.DateTimeField(
        label=_("When"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
    )
    why = forms.CharField(label=_("What was said"), max_length=dead.LONGEST_WHY, required=False)
    field_order = ("whom", "told_at", "why")


#: What is done about a letter → its form.
FORMS: dict[str, type[WhyForm]] = {"replay": WhyForm, "correct": CorrectForm, "tell": TellForm, "discard": WhyForm}


@for_staff(SEE)
@require_safe
def letters(request: HttpRequest) -> HttpResponse:
    """List what is to be seen to; for htmx, only the list."""
    filters = DeadFilters(request.GET)
    quick = is_quick(request, "dead")
    context: dict[str, Any] = {
        "filters": filters,
        "page": dead_list.page_of(filters.found(), request.GET.get("after", "")),
        "groups": dead_list.groups(),
        "may_replay": request.user.has_perm(dead.REPLAY),
        "quick": quick,
        "now": timezone.now(),
    }
    if not quick:
        context |= {"settled": dead_list.settled_lately(10), **watch_tabs(request, "dead")}
    answer = render(request, "messages/dead_body.html" if quick else "messages/dead.html", context)
    if quick:
        answer.headers["HX-Push-Url"] = f"{request.path}?{filters.query}" if filters.query else request.path
    return answer


@for_staff(SEE)
@require_safe
def letter(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show all that is known of one, and what can be done about it."""
    return _show(request, key)


@for_staff(dead.REPLAY)
@require_POST
def replay(request: HttpRequest, key: UUID) -> HttpResponse:
    """Send one again."""
    return _do(request, key, "replay")


@for_staff(dead.REPLAY)
@require_POST
def correct(request: HttpRequest, key: UUID) -> HttpResponse:
    """Correct its reader's address, and send again whatever this reader was not told there."""
    return _do(request, key, "correct")


@for_staff(dead.TELL)
@require_POST
def tell(request: HttpRequest, key: UUID) -> HttpResponse:
    """Write down that its reader was told by telephone."""
    return _do(request, key, "tell")


@for_staff(dead.REPLAY)
@require_POST
def discard(request: HttpRequest, key: UUID) -> HttpResponse:
    """Let it rest untold."""
    return _do(request, key, "discard")


@for_staff(dead.REPLAY)
@require_http_methods(["GET", "HEAD", "POST"])
def replay_many(request: HttpRequest) -> HttpResponse:
    """Ask whether all of a cause are to be sent again, naming their number; then send those that were counted."""
    filters = DeadFilters(request.POST if request.method == "POST" else request.GET)
    now = timezone.now()
    until = _until(request.POST.get("until", "")) if request.method == "POST" else now
    found = filters.found().filter(found_at__lte=until or now)
    form = WhyForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and until:
        keys = list(found.values_list("pk", flat=True)[: dead.MOST_AT_ONCE])
        done = dead.replay(letters=keys, why=form.cleaned_data["why"], by=Actor.user(request.user), at=now)
        _say(request, done)
        return redirect(_back(filters))
    count = found.order_by()[: dead.MOST_AT_ONCE + 1].count()
    context = {
        "filters": filters,
        "form": form,
        "count": min(count, dead.MOST_AT_ONCE),
        "is_cut": count > dead.MOST_AT_ONCE,
        "sample": dead_list.sample(found),
        "until": (until or now).isoformat(),
        "back": _back(filters),
        "cause": dict(DeadCause.choices).get(filters.given.get("cause", ""), ""),
        **watch_tabs(request, "dead"),
    }
    return render(request, "messages/dead_replay.html", context, status=422 if form.errors else 200)


def _until(text: str) -> datetime | None:
    """Return the moment at which somebody was shown how many there are."""
    try:
        until = parse_datetime(text)
    except ValueError:
        return None
    return until if until and until.tzinfo else None


def _back(filters: DeadFilters) -> str:
    address = reverse("messages:dead")
    return f"{address}?{filters.query}" if filters.query else address


def _do(request: HttpRequest, key: UUID, deed: str) -> HttpResponse:
    form = FORMS[deed](request.POST, prefix=deed)
    if not form.is_valid():
        return _show(request, key, {deed: form}, 422)
    told = {"letter_id": key, "by": Actor.user(request.user), "at": timezone.now(), **form.cleaned_data}
    try:
        if deed == "replay":
            _say(request, dead.replay_one(**told))
        elif deed == "correct":
            _say(request, correcting.correct(**told))
        elif deed == "tell":
            dead.tell(**told)
            messages.success(request, _g("Kept: the reader was told by telephone."))
        else:
            dead.discard(**told)
            messages.success(request, _g("Discarded. It stays on record with your reason."))
    except Refused as refusal:
        if refusal.status == 404:
            raise Http404 from refusal
        _refuse(form, refusal)
        return _show(request, key, {deed: form}, refusal.status)
    return redirect("messages:dead")


def _refuse(form: forms.Form, refusal: Refused) -> None:
    fields = {name: said for name, said in refusal.extra.get("fields", {}).items() if name in form.fields}
    for name, said in fields.items():
        form.add_error(name, list(said))
    if not fields:
        form.add_error(None, refusal.detail)


def _say(request: HttpRequest, done: Replayed) -> None:
    if done.letters:
        said = ngettext("%(count)s message goes out again.", "%(count)s messages go out again.", done.letters) % {
            "count": done.letters
        }
        messages.success(request, said)
    elif not done.without_a_way:
        messages.info(request, _g("There was nothing left to send: somebody else was first."))
    if done.without_a_way:
        said = ngettext(
            "%(count)s message stays here: its reader has no address.",
            "%(count)s messages stay here: their readers have no address.",
            done.without_a_way,
        ) % {"count": done.without_a_way}
        messages.warning(request, said)


def _show(request: HttpRequest, key: UUID, tried: dict[str, WhyForm] | None = None, status: int = 200) -> HttpResponse:
    found = dead_list.whole(key)
    if found is None:
        raise Http404
    now = timezone.now()
    asked = {
        deed: (tried or {}).get(deed) or form(prefix=deed, initial=_initial(deed, found.letter, now))
        for deed, form in FORMS.items()
        if _may(request, deed, found.letter)
    }
    context = {
        "whole": found,
        "letter": found.letter,
        "settled_by": found.names.get(found.letter.settled_by, ""),
        "forms": asked,
        "wrong": next(iter(tried.values()), None) if tried else None,
        "now": now,
        **watch_tabs(request, "dead"),
    }
    return render(request, "messages/dead_letter.html", context, status=status)


def _initial(deed: str, found: DeadLetter, now: datetime) -> dict[str, Any]:
    if deed == "tell":
        return {"told_at": timezone.localtime(now), "whom": dead_list.name_of(found)}
    if deed == "correct" and found.recipient.customer:
        customer = found.recipient.customer
        return {"value": customer.email if found.channel == Channel.EMAIL else customer.phone}
    return {}


def _may(request: HttpRequest, deed: str, found: DeadLetter) -> bool:
    if found.settled_at:
        return False
    if deed == "tell":
        return request.user.has_perm(dead.TELL)
    if deed == "correct":
        may = request.user.has_perm(dead.REPLAY) and request.user.has_perm(customers.CHANGE)
        return may and correcting.is_correctable(found)
    return request.user.has_perm(dead.REPLAY)
