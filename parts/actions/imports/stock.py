"""Import of stock: what was counted, per part, warehouse, condition and owner."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from parts import sql
from parts.actions.imports.kind import ImportKind
from parts.actions.stock.corrections import Correction, correct_stock_many
from parts.actors import Actor
from parts.errors import NotEnoughStock
from parts.importing import (
    Column,
    Difference,
    FieldChange,
    ImportedRow,
    ImportResult,
    RowChange,
    RowError,
    choice,
    quantity,
    text,
)
from parts.models.stock import OWN
from parts.progress import CHUNK, Progress
from parts.rules import ZERO, Balance, part_of_it_problem
from parts.sentences import Says, Sentence, sentence
from parts.statuses import Condition, CorrectionReason

COLUMNS = (
    Column("part_number", text(60), is_needed=True),
    Column("warehouse", text(20), is_needed=True),
    Column("condition", choice(Condition.values)),
    Column("owner", text(40)),
    Column("counted", quantity, is_needed=True),
    Column("unfit", quantity),
    Column("note", text(300)),
    Column("reference", text(80)),
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The difference, and the corrections that bring it about, each with its line."""

    difference: Difference
    corrections: list[tuple[int, Correction]]


def compare(rows: Sequence[ImportedRow], progress: Progress) -> Difference:
    """Tell what the counts would change."""
    return _compare(rows, progress).difference


def apply(
    rows: Sequence[ImportedRow], *, by: Actor, source: str, at: datetime, progress: Progress, shown: str | None
) -> ImportResult:
    """Set the levels to what was counted; `correct_stock_many` works out the changes under its locks."""
    comparison = _compare(rows, progress)
    comparison.difference.refuse_errors()
    comparison.difference.refuse_other_than(shown)
    new_lines = {change.line for change in comparison.difference.created}
    try:
        done = correct_stock_many(
            corrections=[correction for _, correction in comparison.corrections],
            by=by,
            source=source,
            at=at,
            progress=progress,
        )
    except NotEnoughStock as refusal:
        late = Difference()
        for row in refusal.extra["refused"]:
            line, _ = comparison.corrections[row["place"]]
            late.errors.append(RowError(line, "counted", _too_little(row["reserved"], row["unfit"])))
        late.refuse_errors()
        raise
    created = changed = 0
    for (line, _), corrected in zip(comparison.corrections, done, strict=True):
        created += corrected.correction_id is not None and line in new_lines
        changed += corrected.correction_id is not None and line not in new_lines
    return ImportResult(created, changed, len(done) - created - changed)


def _compare(rows: Sequence[ImportedRow], progress: Progress) -> Comparison:
    comparison = Comparison(Difference(), [])
    lines: dict[tuple[str, ...], int] = {}
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        for row, found in zip(chunk, _read(chunk), strict=True):
            _compare_row(row, found, lines, comparison)
        progress("comparing", start + len(chunk), len(rows))
    return comparison


def _key(row: ImportedRow) -> tuple[str, str, str, str]:
    values = row.values
    return (
        values["part_number"],
        values["warehouse"],
        values.get("condition", Condition.NEW.value),
        values.get("owner", OWN),
    )


def _read(chunk: Sequence[ImportedRow]) -> Iterator[tuple[Any, ...]]:
    """Read part, warehouse and level of each row in one statement."""
    names = ("part_number", "warehouse", "condition", "owner")
    document = sql.document(
        rows=[{"place": place, **dict(zip(names, _key(row), strict=True))} for place, row in enumerate(chunk)]
    )
    yield from sql.imports.READ_LEVELS.rows(document=document)


def _compare_row(row: ImportedRow, found: tuple[Any, ...], lines: dict[tuple[str, ...], int], into: Comparison) -> None:
    part_id, decimals, warehouse_id, level_id, *figures = found
    difference, values, key = into.difference, row.values, _key(row)
    counted, unfit = values["counted"], values.get("unfit")
    before = Balance(*figures) if level_id else Balance()
    after = Balance(counted, before.reserved, before.unfit if unfit is None else unfit)
    problems: list[tuple[str, Says | None]] = [
        ("part_number", None if part_id else sentence("there is no part {part_number}", part_number=key[0])),
        ("warehouse", None if warehouse_id else sentence("there is no warehouse {warehouse}", warehouse=key[1])),
        ("", sentence("the same stock is on line {line} already", line=lines[key]) if key in lines else None),
    ]
    if part_id:
        problems.append(("counted", part_of_it_problem(counted, decimals)))
        problems.append(("unfit", part_of_it_problem(unfit or ZERO, decimals)))
    if not after.is_possible:
        problems.append(("counted", _too_little(str(after.reserved), str(after.unfit))))
    lines.setdefault(key, row.line)
    errors = [RowError(row.line, column, problem) for column, problem in problems if problem]
    difference.errors.extend(errors)
    if errors:
        return
    into.corrections.append((row.line, _correction(row, part_id, warehouse_id)))
    subject = " ".join(key)
    changes = tuple(
        FieldChange(name, str(old), str(new))
        for name, old, new in (("on_hand", before.on_hand, after.on_hand), ("unfit", before.unfit, after.unfit))
        if old != new
    )
    if not changes:
        difference.unchanged += 1
    elif level_id:
        difference.changed.append(RowChange(row.line, subject, changes))
    else:
        difference.created.append(RowChange(row.line, subject, changes))


def _correction(row: ImportedRow, part_id: UUID, warehouse_id: UUID) -> Correction:
    _, _, condition, owner = _key(row)
    return Correction(
        part_id=part_id,
        warehouse_id=warehouse_id,
        reason=CorrectionReason.IMPORT.value,
        condition=condition,
        owner=owner,
        counted=row.values["counted"],
        counted_unfit=row.values.get("unfit"),
        note=row.values.get("note", ""),
        reference=row.values.get("reference", ""),
    )


def _too_little(reserved: str, unfit: str) -> Sentence:
    return sentence("is less than what is reserved ({reserved}) and unfit ({unfit})", reserved=reserved, unfit=unfit)


KIND = ImportKind("stock", "parts.correct_stock", COLUMNS, compare, apply, sql.imports.ANALYZE_STOCK)
