"""The pages of a customer's link: no log-in, no session, no script needed."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from config.tracking import languages, limits
from config.tracking.forms import MessageForm, RescheduleForm, WantMessagesForm
from config.tracking.visits import is_own_form, visit_to
from notifications import contacts, links
from orders import tracking, wording
from orders.actions import tracking as deeds
from orders.models import TrackingLink
from parts.errors import Invalid, Refused

SOURCE = "link"
#: What a page says once something was done, by the word in its address.
DONE = ("reschedule", "message", "stopped", "started")

View = Callable[[HttpRequest, TrackingLink, str], HttpResponse]


def opened(view: View) -> Callable[[HttpRequest, str], HttpResponse]:
    """Find the link of a token before the view; whatever is wrong with it, the same page says no more than that."""

    @wraps(view)
    def found(request: HttpRequest, token: str) -> HttpResponse:
        if wait := limits.seconds_to_wait(request):
            return slowed(request, wait)
        link = tracking.find(token, timezone.now())
        if link is None:
            limits.note_wrong_link(request)
            return closed(request)
        return view(request, link, token)

    return found


def measured(view: View) -> View:
    """Take forms one after the other, not in bursts."""

    @wraps(view)
    def sent(request: HttpRequest, link: TrackingLink, token: str) -> HttpResponse:
        if wait := limits.seconds_to_wait_with_form(link):
            return slowed(request, wait, link)
        return view(request, link, token)

    return sent


@require_safe
@opened
def page(request: HttpRequest, link: TrackingLink, token: str) -> HttpResponse:
    """Show the order."""
    tracking.note_opening(link, timezone.now())
    return _shown(request, link, token)


# The three below are exempt from Django's check only because they make their own: see config/tracking/visits.py.


@csrf_exempt
@require_POST
@opened
@measured
def reschedule(request: HttpRequest, link: TrackingLink, token: str) -> HttpResponse:
    """Choose another day."""

    def act(form: forms.Form) -> str:
        deeds.reschedule(link_id=link.pk, **form.cleaned_data, **_told(link))
        return "reschedule"

    return _taken(request, link, token, "reschedule", act)


@csrf_exempt
@require_POST
@opened
@measured
def message(request: HttpRequest, link: TrackingLink, token: str) -> HttpResponse:
    """Write to the workshop."""

    def act(form: forms.Form) -> str:
        deeds.write_message(link_id=link.pk, **form.cleaned_data, **_told(link))
        return "message"

    return _taken(request, link, token, "message", act)


@csrf_exempt
@require_POST
@opened
@measured
def want_messages(request: HttpRequest, link: TrackingLink, token: str) -> HttpResponse:
    """Stop messages about the order, or start them again."""

    def act(form: forms.Form) -> str:
        wanted = form.cleaned_data["wanted"] == "yes"
        deeds.want_messages(link_id=link.pk, wanted=wanted, **_told(link))
        return "started" if wanted else "stopped"

    return _taken(request, link, token, "want", act)


@csrf_exempt
@opened
def one_click(request: HttpRequest, link: TrackingLink, token: str) -> HttpResponse:
    """Stop messages about the order, as a mail program asks for it without a form of ours (RFC 8058).

    It sends no cookie, and whoever has the link may stop them anyway. A person who follows the address gets the page.
    """
    if request.method != "POST":
        return HttpResponseRedirect(f"{reverse('tracking:page', args=[token])}#messages")
    if request.POST.get("List-Unsubscribe") != "One-Click":
        return HttpResponse(status=403)  # as any form that is not of ours
    try:
        deeds.want_messages(link_id=link.pk, wanted=False, **_told(link))
    except deeds.LinkEnded:
        return closed(request)
    except deeds.TooMuch:
        return HttpResponse(status=429)
    return HttpResponse(status=204)


def _told(link: TrackingLink) -> dict[str, Any]:
    return {"by": deeds.holder(link), "source": SOURCE, "at": timezone.now()}


def _taken(
    request: HttpRequest, link: TrackingLink, token: str, name: str, act: Callable[[forms.Form], str]
) -> HttpResponse:
    """Do what a form asks and lead back to the page; what cannot be done is said there, with all that was typed."""
    form = _forms(link, {name: request.POST})[name]
    status = 400
    if not is_own_form(request, link):
        with languages.spoken_to(request, link):
            form.add_error(None, _("This form was open for too long, or cookies are off. Please send it once more."))
        status = 403
    elif form.is_valid():
        try:
            done = act(form)
        except deeds.LinkEnded:
            return closed(request)
        except Refused as refusal:
            with languages.spoken_to(request, link):
                _say(form, refusal)
            status = refusal.status
            link = tracking.find(token, timezone.now()) or link  # as it stands now
        else:
            return HttpResponseRedirect(f"{reverse('tracking:page', args=[token])}?done={done}")
    return _shown(request, link, token, status=status, sent={name: form})


def _say(form: forms.Form, refusal: Refused) -> None:
    """Say a refusal in the customer's words."""
    if isinstance(refusal, deeds.NotScheduled):
        said = _(
            "The work has been planned or begun meanwhile; the day can no longer be chosen here. Please write to us."
        )
    elif isinstance(refusal, deeds.PlanChanged):
        said = _(
            "We have planned another day meanwhile; you see it on this page. Choose again if it does not suit you."
        )
    elif isinstance(refusal, deeds.TooMuch):
        said = _("You have sent a lot today. Please call us, or try again tomorrow.")
    elif isinstance(refusal, Invalid) and "first" in refusal.extra:
        said = _("Please choose a day in the range that is offered.")
    else:
        said = _("This cannot be taken as it is. Please write it in plain text.")
    field = next((name for name in refusal.extra.get("fields", {}) if name in form.fields), None)
    form.add_error(field, said)


def _forms(link: TrackingLink, sent: dict[str, Any]) -> dict[str, forms.Form]:
    """Return the forms of the page; those that were sent, with what they say."""
    today = timezone.now().astimezone(tracking.zone_of(link.customer)).date()
    seen = link.service_order.scheduled_for if link.service_order else None
    return {
        "reschedule": RescheduleForm(
            sent.get("reschedule"), prefix=None, choices=tracking.reschedule_days(today), seen=seen
        ),
        "message": MessageForm(sent.get("message"), initial={"key": uuid.uuid4().hex}),
        "want": WantMessagesForm(sent.get("want")),
    }


def _shown(
    request: HttpRequest,
    link: TrackingLink,
    token: str,
    *,
    status: int = 200,
    sent: dict[str, forms.Form] | None = None,
) -> HttpResponse:
    """Answer with the order's page."""
    visit = visit_to(request, link)
    with languages.spoken_to(request, link) as language:
        today = timezone.now().astimezone(tracking.zone_of(link.customer)).date()
        shown = tracking.shown(link, wording.read(language), today)
        done = request.GET.get("done", "") if request.method == "GET" else ""
        context = {
            **frame(language),
            "token": token,
            "link": link,
            "shown": shown,
            "today": today,
            "form_key": visit.form_key(link),
            "forms": {**_forms(link, {}), **(sent or {})},
            "done": done if done in DONE else "",
            "clear": _asks_whether_clear(link),
        }
        response = render(request, "tracking/page.html", context, status=status)
        response["Content-Language"] = language
    visit.keep(request, response)
    languages.keep(request, response)
    return response


def _asks_whether_clear(link: TrackingLink) -> str:
    """Return where the contact of a link says whether the last message was clear: an SMS has no room to ask for it."""
    reader = contacts.reader_of(link)
    notice = contacts.last_notice_to(reader, link) if reader else None
    return links.feedback_path(notice) if notice else ""


def closed(request: HttpRequest) -> HttpResponse:
    """Answer for a link that opens nothing: one page and one status, whether it never did or no longer does."""
    with languages.spoken_to(request, None) as language:
        response = render(request, "tracking/closed.html", frame(language), status=404)
        response["Content-Language"] = language
    languages.keep(request, response)
    return response


def slowed(request: HttpRequest, seconds: int, link: TrackingLink | None = None) -> HttpResponse:
    """Answer who is too quick, with when to come again."""
    with languages.spoken_to(request, link) as language:
        response = render(request, "tracking/slowed.html", {**frame(language), "seconds": seconds}, status=429)
        response["Content-Language"] = language
    response["Retry-After"] = str(seconds)
    return response


def frame(language: str) -> dict[str, Any]:
    """Return what every page needs. Whoever is signed in as staff in this browser is nobody here."""
    names = [(code, translation.get_language_info(code)["name_local"]) for code, _name in settings.LANGUAGES]
    return {"user": AnonymousUser(), "bar": [], "languages": names, "language": language}
