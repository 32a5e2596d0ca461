"""How stock is held for a line, whoever holds it: firmly for service, for some days only for our own warehouses."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from parts.actions.reserving import Hold
from parts.statuses import Purpose

#: How long stock is kept for soft demand (internal transfers, replenishment) that nobody picks.
SOFT_FOR = timedelta(days=7)
SOFT_KINDS = (Purpose.TRANSFER.value, Purpose.STOCK.value)


def hold_for(kind: str, *, line_id: UUID, level_id: UUID, quantity: Decimal, at: datetime) -> Hold:
    """Return the hold of a line of an order of this kind: soft ones lapse, and service demand may take them back."""
    soft = kind in SOFT_KINDS
    return Hold.new(
        level_id=level_id,
        demand_id=line_id,
        quantity=quantity,
        purpose=kind,
        strength="soft" if soft else "hard",
        expires_at=at + SOFT_FOR if soft else None,
    )
