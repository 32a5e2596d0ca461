"""Lines and jobs reach statuses, as their sender's words or codes say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from integrations.actions import reporting
from integrations.code_book import CodeBook, CodeWaits
from integrations.effects.task import Task
from integrations.facts import StatusReached, Subject
from integrations.senders import Sender
from integrations.statuses import Effect
from integrations.subjects import look_up
from orders.actions.reporting import MOST_REPORTS, Report, Result


def reach(tasks: Sequence[Task[StatusReached]], sender: Sender, at: datetime) -> None:
    """Let each report on its subject, in the order in which things happened."""
    book = CodeBook(sender.system_id, {code for task in tasks for code in task.fact.codes})
    keys = look_up((task.fact.subject for task in tasks), sender)
    waiting = [(task, report) for task in tasks if (report := _report(task, book, keys)) is not None]
    for first in range(0, len(waiting), MOST_REPORTS):
        some = waiting[first : first + MOST_REPORTS]
        results = reporting.report_many(
            reports=[report for _task, report in some], by=sender.actor, source=sender.code, at=at
        )
        for (task, report), result in zip(some, results, strict=True):
            task.results.append(result)
            if reporting.may_fit_later(report, result):
                task.waits_for.append(f"{report.subject}:{report.id}")
                task.contradiction = reporting.contradiction(report, result, sender.code)


def _report(task: Task[StatusReached], book: CodeBook, keys: Mapping[Subject, UUID]) -> Report | None:
    """Turn a fact into a report to our own flow, or note what it waits for, or that it only tells."""
    fact = task.fact
    status = fact.status
    if fact.codes:
        try:
            meaning = book.meaning(fact.codes, fact.occurred_at.date())
        except CodeWaits as refusal:
            task.refuse(refusal, refusal.waits_for)
            return None
        if meaning.effect == Effect.INFORMATION:
            task.results.append(Result("noted"))
            return None
        status = meaning.status
    key = keys.get(fact.subject)
    if key is None:
        task.is_missing(fact.subject)
        return None
    return Report(
        subject=fact.subject.kind,
        id=key,
        status=status,
        occurred_at=fact.occurred_at,
        message_id=task.message_id,
        note=fact.note,
        public=fact.is_public,
    )
