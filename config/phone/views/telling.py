"""Whether this phone is told of news while nobody looks at it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.phone.door import for_technicians, person_of
from notifications import readers
from notifications.actions import devices
from notifications.transports.push import public_key
from parts.actors import Actor
from parts.errors import Refused


def pushing(person: User) -> dict[str, Any]:
    """Return what a page needs to offer it; nothing where no message leaves the house, or none can go to phones."""
    key = public_key() if settings.MESSAGES_LEAVE else ""
    return {"push_key": key, "push_known": " ".join(devices.known_to(person.pk))} if key else {}


@for_technicians
@require_POST
def tell_me(request: HttpRequest) -> JsonResponse:
    """Tell whoever asks on the phone that asks, whose browser has said where and under which keys."""
    given, at = request.POST, timezone.now()
    readers.of_person(person_of(request).pk, at)  # the first time, there is no such reader yet
    try:
        devices.tell(
            endpoint=given.get("endpoint", ""),
            p256dh=given.get("p256dh", ""),
            auth=given.get("auth", ""),
            agent=request.headers.get("User-Agent", ""),
            by=Actor.user(request.user),
            at=at,
        )
    except Refused as refusal:
        return JsonResponse({"code": refusal.code, "says": str(refusal.detail)}, status=refusal.status)
    return JsonResponse({"told": True})


@for_technicians
@require_POST
def tell_me_no_more(request: HttpRequest) -> JsonResponse:
    """Tell whoever asks no more on the phone that asks."""
    at = timezone.now()
    readers.of_person(person_of(request).pk, at)
    devices.tell_no_more(endpoint=request.POST.get("endpoint", ""), by=Actor.user(request.user), at=at)
    return JsonResponse({"told": False})
