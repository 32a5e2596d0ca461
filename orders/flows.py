"""Ask the state machine that a model declares."""

from __future__ import annotations

from functools import cache

from django.db import models
from django_fsm import can_proceed

#: What the FSM looks at; the rest of the row stays deferred and is never asked for.
_STATUS_ONLY = ("id", "status")


@cache
def is_declared(model: type[models.Model], status: str, to: str) -> bool:
    """Tell whether the model's FSM leads from one status to another in one step, by running its method.

    The methods and guards are pure and look at the status only, so that one answer holds for every row.
    """
    row = model.from_db("default", _STATUS_ONLY, (None, status))
    step = getattr(row, f"to_{to}", None)
    if step is None or not can_proceed(step):
        return False
    step()
    return bool(getattr(row, "status", None) == to)
