"""Watching an order, or all of a customer's: each for oneself."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from notifications import readers
from notifications.models import Watch
from notifications.watches import KINDS
from orders.models import Customer, PartsOrder, ServiceOrder
from orders.querysets import sees_all
from parts.actors import Actor
from parts.errors import Invalid, NotFound
from parts.sentences import sentence


def watch(*, kind: str, key: UUID, by: Actor, at: datetime) -> bool:
    """Hear of an order, or of all of a customer's, from now on; return whether that is new.

    `kind` is one of watches.KINDS. Raises Forbidden, Invalid, and NotFound for what this person does not see.
    """
    by.require("notifications.add_watch")
    person = _person(by)
    if not _seen_by(person, kind).filter(pk=key).exists():
        raise NotFound(sentence("There is no such order."), id=str(key))
    with transaction.atomic():
        reader = readers.of_person(person.pk, at)
        _watch, is_new = Watch.objects.get_or_create(
            recipient=reader, **{f"{kind}_id": key}, defaults={"created_at": at}
        )
    return is_new


def unwatch(*, kind: str, key: UUID, by: Actor, at: datetime) -> bool:
    """Hear of it no more; return whether that changed anything. Raises Forbidden, Invalid, NotFound."""
    by.require("notifications.delete_watch")
    _check(kind)
    ended, _by_model = Watch.objects.filter(recipient__user=_person(by), **{f"{kind}_id": key}).delete()
    return bool(ended)


def _person(by: Actor) -> User:
    person = User.objects.filter(pk=by.user_id, is_active=True).first() if by.user_id is not None else None
    if person is None:
        raise NotFound(sentence("There is no such reader."))
    return person


def _check(kind: str) -> None:
    if kind not in KINDS:
        raise Invalid(sentence("This cannot be watched."), {"kind": [sentence("Choose one.")]})


def _seen_by(person: User, kind: str) -> QuerySet[ServiceOrder] | QuerySet[PartsOrder] | QuerySet[Customer]:
    _check(kind)
    if kind == "service_order":
        return ServiceOrder.objects.visible_to(person)
    if kind == "parts_order":
        return PartsOrder.objects.visible_to(person)
    return Customer.objects.all() if sees_all(person) else Customer.objects.none()
