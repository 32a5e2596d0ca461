"""Count a van, and open a case for each part of which something else was found than the books said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from integrations.actions.cases import Contradiction, open_by_rule
from integrations.statuses import DiscrepancyKind
from parts.actions import stock
from parts.actions.stock import Found
from parts.actors import Actor
from parts.models import StockCount
from parts.sentences import sentence


def count_van(
    *,
    warehouse_id: UUID,
    found: Sequence[Found],
    by: Actor,
    source: str,
    at: datetime,
    note: str = "",
    despite_changes: bool = False,
) -> StockCount:
    """Do what `parts.actions.stock.count_van` does, with a case per difference, all in one transaction. Raises so."""
    with transaction.atomic():
        count = stock.count_van(
            warehouse_id=warehouse_id,
            found=found,
            by=by,
            source=source,
            at=at,
            note=note,
            despite_changes=despite_changes,
        )
        differences = [
            Contradiction(
                DiscrepancyKind.COUNT_LEVEL.value,
                expected=sentence("{quantity} in the books", quantity=line.expected.normalize()),
                found=sentence("{quantity} counted", quantity=line.counted.normalize()),
                about={"level_id": line.level_id},
                cause=("count_line_id", line.pk),
            )
            for line in count.lines.all()
            if line.difference
        ]
        open_by_rule(found=differences, by=by, source=source, at=at)
    return count
