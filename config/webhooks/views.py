"""Partners' webhooks: where they are told, how it goes, what was told and answered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from config.webhooks.forms import AddressForm, SinceForm
from integrations.actions import publishing, subscribing
from integrations.actions.subscribing import OWN
from integrations.models import OutboundDelivery, Subscriber
from integrations.outbound.listing import MOST_COUNTED, waiting_count, with_waiting
from orders.event_words import title_of
from parts.actors import Actor
from parts.errors import Refused

PAGE = 40
View = Callable[..., HttpResponse]


def for_listeners(view: View) -> View:
    """Let in who may be told of events; everybody else is asked to sign in, or refused."""

    @login_required
    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.has_perm(OWN):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return asked


def _mine(request: HttpRequest, key: UUID) -> Subscriber:
    row = with_waiting(Subscriber.objects.filter(account=request.user.pk)).filter(pk=key).first()
    if not isinstance(row, Subscriber):
        raise Http404
    return row


def _told(request: HttpRequest, key: UUID) -> dict[str, Any]:
    return {"subscriber": _mine(request, key).pk, "by": Actor.user(request.user), "at": timezone.now()}


@for_listeners
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """Show all addresses of one's own."""
    rows = with_waiting(Subscriber.objects.filter(account=request.user.pk)).order_by("code", "id")
    return render(request, "webhooks/list.html", {"rows": rows, "most": subscribing.MOST_OF_ONE})


@for_listeners
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Add an address; its secret is shown on the page that answers, once."""
    form = AddressForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        by, at = Actor.user(request.user), timezone.now()
        try:
            row, secret = subscribing.add(
                code=form.cleaned_data["code"], account=int(by.user_id or 0), wish=form.wish(), by=by, at=at
            )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            return render(request, "webhooks/secret.html", {"row": row, "secret": secret, "is_new": True})
    return render(request, "webhooks/form.html", {"form": form}, status=400 if form.errors else 200)


@for_listeners
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, key: UUID) -> HttpResponse:
    """Change where, what and how fast."""
    row = _mine(request, key)
    form = AddressForm(request.POST if request.method == "POST" else None, subject=row)
    if form.is_valid():
        try:
            subscribing.change(subscriber=row.pk, wish=form.wish(row), by=Actor.user(request.user), at=timezone.now())
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("It is changed."))
            return redirect("webhooks:one", key=row.pk)
    context = {"form": form, "row": row}
    return render(request, "webhooks/form.html", context, status=400 if form.errors else 200)


@for_listeners
@require_safe
def shown(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show an address: how it goes, its secrets' ages, and what it was told, the newest first."""
    return _shown(request, _mine(request, key), SinceForm())


def _shown(request: HttpRequest, row: Subscriber, since: SinceForm, status: int = 200) -> HttpResponse:
    now, only = timezone.now(), request.GET.get("only", "")
    deliveries = OutboundDelivery.objects.filter(subscriber=row).defer("body").order_by("-id")
    if only == "not-told":
        deliveries = deliveries.filter(state__in=["dead", "cancelled"])
    if before := _key(request.GET.get("before", "")):
        deliveries = deliveries.filter(pk__lt=before)
    found = list(deliveries[: PAGE + 1])
    waiting = waiting_count(row.pk)
    context = {
        "row": row,
        "kinds": [(kind, title_of(kind)) for kind in row.event_types],
        "secrets": [one for one in row.secrets.order_by("-begins_at") if one.ends_at is None or one.ends_at > now],
        "rows": [(one, title_of(one.kind)) for one in found[:PAGE]],
        "older": found[PAGE - 1].pk if len(found) > PAGE else None,
        "only": only,
        "waiting": min(waiting, MOST_COUNTED),
        "is_more_waiting": waiting > MOST_COUNTED,
        "form": since,
        "is_paused": row.paused_until is not None and row.paused_until > now,
    }
    return render(request, "webhooks/one.html", context, status=status)


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


@for_listeners
@never_cache
@require_POST
def replace_secret(request: HttpRequest, key: UUID) -> HttpResponse:
    """Replace the secret, and show the new one on the page that answers, once."""
    row = _mine(request, key)
    try:
        secret = subscribing.rotate_secret(**_told(request, key))
    except Refused as refusal:
        messages.error(request, refusal.detail)
        return redirect("webhooks:one", key=row.pk)
    return render(request, "webhooks/secret.html", {"row": row, "secret": secret, "is_new": False})


def _done(request: HttpRequest, key: UUID, act: Callable[..., Any], says: str) -> HttpResponse:
    try:
        act(**_told(request, key))
    except Refused as refusal:
        messages.error(request, refusal.detail)
    else:
        messages.success(request, says)
    return redirect("webhooks:one", key=key)


@for_listeners
@require_POST
def send_test(request: HttpRequest, key: UUID) -> HttpResponse:
    """Send a test."""
    says = _("A test is on its way. Load the page again to see what came of it.")
    return _done(request, key, publishing.send_test, says)


@for_listeners
@require_POST
def switch_off(request: HttpRequest, key: UUID) -> HttpResponse:
    """Tell it nothing more."""
    return _done(request, key, subscribing.switch_off, _("It is switched off. What waits, waits on."))


@for_listeners
@require_POST
def switch_on(request: HttpRequest, key: UUID) -> HttpResponse:
    """Tell it again."""
    return _done(request, key, subscribing.switch_on, _("It is switched on; what waited is told now."))


@for_listeners
@require_POST
def replay_since(request: HttpRequest, key: UUID) -> HttpResponse:
    """Tell everything since a moment once more."""
    row, form = _mine(request, key), SinceForm(request.POST)
    if form.is_valid():
        since: datetime = form.cleaned_data["since"]
        try:
            count = publishing.replay_since(since=since, **_told(request, key))
        except Refused as refusal:
            form.add_error("since", refusal.detail)
        else:
            messages.success(request, _("%(count)d messages are told now.") % {"count": count})
            return redirect("webhooks:one", key=row.pk)
    return _shown(request, row, form, status=400)


@for_listeners
@require_safe
def delivery(request: HttpRequest, key: UUID, delivery: UUID) -> HttpResponse:
    """Show what was told, and each attempt with its answer."""
    row = _mine(request, key)
    one = OutboundDelivery.objects.filter(subscriber=row, pk=delivery).first()
    if one is None:
        raise Http404
    context = {
        "row": row,
        "one": one,
        "title": title_of(one.kind),
        "body": bytes(one.body or b"").decode(),
        "tries": list(one.tries.order_by("-number")[:50]),
    }
    return render(request, "webhooks/delivery.html", context)


@for_listeners
@require_POST
def again(request: HttpRequest, key: UUID, delivery: UUID) -> HttpResponse:
    """Tell it once more."""
    row = _mine(request, key)
    mine = OutboundDelivery.objects.filter(subscriber=row, pk=delivery).values_list("pk", flat=True)
    try:
        count = publishing.replay(deliveries=list(mine), by=Actor.user(request.user), at=timezone.now())
    except Refused as refusal:
        messages.error(request, refusal.detail)
    else:
        messages.success(request, _("It is told again.") if count else _("It is on its way already."))
    return redirect("webhooks:delivery", key=row.pk, delivery=delivery)
