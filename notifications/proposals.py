"""What was said of the words for statuses: a page of proposals, and which statuses are complained of most and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count

from notifications.models import WordProposal
from notifications.statuses import ProposalState
from orders import wording
from parts.sentences import Says

#: How far back is counted.
SPAN = timedelta(days=365)
PAGE = 50


@dataclass(slots=True)
class Complaints:
    """How often a status was said not to say what is happening: by what became of it, and by root cause."""

    subject: str
    status: str
    states: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    causes: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def label(self) -> Says:
        """What the house calls the status."""
        return wording.label_of(self.subject, self.status)

    @property
    def code(self) -> str:
        """What names the status in addresses."""
        return f"{self.subject}-{self.status}"

    @property
    def total(self) -> int:
        """How many in all."""
        return sum(self.states.values())

    @property
    def open(self) -> int:
        """How many wait for an answer."""
        return self.states.get(ProposalState.OPEN.value, 0)

    @property
    def by_cause(self) -> list[tuple[str, int]]:
        """The root causes, the most frequent first."""
        return sorted(self.causes.items(), key=lambda one: (-one[1], one[0]))


def by_status(at: datetime) -> list[Complaints]:
    """Return which statuses were complained of lately, the most first. One statement."""
    rows = (
        WordProposal.objects.filter(proposed_at__gt=at - SPAN)
        .order_by()
        .values_list("subject", "status", "cause__name", "state")
        .annotate(count=Count("id"))
    )
    found: dict[tuple[str, str], Complaints] = {}
    for subject, status, cause, state, count in rows:
        one = found.setdefault((subject, status), Complaints(subject, status))
        one.states[state] += count
        one.causes[cause] += count
    return sorted(found.values(), key=lambda one: (-one.total, one.subject, one.status))


def by_cause(complaints: Sequence[Complaints]) -> list[tuple[str, int]]:
    """Return how often each root cause was named, the most frequent first."""
    total: dict[str, int] = defaultdict(int)
    for one in complaints:
        for cause, count in one.causes.items():
            total[cause] += count
    return sorted(total.items(), key=lambda one: (-one[1], one[0]))


def page(state: str, code: str, before: str) -> tuple[list[WordProposal], str]:
    """Return a page of proposals, the latest first, and what the next one begins before; empty for the last.

    `state` and `code` (of a status) narrow it where they are known. One statement.
    """
    rows: Any = WordProposal.objects.select_related("cause", "proposed_by", "service_order", "parts_order")
    if state in ProposalState.values:
        rows = rows.filter(state=state)
    subject, _hyphen, status = code.partition("-")
    if status:
        rows = rows.filter(subject=subject, status=status)
    with suppress(ValueError):  # of an address that somebody typed
        rows = rows.filter(pk__lt=UUID(before)) if before else rows
    found = list(rows.order_by("-id")[: PAGE + 1])
    return found[:PAGE], str(found[PAGE - 1].pk) if len(found) > PAGE else ""
