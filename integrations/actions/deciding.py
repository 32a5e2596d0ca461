"""Decide what a code of others means; what waited for it is worked on at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from integrations.actions.working_off import wake_all
from integrations.facts import Code
from integrations.models import StatusCode
from integrations.statuses import Certainty, CodeSubject, Effect, SupplyAnswer
from orders.errors import ReasonRequired
from orders.rules import check_texts
from orders.statuses import LineStatus, ServiceOrderStatus
from parts.actors import Actor
from parts.errors import Invalid
from parts.sentences import Says, sentence

#: The statuses of ours that a code about each can mean.
STATUSES: dict[str, list[str]] = {
    CodeSubject.LINE.value: LineStatus.values,
    CodeSubject.SERVICE_ORDER.value: ServiceOrderStatus.values,
    CodeSubject.PURCHASE_ORDER_LINE.value: SupplyAnswer.values,
}

#: The effects that messages can have here; a code of another kind waits until there is one.
EFFECTS = (Effect.STATUS.value, Effect.INFORMATION.value)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a code is to mean: about what, which status, with which effect, from which day on, and why."""

    subject: str
    status: str
    effect: str
    effective_from: date
    reason: str
    effective_until: date | None = None


def decide(
    *, code: Code, system_id: UUID | None, decision: Decision, by: Actor, at: datetime, says: str = ""
) -> StatusCode:
    """Write down what a code means, for one system or for whoever uses the list, and wake what waited for it.

    What held from the same day on is replaced (its history keeps it); an earlier meaning stays for earlier days.
    Raises Forbidden (`integrations.decide_statuscode`), Invalid, ReasonRequired.
    """
    by.require("integrations.decide_statuscode")
    _check(code, decision)
    check_texts(reason=(decision.reason, 300), says=(says, 200))
    with transaction.atomic():
        row, _made = StatusCode.objects.update_or_create(
            system_id=system_id,
            code_list=code.code_list,
            release=code.release,
            code=code.code,
            effective_from=decision.effective_from,
            defaults={
                "subject": decision.subject,
                "status": decision.status if decision.effect != Effect.INFORMATION else "",
                "effect": decision.effect,
                "effective_until": decision.effective_until,
                "certainty": Certainty.DECIDED,
                "reason": decision.reason.strip(),
                "decided_by_id": by.user_id,
                "decided_at": at,
                **({"says": says} if says else {}),
            },
        )
        wake_all(at=at, waits_for=[code.key])
    return row


def _check(code: Code, decision: Decision) -> None:
    faults: dict[str, list[Says]] = {}
    if not code.code_list or not code.code:
        faults["code"] = [sentence("Required.")]
    if decision.effect not in EFFECTS:
        faults["effect"] = [sentence("Must be one of {allowed}.", allowed=list(EFFECTS))]
    allowed = STATUSES.get(decision.subject)
    if allowed is None:
        faults["subject"] = [sentence("Must be one of {allowed}.", allowed=list(STATUSES))]
    elif decision.effect == Effect.STATUS and decision.status not in allowed:
        faults["status"] = [sentence("Must be one of {allowed}.", allowed=allowed)]
    if decision.effective_until is not None and decision.effective_until <= decision.effective_from:
        faults["effective_until"] = [sentence("Must be after the day from which it is in force.")]
    if faults:
        raise Invalid(sentence("The decision cannot be taken as it is."), faults)
    if not decision.reason.strip():
        raise ReasonRequired(sentence("Say why."), fields={"reason": [sentence("A reason is required.")]})
