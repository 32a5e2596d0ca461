"""Gives each request an id that its log lines and its answer carry."""

import logging
import re
import time
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from config.logs import request_id

logger = logging.getLogger("backline.request")

WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,128}")
PROBES = {"/livez", "/readyz"}


class RequestIdMiddleware:
    """Takes a well-formed X-Request-ID from the caller or makes one, returns it, and writes one line per answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request under its id."""
        given = request.headers.get("X-Request-ID", "")
        current = given if WELL_FORMED.fullmatch(given) else uuid.uuid4().hex
        token = request_id.set(current)
        started = time.perf_counter()
        try:
            response = self.get_response(request)
            response["X-Request-ID"] = current
            if request.path not in PROBES:
                _log(request, response, time.perf_counter() - started)
            return response
        finally:
            request_id.reset(token)


def _log(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    # The route, not the path: a path may hold a customer's secret link.
    route = request.resolver_match.route if request.resolver_match else "(no route)"
    logger.info(
        "%s /%s %s",
        request.method,
        route,
        response.status_code,
        extra={
            "method": request.method,
            "route": route,
            "status": response.status_code,
            "milliseconds": round(seconds * 1000, 1),
        },
    )
