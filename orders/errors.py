"""Refusals of floor 1, each with its stable code."""

from collections.abc import Iterable
from typing import Any

from parts.errors import Refused


class TransitionRefused(Refused):
    """A status cannot be reached from where the row stands.

    `extra` carries `current` (the present status), `requested` and `allowed` (the statuses one step away).
    """

    code = "transition_refused"

    def __init__(self, reference: str, current: str, requested: str, allowed: Iterable[str], **extra: Any) -> None:
        steps = list(allowed)
        says = f"allowed from here: {', '.join(steps)}" if steps else "it is final"
        kind = "already is" if current == requested else "cannot go from"
        detail = (
            f"{reference} {kind} {current}; {says}."
            if current == requested
            else f"{reference} {kind} {current} to {requested}; {says}."
        )
        super().__init__(detail, current=current, requested=requested, allowed=steps, **extra)


class ReasonRequired(Refused):
    """Cancelling and overriding need a reason, overriding a reference too; `extra['fields']` names what is missing."""

    code = "reason_required"
    status = 400


class ConcurrentChange(Refused):
    """A row changed between reading and writing although its lock was held: somebody wrote round the actions."""

    code = "concurrent_change"


class MessageUsed(Refused):
    """A message that had its effect on a subject comes again and asks for something else."""

    code = "message_used"


class NothingToDo(Refused):
    """The request is well-formed, but there is nothing it would change."""

    code = "nothing_to_do"


class ConsentNeeded(Refused):
    """A rule wants the consent of a second person to this override; `extra['rule']` names it. Ask for it first."""

    code = "consent_needed"
