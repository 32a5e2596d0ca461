"""What suppliers answer and send: the expected days of our purchase orders follow, and back orders that count on them.

Only the expected day moves; what was promised to anybody stays. What a supplier will not deliver is taken off the
order, and a case is opened: somebody has to find another source.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from integrations.actions.cases import Contradiction, open_by_rule
from integrations.code_book import CodeBook, CodeWaits
from integrations.effects.task import Task
from integrations.facts import Subject, SupplyDated, SupplyShipped
from integrations.senders import Sender
from integrations.statuses import CodeSubject, DiscrepancyKind, Effect, SupplyAnswer
from integrations.subjects import look_up
from orders.actions.reporting import Result
from parts.actions.supply import Answer, Answered, take_answers
from parts.errors import Forbidden, Invalid, NotOnOrder, Refused
from parts.sentences import Sentence, sentence


@dataclass(frozen=True, slots=True)
class _Given:
    """An answer, and the task that it is part of."""

    task: Task[Any]
    answer: Answer


def date(tasks: Sequence[Task[SupplyDated]], sender: Sender, at: datetime) -> None:
    """Let each answer move the expected day of its line, in the order in which they were given."""
    book = CodeBook(sender.system_id, {code for task in tasks for code in task.fact.codes})
    keys = look_up((task.fact.line for task in tasks), sender)
    given = [_Given(task, answer) for task in tasks if (answer := _answer(task, book, keys)) is not None]
    _take(given, sender, at)


def send(tasks: Sequence[Task[SupplyShipped]], sender: Sender, at: datetime) -> None:
    """Let what a supplier has sent arrive on the day that it names."""
    keys = look_up((item.line for task in tasks for item in task.fact.items), sender)
    _take([_Given(task, answer) for task in tasks for answer in _sent(task, keys)], sender, at)


def _answer(task: Task[SupplyDated], book: CodeBook, keys: Mapping[Subject, UUID]) -> Answer | None:
    """Turn a fact into an answer, or note what it waits for, or that it only tells."""
    fact, said = task.fact, task.fact.answer
    if fact.codes:
        try:
            meaning = book.meaning(fact.codes, fact.occurred_at.date())
        except CodeWaits as refusal:
            task.refuse(refusal, refusal.waits_for)
            return None
        if meaning.effect == Effect.INFORMATION:
            task.results.append(Result("noted"))
            return None
        if meaning.subject != CodeSubject.PURCHASE_ORDER_LINE:
            task.refuse(Refused(sentence("This code is not about purchase orders.")))
            return None
        said = meaning.status or SupplyAnswer.CHANGED.value
        if said == SupplyAnswer.CHANGED and not fact.schedule:
            task.results.append(Result("noted"))  # otherwise than ordered, and no word of when: no day is confirmed
            return None
    if said and said not in SupplyAnswer.values:
        task.refuse(
            Invalid(
                sentence("There is no such answer."),
                {"answer": [sentence("Must be one of {allowed}.", allowed=list(SupplyAnswer.values))]},
            )
        )
        return None
    key = keys.get(fact.line)
    if key is None:
        task.is_missing(fact.line)
        return None
    schedule = tuple((each.expected_on, each.quantity) for each in fact.schedule)
    return Answer(key, fact.occurred_at, schedule, rejected=said == SupplyAnswer.REJECTED)


def _sent(task: Task[SupplyShipped], keys: Mapping[Subject, UUID]) -> Iterator[Answer]:
    fact = task.fact
    for item in fact.items:
        key = keys.get(item.line)
        if key is None:
            task.is_missing(item.line)
        elif fact.arrives_on is None:
            task.results.append(Result("noted", reference=item.line.value))
        else:
            yield Answer(key, fact.occurred_at, ((fact.arrives_on, item.quantity),))


def _take(given: Sequence[_Given], sender: Sender, at: datetime) -> None:
    try:
        answers = [each.answer for each in given]
        results = take_answers(answers=answers, by=sender.actor, source=sender.code, at=at)
    except Forbidden as refusal:
        for each in given:
            each.task.refuse(refusal)
        return
    found = []
    for each, result in zip(given, results, strict=True):
        if isinstance(result, Refused):
            each.task.results.append(Result("refused", refusal=result))
        else:
            reference = f"{result.number}/{result.position}"
            each.task.results.append(Result(result.outcome, status=_stands(result), reference=reference))
        if sides := _sides(result, sender.code):
            found.append(_case(each.answer, sides, sender.code))
    open_by_rule(found=found, by=sender.actor, source=sender.code, at=at)


def _stands(answered: Answered) -> str:
    return answered.expected_on.isoformat() if answered.expected_on else ""


def _sides(result: Answered | Refused, source: str) -> tuple[Sentence, Sentence] | None:
    """Return what we had and what the supplier says, where somebody has to look at both; None where nobody has to."""
    if isinstance(result, NotOnOrder):
        return sentence("Nothing is to come of it"), sentence("It comes, reported by {system}", system=source)
    if isinstance(result, Answered) and result.taken_back:
        return (
            sentence("{quantity} to come", quantity=result.taken_back.normalize()),
            sentence("Will not be delivered, reported by {system}", system=source),
        )
    return None


def _case(answer: Answer, sides: tuple[Sentence, Sentence], source: str) -> Contradiction:
    said = f"{source}\n{answer.line_id}\n{answer.rejected}\n{answer.answered_at}"
    return Contradiction(
        DiscrepancyKind.MESSAGE_STATUS.value,
        expected=sides[0],
        found=sides[1],
        about={"purchase_order_line_id": answer.line_id},
        cause=("message_key", hashlib.sha256(said.encode()).hexdigest()),
    )
