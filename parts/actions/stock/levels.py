"""Lock the levels an action is about to change, and make room for those that do not exist yet."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from parts import sql
from parts.errors import NotFound
from parts.keys import new_key
from parts.rules import Balance, LevelKey
from parts.sentences import sentence


@dataclass(frozen=True, slots=True)
class LevelFacts:
    """What is known of a level before it is locked."""

    decimals: int
    exists: bool


@dataclass(frozen=True, slots=True)
class LockedLevel:
    """A level as it stands under its lock, or, where `is_new`, one that only this transaction may bring into being."""

    id: UUID
    key: LevelKey
    balance: Balance
    is_new: bool = False

    def as_row(self) -> dict[str, object]:
        """Return it as a document's new level."""
        key = self.key
        return {
            "id": self.id,
            "part_id": key.part_id,
            "warehouse_id": key.warehouse_id,
            "condition": key.condition,
            "owner": key.owner,
        }


def read_facts(keys: Sequence[LevelKey]) -> dict[LevelKey, LevelFacts]:
    """Read, without a lock, what there is behind the keys. Raises NotFound for an unknown part or warehouse."""
    distinct = list(dict.fromkeys(keys))
    rows = sql.stock.READ_LEVEL_FACTS.rows(
        document=sql.document(
            keys=[
                {
                    "place": place,
                    "part_id": key.part_id,
                    "warehouse_id": key.warehouse_id,
                    "condition": key.condition,
                    "owner": key.owner,
                }
                for place, key in enumerate(distinct)
            ]
        )
    )
    facts = {}
    for key, (decimals, has_warehouse, level_id) in zip(distinct, rows, strict=True):
        if decimals is None:
            raise NotFound(sentence("There is no such part."), part_id=str(key.part_id))
        if not has_warehouse:
            raise NotFound(sentence("There is no such warehouse."), warehouse_id=str(key.warehouse_id))
        facts[key] = LevelFacts(decimals, level_id is not None)
    return facts


def lock_stock_of_parts(part_ids: Collection[UUID], *, adding: bool = False) -> None:
    """Lock all levels of these parts, and hold the parts against new ones: first of all locks, before any order's.

    `adding` is for who may add one later in the transaction. In two statements: one that had to wait for somebody who
    adds a level would not see that level itself, and to lock it later, with an order in hand, could meet one who holds
    it and wants that order.
    """
    hold = sql.stock.LOCK_PARTS if adding else sql.stock.HOLD_PARTS
    hold.rows(part_ids=sorted(part_ids))
    sql.stock.LOCK_LEVELS_OF_PARTS.rows(part_ids=sorted(part_ids))


def lock_levels_by_key(facts: Mapping[LevelKey, LevelFacts]) -> dict[LevelKey, LockedLevel]:
    """Lock all levels of the parts in question and return those asked for, new ones prepared where there are none.

    Where a level is to be added, its part is locked first and the levels are read after that, so that no two
    transactions add the same level and no order overlooks one that is being added.
    """
    part_ids = sorted({key.part_id for key in facts})
    if any(not fact.exists for fact in facts.values()):
        sql.stock.LOCK_PARTS.rows(part_ids=part_ids)
    found = {}
    for level_id, part_id, warehouse_id, condition, owner, *figures in sql.stock.LOCK_LEVELS_OF_PARTS.rows(
        part_ids=part_ids
    ):
        key = LevelKey(part_id, warehouse_id, condition, owner)
        if key in facts:
            found[key] = LockedLevel(level_id, key, Balance(*figures))
    return {key: found.get(key) or LockedLevel(new_key(), key, Balance(), is_new=True) for key in facts}
