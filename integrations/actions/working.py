"""Work on messages that were kept: read them, find out whom they mean and what, and let it happen.

For each message one of these comes out (`Verdict`):
1. **accepted**: every fact had its effect, or is on the timeline where it belongs.
2. **parked**: something in it waits. For a decision on a code; for a subject that is not here yet (messages overtake
   each other); or because a status cannot be reached yet. What it could already say has happened: worked on again, each
   fact has its effect once.
3. **rejected**: it cannot be read, or what it says cannot be. A status that contradicts a final one, or never came to
   fit, has a discrepancy case as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from integrations import sql
from integrations.actions.cases import open_by_rule
from integrations.effects import EFFECTS, Task
from integrations.effects.task import message_id
from integrations.facts import Fact, Reading, Unreadable
from integrations.senders import Sender
from integrations.statuses import MessageStatus
from orders.actions.reporting import Result
from parts.documents import as_text
from parts.sentences import Says, Sentence, in_english, kept

#: How soon a parked message that waits for something to happen is tried again: after a quarter of its age.
SOONEST, LATEST = timedelta(seconds=15), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Stored:
    """A message as it lies here: its row, who sent it, its key, what came, and when it came first."""

    id: UUID
    sender: Sender
    key: str
    body: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a message; `problems` and `facts` are plain JSON, sentences in them as they are kept."""

    status: str
    cause: str = ""
    problems: tuple[dict[str, Any], ...] = ()
    facts: tuple[dict[str, Any], ...] = ()
    waits_for: str = ""
    due_at: datetime | None = None
    sent_at: datetime | None = None


@dataclass(slots=True)
class _Work:
    """A message while it is worked on: what it says, and what became of each fact so far."""

    stored: Stored
    reading: Reading
    tasks: list[Task[Any]]

    @property
    def waits_for(self) -> list[str]:
        """What its facts wait for, in their order."""
        return [name for task in self.tasks for name in task.waits_for]


def work(*, stored: Sequence[Stored], at: datetime) -> dict[UUID, Verdict]:
    """Let messages have their effects, each with the rights of its own system; return what became of each.

    Must be inside a transaction, which is to settle them as well. The number of statements depends on how many systems
    and kinds of subjects there are, and on no message: up to 1,000 facts are done with as many as one.
    """
    verdicts: dict[UUID, Verdict] = {}
    readable: dict[UUID, list[_Work]] = {}
    for one in stored:
        try:
            reading = one.sender.form.read(one.body, one.sender.speech)
        except Unreadable as refusal:
            verdicts[one.id] = Verdict(
                MessageStatus.REJECTED.value, refusal.code, (problem(refusal.code, refusal.detail, refusal.extra),)
            )
        else:
            count = len(reading.facts)
            tasks = [Task(fact, message_id(one.key, place, count)) for place, fact in enumerate(reading.facts)]
            readable.setdefault(one.sender.system_id, []).append(_Work(one, reading, tasks))
    for entries in readable.values():
        _work_of_system(entries, at)
        verdicts |= {entry.stored.id: _verdict(entry, at) for entry in entries}
        _open_cases(entries, verdicts, at)
    return verdicts


def settle(*, verdicts: Mapping[UUID, Verdict], at: datetime) -> int:
    """Write down what became of messages; return how many. One statement. Those settled before stay as they are."""
    if not verdicts:
        return 0
    rows = [
        {
            "id": key,
            "status": verdict.status,
            "cause": verdict.cause,
            "problems": list(verdict.problems),
            "facts": list(verdict.facts),
            "waits_for": verdict.waits_for,
            "due_at": verdict.due_at,
            "sent_at": verdict.sent_at,
        }
        for key, verdict in verdicts.items()
    ]
    return len(sql.SETTLE_MESSAGES.rows(settled=as_text(rows), at=at))


def problem(code: str, detail: Says, extra: Mapping[str, Any] | None = None, fact: int | None = None) -> dict[str, Any]:
    """Return a refusal as a message keeps it; `fact` is which of its facts it is about."""
    said: dict[str, Any] = {"code": code, "detail": kept(detail), "extra": _plain(extra or {})}
    return said if fact is None else {**said, "fact": fact}


def _plain(value: Any) -> Any:
    """Return what a refusal carries as JSON, its sentences in English: it is for programs."""
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if value is None or isinstance(value, bool | int):
        return value
    return in_english(value) if isinstance(value, Sentence) else str(value)


def _work_of_system(entries: Sequence[_Work], at: datetime) -> None:
    """Let the messages of one system have their effects, one kind of facts after the other."""
    by_kind: dict[type[Fact], list[Task[Any]]] = {}
    for entry in entries:
        for task in entry.tasks:
            by_kind.setdefault(type(task.fact), []).append(task)
    for kind, effect in EFFECTS.items():
        if kind in by_kind:
            effect(by_kind[kind], entries[0].stored.sender, at)


def _verdict(entry: _Work, at: datetime) -> Verdict:
    stored, sent_at = entry.stored, entry.reading.sent_at
    outcomes = [(place, result) for place, task in enumerate(entry.tasks) for result in task.results]
    facts = tuple(_shown(result) for _place, result in outcomes)
    problems = tuple(
        problem(result.refusal.code, result.refusal.detail, result.refusal.extra, place)
        for place, result in outcomes
        if result.refusal is not None
    )
    if not problems:
        return Verdict(MessageStatus.ACCEPTED.value, facts=facts, sent_at=sent_at)
    cause = problems[0]["code"]
    age = at - stored.received_at
    waits_for = entry.waits_for
    decisions = [name for name in waits_for if name.startswith("code:")]
    if decisions:
        return Verdict(MessageStatus.PARKED.value, cause, problems, facts, decisions[0], sent_at=sent_at)
    if waits_for and age < timedelta(hours=stored.sender.waits_for_hours):
        due_at = at + min(max(age / 4, SOONEST), LATEST)
        return Verdict(MessageStatus.PARKED.value, cause, problems, facts, waits_for[0], due_at, sent_at)
    return Verdict(MessageStatus.REJECTED.value, cause, problems, facts, sent_at=sent_at)


def _open_cases(entries: Sequence[_Work], verdicts: Mapping[UUID, Verdict], at: datetime) -> None:
    """Open a case for each fact that was waited for and never came to fit: a person looks at both sides."""
    never_fit = [
        task.contradiction
        for entry in entries
        if verdicts[entry.stored.id].status == MessageStatus.REJECTED
        for task in entry.tasks
        if task.waits_for and task.contradiction is not None
    ]
    sender = entries[0].stored.sender
    open_by_rule(found=never_fit, by=sender.actor, source=sender.code, at=at)


def _shown(result: Result) -> dict[str, Any]:
    return {
        "outcome": result.outcome,
        "reference": result.reference,
        "status": result.status,
        "version": result.version,
    }
