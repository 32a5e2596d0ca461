"""Refusals of floor 1, each with its stable code."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from orders.statuses import LineStatus, ServiceOrderStatus
from parts.errors import Refused
from parts.sentences import Says, Sentence, Word, sentence

#: What the statuses of lines, parts orders and service orders are called.
_LABELS: dict[str, Says] = {**dict(LineStatus.choices), **dict(ServiceOrderStatus.choices)}


def word_of(status: str, labels: Mapping[str, Says] = _LABELS) -> Says:
    """Return what a status is called inside a sentence; one that there is not, as it was written."""
    return Word(labels[status]) if status in labels else status


class TransitionRefused(Refused):
    """A status cannot be reached from where the row stands.

    `extra` carries `current` (the present status), `requested` and `allowed` (the statuses one step away).
    """

    code = "transition_refused"

    def __init__(
        self,
        reference: str,
        current: str,
        requested: str,
        allowed: Iterable[str],
        *,
        labels: Mapping[str, Says] = _LABELS,
        **extra: Any,
    ) -> None:
        steps = list(allowed)
        detail = _refused_step(
            repeated=current == requested,
            reference=reference,
            current=word_of(current, labels),
            requested=word_of(requested, labels),
            allowed=[word_of(step, labels) for step in steps],
        )
        super().__init__(detail, current=current, requested=requested, allowed=steps, **extra)


def _refused_step(*, repeated: bool, allowed: list[Says], **values: Says) -> Sentence:
    if repeated and allowed:
        return sentence("{reference} already is {current}; allowed from here: {allowed}.", allowed=allowed, **values)
    if repeated:
        return sentence("{reference} already is {current}; it is final.", **values)
    if allowed:
        return sentence(
            "{reference} cannot go from {current} to {requested}; allowed from here: {allowed}.",
            allowed=allowed,
            **values,
        )
    return sentence("{reference} cannot go from {current} to {requested}; it is final.", **values)


class ShippedTooMuch(Refused):
    """More of a line is said to have left than there is to leave; `extra` has both (`there`, `reported`)."""

    code = "shipped_too_much"

    def __init__(self, reference: str, current: str, *, there: Decimal, reported: Decimal) -> None:
        self.there, self.reported = there.normalize(), reported.normalize()
        super().__init__(
            sentence(
                "{reported} of {reference} cannot leave: {there} are still to leave.",
                reported=f"{self.reported:f}",
                reference=reference,
                there=f"{self.there:f}",
            ),
            current=current,
            there=f"{self.there:f}",
            reported=f"{self.reported:f}",
        )


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


class SerialGone(Refused):
    """A serial number that has left, and is not known to be back, cannot leave again; `extra['fields']` names it."""

    code = "serial_gone"
