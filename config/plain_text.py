"""No NUL gets further than the door: PostgreSQL cannot keep one, and no form of ours sends any."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.http.request import UnreadablePostError
from django.utils.translation import gettext as _

from config.logs import SECRET_PATHS
from config.refusals import in_json, wants_json

#: What says itself that there is no such thing: the API by field, a customer's link as for any wrong one.
_OWN_WORDS = ("/api/", *SECRET_PATHS)
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class NoNulMiddleware:
    """Refuses requests with a NUL in their address or form (400). The API's bodies and filters say where it stands."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer; where the address has a NUL, with a refusal."""
        query = request.META.get("QUERY_STRING", "")
        if ("%00" in query or "\0" in query or "\0" in request.path) and not request.path.startswith(_OWN_WORDS):
            return _refused(request)
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Refuse a form with a NUL. It has been read by now: the CSRF token stands in it."""
        if request.method != "POST" or request.content_type not in _FORMS or request.path.startswith("/api/"):
            return None
        try:
            form = request.POST.lists()
        except UnreadablePostError:
            return None  # whoever broke off gets no answer; the check of the CSRF token finds no form
        found = any("\0" in name or any("\0" in value for value in values) for name, values in form)
        return _refused(request) if found else None


def _refused(request: HttpRequest) -> HttpResponse:
    says = _("A character was sent that no text has (NUL).")
    if wants_json(request):
        return in_json("malformed", says, 400)
    return HttpResponseBadRequest(says, content_type="text/plain; charset=utf-8")
