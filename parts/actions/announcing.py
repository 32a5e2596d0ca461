"""Tell the floors above what has changed: all of it at once.

They lock on hearing it (orders, queues), each kind of lock in one order. Told in portions, they would lock a second
round while they hold the first, and meet one who holds what is in the second and wants what is in the first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from uuid import UUID

from parts.actors import Actor
from parts.signals import FreedStock, stock_freed, supply_changed

Sender = Callable[..., object]


def announce_freed(sender: Sender, freed: Sequence[FreedStock], *, by: Actor, source: str, at: datetime) -> None:
    """Send `stock_freed` for levels that the sender has locked and written; nothing is sent where nothing is free."""
    if freed:
        stock_freed.send(sender=sender, freed=list(freed), by=by, source=source, at=at)


def announce_supply(sender: Sender, part_ids: Collection[UUID], *, by: Actor, source: str, at: datetime) -> None:
    """Send `supply_changed` for these parts; nothing is sent where there are none."""
    if part_ids:
        supply_changed.send(sender=sender, part_ids=sorted(set(part_ids)), by=by, source=source, at=at)
