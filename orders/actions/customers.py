"""What is put right about a customer beside the back office."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction

from orders.models import Customer
from parts.actors import Actor
from parts.errors import Invalid, NotFound
from parts.sentences import sentence

CHANGE = "orders.change_customer"
_FIELDS = ("email", "phone")


def correct_contact(*, customer_id: UUID, field: str, value: str, why: str, by: Actor) -> Customer:
    """Put right where a customer is reached: `email` or `phone`. The history keeps who did it, and why.

    Raises Forbidden, NotFound, Invalid.
    """
    by.require(CHANGE)
    if field not in _FIELDS:
        raise ValueError(field)
    with transaction.atomic():
        customer = Customer.objects.select_for_update(of=("self",), no_key=True).filter(pk=customer_id).first()
        if customer is None:
            raise NotFound(sentence("There is no such customer."))
        if getattr(customer, field) == value:
            return customer
        setattr(customer, field, value)
        try:
            customer.clean_fields(exclude=[one.name for one in Customer._meta.fields if one.name != field])
        except ValidationError as error:
            raise Invalid(sentence("This is not an address."), {"value": error.messages}) from error
        _sign(customer, by, why)
        customer.save(update_fields=[field])
    return customer


def _sign(customer: Any, by: Actor, why: str) -> None:
    """Let the history of a customer keep who changes it next, and why."""
    customer._history_user = User.objects.filter(pk=by.user_id).first() if by.user_id else None
    customer._change_reason = why.strip()[:100] or None
