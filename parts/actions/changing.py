"""Changes of controlled parts, their numbers and relations: asked for, approved by another person and applied, refused.

What is not controlled is changed at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import DecimalField, ForeignKey, QuerySet

from parts import deciding
from parts.actors import Actor
from parts.entries import KINDS, Entry, from_kept, give, parts_of, texts_of
from parts.errors import Invalid, NotFound, Refused, VersionConflict
from parts.models import Part, PartChange, PartNumber, PartRelation
from parts.rules import Problems, text_problem, unit_problem
from parts.sentences import sentence
from parts.statuses import ChangeStatus

#: What of a part can be changed at all.
_FIELDS = {field.name: field for field in Part._meta.concrete_fields if field.name != "id"}
FIELDS = tuple(_FIELDS)


def text_of(field_name: str, part: Part) -> str:
    """Return a field's value as a change keeps it: text, a key for what points elsewhere, empty for nothing.

    A number has all its decimals, so that two texts are equal where the values are.
    """
    field = _FIELDS[field_name]
    value = getattr(part, field.attname)
    if value is None:
        return ""
    return f"{value:.{field.decimal_places}f}" if isinstance(field, DecimalField) else str(value)


def request_change(
    *,
    part_id: UUID,
    reason: str,
    by: Actor,
    source: str,
    at: datetime,
    wanted: Mapping[str, str] | None = None,
    entries: Sequence[Entry] = (),
) -> PartChange:
    """Ask for a change of a controlled part; nothing changes before another person approves it.

    `wanted`: field → new value as text (see `text_of`). `entries`: its numbers in other systems and its relations, as
    they are to be. Raises Forbidden (`parts.change_part`, for entries the rights of their kind; who may not approve
    cannot ask to take control off either), NotFound, Invalid for what cannot be, VersionConflict where an entry is not
    as it was seen, Refused where nothing would change or a change waits already.
    """
    wanted = wanted or {}
    by.require("parts.change_part")
    for entry in entries:
        by.require(f"parts.{entry.verb}_{KINDS[entry.what]._meta.model_name}")
    problems = Problems()
    problems.add("reason", text_problem(reason, 300, needed=True))
    for name in wanted:
        problems.choice("changes", name, FIELDS)
    problems.raise_if_any()
    part = Part.objects.filter(pk=part_id).first()
    if part is None:
        raise NotFound(sentence("There is no such part."), id=str(part_id))
    before = {name: text_of(name, part) for name in wanted}
    _set(part, wanted)
    changes = {name: [before[name], text_of(name, part)] for name in wanted if before[name] != text_of(name, part)}
    if "is_controlled" in changes and before["is_controlled"] == "True":
        by.require("parts.approve_partchange")
    asked = [entry for entry in entries if entry.before != entry.after]
    for found, entry in _rows(asked):
        _refuse_moved(found, entry, part.number)
        if entry.after is not None:
            give(found, entry.after)
    if not changes and not asked:
        raise Refused(sentence("Nothing of {number} would change.", number=part.number))
    row = PartChange(
        part_id=part_id,
        changes=changes,
        entries=[entry.kept() for entry in asked],
        reason=reason.strip(),
        source=source,
        requested_by_id=by.user_id,
        requested_at=at,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise Refused(sentence("A change of {number} waits for approval already.", number=part.number)) from error
    return row


def keep_entry(*, entry: Entry, reason: str, by: Actor, source: str, at: datetime) -> PartChange | None:
    """Add, change or remove a number or a relation: at once (None) where none of its parts is controlled; otherwise
    ask for it (the change that waits).

    Whether they are is decided under their locks. Raises Forbidden, Invalid, VersionConflict, and as `request_change`.
    """
    by.require(f"parts.{entry.verb}_{KINDS[entry.what]._meta.model_name}")
    with transaction.atomic():
        locked = lock_parts(entry.parts())
        controlled = [key for key in entry.parts() if key in locked and locked[key].is_controlled]
        if controlled:
            return request_change(part_id=controlled[0], entries=[entry], reason=reason, by=by, source=source, at=at)
        for row, _entry in _rows([entry]):
            _write_entry(row, entry, reason, by, locked)
    return None


def lock_parts(part_ids: Iterable[UUID]) -> dict[UUID, Part]:
    """Lock parts against being changed and controlled meanwhile, in the order of their keys; orders go on."""
    rows = _locked_parts().filter(pk__in=list(part_ids)).order_by("pk")
    return {part.pk: part for part in rows}


def approve(*, change_id: UUID, by: Actor, source: str, at: datetime) -> PartChange:
    """Apply a change that somebody else asked for, with its history.

    Raises Forbidden (`parts.approve_partchange`), AnotherPersonNeeded, NotFound, AlreadyDecided, VersionConflict where
    the part, a number or a relation is not as it was, Invalid, Refused where a number or relation is taken by now.
    """
    by.require("parts.approve_partchange")
    try:
        with transaction.atomic():
            row = _waiting(change_id)
            _refuse_own(row, by)
            entries = [from_kept(kept) for kept in row.entries]
            locked = lock_parts([row.part_id, *parts_of(entries)])
            _apply(row, locked[row.part_id], by)
            for found, entry in _rows(entries):
                _write_entry(found, entry, row.reason, by, locked)
            deciding.decide(row, "applied", by, at)
    except IntegrityError as error:
        raise Refused(sentence("Somebody has changed the same at this moment; look again.")) from error
    return row


def _apply(row: PartChange, part: Part, by: Actor) -> None:
    """Change the part's own fields, under its lock."""
    moved = [name for name, (before, _after) in row.changes.items() if text_of(name, part) != before]
    if moved:
        raise VersionConflict(
            sentence("{moved} of {number} changed since it was asked for; refuse it.", moved=moved, number=part.number)
        )
    if not row.changes:
        return
    _set(part, {name: after for name, (_before, after) in row.changes.items()})
    part._history_user = User(pk=by.user_id)
    part._change_reason = row.reason[:100]
    part.save(update_fields=list(row.changes))


def _rows(entries: Sequence[Entry]) -> list[tuple[PartNumber | PartRelation, Entry]]:
    """Return each entry's row as it is, a new one for what is to be added. Raises VersionConflict for one that is gone.

    At most a query per kind.
    """
    found: dict[UUID, PartNumber | PartRelation] = {}
    for name, model in KINDS.items():
        keys = [entry.key for entry in entries if entry.what == name and entry.before is not None]
        if keys:
            found |= {row.pk: row for row in model._default_manager.filter(pk__in=keys)}
    rows = []
    for entry in entries:
        if entry.before is not None and entry.key not in found:
            raise VersionConflict(sentence("It was removed since you looked at it."))
        rows.append((found.get(entry.key) or KINDS[entry.what](id=entry.key), entry))
    return rows


def _refuse_moved(row: PartNumber | PartRelation, entry: Entry, number: str) -> None:
    if entry.before is not None and texts_of(row) != entry.before:
        raise VersionConflict(
            sentence("{what} of {number} changed since it was asked for; refuse it.", what=str(row), number=number)
        )


def _write_entry(
    row: PartNumber | PartRelation, entry: Entry, reason: str, by: Actor, locked: Mapping[UUID, Part]
) -> None:
    """Write one number or relation, under the lock of its parts."""
    numbers = [locked[key].number for key in entry.parts() if key in locked]
    _refuse_moved(row, entry, numbers[0] if numbers else "")
    vars(row)["_history_user"] = User(pk=by.user_id)  # read by django-simple-history, as is the next
    vars(row)["_change_reason"] = reason[:100] or None
    if entry.after is None:
        row.delete()
        return
    give(row, entry.after)
    row.save(force_insert=entry.before is None)


def refuse(*, change_id: UUID, reason: str, by: Actor, source: str, at: datetime) -> PartChange:
    """Refuse a change that somebody else asked for; the part stays as it is. Raises as `approve`, Invalid."""
    by.require("parts.approve_partchange")
    problems = Problems()
    problems.add("reason", text_problem(reason, 300, needed=True))
    problems.raise_if_any()
    with transaction.atomic():
        row = _waiting(change_id)
        _refuse_own(row, by)
        row.refusal = reason.strip()
        deciding.decide(row, "refused", by, at, also=("refusal",))
    return row


def withdraw(*, change_id: UUID, by: Actor, source: str, at: datetime) -> PartChange:
    """Take back a change that one asked for oneself. Raises Forbidden, NotFound, AlreadyDecided."""
    with transaction.atomic():
        row = _waiting(change_id)
        deciding.refuse_others(row, by)
        deciding.decide(row, "withdrawn", None, at)
    return row


def _set(part: Part, values: Mapping[str, str]) -> None:
    """Give a part the values, without saving it. Raises Invalid naming the fields that cannot be so."""
    for name, text in values.items():
        field = _FIELDS[name]
        source = field.target_field if isinstance(field, ForeignKey) else field
        if name == "unit" and (problem := unit_problem(text_of("unit", part), text)):
            raise Invalid(sentence("{name} cannot be so.", name=name), {name: [problem]})
        try:
            setattr(part, field.attname, None if text == "" and field.null else source.to_python(text))
        except ValidationError as error:
            raise Invalid(sentence("{name} cannot be so.", name=name), {name: list(error.messages)}) from error
    try:
        part.full_clean(exclude=[name for name in FIELDS if name not in values], validate_constraints=False)
        part.validate_constraints()
    except ValidationError as error:
        raise Invalid(sentence("The part cannot be so."), error.message_dict) from error


def _locked_parts() -> QuerySet[Part]:
    return Part.objects.select_for_update(of=("self",), no_key=True)


def _locked_changes() -> QuerySet[PartChange]:
    return PartChange.objects.select_for_update(of=("self",))


def _waiting(change_id: UUID) -> PartChange:
    return deciding.waiting(
        _locked_changes(), change_id, ChangeStatus, none=sentence("Nobody asked for such a change.")
    )


def _refuse_own(row: PartChange, by: Actor) -> None:
    deciding.refuse_own(row, by, only_people=sentence("Only a person can decide on a change."))
