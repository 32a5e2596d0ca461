"""What the queue does when a lower floor tells it a fact, inside that floor's transaction."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.dispatch import receiver

from backorders.actions import allocating, opening, pegging
from orders.ledger import Cause
from orders.signals import Opened, Shortage, Withdrawn, line_short, line_withdrawn
from parts.actors import Actor
from parts.signals import FreedStock, stock_freed, supply_changed


@receiver(line_short, dispatch_uid="backorders.open")
def open_back_orders(
    sender: object, shortages: list[Shortage], cause: Cause, serve: bool, **_rest: Any
) -> list[Opened]:
    opened = opening.open_for(shortages, cause)
    if serve:
        part_ids = [shortage.part_id for shortage in shortages]
        allocating.allocate(part_ids=part_ids, freed=(), cause=cause.for_others(), why="line_short")
    return opened


@receiver(line_withdrawn, dispatch_uid="backorders.withdraw")
def withdraw_back_orders(sender: object, withdrawals: list[Withdrawn], cause: Cause, **_rest: Any) -> None:
    part_ids = opening.withdraw(withdrawals, cause)
    if part_ids:
        allocating.allocate(part_ids=part_ids, freed=(), cause=cause.for_others(), why="back_order_reduced")


@receiver(stock_freed, dispatch_uid="backorders.allocate")
def allocate_freed_stock(
    sender: object, freed: list[FreedStock], by: Actor, source: str, at: datetime, **_rest: Any
) -> allocating.Allocated:
    return allocating.allocate(
        part_ids=[item.part_id for item in freed],
        freed=freed,
        cause=Cause(by=by, source=source, at=at),
        why=freed[0].cause if freed else "",
    )


@receiver(supply_changed, dispatch_uid="backorders.repeg")
def repeg_changed_parts(sender: object, part_ids: list[UUID], at: datetime, **_rest: Any) -> None:
    pegging.repeg(part_ids=part_ids, today=at.astimezone(UTC).date())
