"""One's own digests of stuck orders: made, tried, changed, stopped."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from config.desk.board_forms import BoardForm
from config.desk.orders import for_staff
from config.messages.digest_forms import DigestForm, days_said, filters_of, filters_said, initial_of
from config.messages.door import person_of
from config.messages.tabs import tabs
from notifications import digest_letters, stuck
from notifications.actions import digests as deeds
from notifications.actions.digests import MAKE, Wanted
from notifications.models import DigestIssue, DigestSubscription, Recipient
from notifications.previewing import preview_of_digest
from orders.actions.saved_views import views_of
from orders.models import PartsOrder
from parts.actors import Actor
from parts.errors import Forbidden, Invalid, NotFound, Refused

#: How many of its days a digest's page shows, and how many of its orders a page of them.
DAYS_SHOWN, ROWS = 14, 50


@for_staff(MAKE)
@require_safe
def digests(request: HttpRequest) -> HttpResponse:
    """List one's digests: what each asks for, when it comes, and how many orders it would name now."""
    rows = list(_own(request).select_related("reader__user"))
    may_see = bool(stuck.who_may_see([person_of(request)]))
    asked = {one.pk: digest_letters.asked_by(one) for one in rows} if may_see else {}
    counts = stuck.counts(asked, timezone.now())
    board = BoardForm({})
    shown = [
        {
            "digest": one,
            "count": counts.get(one.pk, 0),
            "days": days_said(one.weekdays),
            "zone": deeds.schedule_of(one).zone,
            "filters": filters_said(one.filters, board),
            "list": digest_letters.full_list(one),
        }
        for one in rows
    ]
    return render(request, "messages/digests.html", {"shown": shown, **tabs(request, "digests")})


def _own(request: HttpRequest) -> Any:
    return DigestSubscription.objects.filter(reader__user=person_of(request))


@for_staff(MAKE)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Make a digest, from the filters of the board where one comes from there; or try it."""
    own = {"name": _("Orders that stand still"), "channel": "email"} | _from_board(request.GET)
    form = DigestForm(_sent(request), views=views_of(person_of(request), "board"), initial=own)
    return _edited(request, form, None)


def _from_board(query: QueryDict) -> dict[str, Any]:
    said = filters_of(query)
    return initial_of(DigestSubscription(name=_("Orders that stand still"), filters=said)) if said else {}


@for_staff(MAKE)
@require_http_methods(["GET", "HEAD", "POST"])
def digest(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show a digest of one's own, what it would say now and what came of it lately; or change it, or try that."""
    one = get_object_or_404(_own(request).select_related("reader__user"), pk=key)
    form = DigestForm(_sent(request), views=views_of(person_of(request), "board"), initial=initial_of(one))
    return _edited(request, form, one)


@for_staff(MAKE)
@require_safe
def orders(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show all orders that a digest of one's own speaks of now, a page at a time, who stands longest first."""
    one = get_object_or_404(_own(request).select_related("reader__user"), pk=key)
    now, after = timezone.now(), _place(request.GET.get("after", ""))
    may_see = bool(stuck.who_may_see([person_of(request)]))
    found = stuck.page(digest_letters.asked_by(one), now, after, ROWS + 1) if may_see else []
    shown = found[:ROWS]
    context = {
        "digest": one,
        "rows": [
            {
                "order": order,
                "address": digest_letters.address_of(order),
                "kind": order.get_kind_display() if isinstance(order, PartsOrder) else _("Service order"),
                "whose": stuck.whose(order),
                "status": stuck.status_said(order),
                "days": stuck.days_in_status(order, now),
                "next": stuck.who_acts(order),
            }
            for order in shown
        ],
        "is_first": after is None,
        "next": f"{shown[-1].status_since.isoformat()}_{shown[-1].pk}" if len(found) > ROWS else "",
        "days": digest_letters.days_said(one.days),
        "filters": filters_said(one.filters, BoardForm({})),
        "board": digest_letters.on_board(one) if digest_letters.speaks_of_jobs(one) else "",
        **tabs(request, "digests"),
    }
    return render(request, "messages/digest_orders.html", context)


def _place(text: str) -> tuple[datetime, UUID] | None:
    """Return the place that an address names; none where it means nothing: that is the first page."""
    since, _separator, key = text.rpartition("_")
    try:
        moment = datetime.fromisoformat(since)
        return (moment, UUID(key)) if moment.tzinfo else None
    except ValueError:
        return None


def _sent(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _edited(request: HttpRequest, form: DigestForm, one: DigestSubscription | None) -> HttpResponse:
    """Keep what is filled in, or show what it would say."""
    is_right = form.is_bound and form.is_valid()
    if is_right and "preview" not in request.POST:
        try:
            kept = _kept(request, form.wanted(), one)
        except Forbidden as refusal:
            raise PermissionDenied from refusal
        except Refused as refusal:
            _refuse(form, refusal)
            is_right = False
        else:
            messages.success(request, _("“%(name)s” is kept.") % {"name": kept.name})
            return redirect("messages:digest", kept.pk)
    tried = _tried(request, form.wanted() if is_right else None, one)
    context = {
        "form": form,
        "digest": one,
        "preview": preview_of_digest(tried, timezone.now()) if tried else None,
        "is_tried": is_right,
        "list": digest_letters.full_list(tried) if tried else "",
        "board": digest_letters.on_board(tried) if tried and digest_letters.speaks_of_jobs(tried) else "",
        "issues": list(DigestIssue.objects.filter(subscription=one)[:DAYS_SHOWN]) if one else [],
        "zone": deeds.schedule_of(one).zone if one else "",
        **tabs(request, "digests"),
    }
    return render(request, "messages/digest.html", context, status=422 if form.errors else 200)


def _kept(request: HttpRequest, wanted: Wanted, one: DigestSubscription | None) -> DigestSubscription:
    told = _told(request)
    return deeds.change(digest_id=one.pk, wanted=wanted, **told) if one else deeds.make(wanted=wanted, **told)


def _tried(request: HttpRequest, wanted: Wanted | None, one: DigestSubscription | None) -> DigestSubscription | None:
    """Return the digest that the preview is of: as it is filled in, or as it is kept."""
    if wanted is None:
        return one
    person = cast(User, request.user)
    reader = one.reader if one else Recipient.objects.filter(user=person).first() or Recipient(user=person)
    return DigestSubscription(
        pk=one.pk if one else None,
        reader=reader,
        name=wanted.name,
        filters=wanted.filters,
        days=wanted.days,
        language=wanted.language,
        time_zone=wanted.time_zone,
        says_nothing=wanted.says_nothing,
    )


def _refuse(form: DigestForm, refusal: Refused) -> None:
    fields = refusal.extra.get("fields", {}) if isinstance(refusal, Invalid) else {}
    for name, said in fields.items():
        form.add_error(name if name in form.fields else None, list(said))
    if not fields:
        form.add_error(None, refusal.detail)


@for_staff(MAKE)
@require_POST
def switch(request: HttpRequest, key: UUID) -> HttpResponse:
    """Stop a digest of one's own, or let it come again."""
    on = request.POST.get("on") == "1"
    try:
        changed = deeds.switch(digest_id=key, on=on, **_told(request))
    except NotFound as refusal:
        raise Http404 from refusal
    if changed:
        messages.success(request, _("The digest comes again.") if on else _("The digest is stopped."))
    return redirect("messages:digest", key)


@for_staff(MAKE)
@require_POST
def delete(request: HttpRequest, key: UUID) -> HttpResponse:
    """Delete a digest of one's own."""
    try:
        deeds.delete(digest_id=key, by=Actor.user(request.user))
    except NotFound as refusal:
        raise Http404 from refusal
    messages.success(request, _("The digest is deleted."))
    return redirect(reverse("messages:digests"))


def _told(request: HttpRequest) -> dict[str, Any]:
    return {"by": Actor.user(request.user), "at": timezone.now()}
