"""Whose form is this? A visit is a browser that opened a link; only its own forms are taken.

There is no session and nobody is signed in, so what protects other forms does not fit: Django's token would be refused,
since a page that sends no referrer sends `Origin: null`, too. What protects these forms:

1. Their address holds the link's token. Whoever could forge a form knows the token, and needs no forged form.
2. A cookie (SameSite=Lax, HttpOnly) and a field that is computed from it under our key must fit each other and the
   link: a form from elsewhere brings no cookie, and a cookie from elsewhere no field (a signed double submit).
3. A browser that says where a form comes from (Sec-Fetch-Site) must say: from here.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from uuid import UUID

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare, salted_hmac

from orders.models import TrackingLink

COOKIE = "visit"
#: Where the cookies of the link's pages are sent to.
PATH = "/track/"
_SALT = "backline.tracking.visit"
_HERE = ("", "same-origin", "none")  # not said, from here, by the person's own hand


@dataclass(frozen=True, slots=True)
class Visit:
    """A browser that opened a link, and maybe others after it; `value` is its cookie."""

    link_id: UUID
    value: str

    def form_key(self, link: TrackingLink) -> str:
        """What a form of this browser on the page of a link carries."""
        return salted_hmac(f"{_SALT}.form", f"{self.value} {link.pk.hex}", algorithm="sha256").hexdigest()

    def keep(self, request: HttpRequest, response: HttpResponse) -> None:
        """Let the browser remember the visit until it is closed."""
        response.set_cookie(COOKIE, self.value, path=PATH, httponly=True, samesite="Lax", secure=request.is_secure())


def visit_of(request: HttpRequest) -> Visit | None:
    """Return the visit that the browser remembers; None without one, or with one that we did not write."""
    value = request.COOKIES.get(COOKIE, "")
    try:
        return Visit(UUID(hex=signing.Signer(salt=_SALT).unsign(value).partition(".")[0]), value)
    except (signing.BadSignature, ValueError):
        return None


def visit_to(request: HttpRequest, link: TrackingLink) -> Visit:
    """Return the visit that the browser remembers, whichever link it began with; else a new one.

    So forms of several links that stand open side by side are all taken.
    """
    known = visit_of(request)
    if known is not None:
        return known
    return Visit(link.pk, signing.Signer(salt=_SALT).sign(f"{link.pk.hex}.{secrets.token_urlsafe(18)}"))


def is_own_form(request: HttpRequest, link: TrackingLink) -> bool:
    """Tell whether a form was sent by the page of this link in this browser."""
    visit = visit_of(request)
    if visit is None or request.headers.get("Sec-Fetch-Site", "") not in _HERE:
        return False
    return constant_time_compare(request.POST.get("form_key", ""), visit.form_key(link))
