"""What every page's frame shows: where the reader can go, and the look they chose."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from config.messages.counting import unread
from config.navigation import bar

#: The name of the cookie that holds the chosen look; without it the device's own setting holds.
LOOK_COOKIE = "look"
LOOKS = ("light", "dark")


def frame(request: HttpRequest) -> dict[str, Any]:
    """Give templates `look` (light, dark or empty), `bar` (the links of the bar, asked for only where shown), `unread`
    of their inbox for people of the house, and for whom may search its `search_address` and `search_text`."""
    look = request.COOKIES.get(LOOK_COOKIE, "")
    return {
        "look": look if look in LOOKS else "",
        "bar": SimpleLazyObject(lambda: bar(request)),
        "unread": SimpleLazyObject(lambda: unread(getattr(request, "user", None))),
        "search_address": SimpleLazyObject(lambda: _search_address(request)),
        "search_text": request.GET.get("q", "") if request.path.endswith("/search/") else "",
    }


def _search_address(request: HttpRequest) -> str:
    person = getattr(request, "user", None)  # nobody knows who asks for a file that is not there
    may = (
        person is not None
        and person.is_authenticated
        and person.is_staff
        and person.has_perm("orders.view_serviceorder")
    )
    return reverse("desk:search") if may else ""
