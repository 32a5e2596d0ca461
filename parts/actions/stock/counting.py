"""Count a van: the books follow what was found, and every difference stays on record beside what they said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from parts.actions.stock.corrections import Corrected, Correction, apply_corrections
from parts.actors import Actor
from parts.errors import NotEnoughStock, NotFound, Refused
from parts.models import Part, StockCount, StockCountLine, StockLevel, Warehouse
from parts.models.stock import OWN
from parts.rules import LevelKey, Problems, text_problem
from parts.sentences import sentence
from parts.statuses import Condition, CorrectionReason, WarehouseKind


@dataclass(frozen=True, slots=True)
class Found:
    """What was counted of one level, in the part's unit, and what the one who counted took the books to say."""

    part_id: UUID
    counted: Decimal
    expected: Decimal | None = None
    condition: str = Condition.NEW.value
    owner: str = OWN


class CountOutdated(Refused):
    """The books changed between the page that was counted from and now; `extra['changed']` says which, and how."""

    code = "count_outdated"


def count_van(
    *,
    warehouse_id: UUID,
    found: Sequence[Found],
    by: Actor,
    source: str,
    at: datetime,
    note: str = "",
    despite_changes: bool = False,
) -> StockCount:
    """Put the books of one's own van right by what was found in it, and keep both figures of every counted level.

    A level that holds more for others than was found stays as it is: its line has no correction, and somebody has to
    decide. Raises Forbidden (`parts.count_van`), NotFound for a van that is not the actor's, Invalid, and CountOutdated
    where the books no longer say what was `expected`, unless `despite_changes`.

    The lines whose counted quantity differs are what a discrepancy case is opened from: whoever does, wraps this action
    on the third floor, in one transaction with it.
    """
    by.require("parts.count_van")
    _check(found, note)
    van = Warehouse.objects.filter(
        pk=warehouse_id, kind=WarehouseKind.VAN, technician=by.user_id, technician__isnull=False
    ).first()
    if van is None:
        raise NotFound(sentence("This is not your van."), id=str(warehouse_id))
    with transaction.atomic():
        counted = _apply(found, van, note, by=by, source=source, at=at)
        if not despite_changes:
            _refuse_outdated(counted)
        count = StockCount.objects.create(
            warehouse=van, note=note.strip(), counted_at=at, actor=by.reference, source=source
        )
        StockCountLine.objects.bulk_create(
            StockCountLine(
                count=count,
                level_id=level_id,
                expected=expected,
                counted=one.counted,
                correction_id=done.correction_id if done else None,
            )
            for one, level_id, expected, done in counted
            if level_id is not None
        )
    return count


_Counted = tuple[Found, UUID | None, Decimal, Corrected | None]


def _check(found: Sequence[Found], note: str) -> None:
    problems = Problems()
    problems.add("note", text_problem(note, 300))
    if not found:
        problems.add("found", sentence("must name at least one part"))
    keys = [(one.part_id, one.condition, one.owner) for one in found]
    if len(set(keys)) != len(keys):
        problems.add("found", sentence("names a part twice"))
    problems.raise_if_any()


def _apply(
    found: Sequence[Found], van: Warehouse, note: str, *, by: Actor, source: str, at: datetime
) -> list[_Counted]:
    """Correct what can be corrected; return for each what the books said under the lock, and what was done."""
    corrections = [
        Correction(
            part_id=one.part_id,
            warehouse_id=van.pk,
            reason=CorrectionReason.COUNT.value,
            condition=one.condition,
            owner=one.owner,
            counted=one.counted,
            note=note.strip(),
            reference=van.code,
        )
        for one in found
    ]
    held: dict[int, Decimal] = {}
    try:
        with transaction.atomic():
            done = apply_corrections(corrections=corrections, by=by, source=source, at=at)
    except NotEnoughStock as refusal:
        held = {row["place"]: Decimal(row["on_hand"]) for row in refusal.extra["refused"]}
        rest = [correction for place, correction in enumerate(corrections) if place not in held]
        done = apply_corrections(corrections=rest, by=by, source=source, at=at)
    corrected = iter(done)
    levels = _levels([corrections[place].key for place in held])
    counted: list[_Counted] = []
    for place, one in enumerate(found):
        if place in held:
            counted.append((one, levels[corrections[place].key], held[place], None))
        else:
            change = next(corrected)
            counted.append((one, change.level_id, change.on_hand - change.on_hand_change, change))
    return counted


def _levels(keys: Sequence[LevelKey]) -> dict[LevelKey, UUID]:
    if not keys:
        return {}
    rows = StockLevel.objects.filter(
        warehouse_id=keys[0].warehouse_id, part_id__in=[key.part_id for key in keys]
    ).values_list("part_id", "warehouse_id", "condition", "owner", "pk")
    return {LevelKey(part, warehouse, condition, owner): pk for part, warehouse, condition, owner, pk in rows}


def _refuse_outdated(counted: Sequence[_Counted]) -> None:
    changed = [
        (one.part_id, one.expected, now)
        for one, _, now, _ in counted
        if one.expected is not None and one.expected != now
    ]
    if not changed:
        return
    numbers = dict(Part.objects.filter(pk__in=[part_id for part_id, _, _ in changed]).values_list("pk", "number"))
    raise CountOutdated(
        sentence("The books of the van have changed since you counted."),
        changed=[
            {"part": numbers[part_id], "part_id": str(part_id), "expected": str(then), "now": str(now)}
            for part_id, then, now in changed
        ],
    )
