"""In which language and zone a link's page is: its contact's, else the customer's, unless they chose another here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from config.faces.zone import COOKIE as ZONE_COOKIE
from config.tracking.visits import PATH
from notifications import contacts
from orders.models import Customer, TrackingLink
from orders.tracking import zone_of
from parts.zones import known_zones

COOKIE = "link_language"
_YEAR = 365 * 24 * 3600


def chosen(request: HttpRequest) -> str:
    """Return the language that was chosen by a link of the page, now or before; empty where none was."""
    for language in (request.GET.get("language", ""), request.COOKIES.get(COOKIE, "")):
        if language in dict(settings.LANGUAGES):
            return language
    return ""


def language_for(request: HttpRequest, link: TrackingLink | None) -> str:
    """Return the language of a page: chosen, else that of the contact whom the link was sent to, else the customer's,
    else (without a link that works) the browser's.
    """
    if language := chosen(request):
        return language
    if link is None:
        return translation.get_language_from_request(request)
    reader = contacts.reader_of(link)
    if reader is not None and reader.language in dict(settings.LANGUAGES):
        return reader.language
    return of(link.customer) if link.customer else translation.get_language_from_request(request)


def of(customer: Customer) -> str:
    """Return the language that a customer is spoken to in: theirs, or ours where Backline does not speak it."""
    try:
        return translation.get_supported_language_variant(customer.language)
    except LookupError:
        return settings.LANGUAGE_CODE


@contextmanager
def spoken_to(request: HttpRequest, link: TrackingLink | None) -> Iterator[str]:
    """Work in the language and zone of a page; the zone is the browser's where it told it, else the customer's."""
    language, customer = language_for(request, link), link.customer if link else None
    told = request.COOKIES.get(ZONE_COOKIE, "") in known_zones()
    zone = timezone.get_current_timezone() if told or customer is None else zone_of(customer)
    with translation.override(language), timezone.override(zone):
        yield language


def keep(request: HttpRequest, response: HttpResponse) -> None:
    """Remember a language that was chosen just now."""
    if (language := request.GET.get("language", "")) in dict(settings.LANGUAGES):
        remember(language, request, response)


def remember(language: str, request: HttpRequest, response: HttpResponse) -> None:
    """Let the pages of links be in a language from now on; empty: in that of whose link it is."""
    if not language:
        response.delete_cookie(COOKIE, path=PATH, samesite="Lax")
        return
    response.set_cookie(
        COOKIE,
        language,
        max_age=_YEAR,
        path=PATH,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure(),
    )
