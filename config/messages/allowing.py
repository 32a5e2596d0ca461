"""The page on which whoever reads at a confirmed address says whether a new one is right that was named by a link."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from config.tracking import limits
from notifications.actions import contacts
from notifications.actions.addresses import ConfirmationEnded


@require_http_methods(["GET", "HEAD", "POST"])
def allow(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whether a new address is right; a button says yes or no. Opening the page says nothing.

    Whatever is wrong with a token, the same page says no more than that; who tries many has to wait.
    """
    if limits.seconds_to_wait(request):
        return _answer(request, "slowed", 429)
    address = contacts.to_allow(token, timezone.now())
    if address is None:
        limits.note_wrong_link(request)
        return _answer(request, "ended", 404)
    shown = f"{address.get_channel_display()}: {address.value}"
    said = request.POST.get("is_right", "") if request.method == "POST" else ""
    if said not in ("yes", "no"):
        return _answer(request, "asked", 200, address=shown)
    try:
        contacts.allow(token=token, is_right=said == "yes", at=timezone.now())
    except ConfirmationEnded:
        return _answer(request, "ended", 404)
    return _answer(request, "allowed" if said == "yes" else "dropped", 200, address=shown)


def _answer(request: HttpRequest, stands: str, status: int, address: str = "") -> HttpResponse:
    context = {"stands": stands, "address": address}
    response = render(request, "messages/allow.html", context, status=status)
    response["Referrer-Policy"] = "same-origin"  # the address holds the token
    return response
