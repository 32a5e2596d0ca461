"""What was typed into a form whose sender's session had ended meanwhile is kept until they have signed in again.

Scripts keep it in the page (static/backline/js/page.js). A form that is sent plainly would be answered with the page to
sign in, and what was typed would be gone: here that page carries it along, signed, so that nobody else can put anything
there; and who has signed in sees it again and sends it with one press. Nothing is sent by itself: it may be another
person who signed in, and things may have changed meanwhile.

It is kept in the page to sign in, not on the server: strangers fill no table. Files are not kept, nor is any form with
a password in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core import signing
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from config.refusals import wants_json

#: For how many seconds a form is carried along, and how long it may be when it is signed.
PATIENCE, LONGEST = 12 * 3600, 300_000
#: Under which name the session of who has signed in holds it.
IN_SESSION = "kept_form"
_SALT = "backline.keeping"
#: Fields that nobody types.
_OURS = ("csrfmiddlewaretoken", "next")
_OF_THE_PAGE = ("key", "deed", "about", "do", "version", "expected_version", "filters", "page", "query")
_NOT_TYPED = re.compile(r"_\w+|.*_FORMS")
#: What a box that is ticked sends, which says nothing without its label.
_TICK = "on"
_KEY = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}")


def _is_typed(name: str, value: str) -> bool:
    is_ours = name in _OF_THE_PAGE or _NOT_TYPED.fullmatch(name) or _KEY.fullmatch(value)
    return not is_ours and value != _TICK


@dataclass(frozen=True, slots=True)
class Kept:
    """A form that was not taken: where it was sent to, its fields in order, and what its files were called."""

    address: str
    fields: list[tuple[str, str]]
    files: list[str]

    def signed(self) -> str:
        """Return it as it is carried along; empty where it is too long for that."""
        document = {"address": self.address, "fields": self.fields, "files": self.files}
        text = signing.dumps(document, salt=_SALT, compress=True)
        return text if len(text) <= LONGEST else ""

    @property
    def typed(self) -> list[str]:
        """What stood in it, without what the page had filled in by itself, as far as that can be told."""
        return [value.strip() for name, value in self.fields if value.strip() and _is_typed(name, value)]


def opened(text: str) -> Kept | None:
    """Return what was carried along; None for anything that we did not sign, or too long ago."""
    try:
        found = signing.loads(text, salt=_SALT, max_age=PATIENCE)
    except signing.BadSignature:
        return None
    return Kept(found["address"], [(name, value) for name, value in found["fields"]], found["files"])


def _of(request: HttpRequest) -> Kept | None:
    """Return what a request's form holds; None where nothing was typed, or what must not be kept."""
    try:
        fields = [(name, value) for name in request.POST for value in request.POST.getlist(name) if name not in _OURS]
        files = [file.name or "" for name in request.FILES for file in request.FILES.getlist(name)]
    except RequestDataTooBig:
        return None
    if not any(value.strip() for _name, value in fields) or any("password" in name for name, _value in fields):
        return None
    return Kept(request.get_full_path(), fields, files)


class KeptFormMiddleware:
    """Answers a form whose sender would only be sent to sign in with the page to sign in that carries it along."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, and see to what was typed. The token of the form has been checked by then: it is one of ours."""
        response = self.get_response(request)
        if request.method != "POST" or not isinstance(response, HttpResponseRedirect) or _by_script(request):
            return response
        doors = (reverse("login"), reverse("admin:login"))
        if not response.url.startswith(tuple(f"{door}?" for door in doors)) or request.path in doors:
            return response
        kept = _of(request)
        carried = kept.signed() if kept else ""
        if not carried:
            return response
        context = {"form": AuthenticationForm(request), "next": reverse("home"), "kept": carried}
        return render(request, "registration/login.html", context, status=401)


def _by_script(request: HttpRequest) -> bool:
    return "HX-Request" in request.headers or wants_json(request)


class SignIn(LoginView):
    """The page to sign in; who brings a form along sees it again."""

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Sign in; lead to what was brought along, else to where somebody wanted to go."""
        answer = super().form_valid(form)
        kept = opened(self.request.POST.get("kept", ""))
        if kept is None:
            return answer
        self.request.session[IN_SESSION] = self.request.POST["kept"]
        return redirect("kept_form")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Carry it along through a wrong password, too."""
        carried = self.request.POST.get("kept", "")
        return super().get_context_data(kept=carried if opened(carried) else "", **kwargs)


@login_required
@require_safe
def kept_form(request: HttpRequest) -> HttpResponse:
    """Show what was typed before the session ended, to be sent or left; 404 where nothing was."""
    kept = opened(request.session.get(IN_SESSION, ""))
    if kept is None:
        raise Http404
    return render(request, "registration/kept_form.html", {"kept": kept})
