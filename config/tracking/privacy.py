"""What keeps a customer's link secret on its way: headers on everything under it, and where a request comes from."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from config.logs import SECRET_PATHS

#: Nothing is kept, found or told on, and nothing comes from or goes to anybody else.
HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Cache-Control": "no-store, private",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class PrivateLinkMiddleware:
    """Writes HEADERS on every answer under a secret path: pages, redirects and errors of any kind."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, and see to the headers."""
        response = self.get_response(request)
        if request.path.startswith(SECRET_PATHS):
            for name, value in HEADERS.items():
                response[name] = value
        return response


def address_of(request: HttpRequest) -> str:
    """Return where a request comes from, to count by: an IPv4 address, or the network of an IPv6 one.

    Behind a proxy (BEHIND_PROXY) that is the last address of X-Forwarded-For, which our own proxy wrote; whatever
    stands before it was sent by the client and proves nothing.
    """
    given = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_PROXY:
        given = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip() or given
    try:
        address = ip_address(given)
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return f"{IPv6Address(int(address) >> 64 << 64)}/64"  # one customer of a provider holds a whole such network
    return str(address)
