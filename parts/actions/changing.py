"""Changes of controlled parts: asked for, approved by another person and applied, refused with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ForeignKey, QuerySet

from parts.actors import Actor
from parts.errors import AlreadyDecided, AnotherPersonNeeded, Forbidden, Invalid, NotFound, Refused, VersionConflict
from parts.models import Part, PartChange
from parts.rules import Problems, text_problem
from parts.sentences import Word, sentence
from parts.statuses import ChangeStatus

#: What of a part can be changed at all.
_FIELDS = {field.name: field for field in Part._meta.concrete_fields if field.name != "id"}
FIELDS = tuple(_FIELDS)


def text_of(field_name: str, part: Part) -> str:
    """Return a field's value as a change keeps it: text, a key for what points elsewhere, empty for nothing."""
    value = getattr(part, _FIELDS[field_name].attname)
    return "" if value is None else str(value)


def request_change(
    *, part_id: UUID, wanted: Mapping[str, str], reason: str, by: Actor, source: str, at: datetime
) -> PartChange:
    """Ask for a change of a controlled part; nothing changes before another person approves it.

    `wanted`: field → new value as text (see `text_of`). Raises Forbidden (`parts.change_part`), NotFound, Invalid for
    fields or values that cannot be, Refused where nothing would change or a change waits already.
    """
    by.require("parts.change_part")
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
    if not changes:
        raise Refused(sentence("Nothing of {number} would change.", number=part.number))
    row = PartChange(
        part_id=part_id,
        changes=changes,
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


def approve(*, change_id: UUID, by: Actor, source: str, at: datetime) -> PartChange:
    """Apply a change that somebody else asked for, with its history.

    Raises Forbidden (`parts.approve_partchange`), AnotherPersonNeeded, NotFound, AlreadyDecided, VersionConflict where
    the part is not as it was, Invalid.
    """
    by.require("parts.approve_partchange")
    with transaction.atomic():
        row = _waiting(change_id)
        _refuse_own(row, by)
        part = Part.objects.select_for_update(of=("self",)).get(pk=row.part_id)
        moved = [name for name, (before, _after) in row.changes.items() if text_of(name, part) != before]
        if moved:
            raise VersionConflict(
                sentence(
                    "{moved} of {number} changed since it was asked for; refuse it.",
                    moved=moved,
                    number=part.number,
                )
            )
        _set(part, {name: after for name, (_before, after) in row.changes.items()})
        part._history_user = User(pk=by.user_id)
        part._change_reason = row.reason[:100]
        part.save(update_fields=list(row.changes))
        _decide(row, "applied", by, at)
    return row


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
        _decide(row, "refused", by, at)
    return row


def withdraw(*, change_id: UUID, by: Actor, source: str, at: datetime) -> PartChange:
    """Take back a change that one asked for oneself. Raises Forbidden, NotFound, AlreadyDecided."""
    with transaction.atomic():
        row = _waiting(change_id)
        if row.requested_by_id is None or by.user_id != row.requested_by_id:
            raise Forbidden(sentence("Only who asked for it can take it back."))
        _decide(row, "withdrawn", None, at)
    return row


def _set(part: Part, values: Mapping[str, str]) -> None:
    """Give a part the values, without saving it. Raises Invalid naming the fields that cannot be so."""
    for name, text in values.items():
        field = _FIELDS[name]
        source = field.target_field if isinstance(field, ForeignKey) else field
        try:
            setattr(part, field.attname, None if text == "" and field.null else source.to_python(text))
        except ValidationError as error:
            raise Invalid(sentence("{name} cannot be so.", name=name), {name: list(error.messages)}) from error
    try:
        part.full_clean(exclude=[name for name in FIELDS if name not in values], validate_constraints=False)
        part.validate_constraints()
    except ValidationError as error:
        raise Invalid(sentence("The part cannot be so."), error.message_dict) from error


def _locked_changes() -> QuerySet[PartChange]:
    return PartChange.objects.select_for_update(of=("self",))


def _waiting(change_id: UUID) -> PartChange:
    row = _locked_changes().filter(pk=change_id).first()
    if row is None:
        raise NotFound(sentence("Nobody asked for such a change."), id=str(change_id))
    if row.status != "waiting":
        raise AlreadyDecided(
            sentence("It is {status} already.", status=Word(ChangeStatus(row.status).label)), status=row.status
        )
    return row


def _refuse_own(row: PartChange, by: Actor) -> None:
    if by.user_id is None:
        raise Forbidden(sentence("Only a person can decide on a change."))
    if by.user_id == row.requested_by_id:
        raise AnotherPersonNeeded(sentence("Another person than the one who asked has to decide."))


def _decide(row: PartChange, status: str, by: Actor | None, at: datetime) -> None:
    row.status, row.decided_by_id, row.decided_at = status, by.user_id if by else None, at
    row.save(update_fields=["status", "decided_by", "decided_at", "refusal"])
