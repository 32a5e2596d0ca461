"""Who calls: a machine by its OAuth2 token, or a person by the session of the pages.

A token is looked up once and then known for API_TOKEN_CACHE_SECONDS in this process, with the rights of the account it
acts for. So a busy client costs no query to be recognised, and a revoked token, a switched-off account or a right that
was taken away is noticed after that time at the latest. An expired token is noticed at once.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from oauth2_provider.models import AccessToken
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.authentication import SessionAuthentication as DRFSessionAuthentication
from rest_framework.request import Request

from config import guessing
from config.roles import SCOPES
from config.tracking.privacy import address_of
from parts.actors import Actor

_BEARER = re.compile(r"[Bb]earer +([A-Za-z0-9._~+/-]+=*)")


@dataclass(frozen=True, slots=True)
class Grant:
    """What a caller may do: the actor of all it does, and the name under which it is known.

    `client` is whose idempotency keys and rate these are, `source` what the ledger says it came through.
    """

    actor: Actor
    client: str
    source: str


@dataclass(frozen=True, slots=True)
class _Known:
    user: User
    grant: Grant
    expires: datetime
    forget_at: float


class KnownTokens:
    """The tokens that were looked up lately; the least lately used is forgotten where there are too many."""

    def __init__(self, seconds: float, most: int = 10_000, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds, self.most, self.clock = seconds, most, clock
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._lock = threading.Lock()

    def look_up(self, token: str, now: datetime) -> tuple[User, Grant]:
        """Return whom a token acts for, and its grant. Raises AuthenticationFailed. Mostly no query."""
        checksum = hashlib.sha256(token.encode()).hexdigest()
        with self._lock:
            known = self._known.get(checksum)
            if known and known.forget_at <= self.clock():
                known = None
        if known is None:
            known = _read(checksum, self.clock() + self.seconds)
            with self._lock:
                self._known[checksum] = known
                while len(self._known) > self.most:
                    self._known.popitem(last=False)
        if known.expires <= now:
            raise exceptions.AuthenticationFailed(_("The token has expired; get a new one."))
        with self._lock:
            if checksum in self._known:
                self._known.move_to_end(checksum)
        return known.user, known.grant

    def knows(self, token: str) -> bool:
        """Tell whether a token is remembered, so that to look it up costs nothing."""
        checksum = hashlib.sha256(token.encode()).hexdigest()
        with self._lock:
            known = self._known.get(checksum)
            return known is not None and known.forget_at > self.clock()

    def forget_all(self) -> None:
        """Look every token up anew."""
        with self._lock:
            self._known.clear()


#: This process's tokens.
known_tokens = KnownTokens(settings.API_TOKEN_CACHE_SECONDS)


def _read(checksum: str, forget_at: float) -> _Known:
    token = AccessToken.objects.select_related("application__user", "user").filter(token_checksum=checksum).first()
    if token is None or token.application is None:
        raise exceptions.AuthenticationFailed(_("The token is not known, or was revoked."))
    user = token.user or token.application.user
    if user is None or not user.is_active:
        raise exceptions.AuthenticationFailed(_("The client has no active account to act for."))
    if token.resource:
        raise exceptions.AuthenticationFailed(_("The token is meant for another resource."))
    allowed = {name for scope in token.scope.split() for name in SCOPES.get(scope, ())}
    client = f"client:{token.application.pk}"
    actor = Actor(
        reference=client, permissions=frozenset(allowed.intersection(user.get_all_permissions())), user_id=user.pk
    )
    return _Known(user, Grant(actor, client, f"api:{token.application.pk}"), token.expires, forget_at)


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer …` with a token from /oauth/token/."""

    def authenticate(self, request: Request) -> tuple[User, Grant] | None:
        """Return the account and its grant, None where no token was sent.

        Raises AuthenticationFailed; and Throttled for a token that would have to be looked up, from an address that has
        sent too many that are none.
        """
        header = request.headers.get("Authorization", "")
        if not header:
            return None
        match = _BEARER.fullmatch(header)
        if match is None:
            raise exceptions.AuthenticationFailed(_("Authorization must be a bearer token."))
        if not known_tokens.knows(match[1]) and (wait := guessing.seconds_to_wait_with_token(request._request)):
            raise exceptions.Throttled(wait)
        try:
            return known_tokens.look_up(match[1], timezone.now())
        except exceptions.AuthenticationFailed:
            guessing.note_wrong_token(request._request)
            raise

    def authenticate_header(self, request: Request) -> str:
        """Return what a caller without credentials is asked for."""
        return 'Bearer realm="Backline"'


class SessionAuthentication(DRFSessionAuthentication):
    """A person logged in to the pages, who tries a call on the described API; needs the CSRF token."""

    def authenticate(self, request: Request) -> tuple[User | AnonymousUser, Grant] | None:
        """Return the person and their grant, None where nobody is logged in. Raises PermissionDenied without CSRF."""
        found = super().authenticate(request)
        if found is None:
            return None
        user = found[0]
        return user, Grant(Actor.user(user), f"user:{user.pk}", "api")


def client_of(request: Request | HttpRequest) -> str:
    """Return the name under which a caller's keys and rates are kept."""
    grant = getattr(request, "auth", None)
    if isinstance(grant, Grant):
        return grant.client
    return f"address:{address_of(request._request if isinstance(request, Request) else request)}"
