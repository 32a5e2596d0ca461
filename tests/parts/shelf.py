"""A shelf to try things on: one part in one warehouse, and the few words that tests of stock need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from parts.actions.reserving import Hold, reserve
from parts.actions.stock import correct_stock
from parts.actors import Actor
from parts.keys import new_key
from parts.models import Part, StockLevel, Warehouse
from parts.rules import Balance
from parts.signals import FreedStock
from tests.factories.parts import PartFactory, WarehouseFactory

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
OURSELVES = Actor.system("test")
NOBODY = Actor(reference="user:1", permissions=frozenset(), user_id=None)
#: What every action is told besides its own business.
TOLD: dict[str, Any] = {"by": OURSELVES, "source": "test", "at": NOW}


def only(*permissions: str) -> Actor:
    """Return a person who holds just these permissions."""
    return Actor(reference="user:2", permissions=frozenset(permissions))


def d(value: int | str) -> Decimal:
    """Return a quantity."""
    return Decimal(value)


@dataclass
class Shelf:
    """A part in a warehouse; other parts and warehouses can be named where a test needs them."""

    part: Part = field(default_factory=PartFactory.create)
    warehouse: Warehouse = field(default_factory=WarehouseFactory.create)

    def put(
        self, quantity: int | str, *, unfit: int = 0, part: Part | None = None, at: Warehouse | None = None
    ) -> None:
        """Put stock onto the shelf."""
        correct_stock(
            part_id=(part or self.part).pk,
            warehouse_id=(at or self.warehouse).pk,
            on_hand_change=d(quantity),
            unfit_change=d(unfit),
            reason="opening",
            **TOLD,
        )

    def hold(
        self,
        quantity: int | str,
        *,
        part: Part | None = None,
        strength: str = "hard",
        expires_at: datetime | None = None,
    ) -> UUID:
        """Reserve some of it for a new demand, and return that demand's key."""
        hold = Hold.new(
            level_id=self.level(part).pk,
            demand_id=new_key(),
            quantity=d(quantity),
            purpose="service",
            strength=strength,
            expires_at=expires_at,
        )
        with transaction.atomic():
            reserve(holds=[hold], **TOLD)
        return hold.demand_id

    def level(self, part: Part | None = None, at: Warehouse | None = None) -> StockLevel:
        """Read the level as it is now."""
        return StockLevel.objects.get(part=part or self.part, warehouse=at or self.warehouse)

    def balance(self, part: Part | None = None, at: Warehouse | None = None) -> Balance:
        """Read what is on hand, reserved and unfit now."""
        level = self.level(part, at)
        return Balance(level.on_hand, level.reserved, level.unfit)

    def many(self, count: int, quantity: int = 10) -> list[Part]:
        """Return new parts, each with stock in the warehouse."""
        parts: list[Part] = PartFactory.create_batch(count)
        for part in parts:
            self.put(quantity, part=part)
        return parts


def balance(on_hand: int | str, reserved: int | str = 0, unfit: int | str = 0) -> Balance:
    """Return a balance to compare with."""
    return Balance(d(on_hand), d(reserved), d(unfit))


def statements() -> CaptureQueriesContext:
    """Record the statements that are sent."""
    return CaptureQueriesContext(connection)


@dataclass
class Ear:
    """Hears both signals of the ground floor, and can be told to fail as a receiver on a higher floor might."""

    freed: list[FreedStock] = field(default_factory=list)
    changed: list[UUID] = field(default_factory=list)
    fails: bool = False

    def hear_freed(self, sender: object, freed: Sequence[FreedStock], **_: object) -> None:
        self._fail_if_told()
        self.freed.extend(freed)

    def hear_changed(self, sender: object, part_ids: Sequence[UUID], **_: object) -> None:
        self._fail_if_told()
        self.changed.extend(part_ids)

    def _fail_if_told(self) -> None:
        if self.fails:
            raise ReceiverFailed


class ReceiverFailed(Exception):
    """A higher floor could not do its part."""
