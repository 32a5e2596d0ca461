"""Put a stock level right: by a change with a reason, or to what was counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from parts import sql
from parts.actions.announcing import announce_freed
from parts.actions.stock.levels import LevelFacts, LockedLevel, lock_levels_by_key, read_facts
from parts.actors import Actor
from parts.errors import NotEnoughStock
from parts.keys import new_key
from parts.models.stock import OWN
from parts.progress import CHUNK, Progress, silent
from parts.rules import ZERO, Balance, LevelKey, Problems, number_problem, part_of_it_problem, text_problem
from parts.sentences import sentence
from parts.signals import FreedStock
from parts.statuses import Condition, CorrectionReason, MovementKind

REASONS = frozenset(CorrectionReason.values)


@dataclass(frozen=True, slots=True)
class Correction:
    """One correction of one level: either by a change, or (`counted` given) to what was counted.

    Quantities in the part's unit. `counted_unfit` None leaves the unfit quantity as it is.
    """

    part_id: UUID
    warehouse_id: UUID
    reason: str
    condition: str = Condition.NEW.value
    owner: str = OWN
    on_hand_change: Decimal = ZERO
    unfit_change: Decimal = ZERO
    counted: Decimal | None = None
    counted_unfit: Decimal | None = None
    note: str = ""
    reference: str = ""

    @property
    def key(self) -> LevelKey:
        """The level it is about."""
        return LevelKey(self.part_id, self.warehouse_id, self.condition, self.owner)

    def change_of(self, balance: Balance) -> tuple[Decimal, Decimal]:
        """Return the change of on hand and of unfit that it means for a level that stands so."""
        if self.counted is None:
            return self.on_hand_change, self.unfit_change
        unfit = balance.unfit if self.counted_unfit is None else self.counted_unfit
        return self.counted - balance.on_hand, unfit - balance.unfit


@dataclass(frozen=True, slots=True)
class Corrected:
    """What a correction did. `correction_id` is None where the count found what was expected, and nothing changed.

    `level_id` is None where nothing was counted and there is no level either.
    """

    level_id: UUID | None
    correction_id: UUID | None
    on_hand_change: Decimal
    unfit_change: Decimal
    on_hand: Decimal
    reserved: Decimal
    unfit: Decimal


def correct_stock(
    *,
    part_id: UUID,
    warehouse_id: UUID,
    condition: str = Condition.NEW.value,
    owner: str = OWN,
    on_hand_change: Decimal = ZERO,
    unfit_change: Decimal = ZERO,
    reason: str,
    note: str = "",
    reference: str = "",
    by: Actor,
    source: str,
    at: datetime,
) -> Corrected:
    """Change what lies on one level, for a reason that is kept; see `correct_stock_many`."""
    correction = Correction(
        part_id=part_id,
        warehouse_id=warehouse_id,
        reason=reason,
        condition=condition,
        owner=owner,
        on_hand_change=on_hand_change,
        unfit_change=unfit_change,
        note=note,
        reference=reference,
    )
    return correct_stock_many(corrections=[correction], by=by, source=source, at=at)[0]


def count_stock(
    *,
    part_id: UUID,
    warehouse_id: UUID,
    condition: str = Condition.NEW.value,
    owner: str = OWN,
    counted: Decimal,
    counted_unfit: Decimal | None = None,
    note: str = "",
    reference: str = "",
    by: Actor,
    source: str,
    at: datetime,
) -> Corrected:
    """Set one level to what was counted; a repeat finds it so and changes nothing. See `correct_stock_many`."""
    correction = Correction(
        part_id=part_id,
        warehouse_id=warehouse_id,
        reason=CorrectionReason.COUNT.value,
        condition=condition,
        owner=owner,
        counted=counted,
        counted_unfit=counted_unfit,
        note=note,
        reference=reference,
    )
    return correct_stock_many(corrections=[correction], by=by, source=source, at=at)[0]


def correct_stock_many(
    *, corrections: Sequence[Correction], by: Actor, source: str, at: datetime, progress: Progress = silent
) -> list[Corrected]:
    """Correct any number of levels, all or none, and let whoever waits have what became available.

    A level that does not exist is added. Corrections of the same level follow each other as given. Raises Forbidden
    (`parts.correct_stock`), Invalid, NotFound, and NotEnoughStock where a level would hold less than is reserved and
    unfit on it: `extra` has that level's `on_hand`, `reserved` and `unfit`, and `extra['refused']` every such
    correction by its `place` in the list.
    """
    by.require("parts.correct_stock")
    return apply_corrections(corrections=corrections, by=by, source=source, at=at, progress=progress)


def apply_corrections(
    *, corrections: Sequence[Correction], by: Actor, source: str, at: datetime, progress: Progress = silent
) -> list[Corrected]:
    """Do what `correct_stock_many` says, for an action that has checked another right: to count one's own van."""
    _check(corrections, source, at)
    if not corrections:
        return []
    with transaction.atomic():
        facts = read_facts([correction.key for correction in corrections])
        _check_quantities(corrections, facts)
        levels = lock_levels_by_key(facts)
        decided = _decide(corrections, levels)
        changes = [
            (correction, done, levels[correction.key])
            for correction, done in zip(corrections, decided, strict=True)
            if done.correction_id
        ]
        write_corrections(changes, by=by, source=source, at=at, progress=progress)
        freed = [
            FreedStock(level.key.part_id, level.id, done.on_hand_change - done.unfit_change, "correction")
            for _, done, level in changes
            if done.on_hand_change > done.unfit_change
        ]
        announce_freed(correct_stock_many, freed, by=by, source=source, at=at)
    return decided


def _check(corrections: Sequence[Correction], source: str, at: datetime) -> None:
    """Refuse what is malformed, whatever part it is about."""
    problems = Problems()
    problems.origin(source, at)
    for place, correction in enumerate(corrections):
        prefix = f"corrections.{place}."
        correction.key.check(problems, prefix)
        problems.choice(f"{prefix}reason", correction.reason, REASONS)
        needs_note = correction.reason == CorrectionReason.OTHER
        problems.add(f"{prefix}note", text_problem(correction.note, 300, needed=needs_note))
        problems.add(f"{prefix}reference", text_problem(correction.reference, 80))
        if correction.counted is None and correction.counted_unfit is not None:
            problems.add(f"{prefix}counted", sentence("is needed where unfit units were counted"))
        if correction.counted is not None and (correction.on_hand_change or correction.unfit_change):
            problems.add(f"{prefix}counted", sentence("cannot be given together with a change"))
    problems.raise_if_any()


def _check_quantities(corrections: Sequence[Correction], facts: Mapping[LevelKey, LevelFacts]) -> None:
    """Refuse quantities that the part's unit does not have, and a change that changes nothing."""
    problems = Problems()
    for place, correction in enumerate(corrections):
        prefix, decimals = f"corrections.{place}.", facts[correction.key].decimals
        if correction.counted is not None:
            problems.add(f"{prefix}counted", part_of_it_problem(correction.counted, decimals))
            if correction.counted_unfit is not None:
                problems.add(f"{prefix}counted_unfit", part_of_it_problem(correction.counted_unfit, decimals))
            continue
        problems.add(f"{prefix}on_hand_change", number_problem(correction.on_hand_change, decimals))
        problems.add(f"{prefix}unfit_change", number_problem(correction.unfit_change, decimals))
        if not correction.on_hand_change and not correction.unfit_change:
            problems.add(f"{prefix}on_hand_change", sentence("must change something"))
    problems.raise_if_any()


def _decide(corrections: Sequence[Correction], levels: Mapping[LevelKey, LockedLevel]) -> list[Corrected]:
    """Work out each correction on the level as the one before left it. Raises NotEnoughStock naming all refused."""
    balances = {key: level.balance for key, level in levels.items()}
    touched: set[LevelKey] = set()
    decided, refused = [], []
    for place, correction in enumerate(corrections):
        key, before = correction.key, balances[correction.key]
        on_hand, unfit = correction.change_of(before)
        after = before.changed(on_hand, unfit)
        if not after.is_possible:
            refused.append({"place": place, **figures_of(before)})
            continue
        balances[key] = after
        is_change = bool(on_hand or unfit)
        if is_change:
            touched.add(key)
        is_there = key in touched or not levels[key].is_new
        decided.append(
            Corrected(
                level_id=levels[key].id if is_there else None,
                correction_id=new_key() if is_change else None,
                on_hand_change=on_hand,
                unfit_change=unfit,
                on_hand=after.on_hand,
                reserved=after.reserved,
                unfit=after.unfit,
            )
        )
    if refused:
        raise NotEnoughStock(
            sentence("The level would hold less than is reserved and unfit on it."),
            **{name: value for name, value in refused[0].items() if name != "place"},
            refused=refused,
        )
    return decided


def figures_of(balance: Balance) -> dict[str, Any]:
    return {"on_hand": str(balance.on_hand), "reserved": str(balance.reserved), "unfit": str(balance.unfit)}


def write_corrections(
    changes: Sequence[tuple[Correction, Corrected, LockedLevel]],
    *,
    by: Actor,
    source: str,
    at: datetime,
    progress: Progress,
) -> None:
    """Write corrections, movements and levels; a level is added by the first chunk that touches it."""
    added: set[UUID] = set()
    for start in range(0, len(changes), CHUNK):
        chunk = changes[start : start + CHUNK]
        new_levels = {level.id: level for _, _, level in chunk if level.is_new and level.id not in added}
        added |= new_levels.keys()
        sql.stock.CORRECT_STOCK.rows(
            document=sql.document(
                levels=[level.as_row() for level in new_levels.values()],
                corrections=[
                    {
                        "id": done.correction_id,
                        "level_id": level.id,
                        "reason": correction.reason,
                        "note": correction.note,
                        "reference": correction.reference,
                    }
                    for correction, done, level in chunk
                ],
                movements=list(_movements(chunk)),
            ),
            at=at,
            actor=by.reference,
            source=source,
        )
        progress("writing", start + len(chunk), len(changes))


def _movements(changes: Sequence[tuple[Correction, Corrected, LockedLevel]]) -> Iterator[dict[str, Any]]:
    for _, done, level in changes:
        yield sql.stock.movement(
            MovementKind.CORRECTION,
            level.id,
            on_hand_change=done.on_hand_change,
            unfit_change=done.unfit_change,
            correction_id=done.correction_id,
        )
