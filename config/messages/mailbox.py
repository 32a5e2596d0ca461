"""The mailbox: while nothing leaves the house, everything ends here and is shown as its reader would get it."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from config.desk.orders import for_staff
from config.messages.framing import email_page, in_a_frame, with_frames
from config.messages.pages import page_of
from config.messages.tabs import SEES_MAILBOX, keeps_mailbox, tabs
from notifications import mailbox as letters
from notifications.mailbox import Wanted
from notifications.rendering import segments
from notifications.statuses import Channel
from notifications.why import why


class Looked(forms.Form):
    """What is looked for."""

    channel = forms.ChoiceField(label=_("Channel"), required=False, choices=[("", _("Any")), *Channel.choices])
    reader = forms.CharField(label=_("Reader"), required=False, max_length=120)
    order = forms.CharField(label=_("Order"), required=False, max_length=40)


@for_staff(SEES_MAILBOX)
@require_safe
def mailbox(request: HttpRequest) -> HttpResponse:
    """Show what went out, the latest first."""
    _only_where_nothing_leaves()
    form = Looked(request.GET)
    wanted = Wanted(**{name: value.strip() for name, value in form.cleaned_data.items()}) if form.is_valid() else None
    page = letters.read_page(wanted, _key(request.GET.get("before", ""))) if wanted else letters.Page([], None)
    context = {"form": form, "page": page, "is_first": "before" not in request.GET, "is_asked": wanted != Wanted()}
    return render(request, "messages/mailbox.html", {**context, **tabs(request, "mailbox")})


@for_staff(SEES_MAILBOX)
@with_frames
@require_safe
def letter(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show one notice as its reader would get it."""
    _only_where_nothing_leaves()
    notice = get_object_or_404(letters.handed_over(), pk=key)
    context = {
        "notice": notice,
        "sender": settings.DEFAULT_FROM_EMAIL,
        "segments": segments(notice.text) if notice.channel == Channel.SMS else 0,
        "page": page_of(notice),
        "why": why(notice),
    }
    return render(request, "messages/letter.html", {**context, **tabs(request, "mailbox")})


@for_staff(SEES_MAILBOX)
@in_a_frame
@xframe_options_sameorigin
@require_safe
def email(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show the HTML of an email as a mail program does, for the frame in its letter."""
    _only_where_nothing_leaves()
    return email_page(get_object_or_404(letters.handed_over(), pk=key).html)


def _only_where_nothing_leaves() -> None:
    if not keeps_mailbox():
        raise Http404


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
