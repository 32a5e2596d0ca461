"""Where a machine gets its token, and gives it back: for its name and its secret, and in no other way.

The library knows more ways (codes, devices, public clients); none is open here. How long a refusal takes does not tell
whether there is such a client.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from django.contrib.auth.hashers import make_password
from django.http import HttpRequest, HttpResponse, JsonResponse
from oauth2_provider.models import Application
from oauth2_provider.views import RevokeTokenView, TokenView

GRANT = "client_credentials"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a machine says it is; `tries` is how often the library will compare the secret before it gives up."""

    client_id: str
    secret: str
    tries: int


def credentials_of(request: HttpRequest) -> Credentials | None:
    """Return the name and the secret of a request, None where they are missing, no text, or sent in two ways."""
    client_id, secret = request.POST.get("client_id", ""), request.POST.get("client_secret", "")
    header = request.headers.get("Authorization", "")
    if not header:
        given = Credentials(client_id, secret, 1)
    else:
        try:
            kind, _, encoded = header.partition(" ")
            pair = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError, ValueError):
            return None
        name, colon, password = pair.partition(":")
        given = Credentials(unquote_plus(name), unquote_plus(password), 2 if client_id else 1)
        if kind != "Basic" or not colon or secret or client_id not in ("", given.client_id):
            return None
    text = given.client_id + given.secret
    return given if given.client_id and given.secret and "\0" not in text else None


def _is_a_client(given: Credentials) -> bool:
    """Tell whether there is a client that may have a token; whether the secret is its own is for the library to say."""
    return Application.objects.filter(
        client_id=given.client_id,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
        user__is_active=True,
    ).exists()


def _refusal(request: HttpRequest) -> HttpResponse | None:
    given = credentials_of(request)
    if given and _is_a_client(given):
        return None
    for _ in range(given.tries if given else 1):
        make_password(given.secret if given else "nothing")  # as long as a wrong secret takes
    return _answer(401, "invalid_client")


def _answer(status: int, error: str) -> HttpResponse:
    """Answer as the library does."""
    headers = {"Cache-Control": "no-store", "Pragma": "no-cache"}
    if status == 401:
        headers["WWW-Authenticate"] = f'Bearer error="{error}"'
    return JsonResponse({"error": error}, status=status, headers=headers)


class TokenDoor(TokenView):
    """Gives a token for the credentials of a confidential client."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Refuse what is no such client or asks for something else; leave the rest to the library."""
        if request.POST.get("grant_type") != GRANT:
            return _answer(400, "unsupported_grant_type")
        answer: HttpResponse = _refusal(request) or super().post(request, *args, **kwargs)
        return answer


class RevocationDoor(RevokeTokenView):
    """Takes a token back from the client it was given to."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Refuse what is no such client; leave the rest to the library."""
        answer: HttpResponse = _refusal(request) or super().post(request, *args, **kwargs)
        return answer
