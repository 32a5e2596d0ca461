"""Every refusal in one shape: RFC 9457, `application/problem+json`, with a stable `code`.

`title`, `detail` and the messages of fields are for people, in the language that `Accept-Language` asks for (English
where it asks for none that there is); `Content-Language` names it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import DataError, Error, IntegrityError, InterfaceError, OperationalError
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from psycopg import errors as postgres
from rest_framework import exceptions
from rest_framework.response import Response

from config.logs import request_id
from parts.errors import Refused
from parts.sentences import Says, sentence

logger = logging.getLogger("backline.api")

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:backline:problem:"
#: How long a caller is asked to wait where the database was only busy, in seconds.
RETRY_AFTER = 1
#: Members that the problem itself has; a refusal's own word of that name goes by another.
_OWN = {"type": "kind", "title": "name", "status": "current", "detail": "says", "instance": "of", "code": "word"}

#: What each kind of problem is called; programs go by the code.
TITLES: dict[str, Says] = {
    "invalid": _("What was sent is not acceptable"),
    "malformed": _("The request cannot be read"),
    "not_authenticated": _("Say who you are"),
    "authentication_failed": _("The credentials are not accepted"),
    "forbidden": _("You are not allowed to do this"),
    "not_found": _("There is nothing here for you"),
    "method_not_allowed": _("This address does not know that method"),
    "unsupported_media_type": _("Only application/json is read"),
    "too_large": _("The request is too large"),
    "throttled": _("Too many requests"),
    "version_conflict": _("It has changed since you read it"),
    "already_answered": _("It has been answered"),
    "already_begun": _("It holds already"),
    "already_settled": _("Somebody has seen to it"),
    "no_way": _("There is no way to send it again"),
    "nobodys_link": _("This link is nobody's"),
    "not_here": _("It is corrected elsewhere"),
    "not_wanted": _("The reader does not want this"),
    "nothing_new": _("It says the same"),
    "nowhere_to_ask": _("There is no address that could be asked"),
    "too_many_proposals": _("Too many proposals"),
    "window_holds": _("The window holds already"),
    "window_over": _("The window is over"),
    "snapshot_differs_everywhere": _("Nearly all of it differs"),
    "unreadable": _("The body cannot be cut into messages"),
    "code_unknown": _("Nobody has said what this code means"),
    "code_to_check": _("What this code means is still to be checked"),
    "codes_conflict": _("The codes contradict each other"),
    "disconnected": _("The system is not connected"),
    "transition_refused": _("The status cannot be reached from here"),
    "busy": _("Others hold what this needs"),
    "unavailable": _("The database does not answer"),
    "conflict": _("Somebody else was quicker"),
    "internal_error": _("Something went wrong on our side"),
    "already_decided": _("Already decided"),
    "already_reserved": _("Already reserved"),
    "another_person_needed": _("Another person needed"),
    "asked_too_often": _("Asked too often"),
    "code_ambiguous": _("Code ambiguous"),
    "concurrent_change": _("Concurrent change"),
    "confirmation_ended": _("Confirmation ended"),
    "consent_needed": _("Consent needed"),
    "count_outdated": _("Count outdated"),
    "delivery_note_used": _("Delivery note used"),
    "export_gone": _("Export gone"),
    "file_refused": _("File refused"),
    "export_stopped": _("Export stopped"),
    "export_too_large": _("Export too large"),
    "idempotency_in_flight": _("Idempotency in flight"),
    "idempotency_key_required": _("Idempotency key required"),
    "idempotency_key_reused": _("Idempotency key reused"),
    "import_refused": _("Import refused"),
    "link_ended": _("Link ended"),
    "message_used": _("Message used"),
    "more_than_issued": _("More than issued"),
    "not_enough_stock": _("Not enough stock"),
    "not_on_its_way": _("Not on its way"),
    "not_on_order": _("Not on order"),
    "not_scheduled": _("Not scheduled"),
    "nothing_reserved": _("Nothing reserved"),
    "nothing_to_do": _("Nothing to do"),
    "made_meanwhile": _("Made meanwhile"),
    "nothing_to_publish": _("Nothing to publish"),
    "number_means_another": _("The number means something else already"),
    "number_used": _("Number used"),
    "partial_issue": _("Partial issue"),
    "plan_changed": _("Plan changed"),
    "preview_is_old": _("Preview is old"),
    "reason_required": _("Reason required"),
    "refused": _("Refused"),
    "serial_gone": _("Serial gone"),
    "shipped_too_much": _("More is said to have left than is there"),
    "shipment_known": _("Shipment known"),
    "too_many_exports": _("Too many exports"),
    "too_much": _("Too much"),
    "unreadable_file": _("Unreadable file"),
    "no_sealing_key": _("No secret can be kept or opened here"),
    "too_many": _("There are as many as there may be"),
}

#: DRF's own words, where ours differ.
_CODES = {"permission_denied": "forbidden", "parse_error": "malformed", "error": "malformed"}

_BUSY = (
    postgres.LockNotAvailable,
    postgres.DeadlockDetected,
    postgres.SerializationFailure,
    postgres.QueryCanceled,
)


@dataclass(frozen=True, slots=True)
class Problem:
    """A refusal as it is sent."""

    code: str
    status: int
    detail: Says
    extra: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """Return the members of the problem document."""
        return {
            "type": f"{TYPE}{self.code}",
            "title": str(TITLES.get(self.code, self.code.replace("_", " ").capitalize())),
            "status": self.status,
            "detail": str(self.detail),
            "instance": request_id.get(),
            "code": self.code,
            **{_OWN.get(name, name): value for name, value in self.extra.items()},
        }


def answer(error: Exception, context: Mapping[str, Any]) -> Response:
    """Answer an exception of a view; DRF's EXCEPTION_HANDLER. What nobody foresaw is logged and is a 500."""
    problem = problem_of(error)
    if problem is None:
        logger.error("unforeseen in the API", exc_info=error)
        got_request_exception.send(sender=None, request=context.get("request"))
        problem = Problem(
            "internal_error", 500, sentence("The request was not carried out. The log has more under this id.")
        )
    response = Response(problem.body(), status=problem.status, content_type=MEDIA_TYPE)
    for name, value in problem.headers.items():
        response[name] = value
    return response


def problem_of(error: Exception) -> Problem | None:
    """Return how an exception is told to the caller, None for what only a mistake of ours can raise."""
    if isinstance(error, Refused):
        wait = error.extra.get("retry_after")
        headers = {"Retry-After": str(wait)} if wait else {}
        return Problem(error.code, error.status, error.detail, error.extra, headers)
    if isinstance(error, exceptions.APIException):
        return _of_drf(error)
    if isinstance(error, Http404):
        return Problem("not_found", 404, sentence("There is nothing here, or it is not yours to see."))
    if isinstance(error, PermissionDenied):
        return Problem("forbidden", 403, str(error) or sentence("You are not allowed to do this."))
    if isinstance(error, RequestDataTooBig):
        return Problem("too_large", 413, sentence("The body is larger than is taken; send it in parts."))
    if isinstance(error, SuspiciousOperation | BadRequest):
        return Problem("malformed", 400, str(error) or sentence("The request cannot be read."))
    return _of_database(error) if isinstance(error, Error) else None


def _of_database(error: Error) -> Problem | None:
    cause = error.__cause__
    wait = {"Retry-After": str(RETRY_AFTER)}
    if isinstance(cause, _BUSY):
        return Problem(
            "busy", 503, sentence("Others work on the same rows; nothing was changed. Try again."), headers=wait
        )
    if isinstance(error, OperationalError | InterfaceError):
        logger.warning("the database does not answer", exc_info=error)
        return Problem("unavailable", 503, sentence("The database does not answer just now. Try again."), headers=wait)
    if isinstance(error, DataError):
        logger.warning("a value got as far as the database", exc_info=error)
        return Problem("invalid", 400, sentence("A value is out of the range that can be kept; nothing was changed."))
    if isinstance(error, IntegrityError):
        logger.warning("a constraint of the database refused a call", exc_info=error)
        return Problem(
            "conflict", 409, sentence("This contradicts what somebody else has just done; nothing was changed.")
        )
    return None


def _of_drf(error: exceptions.APIException) -> Problem:
    headers: dict[str, str] = {}
    if header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = header
    if isinstance(error, exceptions.ValidationError):
        fields = dict(flattened(error.detail))
        return Problem("invalid", 400, _sentence(fields), {"fields": fields})
    if isinstance(error, exceptions.Throttled):
        wait = max(1, int(getattr(error, "wait", None) or 1))
        headers["Retry-After"] = str(wait)
        return Problem(
            "throttled",
            429,
            sentence("Too many requests; try again in {wait} s.", wait=wait),
            {"retry_after": wait},
            headers,
        )
    code = str(error.default_code)
    return Problem(_CODES.get(code, code), error.status_code, str(error.detail), {}, headers)


def _sentence(fields: Mapping[str, list[str]]) -> str:
    name, messages = next(iter(fields.items()), ("", [str(sentence("The request is not acceptable."))]))
    return f"{name}: {messages[0]}" if name else messages[0]


def flattened(detail: Any, place: str = "") -> Iterator[tuple[str, list[str]]]:
    """Turn DRF's nested errors into pairs of a path (`lines.2.quantity`, `` for the whole) and its messages."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            inside = place if name == "non_field_errors" else f"{place}.{name}".lstrip(".")
            yield from flattened(inner, inside)
    elif isinstance(detail, list) and any(isinstance(item, Mapping) for item in detail):
        for index, item in enumerate(detail):
            yield from flattened(item, f"{place}.{index}".lstrip("."))
    elif detail:
        yield place, [str(item) for item in (detail if isinstance(detail, list) else [detail])]
