"""Facts that go up from the ground floor inside the transaction; a receiver that fails rolls all of it back."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.dispatch import Signal


@dataclass(frozen=True, slots=True)
class FreedStock:
    """A level whose available quantity grew in this transaction, by whatever cause.

    `delivery_line_id` is given where the cause is one line of a delivery, so that the one who gets the unit can be
    linked to it. The receiver reads what is really free under the lock; `quantity` (units of the part) only says why.
    """

    part_id: UUID
    level_id: UUID
    quantity: Decimal
    cause: str
    delivery_line_id: UUID | None = None


#: Sent with `freed: list[FreedStock]`, `by: Actor`, `source: str`, `at: datetime`. The levels are locked by the sender.
stock_freed = Signal()

#: Sent with `part_ids: list[UUID]`, `by`, `source`, `at` when what is on order, or its dates, changed.
supply_changed = Signal()
