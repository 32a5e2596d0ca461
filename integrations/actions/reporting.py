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
from orders.errors import TransitionRefused, word_of
from orders.statuses import LINE_CLOSED, SERVICE_ORDER_CLOSED
from parts.actors import Actor
from parts.sentences import sentence


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
    found = [
        Contradiction(
            DiscrepancyKind.MESSAGE_STATUS.value,
            expected=sentence("{status}", status=word_of(result.status)),
            found=sentence("{status}, reported by {system}", status=word_of(report.status), system=source),
            about={f"{report.subject}_id": report.id},
            cause=("message_key", _key(report, result, source)),
        )
        for report, result in pairs
    ]
    return open_by_rule(found=found, by=by, source=source, at=at)


def _contradicts(report: Report, result: Result) -> bool:
    if not isinstance(result.refusal, TransitionRefused) or report.status == result.status:
        return False
    return result.status in (LINE_CLOSED if report.subject == "line" else SERVICE_ORDER_CLOSED)


def _key(report: Report, result: Result, source: str) -> str:
    """Return what makes the same contradiction the same: who says what about what, against which end of it."""
    return hashlib.sha256(f"{source}\n{report.id}\n{report.status}\n{result.status}".encode()).hexdigest()
