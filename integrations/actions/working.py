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

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from integrations import sql
from integrations.actions import reporting
from integrations.code_book import CodeBook, CodeWaits
from integrations.facts import Fact, Reading, Subject, Unreadable
from integrations.senders import Sender
from integrations.statuses import Effect, MessageStatus
from integrations.subjects import look_up
from orders.actions.reporting import MOST_REPORTS, UNKNOWN, Report, Result
from orders.errors import TransitionRefused
from orders.statuses import LINE_CLOSED, SERVICE_ORDER_CLOSED
from parts.documents import as_text
from parts.errors import NotFound, Refused
from parts.sentences import Says, Sentence, in_english

#: How soon a parked message that waits for something to happen is tried again: after a quarter of its age.
SOONEST, LATEST = timedelta(seconds=15), timedelta(hours=1)
#: A message id in the ledger has its limit; longer keys are known there by their hash.
LONGEST_MESSAGE_ID = 110


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
    outcomes: list[Result | None] = field(default_factory=list)
    waits_for: list[str] = field(default_factory=list)
    reports: dict[int, Report] = field(default_factory=dict)

    def refuse(self, place: int, refusal: Refused, waits_for: str = "") -> None:
        """Note that a fact had no effect; with `waits_for`, that it may have one later."""
        self.outcomes[place] = Result("refused", refusal=refusal)
        if waits_for:
            self.waits_for.append(waits_for)


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
            entry = _Work(one, reading, [None] * len(reading.facts))
            readable.setdefault(one.sender.system_id, []).append(entry)
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
    kept = detail.kept() if isinstance(detail, Sentence) else Sentence("{text}", {"text": in_english(detail)}).kept()
    said: dict[str, Any] = {"code": code, "detail": kept, "extra": _plain(extra or {})}
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
    """Let the messages of one system have their effects."""
    sender = entries[0].stored.sender
    facts = [fact for entry in entries for fact in entry.reading.facts]
    book = CodeBook(sender.system_id, {code for fact in facts for code in fact.codes})
    keys = look_up((fact.subject for fact in facts), system_id=sender.system_id, account=sender.account)
    for entry in entries:
        for place, fact in enumerate(entry.reading.facts):
            _understand(entry, place, fact, book, keys)
    waiting = [(entry, place, report) for entry in entries for place, report in entry.reports.items()]
    for first in range(0, len(waiting), MOST_REPORTS):
        some = waiting[first : first + MOST_REPORTS]
        results = reporting.report_many(
            reports=[report for _entry, _place, report in some], by=sender.actor, source=sender.code, at=at
        )
        for (entry, place, report), result in zip(some, results, strict=True):
            entry.outcomes[place] = result
            if _may_fit_later(report, result):
                entry.waits_for.append(f"{report.subject}:{report.id}")


def _understand(entry: _Work, place: int, fact: Fact, book: CodeBook, keys: Mapping[Subject, UUID]) -> None:
    """Turn a fact into a report to our own flow, or note what it waits for, or that it only tells."""
    status = fact.status
    if fact.codes:
        try:
            meaning = book.meaning(fact.codes, fact.occurred_at.date())
        except CodeWaits as refusal:
            entry.refuse(place, refusal, refusal.waits_for)
            return
        if meaning.effect == Effect.INFORMATION:
            entry.outcomes[place] = Result("noted")
            return
        status = meaning.status
    key = keys.get(fact.subject)
    if key is None:
        waits_for = f"{fact.subject.kind}:{fact.subject.by}:{fact.subject.value}"
        entry.refuse(place, NotFound(UNKNOWN[fact.subject.kind], named=fact.subject.value), waits_for)
        return
    report = Report(
        subject=fact.subject.kind,
        id=key,
        status=status,
        occurred_at=fact.occurred_at,
        message_id=_message_id(entry.stored.key, place, len(entry.reading.facts)),
        note=fact.note,
        public=fact.is_public,
    )
    entry.reports[place] = report


def _message_id(key: str, place: int, count: int) -> str:
    short = key if len(key) <= LONGEST_MESSAGE_ID else f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"
    return short if count == 1 else f"{short}:{place + 1}"


def _may_fit_later(report: Report, result: Result) -> bool:
    """Tell whether a status that was refused may be reached once other news are in: what ended does not come back."""
    if not isinstance(result.refusal, Refused) or "current" not in result.refusal.extra:
        return False
    if isinstance(result.refusal, TransitionRefused) and result.refusal.extra.get("split"):
        return False
    return result.status not in (LINE_CLOSED if report.subject == "line" else SERVICE_ORDER_CLOSED)


def _verdict(entry: _Work, at: datetime) -> Verdict:
    stored, sent_at = entry.stored, entry.reading.sent_at
    facts = tuple(_shown(result) for result in entry.outcomes)
    problems = tuple(
        problem(result.refusal.code, result.refusal.detail, result.refusal.extra, place)
        for place, result in enumerate(entry.outcomes)
        if result is not None and result.refusal is not None
    )
    if not problems:
        return Verdict(MessageStatus.ACCEPTED.value, facts=facts, sent_at=sent_at)
    cause = problems[0]["code"]
    age = at - stored.received_at
    decisions = [name for name in entry.waits_for if name.startswith("code:")]
    if decisions:
        return Verdict(MessageStatus.PARKED.value, cause, problems, facts, decisions[0], sent_at=sent_at)
    if entry.waits_for and age < timedelta(hours=stored.sender.waits_for_hours):
        due_at = at + min(max(age / 4, SOONEST), LATEST)
        return Verdict(MessageStatus.PARKED.value, cause, problems, facts, entry.waits_for[0], due_at, sent_at)
    return Verdict(MessageStatus.REJECTED.value, cause, problems, facts, sent_at=sent_at)


def _open_cases(entries: Sequence[_Work], verdicts: Mapping[UUID, Verdict], at: datetime) -> None:
    """Open a case for each status that was waited for and never came to fit: a person looks at both sides."""
    never_fit = [
        (report, result)
        for entry in entries
        if entry.waits_for and verdicts[entry.stored.id].status == MessageStatus.REJECTED
        for place, report in entry.reports.items()
        if (result := entry.outcomes[place]) is not None and _may_fit_later(report, result)
    ]
    if never_fit:
        sender = entries[0].stored.sender
        reporting.open_cases(never_fit, by=sender.actor, source=sender.code, at=at)


def _shown(result: Result | None) -> dict[str, Any]:
    assert result is not None, "every fact has an outcome"
    return {
        "outcome": result.outcome,
        "reference": result.reference,
        "status": result.status,
        "version": result.version,
    }
