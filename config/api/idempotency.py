"""Lets every resource take an `Idempotency-Key` without knowing of it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.translation import get_language
from rest_framework.exceptions import APIException
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from config.api import problems
from config.api.authentication import client_of
from integrations.idempotency import Answer, once
from parts.documents import as_json
from parts.doors import ToldOnce
from parts.errors import Invalid, Refused
from parts.sentences import sentence

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
#: What an answer keeps of its headers; the language that it was written in is kept as well.
_KEPT_HEADERS = ("Content-Type", "ETag", "Location", "Retry-After")


class KeyRequired(Refused):
    """The call must carry a key, because doing it twice would do harm."""

    code = "idempotency_key_required"
    status = 400


class Idempotent:
    """Wraps the handler of a mutating call. `key_required` names the actions that are refused without a key."""

    key_required: ClassVar[frozenset[str]] = frozenset()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check the call as always; then put the handler behind its key."""
        super().initial(request, *args, **kwargs)  # type: ignore[misc]  # a mixin: the viewset is beside it
        method = (request.method or "").lower()
        if request.method in SAFE_METHODS or not hasattr(self, method):
            return
        key = request.headers.get("Idempotency-Key", "")
        if not key:
            if getattr(self, "action", "") in self.key_required:
                raise KeyRequired(sentence("Send an Idempotency-Key of your own making, a new one for each new call."))
        elif not _KEY.fullmatch(key):
            raise Invalid(
                sentence("The Idempotency-Key must have 1 to 255 visible ASCII characters."),
                {"Idempotency-Key": [sentence("Not a key.")]},
            )
        else:
            setattr(self, method, partial(self._once, getattr(self, method), key))

    def _once(
        self, handler: Callable[..., HttpResponseBase], key: str, request: Request, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        body = request._request.body
        # Whom the client acts for is part of the call: with another account it is another one.
        call = f"{request.method} {request.get_full_path()}\n{request.user.pk}\n"
        fingerprint = hashlib.sha256(call.encode() + body).digest()

        def work() -> Answer:
            try:
                response = handler(request, *args, **kwargs)
            except (Refused, APIException, Http404, PermissionDenied) as refusal:
                response = problems.answer(refusal, {"request": request})
            return _kept(response)

        answer, replayed = once(
            client=client_of(request), key=key, fingerprint=fingerprint, at=timezone.now(), work=work
        )
        response = HttpResponse(answer.body, status=answer.status, headers=dict(answer.headers))
        if replayed:
            response["Idempotent-Replayed"] = "true"
        return response


def _kept(response: HttpResponseBase) -> Answer:
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    headers["Content-Language"] = get_language() or settings.LANGUAGE_CODE
    if not isinstance(response, Response):
        assert isinstance(response, HttpResponse)
        return Answer(response.status_code, headers, response.content)
    headers["Content-Type"] = problems.MEDIA_TYPE if response.status_code >= 400 else "application/json"
    kept = as_json({**response.data, **dict.fromkeys(response.once)}) if isinstance(response, ToldOnce) else None
    return Answer(response.status_code, headers, as_json(response.data), kept)
