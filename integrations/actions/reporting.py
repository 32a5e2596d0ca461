"""Take in what other systems report, and open a case where a message contradicts a status that is final."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from integrations.actions.cases import Contradiction, open_by_rule
from integrations.statuses import DiscrepancyKind
from orders.actions import reporting
from orders.actions.reporting import Report, Result
from orders.errors import SerialGone, ShippedTooMuch, TransitionRefused, word_of
from orders.statuses import LINE_CLOSED, SERVICE_ORDER_CLOSED
from parts.actors import Actor
from parts.errors import Refused
from parts.sentences import Sentence, sentence


def report_many(*, reports: Sequence[Report], by: Actor, source: str, at: datetime) -> list[Result]:
    """Do what `orders.actions.reporting.report_many` does; where a report is refused because its subject has ended
    otherwise, there is a case: one for the same contradiction, however often and under whatever name it is sent. The
    answers are the same, and the number of statements does not depend on how many reports there are. Raises so."""
    with transaction.atomic(savepoint=False):  # what breaks here breaks the whole
        results = reporting.report_many(reports=reports, by=by, source=source, at=at)
        pairs = zip(reports, results, strict=True)
        open_cases([pair for pair in pairs if _contradicts(*pair)], by=by, source=source, at=at)
    return results


def open_cases(pairs: Sequence[tuple[Report, Result]], *, by: Actor, source: str, at: datetime) -> int:
    """Open a case for each report that contradicts what its result says, where there is none yet; return how many."""
    found = [contradiction(report, result, source) for report, result in pairs]
    return open_by_rule(found=found, by=by, source=source, at=at)


def contradiction(report: Report, result: Result, source: str) -> Contradiction:
    """Return the case of a report that contradicts where its subject stands by its result."""
    expected, found = _sides(report, result, source)
    return Contradiction(
        DiscrepancyKind.MESSAGE_STATUS.value,
        expected=expected,
        found=found,
        about={f"{report.subject}_id": report.id},
        cause=("message_key", _key(report, result, source)),
    )


def may_fit_later(report: Report, result: Result) -> bool:
    """Tell whether a status that was refused may be reached once other news are in: what ended does not come back."""
    refusal = result.refusal
    if not isinstance(refusal, Refused) or "current" not in refusal.extra or isinstance(refusal, ShippedTooMuch):
        return False
    if isinstance(refusal, TransitionRefused) and refusal.extra.get("split"):
        return False
    return result.status not in (LINE_CLOSED if report.subject == "line" else SERVICE_ORDER_CLOSED)


def _sides(report: Report, result: Result, source: str) -> tuple[Sentence, Sentence]:
    """Return what we have and what the report says, in the words of what they differ in."""
    refusal = result.refusal
    if isinstance(refusal, ShippedTooMuch):
        return (
            sentence("{quantity} still to leave", quantity=refusal.there),
            sentence("{quantity} left, reported by {system}", quantity=refusal.reported, system=source),
        )
    if isinstance(refusal, SerialGone):
        return (
            sentence("{serials} left before", serials=list(refusal.extra["serials"])),
            sentence("left again, reported by {system}", system=source),
        )
    if _is_said_complete(report, result) and result.behind is not None:
        return (
            sentence("{quantity} still to leave", quantity=result.behind.normalize()),
            sentence("all has left, reported by {system}", system=source),
        )
    return (
        sentence("{status}", status=word_of(result.status)),
        sentence("{status}, reported by {system}", status=word_of(report.status), system=source),
    )


def _is_said_complete(report: Report, result: Result) -> bool:
    return bool(report.departure and report.departure.is_complete and result.behind)


def _contradicts(report: Report, result: Result) -> bool:
    if isinstance(result.refusal, ShippedTooMuch | SerialGone) or _is_said_complete(report, result):
        return True
    if not isinstance(result.refusal, TransitionRefused) or report.status == result.status:
        return False
    return result.status in (LINE_CLOSED if report.subject == "line" else SERVICE_ORDER_CLOSED)


def _key(report: Report, result: Result, source: str) -> str:
    """Return what makes the same contradiction the same: who says what about what, against which end of it."""
    said = f"{source}\n{report.id}\n{report.status}\n{result.status}"
    if report.departure is not None:
        said += f"\n{report.departure.quantity}\n{report.departure.is_complete}\n{report.message_id}"
    return hashlib.sha256(said.encode()).hexdigest()
