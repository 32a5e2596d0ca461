"""Tell the floors above what has changed, in portions that their statements can bear."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from uuid import UUID

from parts.actors import Actor
from parts.progress import CHUNK
from parts.signals import FreedStock, stock_freed, supply_changed

Sender = Callable[..., object]


def announce_freed(sender: Sender, freed: Sequence[FreedStock], *, by: Actor, source: str, at: datetime) -> None:
    """Send `stock_freed` for levels that the sender has locked and written; nothing is sent where nothing is free."""
    for start in range(0, len(freed), CHUNK):
        stock_freed.send(sender=sender, freed=list(freed[start : start + CHUNK]), by=by, source=source, at=at)


def announce_supply(sender: Sender, part_ids: Collection[UUID], *, by: Actor, source: str, at: datetime) -> None:
    """Send `supply_changed` for each of these parts once."""
    distinct = sorted(set(part_ids))
    for start in range(0, len(distinct), CHUNK):
        supply_changed.send(sender=sender, part_ids=distinct[start : start + CHUNK], by=by, source=source, at=at)
