"""What the system of a warehouse confirms of its stock: goods that came, went, or are fit or unfit from now on.

Each is a correction with its reason, and the sender's document as its reference: one document changes a level once,
however often it is told. What became available serves whoever waits for it in the same transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from parts.actions.announcing import announce_freed
from parts.actions.stock.corrections import Corrected, Correction, figures_of, write_corrections
from parts.actions.stock.levels import LevelFacts, LockedLevel, lock_levels_by_key, read_facts
from parts.actors import Actor
from parts.errors import Invalid, NotEnoughStock, Refused
from parts.keys import new_key
from parts.models import StockCorrection
from parts.models.stock import OWN
from parts.progress import silent
from parts.rules import ZERO, Balance, LevelKey, Problems, number_problem, text_problem
from parts.sentences import sentence
from parts.signals import FreedStock
from parts.statuses import Condition, CorrectionReason


@dataclass(frozen=True, slots=True)
class Confirmed:
    """One change of one level, in the part's unit, as its warehouse tells it under a document of its own."""

    part_id: UUID
    warehouse_id: UUID
    document: str
    on_hand_change: Decimal = ZERO
    unfit_change: Decimal = ZERO
    condition: str = Condition.NEW.value
    owner: str = OWN
    note: str = ""

    @property
    def key(self) -> LevelKey:
        """The level it is about."""
        return LevelKey(self.part_id, self.warehouse_id, self.condition, self.owner)


def confirm_stock(*, confirmed: Sequence[Confirmed], by: Actor, source: str, at: datetime) -> list[Corrected | Refused]:
    """Book confirmations in their order, with a result for each; a document that was booked on its level before changes
    nothing (`correction_id` is None). One that is refused changes nothing and hinders no other: NotEnoughStock (with
    the level's figures, and `level_id`) where the level would hold less than is reserved and unfit on it, Invalid.

    The number of statements does not depend on how many there are. Raises Forbidden (`parts.correct_stock`), and
    NotFound for an unknown part or warehouse.
    """
    by.require("parts.correct_stock")
    problems = Problems()
    problems.origin(source, at)
    problems.raise_if_any()
    if not confirmed:
        return []
    results: list[Corrected | Refused] = []
    with transaction.atomic():
        facts = read_facts([each.key for each in confirmed])
        levels = lock_levels_by_key(facts)
        booked = _booked(confirmed, levels.values(), source)
        balances = {key: level.balance for key, level in levels.items()}
        changes = []
        for each in confirmed:
            level = levels[each.key]
            try:
                done = _decide(each, level, facts[each.key], balances, booked)
            except Refused as refusal:
                results.append(refusal)
                continue
            results.append(done)
            if done.correction_id:
                changes.append((_correction(each), done, level))
        if changes:
            write_corrections(changes, by=by, source=source, at=at, progress=silent)
        freed = [
            FreedStock(level.key.part_id, level.id, done.on_hand_change - done.unfit_change, "confirmation")
            for _correction_row, done, level in changes
            if done.on_hand_change > done.unfit_change
        ]
        announce_freed(confirm_stock, freed, by=by, source=source, at=at)
    return results


def _booked(confirmed: Sequence[Confirmed], levels: Collection[LockedLevel], source: str) -> set[tuple[UUID, str]]:
    """Return which documents of this source were booked on which of the locked levels."""
    rows = StockCorrection.objects.filter(
        reference__in={each.document for each in confirmed if "\x00" not in each.document},
        level__in=[level.id for level in levels if not level.is_new],
        movements__source=source,
    )
    return set(rows.values_list("level_id", "reference"))


def _decide(
    each: Confirmed,
    level: LockedLevel,
    facts: LevelFacts,
    balances: dict[LevelKey, Balance],
    booked: set[tuple[UUID, str]],
) -> Corrected:
    before = balances[each.key]
    _check(each, facts)
    if (level.id, each.document) in booked:
        return Corrected(level.id, None, ZERO, ZERO, before.on_hand, before.reserved, before.unfit)
    after = before.changed(each.on_hand_change, each.unfit_change)
    if not after.is_possible:
        raise NotEnoughStock(
            sentence("The level would hold less than is reserved and unfit on it."),
            **figures_of(before),
            level_id=None if level.is_new else str(level.id),
        )
    balances[each.key] = after
    booked.add((level.id, each.document))
    return Corrected(
        level.id, new_key(), each.on_hand_change, each.unfit_change, after.on_hand, after.reserved, after.unfit
    )


def _check(each: Confirmed, facts: LevelFacts) -> None:
    problems = Problems()
    each.key.check(problems, "")
    problems.add("document", text_problem(each.document, 80, needed=True))
    problems.add("note", text_problem(each.note, 300))
    problems.add("on_hand_change", number_problem(each.on_hand_change, facts.decimals))
    problems.add("unfit_change", number_problem(each.unfit_change, facts.decimals))
    if not each.on_hand_change and not each.unfit_change:
        problems.add("on_hand_change", sentence("must change something"))
    if problems.fields:
        raise Invalid(sentence("The confirmation cannot be booked as it is."), problems.fields)


def _correction(each: Confirmed) -> Correction:
    return Correction(
        part_id=each.part_id,
        warehouse_id=each.warehouse_id,
        reason=CorrectionReason.SYSTEM.value,
        condition=each.condition,
        owner=each.owner,
        on_hand_change=each.on_hand_change,
        unfit_change=each.unfit_change,
        note=each.note,
        reference=each.document,
    )
