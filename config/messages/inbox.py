"""The inbox of a person of the house: what they were told, and why."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from config.messages import counting
from config.messages.door import for_house, person_of
from config.messages.pages import page_of
from config.messages.tabs import tabs
from notifications import inbox as notices
from notifications.actions import reading
from notifications.inbox import Place
from notifications.models import Notice
from notifications.why import why
from parts.actors import Actor
from parts.errors import NotFound


@for_house
@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """Show what somebody was told, the unread first."""
    place = Place.of(request.GET.get("after", ""))
    page = notices.read_page(person_of(request), place)
    newest = max((entry.notice.pk for entry in page.entries if entry.is_unread), default=None)
    shown = [{"entry": entry, "page": page_of(entry.notice)} for entry in page.entries]
    context = {"shown": shown, "older": page.older, "is_first": place is None, "newest": newest}
    return render(request, "messages/inbox.html", {**context, **tabs(request, "inbox")})


@for_house
@require_safe
def count(request: HttpRequest) -> HttpResponse:
    """Answer the bar, which asks again and again: with the count where it is another than `seen`, else with nothing."""
    unread = counting.unread_lately(request.user)
    if unread is not None and unread.written == request.GET.get("seen"):
        return HttpResponse(status=204)
    return render(request, "messages/count.html", {"unread": unread})


@for_house
@require_safe
def notice(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show one notice, and why its reader got it."""
    one = get_object_or_404(notices.inbox_of(person_of(request)), pk=key)
    context = {"notice": one, "why": why(one), "page": page_of(one)}
    return render(request, "messages/notice.html", {**context, **tabs(request, "inbox")})


@for_house
@require_POST
def read(request: HttpRequest, key: UUID) -> HttpResponse:
    """Note that a notice was read; the list comes back where it was."""
    _open(request, key)
    return redirect(_back(request))


@for_house
@require_safe
def go(request: HttpRequest, key: UUID) -> HttpResponse:
    """Note that a notice was read, and lead to the order that it is about."""
    return redirect(page_of(_open(request, key)) or "messages:inbox")


@for_house
@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    """Note that all was read that somebody was shown."""
    try:
        until = UUID(request.POST.get("until", ""))
    except ValueError:
        return redirect("messages:inbox")
    count = reading.open_all(until=until, **_told(request))
    counting.forget(request.user)
    said = ngettext("%(count)s notice is marked as read.", "%(count)s notices are marked as read.", count)
    messages.success(request, said % {"count": count} if count else _("All was read already."))
    return redirect("messages:inbox")


def _open(request: HttpRequest, key: UUID) -> Notice:
    try:
        opened = reading.open_notice(notice_id=key, **_told(request))
    except NotFound as refusal:
        raise Http404 from refusal
    counting.forget(request.user)
    return opened


def _told(request: HttpRequest) -> dict[str, Any]:
    return {"by": Actor.user(request.user), "at": timezone.now()}


def _back(request: HttpRequest) -> str:
    address = request.POST.get("next", "")
    known = url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())
    return address if known else reverse("messages:inbox")
