"""A sender takes an earlier message of its own back: what waits is let go, what had its effect is for a person.

Nothing is undone by itself: goods that left are not back because somebody says that the message was wrong. Each line
and job that the message moved has a case, with what it said and why it is taken back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from integrations.actions.cases import Contradiction, open_by_rule
from integrations.effects.task import Task
from integrations.facts import Retracted
from integrations.models import InboundMessage
from integrations.senders import Sender
from integrations.statuses import DiscrepancyKind, MessageStatus
from orders.actions.reporting import Result
from orders.errors import word_of
from orders.models import OrderLine, ServiceOrder
from parts.errors import NotFound
from parts.sentences import sentence

#: Why a message that was taken back is rejected.
CAUSE = "retracted"
_UNSETTLED = (MessageStatus.PARKED.value, MessageStatus.DEAD.value)


def retract(tasks: Sequence[Task[Retracted]], sender: Sender, at: datetime) -> None:
    """Let go of what waits, and open a case for what was moved. Four statements, and those that open cases."""
    keys = {task.fact.key for task in tasks if "\x00" not in task.fact.key}
    rows = InboundMessage.objects.filter(system=sender.system_id, key__in=keys)
    messages = {row["key"]: row for row in rows.values("pk", "key", "status", "facts")}
    about = _about({fact["reference"] for row in messages.values() for fact in _moved(row["facts"])})
    let_go, found = [], []
    for task in tasks:
        message = messages.get(task.fact.key)
        if message is None or message["status"] == MessageStatus.RECEIVED:
            refusal = NotFound(sentence("There is no such message."), named=task.fact.key)
            task.refuse(refusal, f"message:{task.fact.key}"[:240])
            continue
        moved = [fact for fact in _moved(message["facts"]) if fact["reference"] in about]
        if message["status"] in _UNSETTLED:
            let_go.append(message["pk"])
        found += [_case(task.fact, fact, about[fact["reference"]], sender.code) for fact in moved]
        outcome = "moved" if moved or message["status"] in _UNSETTLED else "noted"
        task.results.append(Result(outcome, reference=moved[0]["reference"] if moved else ""))
    if let_go:
        waiting = InboundMessage.objects.filter(pk__in=let_go, status__in=_UNSETTLED)
        waiting.update(status=MessageStatus.REJECTED, cause=CAUSE, waits_for="", due_at=None, settled_at=at)
    open_by_rule(found=found, by=sender.actor, source=sender.code, at=at)


def _moved(facts: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return those of a message's facts that moved something."""
    return [fact for fact in facts if fact.get("outcome") == "moved" and fact.get("reference")]


def _about(references: Collection[str]) -> dict[str, dict[str, UUID]]:
    """Return what a case about each of these lines and jobs is about."""
    if not references:
        return {}
    lines = OrderLine.objects.filter(reference__in=references).values_list("reference", "pk")
    jobs = ServiceOrder.objects.filter(reference__in=references).values_list("reference", "pk")
    return {name: {"line_id": key} for name, key in lines} | {name: {"service_order_id": key} for name, key in jobs}


def _case(fact: Retracted, moved: Mapping[str, Any], about: dict[str, UUID], source: str) -> Contradiction:
    said = f"{source}\n{fact.key}\n{moved['reference']}"
    return Contradiction(
        DiscrepancyKind.MESSAGE_STATUS.value,
        expected=sentence("{status}, by message {message}", status=word_of(moved["status"]), message=fact.key[:80]),
        found=sentence("Taken back by {system}: {reason}", system=source, reason=fact.reason[:60] or "-"),
        about=about,
        cause=("message_key", hashlib.sha256(said.encode()).hexdigest()),
    )
