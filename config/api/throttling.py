"""How often a client may call: a bucket of calls per client and kind that fills up again all the time.

Kept in the memory of each process, so that it costs no query and no round trip: with N web processes a client may get
up to N times the rate. It keeps one client from starving the others; it is no billing.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from config.api.authentication import client_of
from config.buckets import Buckets

buckets = Buckets()


class PerClient(BaseThrottle):
    """Holds each client to API_READS_PER_MINUTE and API_WRITES_PER_MINUTE."""

    def __init__(self) -> None:
        self._wait = 0.0

    def allow_request(self, request: Request, view: Any) -> bool:
        """Tell whether the client has a call left."""
        reads = request.method in SAFE_METHODS
        per_minute = settings.API_READS_PER_MINUTE if reads else settings.API_WRITES_PER_MINUTE
        self._wait = buckets.take(f"{'reads' if reads else 'writes'}:{client_of(request)}", per_minute)
        return not self._wait

    def wait(self) -> float:
        """Return after how many seconds to try again."""
        return self._wait
