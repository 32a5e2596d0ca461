"""The whole history of one subject of the ledger, and how much of it is anchored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from orders.models import LedgerAnchor, OrderEvent

#: How many events of a chain a page holds.
PAGE = 100


@dataclass(frozen=True, slots=True)
class Anchored:
    """The newest anchor that covers a chain, and up to which version."""

    day: date
    version: int


def chain(subject_id: UUID, *, before: int | None = None, size: int = PAGE) -> tuple[list[OrderEvent], int | None]:
    """Return a page of a chain, the latest first, and where the next page begins (None: nowhere). One statement."""
    rows = OrderEvent.objects.filter(subject_id=subject_id)
    if before is not None:
        rows = rows.filter(version__lt=before)
    found = list(rows.select_related("text").order_by("-version")[: size + 1])
    return found[:size], found[size - 1].version if len(found) > size else None


def anchored_until(subject_id: UUID) -> Anchored | None:
    """Return the newest anchor, and the last version of this chain that it covers; None where none does."""
    anchor = LedgerAnchor.objects.order_by("-day").first()
    if anchor is None:
        return None
    covered = OrderEvent.objects.filter(subject_id=subject_id, transaction_id__lt=anchor.horizon)
    version = covered.order_by("-version").values_list("version", flat=True).first()
    return Anchored(anchor.day, version) if version else None
