"""What every page's frame shows: where the reader can go, and the look they chose."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from config.navigation import bar

#: The name of the cookie that holds the chosen look; without it the device's own setting holds.
LOOK_COOKIE = "look"
LOOKS = ("light", "dark")


def frame(request: HttpRequest) -> dict[str, Any]:
    """Give templates `look` (light, dark or empty) and `bar` (the links of the bar, asked for only where shown)."""
    look = request.COOKIES.get(LOOK_COOKIE, "")
    return {"look": look if look in LOOKS else "", "bar": SimpleLazyObject(lambda: bar(request))}
