"""Placing an order only to see what comes of it: the same code, and all of it undone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.db import transaction

from orders.actions.placing.order import place
from orders.actions.placing.placed import Placed

Seen = TypeVar("Seen")


def rehearse(look: Callable[[Placed], Seen], **order: Any) -> Seen:
    """Place an order, let `look` read what came of it, undo all of it, and return what was seen.

    It is what would happen now: nothing is kept for anybody. `order` is what `place` takes, without a key; raises as
    `place` does. The numbers that the order and its back orders would have had are not given again.
    """
    with transaction.atomic():
        seen = look(place(**order))
        transaction.set_rollback(True)
    return seen
