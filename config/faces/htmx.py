"""What a page is asked for by htmx: a part of it, where a browser without scripts asks for all."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails


class _HtmxRequest(HttpRequest):
    """A request as the middleware of django-htmx hands it on."""

    htmx: HtmxDetails


def is_quick(request: HttpRequest, target: str | None = None) -> bool:
    """Tell whether htmx asks: for anything, or to put the answer in the place of the element with this id."""
    htmx = cast(_HtmxRequest, request).htmx
    return bool(htmx) and target in (None, htmx.target)


def target_of(request: HttpRequest) -> str:
    """Return the id of the element whose place the answer takes; empty where the whole page is asked for."""
    return cast(_HtmxRequest, request).htmx.target or ""
