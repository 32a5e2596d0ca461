"""How a delivered quantity is shared out over the purchase order lines that wait for it: a pure decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from parts.rules import ZERO


@dataclass(slots=True)
class WaitingLine:
    """A purchase order line as read under its lock; `open_quantity` goes down as a delivery is shared out."""

    id: UUID
    part_id: UUID
    purchase_order_id: UUID
    supplier_id: UUID
    warehouse_id: UUID
    order_status: str
    ordered_at: datetime
    position: int
    open_quantity: Decimal


@dataclass(frozen=True, slots=True)
class Share:
    """What of a delivered quantity goes to one purchase order line, or (line None) to none.

    `open_before` is what the line still waited for; None where there is no line.
    """

    line: WaitingLine | None
    quantity: Decimal
    unfit: Decimal
    open_before: Decimal | None


def share_out(
    quantity: Decimal, unfit: Decimal, *, named: WaitingLine | None, waiting: Sequence[WaitingLine]
) -> list[Share]:
    """Share a delivered quantity out and take it off the lines' open quantities.

    A named line takes all of it, however much it waited for. Otherwise the waiting lines are filled oldest first, and
    what is left over goes to none. The oldest get the fit units, the damaged ones come last.
    """
    if named is not None:
        share = Share(named, quantity, unfit, named.open_quantity)
        named.open_quantity = max(ZERO, named.open_quantity - quantity)
        return [share]
    shares = []
    fit = quantity - unfit
    for line in sorted(waiting, key=lambda line: (line.ordered_at, line.purchase_order_id, line.position)):
        taken = min(quantity, line.open_quantity)
        if taken > 0:
            bad = max(ZERO, taken - fit)
            shares.append(Share(line, taken, bad, line.open_quantity))
            line.open_quantity -= taken
            quantity, fit = quantity - taken, fit - (taken - bad)
    if quantity > 0:
        shares.append(Share(None, quantity, quantity - fit, None))
    return shares
