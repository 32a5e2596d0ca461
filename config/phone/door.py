"""What every page of the phone shares: who may come in, and how a deed is done once, however often it is sent.

A form comes in one of two ways. Plainly, as browsers send forms: then the answer is a redirect, or the page again with
what is wrong. Or from the queue in the browser (static/backline/js/phone/queue.js), which says so by
`Accept: application/json`: then the answer is JSON. Both carry a key, and a key has one effect.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from config.phone.explaining import Explained, explain
from config.refusals import wants_json
from integrations.idempotency import Answer, once
from orders.models import ServiceOrder
from parts.actors import Actor
from parts.documents import as_json
from parts.errors import Refused

SOURCE = "phone"
#: The right that opens the phone's pages.
PERMISSION = "orders.claim_serviceorder"
#: Whose page this is: the service worker keeps pages apart by it.
PERSON_HEADER = "X-Backline-Person"
#: For how many seconds a deed has waited in the queue, by the phone's own clock.
WAITED_HEADER = "X-Backline-Waited"
#: Longer than this nothing is believed to have waited.
LONGEST_WAIT = timedelta(days=30)

View = Callable[..., HttpResponseBase]


@dataclass(frozen=True, slots=True)
class Done:
    """What a deed did, in words; where it is about a job, the job's version after it and before it."""

    says: str
    version: int | None = None
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a deed was not done: a refusal as it is kept with its key."""

    code: str
    status: int
    detail: str
    extra: Mapping[str, Any] = field(default_factory=dict)


Act = Callable[[dict[str, Any], dict[str, Any]], Done]
Show = Callable[[Explained, int], HttpResponse]


def is_queued(request: HttpRequest) -> bool:
    """Tell whether the queue in the browser asks, which wants JSON."""
    return wants_json(request)


def person_of(request: HttpRequest) -> User:
    """Return the person who is signed in."""
    return cast(User, request.user)


def for_technicians(view: View) -> View:
    """Let in whoever may claim jobs; others go to the door, and the queue is told so without a redirect."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        queued = is_queued(request)
        if not request.user.is_authenticated:
            if queued:
                return _json({"code": "not_authenticated", "says": _("Sign in again to send this.")}, 401)
            return redirect_to_login(request.get_full_path())
        try:
            if not request.user.has_perm(PERMISSION):
                raise PermissionDenied
            response = view(request, *args, **kwargs)
        except PermissionDenied:
            if not queued:
                raise
            response = _json({"code": "forbidden", "says": _("You may not do this any more.")}, 403)
        except Http404:
            if not queued:
                raise
            response = _json({"code": "not_found", "says": _("This is not there any more, or not for you.")}, 404)
        response[PERSON_HEADER] = str(request.user.pk)
        response["Cache-Control"] = "no-store, private"
        return response

    return inner


def shown(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """Answer with a page that tells when it was read. The bar is slim: it has no search."""
    frame = {"read_at": timezone.now(), "new_key": uuid.uuid4, "search_address": ""}
    return render(request, template, {**frame, **context}, status=status)


def carry_out(
    request: HttpRequest,
    form: forms.Form,
    act: Act,
    *,
    show: Show,
    back: str,
    job: ServiceOrder | None = None,
) -> HttpResponseBase:
    """Do what a form asks, once for its key. `show` renders the page again with what is wrong and a status.

    `act` gets the cleaned form and who does it, from where and when: as long ago as the queue says it waited.
    """
    queued = is_queued(request)
    if queued and request.headers.get(PERSON_HEADER) != str(request.user.pk):
        says = _("Another person is signed in now. This waits for the one who did it.")
        return _json({"code": "other_person", "says": says}, 409)
    if not form.is_valid():
        problem = Problem("invalid", 400, _("This cannot be taken as it is."), {"fields": dict(form.errors)})
    else:
        answer = _once(request, form, act)
        kept = json.loads(answer.body)
        if answer.status < 400:
            if queued:
                return _json({**kept, "location": back}, 200)
            messages.success(request, kept["says"])
            return HttpResponseRedirect(back)
        problem = Problem(kept["code"], answer.status, kept["detail"], kept["extra"])
    explained = explain(problem.code, problem.detail, problem.extra, job=job, seen=_seen(request))
    if queued:
        return _json(explained.as_document(problem.code), problem.status)
    if problem.code != "invalid":
        form.add_error(None, explained.whole)
    return show(explained, problem.status)


def _once(request: HttpRequest, form: forms.Form, act: Act) -> Answer:
    told = {"by": Actor.user(request.user), "source": SOURCE, "at": _happened_at(request)}

    def work() -> Answer:
        try:
            done = act(form.cleaned_data, told)
        except Refused as refusal:
            return _kept(refusal)
        return Answer(200, {}, as_json({"says": str(done.says), "version": done.version, "before": done.before}))

    try:
        answer, _replayed = once(
            client=f"phone:{request.user.pk}",
            key=str(key_of(request)),
            fingerprint=_fingerprint(request),
            at=timezone.now(),
            work=work,
        )
    except Refused as refusal:
        return _kept(refusal)
    return answer


def _kept(refusal: Refused) -> Answer:
    body = {"code": refusal.code, "detail": refusal.detail, "extra": dict(refusal.extra)}
    return Answer(refusal.status, {}, as_json(body))


def key_of(request: HttpRequest) -> uuid.UUID:
    """Return the key under which this is done once; a form without one of ours is only ever done this once."""
    try:
        return uuid.UUID(request.headers.get("Idempotency-Key") or request.POST.get("key", ""))
    except ValueError:
        return uuid.uuid4()


def _fingerprint(request: HttpRequest) -> bytes:
    """Return the digest of what is asked: the address, the fields and the files, not the tokens around them."""
    digest = hashlib.sha256(request.path.encode())
    for name in sorted(request.POST):
        if name not in ("csrfmiddlewaretoken", "key"):
            digest.update(json.dumps([name, request.POST.getlist(name)]).encode())
    for name in sorted(request.FILES):
        for file in request.FILES.getlist(name):
            digest.update(f"{name}\n".encode())
            for chunk in file.chunks():
                digest.update(chunk)
            file.seek(0)
    return digest.digest()


def _happened_at(request: HttpRequest) -> datetime:
    """Return when it was done: now, less what it waited in the queue. Only the queue waits."""
    now = timezone.now()
    try:
        waited = timedelta(seconds=int(request.headers.get(WAITED_HEADER, "0"))) if is_queued(request) else timedelta()
    except (ValueError, OverflowError):
        return now
    return now - min(max(waited, timedelta()), LONGEST_WAIT)


def _seen(request: HttpRequest) -> int | None:
    text = request.POST.get("version", "")
    return int(text) if text.isdecimal() and len(text) < 10 else None


def _json(document: Mapping[str, Any], status: int) -> HttpResponse:
    return HttpResponse(as_json(document), status=status, content_type="application/json")
