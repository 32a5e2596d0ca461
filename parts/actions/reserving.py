"""Lock what is there, and hold it for a demand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from parts import sql_reserve, statements
from parts.actors import Actor
from parts.documents import as_text
from parts.keys import new_key


@dataclass(frozen=True, slots=True)
class LevelRow:
    """An allocatable stock level as it stands under its lock, with what sourcing must know of its place.

    `available` and `soft` are in the part's unit; `soft` is what softer demand holds and service demand may take back.
    """

    id: UUID
    part_id: UUID
    warehouse_id: UUID
    condition: str
    available: Decimal
    region_id: UUID
    latitude: float | None
    longitude: float | None
    cut_off: time | None
    time_zone: str
    soft: Decimal


@dataclass(frozen=True, slots=True)
class Hold:
    """A quantity of a level to be held for a demand (an order line, by its key)."""

    level_id: UUID
    demand_id: UUID
    quantity: Decimal
    purpose: str
    strength: str
    expires_at: datetime | None
    reservation_id: UUID
    movement_id: UUID

    @classmethod
    def new(
        cls,
        *,
        level_id: UUID,
        demand_id: UUID,
        quantity: Decimal,
        purpose: str,
        strength: str = "hard",
        expires_at: datetime | None = None,
    ) -> Hold:
        """Return a hold with fresh keys for its reservation and its movement."""
        return cls(level_id, demand_id, quantity, purpose, strength, expires_at, new_key(), new_key())


def lock_levels(*, part_ids: Sequence[UUID]) -> list[LevelRow]:
    """Lock every level of these parts, in key order, and return those from which they may be promised.

    Must run inside a transaction, before any order is locked. One statement.
    """
    with connection.cursor() as cursor:
        cursor.execute(sql_reserve.LOCK_LEVELS, {"part_ids": list(part_ids)})
        return [LevelRow(*row) for row in cursor.fetchall()]


def soft_holders(*, part_ids: Sequence[UUID], besides: UUID | None = None) -> list[tuple[UUID, UUID, Decimal]]:
    """Return (demand, part, quantity) of every soft reservation of these parts, the newest first.

    `besides` names a warehouse whose stock is of no use here. The levels are locked by the caller, so that the answer
    stays true.
    """
    with connection.cursor() as cursor:
        cursor.execute(sql_reserve.SOFT_HOLDERS, {"part_ids": list(part_ids), "besides": besides})
        return list(cursor.fetchall())


def reserve_parameters(holds: Sequence[Hold], *, by: Actor, source: str, at: datetime) -> dict[str, Any]:
    """Return the parameters of sql_reserve.RESERVE for some holds."""
    return {
        "reservations": as_text(
            [
                {
                    "id": hold.reservation_id,
                    "movement_id": hold.movement_id,
                    "level_id": hold.level_id,
                    "demand_id": hold.demand_id,
                    "quantity": str(hold.quantity),
                    "purpose": hold.purpose,
                    "strength": hold.strength,
                    "expires_at": hold.expires_at.isoformat() if hold.expires_at else None,
                }
                for hold in holds
            ]
        ),
        "at": at,
        "recorded_at": datetime.now(UTC),
        "actor": by.reference,
        "source": source,
    }


def reserve(*, holds: Sequence[Hold], by: Actor, source: str, at: datetime) -> None:
    """Hold stock for demands whose rows exist. The caller has locked the levels and read that they hold enough.

    Runs inside the caller's transaction; one statement. Raises IntegrityError (`stock_level_nothing_promised_twice`)
    if a level does not hold enough after all, and (`reservation_one_live_per_demand`) for a demand that holds already.
    """
    if not holds:
        return
    statements.write(
        sql_reserve.RESERVE_ALONE,
        reserve_parameters(holds, by=by, source=source, at=at),
        expected=(len({hold.level_id for hold in holds}),),
        otherwise=LookupError("A stock level was gone that the caller had locked."),
    )
