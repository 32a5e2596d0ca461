"""Facts that go up from floor 1 inside the transaction; a receiver that fails rolls all of it back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.dispatch import Signal


@dataclass(frozen=True, slots=True)
class Shortage:
    """A child line that waits for stock we do not have, with what its place in the queue is made from.

    `downtime_cost` is per hour in the region's currency, `quantity` in the part's unit. `is_new` tells that the line
    was born short; otherwise it may have waited before, and its old back order is opened again.
    """

    line_id: UUID
    reference: str
    part_id: UUID
    criticality: str
    quantity: Decimal
    minimum_fill: Decimal
    customer_id: UUID | None
    tier: str
    order_kind: str
    downtime_cost: Decimal
    contract_points: Decimal
    requested_on: date
    excluded_warehouse_id: UUID | None
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Opened:
    """The answer of the queue to a shortage. `expected_on` is None where no supply is ordered for it."""

    line_id: UUID
    back_order_id: UUID
    reference: str
    expected_on: date | None


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A line (or a part of its quantity) that waits no more, or does not need what it was given.

    `quantity` is what is still wanted: 0 when the whole line was cancelled. `outcome` is `cancelled`, `fulfilled`
    (shipped), `substituted` (another part goes instead), `allocated` (stock was found for it by hand) or `reduced` (a
    part went its own way: the line waits for less, or holds less).
    """

    line_id: UUID
    quantity: Decimal
    outcome: str


#: Sent with `shortages: list[Shortage]`, `cause: orders.ledger.Cause`; answered with `list[Opened]`. With `serve=True`,
#: what is free of these parts is given out afterwards; without, it is the sender's to take.
line_short = Signal()

#: Sent with `withdrawals: list[Withdrawn]`, `cause`.
line_withdrawn = Signal()
