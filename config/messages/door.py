"""Who comes in: people of the house, each to what is their own."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

View = Callable[..., HttpResponseBase]


def for_house(view: View) -> View:
    """Let in whoever is of the house: 403 for others, strangers sign in first."""

    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_staff:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


def person_of(request: HttpRequest) -> int:
    """Return the key of the person who is let in."""
    assert request.user.pk is not None
    return request.user.pk
