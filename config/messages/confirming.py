"""The page that the link of "may we write to this address?" leads to: no log-in, only the token counts."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from config.tracking import limits
from notifications.actions import addresses
from notifications.actions.addresses import ConfirmationEnded


@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whether we may write to an address, and confirm it by a button.

    Opening the page confirms nothing: programs open the links of messages before people do. Whatever is wrong with a
    token, the same page says no more than that; who tries many has to wait.
    """
    if limits.seconds_to_wait(request):
        return _answer(request, "slowed", 429)
    address = addresses.to_confirm(token, timezone.now())
    if address is None:
        limits.note_wrong_link(request)
        return _answer(request, "ended", 404)
    if request.method != "POST":
        return _answer(request, "asked", 200, address=address.value)
    try:
        addresses.confirm(token=token, at=timezone.now())
    except ConfirmationEnded:
        return _answer(request, "ended", 404)
    return _answer(request, "done", 200, address=address.value)


def _answer(request: HttpRequest, stands: str, status: int, address: str = "") -> HttpResponse:
    context = {"stands": stands, "address": address}
    response = render(request, "messages/confirm.html", context, status=status)
    response["Referrer-Policy"] = "same-origin"  # the address holds the token
    return response
