"""A technician's van: whose it is, what the books say lies in it, and when it was counted last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import F, Q, QuerySet

from parts.models import Part, PartNumber, StockCount, StockCountLine, StockLevel, Warehouse

#: How many levels a page shows.
MOST_LEVELS = 500


@dataclass(frozen=True, slots=True)
class LastCount:
    """When a van was counted last, of how many parts the count differed, and of how many the books still differ."""

    counted_at: datetime
    differences: int
    open: int


def van_of(person_id: int) -> Warehouse | None:
    """Return the van of a technician, None where they have none."""
    return Warehouse.objects.select_related("region").filter(technician=person_id).first()


def levels_in(van: Warehouse) -> QuerySet[StockLevel]:
    """Return what the books say lies in a van, by part number. Empty levels are left out."""
    levels = StockLevel.objects.filter(warehouse=van).filter(Q(on_hand__gt=0) | Q(reserved__gt=0))
    return levels.select_related("part__unit").order_by("part__number", "condition", "owner", "id")


def last_count_of(van: Warehouse) -> LastCount | None:
    """Return the last count of a van, None where there was none. Two queries."""
    count = StockCount.objects.filter(warehouse=van).order_by("-counted_at", "-id").first()
    if count is None:
        return None
    lines = StockCountLine.objects.filter(count=count).exclude(counted=F("expected"))
    corrected = list(lines.values_list("correction_id", flat=True))
    return LastCount(count.counted_at, len(corrected), sum(1 for key in corrected if key is None))


def part_by_code(code: str) -> UUID | None:
    """Return the part that goes by a number in any system; None where none does, or more than one."""
    found = set(Part.objects.filter(number__key_is=code).values_list("pk", flat=True))
    if not found:
        found = set(PartNumber.objects.filter(number__key_is=code).values_list("part_id", flat=True))
    return found.pop() if len(found) == 1 else None
