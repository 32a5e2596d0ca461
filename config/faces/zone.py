"""Times in the reader's own zone: the browser tells which by a cookie, and every page and form is rendered in it."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from parts.zones import known_zones

#: The name of the cookie that static/backline/js/page.js writes.
COOKIE = "timezone"


class ReaderZoneMiddleware:
    """Work in the zone that the browser named; in the project's own (UTC) where it named none that exists."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        name = request.COOKIES.get(COOKIE, "")
        if name not in known_zones():
            return self.get_response(request)
        with timezone.override(ZoneInfo(name)):
            return self.get_response(request)
