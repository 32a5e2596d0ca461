"""Refusals from before any page, in JSON where JSON is asked for: the phone's queue tells them from a dead network."""

from __future__ import annotations

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views import defaults

from parts.documents import as_json


def wants_json(request: HttpRequest) -> bool:
    """Tell whether a script asks, which wants JSON and no page."""
    return request.headers.get("Accept", "").startswith("application/json")


def in_json(code: str, says: str, status: int) -> HttpResponse:
    """Answer a script with why it is refused."""
    return HttpResponse(as_json({"code": code, "says": says}), status=status, content_type="application/json")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what cannot be read (400), and what is too large to be (413 for a script); Django's handler400."""
    if not wants_json(request):
        return defaults.bad_request(request, exception)
    if isinstance(exception, RequestDataTooBig):
        return in_json("too_large", _("This is larger than is taken."), 413)
    return in_json("malformed", _("The server cannot read this as it was sent."), 400)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer where a mistake of ours was met (500); Django's handler500."""
    if not wants_json(request):
        return defaults.server_error(request)
    return in_json("internal_error", _("The server failed at this. Nothing was done."), 500)
