"""How clear the wordings are: by version, how many went out, were opened and were called clear, and what was said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q, QuerySet

from notifications.models import Feedback, Notice

#: How far back it looks: what nobody answered for so long is not answered any more.
SPAN = timedelta(days=90)
COMMENTS = 30


@dataclass(frozen=True, slots=True)
class Clarity:
    """One version of a wording. Shares are of 0 to 1; None where nothing was opened, or nobody answered.

    `opened` counts what its channel tells of: of an email nobody knows whether it was read.
    """

    code: str
    name: str
    language: str
    number: int
    sent: int
    opened: int
    clear: int
    unclear: int

    @property
    def clear_share(self) -> float | None:
        """The share of the answers that call it clear."""
        answers = self.clear + self.unclear
        return self.clear / answers if answers else None

    @property
    def opened_share(self) -> float:
        """The share that is known to have been opened."""
        return self.opened / self.sent


def by_version(at: datetime) -> list[Clarity]:
    """Return how clear each version was that went out lately, the least clear first. One statement."""
    rows = (
        Notice.objects.filter(handed_over_at__gte=at - SPAN, template_version__isnull=False)
        .values_list(
            "template_version__template__code",
            "template_version__template__name",
            "template_version__language",
            "template_version__number",
        )
        .annotate(
            sent=Count("id"),
            opened=Count("opened_at"),
            clear=Count("feedback", filter=Q(feedback__is_clear=True)),
            unclear=Count("feedback", filter=Q(feedback__is_clear=False)),
        )
        .order_by()
    )
    found = [Clarity(*row) for row in rows]
    return sorted(found, key=lambda one: (2.0 if one.clear_share is None else one.clear_share, one.code, one.language))


def comments() -> QuerySet[Feedback]:
    """Return what readers wrote, the latest first."""
    rows = Feedback.objects.exclude(comment="").select_related("notice__template_version__template")
    return rows.order_by("-answered_at", "-id")[:COMMENTS]
