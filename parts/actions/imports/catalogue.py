"""Import of the catalogue: parts by their number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from simple_history.utils import bulk_create_with_history

from parts import sql
from parts.actions.changing import FIELDS, text_of
from parts.actions.history import history_facts
from parts.actions.imports.kind import ImportKind
from parts.actors import Actor
from parts.importing import (
    CellError,
    Column,
    Difference,
    FieldChange,
    ImportedRow,
    ImportResult,
    RowChange,
    RowError,
    choice,
    money,
    text,
    yes_or_no,
)
from parts.keys import new_key
from parts.models import Category, Part, PartChange, UnitOfMeasure
from parts.progress import CHUNK, Progress
from parts.rules import ZERO, unit_problem
from parts.sentences import sentence
from parts.sql.statement import Statement
from parts.statuses import Criticality, VedClass


def category_path(cell: str) -> str:
    """Understand a category: names from the top down with slashes between, `hydraulics/pumps`."""
    path = text(200)(cell)
    if any(not name.strip() for name in path.split("/")):
        raise CellError(sentence("must be names with single slashes between, like hydraulics/pumps"))
    return "/".join(name.strip() for name in path.split("/"))


COLUMNS = (
    Column("part_number", text(60), is_needed=True),
    Column("description", text(200)),
    Column("category", category_path),
    Column("criticality", choice(Criticality.values, upper=True)),
    Column("ved_class", choice(VedClass.values, upper=True)),
    Column("unit", text(3)),
    Column("unit_cost", money),
    Column("core_charge", money),
    Column("can_be_ordered", yes_or_no),
)


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """A part as the catalogue has it, by the names of the file's columns."""

    description: str
    category: str = ""
    criticality: str = Criticality.C.value
    ved_class: str = VedClass.DESIRABLE.value
    unit: str = "C62"
    unit_cost: Decimal = ZERO
    core_charge: Decimal = ZERO
    can_be_ordered: bool = True

    def as_part(self, key: UUID, number: str, category_ids: Mapping[str, UUID]) -> Part:
        """Return it as a row of the catalogue."""
        return Part(
            id=key,
            number=number,
            description=self.description,
            category_id=category_ids[self.category] if self.category else None,
            criticality=self.criticality,
            ved_class=self.ved_class,
            unit_id=self.unit,
            unit_cost=self.unit_cost,
            core_charge=self.core_charge,
            is_active=self.can_be_ordered,
        )


#: A row to write: its key, its number and what it says.
Writing = tuple[UUID, str, CatalogueRow]


@dataclass(slots=True)
class Comparison:
    """The difference, and the rows to write for it."""

    difference: Difference
    created: list[Writing]
    changed: list[Writing]
    #: Changes of controlled parts, with how they are now: these are asked for.
    asked_for: list[tuple[Writing, CatalogueRow]]

    @property
    def writings(self) -> list[Writing]:
        """All rows that are written or asked for."""
        return [*self.created, *self.changed, *(writing for writing, _before in self.asked_for)]


def compare(rows: Sequence[ImportedRow], progress: Progress) -> Difference:
    """Tell what the rows would do to the catalogue."""
    return _compare(rows, sql.imports.READ_PARTS, progress).difference


def apply(
    rows: Sequence[ImportedRow], *, by: Actor, source: str, at: datetime, progress: Progress, shown: str | None
) -> ImportResult:
    """Write the rows to the catalogue, each with its history."""
    done = _compare(rows, sql.imports.LOCK_PARTS, progress)
    done.difference.refuse_errors()
    done.difference.refuse_other_than(shown)
    category_ids = _category_ids([content.category for _, _, content in done.writings])
    total = len(done.created) + len(done.changed)
    _ask_for(done.asked_for, category_ids, by=by, source=source, at=at)
    facts = history_facts(by, source, at)
    written = 0
    for chunk in _chunks(done.created):
        created = [content.as_part(key, number, category_ids) for key, number, content in chunk]
        bulk_create_with_history(created, Part, batch_size=CHUNK, **facts)
        written += len(chunk)
        progress("writing", written, total)
    for chunk in _chunks(done.changed):
        changed = [content.as_part(key, number, category_ids) for key, number, content in chunk]
        sql.imports.UPDATE_PARTS.rows(document=sql.document(parts=[_as_row(part) for part in changed]))
        Part.history.bulk_history_create(changed, batch_size=CHUNK, update=True, **facts)
        written += len(chunk)
        progress("writing", written, total)
    return ImportResult(len(done.created), len(done.changed), done.difference.unchanged, len(done.asked_for))


def _ask_for(
    asked_for: Sequence[tuple[Writing, CatalogueRow]],
    category_ids: Mapping[str, UUID],
    *,
    by: Actor,
    source: str,
    at: datetime,
) -> None:
    """Ask for the changes of controlled parts, as the action for one of them does; they are locked."""
    PartChange.objects.bulk_create(
        [
            PartChange(
                part_id=key,
                changes=_as_change(before.as_part(key, number, category_ids), after.as_part(key, number, category_ids)),
                reason=f"Import by {source}",
                source=source,
                requested_by_id=by.user_id,
                requested_at=at,
            )
            for (key, number, after), before in asked_for
        ],
        batch_size=CHUNK,
    )


def _as_change(before: Part, after: Part) -> dict[str, list[str]]:
    texts = {name: [text_of(name, before), text_of(name, after)] for name in FIELDS if name != "is_controlled"}
    return {name: ends for name, ends in texts.items() if ends[0] != ends[1]}


def _compare(rows: Sequence[ImportedRow], statement: Statement, progress: Progress) -> Comparison:
    """Compare all rows with the catalogue as the statement reads it, in one go, so that it locks in one order."""
    there = {
        number: (key, CatalogueRow(description, path or "", *rest), is_controlled, waits)
        for number, key, description, _, path, *rest, is_controlled, waits in statement.rows(
            numbers=[row.values["part_number"] for row in rows]
        )
    }
    units = set(UnitOfMeasure.objects.values_list("code", flat=True))
    comparison = Comparison(Difference(), [], [], [])
    difference = comparison.difference
    lines: dict[str, int] = {}
    for count, row in enumerate(rows, start=1):
        number = row.values["part_number"]
        wanted = {name: value for name, value in row.values.items() if name != "part_number"}
        key, before, is_controlled, waits = there.get(number, (None, None, False, False))
        problems = list(_problems(row, lines.get(number), before, units))
        lines.setdefault(number, row.line)
        if problems:
            difference.errors.extend(problems)
        elif before is None or key is None:
            comparison.created.append((new_key(), number, CatalogueRow(**wanted)))
            difference.created.append(RowChange(row.line, number))
        elif changes := _changes(before, after := replace(before, **wanted)):
            if is_controlled and waits:
                difference.errors.append(
                    RowError(row.line, "part_number", sentence("is controlled; a change of it waits already"))
                )
            elif is_controlled:
                comparison.asked_for.append(((key, number, after), before))
            else:
                comparison.changed.append((key, number, after))
            difference.changed.append(RowChange(row.line, number, changes, is_controlled))
        else:
            difference.unchanged += 1
        if count % CHUNK == 0:
            progress("comparing", count, len(rows))
    difference.along = _new_categories(comparison)
    return comparison


def _problems(
    row: ImportedRow, line_before: int | None, before: CatalogueRow | None, units: set[str]
) -> Iterator[RowError]:
    """Say why a row cannot be imported into the catalogue as it is."""
    values = row.values
    if line_before is not None:
        yield RowError(row.line, "part_number", sentence("is on line {line} already", line=line_before))
    if before is None and "description" not in values:
        yield RowError(row.line, "description", sentence("must not be empty for a new part"))
    unit = values.get("unit")
    if unit is not None and unit not in units:
        yield RowError(row.line, "unit", sentence("there is no unit {unit}", unit=unit))
    elif unit is not None and before is not None and (problem := unit_problem(before.unit, unit)):
        yield RowError(row.line, "unit", problem)


def _changes(before: CatalogueRow, after: CatalogueRow) -> tuple[FieldChange, ...]:
    pairs = ((field.name, getattr(before, field.name), getattr(after, field.name)) for field in fields(before))
    return tuple(FieldChange(name, _shown(old), _shown(new)) for name, old, new in pairs if old != new)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _with_those_above(paths: Sequence[str]) -> list[str]:
    """Return the paths and all that lead to them, from the top down."""
    above = set()
    for path in set(paths):
        names = path.split("/")
        above |= {"/".join(names[:depth]) for depth in range(1, len(names) + 1)}
    above.discard("")
    return sorted(above)


def _new_categories(comparison: Comparison) -> list[str]:
    paths = _with_those_above([content.category for _, _, content in comparison.writings])
    known = set(Category.objects.values_list("path", flat=True))
    return [f"category {path}" for path in paths if path not in known]


def _category_ids(paths: Sequence[str]) -> dict[str, UUID]:
    """Return the keys of all categories, adding those that are missing, with all above them."""
    known = set(Category.objects.values_list("path", flat=True))
    missing = [path for path in _with_those_above(paths) if path not in known]
    Category.objects.bulk_create(
        [Category(path=path, name=path.rsplit("/", 1)[-1]) for path in missing],
        batch_size=CHUNK,
        ignore_conflicts=True,  # somebody else may add the same one at this moment
    )
    return dict(Category.objects.values_list("path", "id"))


def _as_row(part: Part) -> dict[str, Any]:
    return {
        "id": part.pk,
        "description": part.description,
        "category_id": part.category_id,
        "criticality": part.criticality,
        "ved_class": part.ved_class,
        "unit_cost": part.unit_cost,
        "core_charge": part.core_charge,
        "is_active": part.is_active,
    }


def _chunks(items: Sequence[Writing]) -> Iterator[Sequence[Writing]]:
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]


KIND = ImportKind("catalogue", "parts.import_catalogue", COLUMNS, compare, apply, sql.imports.ANALYZE_CATALOGUE)
