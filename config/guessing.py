"""Who tries passwords, secrets and tokens that are wrong is slowed down: by where they come from, and by whose it is.

Kept in the memory of each process, like the rates of the API's clients: N web processes give N times the tries. It
slows bursts and writes them into the log; that a secret cannot be guessed rests on its length.
"""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from config.api.tokens import credentials_of
from config.buckets import Buckets
from config.tracking.privacy import address_of

logger = logging.getLogger("backline.guessing")

#: How many wrong tries a minute, and how many at once: from one address; from it for one name; for one name from
#: anywhere, so that many addresses together are slowed as well, but one of them cannot shut a person out.
OF_ADDRESS, OF_BOTH, OF_NAME = (10, 30), (2, 6), (20, 200)
#: Unknown tokens from one address, which cost a look into the database each.
OF_TOKENS = (120, 120)

wrong_tries = Buckets(most=50_000)

#: Where names and secrets are sent, and the name under which a try is counted.
_PAGES = ("login",)
_MACHINES = ("oauth-token", "oauth-revoke-token")


def _counted(request: HttpRequest, name: str) -> list[tuple[str, tuple[int, int]]]:
    """Return the buckets that a wrong try empties. A name is kept as its digest: somebody may send anything as one."""
    address = address_of(request)
    digest = hashlib.blake2b(name.casefold().encode(errors="replace"), digest_size=12).hexdigest()
    return [
        (f"address:{address}", OF_ADDRESS),
        (f"both:{address}:{digest}", OF_BOTH),
        (f"name:{digest}", OF_NAME),
    ]


def seconds_to_wait(request: HttpRequest, name: str) -> int:
    """Return 0, or the seconds for which nobody there may try that name."""
    return math.ceil(max(wrong_tries.wait(bucket, *rate) for bucket, rate in _counted(request, name)))


def note_wrong_try(request: HttpRequest, name: str) -> None:
    """Count a name with a secret that is not its own."""
    for bucket, rate in _counted(request, name):
        wrong_tries.take(bucket, *rate)


def seconds_to_wait_with_token(request: HttpRequest) -> int:
    """Return 0, or the seconds for which no token is looked up for that address."""
    return math.ceil(wrong_tries.wait(f"tokens:{address_of(request)}", *OF_TOKENS))


def note_wrong_token(request: HttpRequest) -> None:
    """Count a token that is none."""
    wrong_tries.take(f"tokens:{address_of(request)}", *OF_TOKENS)


class SlowGuessingMiddleware:
    """Watches the doors where a name and a secret are sent. Too many wrong ones are answered 429, right or wrong."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, and count what was wrong."""
        response = self.get_response(request)
        door = _door_of(request)
        if door and response.status_code == (200 if door in _PAGES else 401):  # a page shows its form again
            note_wrong_try(request, _name_at(door, request))
            logger.warning("a wrong try", extra={"door": door, "address": address_of(request)})
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Send away whoever has to wait, before the secret is looked at."""
        door = _door_of(request)
        seconds = seconds_to_wait(request, _name_at(door, request)) if door else 0
        if not seconds:
            return None
        logger.warning("tries are held up", extra={"door": door, "address": address_of(request), "seconds": seconds})
        response: HttpResponse
        if door in _PAGES:
            response = render(request, "slowed.html", {"seconds": seconds}, status=429)
        else:
            says = f"Too many wrong secrets; try again in {seconds} s."
            response = JsonResponse({"error": "slow_down", "error_description": says}, status=429)
        response["Retry-After"] = str(seconds)
        return response


def _door_of(request: HttpRequest) -> str:
    """Return the name of the address where something secret was sent, empty for any other request."""
    match = request.resolver_match
    name = match.view_name if match and request.method == "POST" else ""
    return name if name in _PAGES or name in _MACHINES else ""


def _name_at(door: str, request: HttpRequest) -> str:
    if door in _PAGES:
        return str(request.POST.get("username", ""))
    given = credentials_of(request)
    return given.client_id if given else ""
