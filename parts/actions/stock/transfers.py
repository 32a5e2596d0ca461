"""Move stock between warehouses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from parts import sql
from parts.actions.announcing import announce_freed
from parts.actions.stock.levels import lock_levels_by_key, read_facts
from parts.actors import Actor
from parts.errors import NotEnoughStock
from parts.keys import new_key
from parts.models.stock import OWN
from parts.rules import LevelKey, Problems, quantity_problem, text_problem
from parts.sentences import sentence
from parts.signals import FreedStock
from parts.statuses import Condition, MovementKind


@dataclass(frozen=True, slots=True)
class Transferred:
    """A transfer that was made, and the two levels it is between."""

    transfer_id: UUID
    source_level_id: UUID
    destination_level_id: UUID
    quantity: Decimal


def transfer(
    *,
    part_id: UUID,
    from_warehouse_id: UUID,
    to_warehouse_id: UUID,
    quantity: Decimal,
    condition: str = Condition.NEW.value,
    owner: str = OWN,
    reason: str = "",
    by: Actor,
    source: str,
    at: datetime,
) -> Transferred:
    """Move available stock to another warehouse and let whoever waits for it there have it.

    Condition and owner stay; a level that does not exist there is added. Raises Forbidden (`parts.transfer_stock`),
    Invalid, NotFound, and NotEnoughStock where less is available (`extra` has the level's figures).
    """
    by.require("parts.transfer_stock")
    origin = LevelKey(part_id, from_warehouse_id, condition, owner)
    destination = LevelKey(part_id, to_warehouse_id, condition, owner)
    _check(origin, destination, reason, source, at)
    with transaction.atomic():
        facts = read_facts([origin, destination])
        problems = Problems()
        problems.add("quantity", quantity_problem(quantity, facts[origin].decimals))
        problems.raise_if_any()
        levels = lock_levels_by_key(facts)
        taken_from, brought_to = levels[origin], levels[destination]
        if quantity > taken_from.balance.available:
            raise NotEnoughStock(
                sentence("Less than that is available there."),
                on_hand=str(taken_from.balance.on_hand),
                reserved=str(taken_from.balance.reserved),
                unfit=str(taken_from.balance.unfit),
            )
        made = Transferred(new_key(), taken_from.id, brought_to.id, quantity)
        sql.stock.TRANSFER_STOCK.rows(
            document=sql.document(
                levels=[brought_to.as_row()] if brought_to.is_new else [],
                movements=[
                    sql.stock.movement(
                        MovementKind.TRANSFER, level_id, on_hand_change=change, transfer_id=made.transfer_id
                    )
                    for level_id, change in ((taken_from.id, -quantity), (brought_to.id, quantity))
                ],
            ),
            transfer_id=made.transfer_id,
            source_id=taken_from.id,
            destination_id=brought_to.id,
            quantity=quantity,
            reason=reason,
            at=at,
            actor=by.reference,
            source=source,
        )
        freed = [FreedStock(part_id, brought_to.id, quantity, "transfer")]
        announce_freed(transfer, freed, by=by, source=source, at=at)
    return made


def _check(origin: LevelKey, destination: LevelKey, reason: str, source: str, at: datetime) -> None:
    problems = Problems()
    problems.origin(source, at)
    origin.check(problems)
    problems.add("reason", text_problem(reason, 300))
    if origin == destination:
        problems.add("to_warehouse_id", sentence("must be another warehouse"))
    problems.raise_if_any()
