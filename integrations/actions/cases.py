"""Discrepancy cases: opened by people and by rules, assigned, noted, resolved, reopened, escalated; each an event."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from integrations import sql
from integrations.models import Discrepancy, EscalationStep
from integrations.statuses import CaseStatus, DiscrepancyKind, Resolution
from orders.errors import NothingToDo, ReasonRequired
from orders.ledger import Cause, Ledger, Subject
from orders.models import EventCursor
from orders.rules import LONGEST_NOTE, check_texts
from orders.sql import APPEND_EVENTS
from parts.actors import Actor
from parts.errors import Invalid, NotFound, Refused, VersionConflict
from parts.keys import new_key
from parts.labels import full_name
from parts.sentences import Says, Sentence, in_english, sentence

#: How long a case may take where nobody has said who answers for its kind.
WITHOUT_STEPS = timedelta(hours=24)
#: Under which name it is kept how far counts were looked at, how far before that the next run begins, and how many
#: cases one run opens or escalates.
COUNTS = "counts-beyond-tolerance"
LOOKED_BACK = timedelta(days=2)
MOST_AT_ONCE = 500


class Case(Subject):
    """A case as the ledger knows it."""

    __slots__ = ()
    kind = "case"


@dataclass(frozen=True, slots=True)
class Contradiction:
    """What contradicts what: in people's own words, or (of a rule) in sentences that each reader has in their language.
    `cause` names the one row or message behind it, by which it has one case at most."""

    kind: str
    expected: Says
    found: Says
    about: dict[str, UUID]
    cause: tuple[str, UUID | str] | None = None


def open_case(*, what: Contradiction, note: str, by: Actor, source: str, at: datetime) -> Discrepancy:
    """Open a case by hand. Raises Forbidden (`integrations.open_discrepancy`), Invalid."""
    by.require("integrations.open_discrepancy")
    missing = {name: [sentence("Required.")] for name in ("expected", "found") if not str(getattr(what, name)).strip()}
    if what.kind not in DiscrepancyKind.values:
        missing["kind"] = [sentence("Must be one of {allowed}.", allowed=list(DiscrepancyKind.values))]
    if missing or not what.about:
        raise Invalid(sentence("Say what was expected, and what was found instead."), missing)
    check_texts(expected=(str(what.expected), 200), found=(str(what.found), 200), note=(note, LONGEST_NOTE))
    return _open([what], note, Cause(by=by, source=source, at=at))[0]


def open_by_rule(*, found: Sequence[Contradiction], by: Actor, source: str, at: datetime) -> int:
    """Open the cases of what a rule found, where their causes have none yet; return how many. It follows from the
    causes, so who caused it needs no right of their own to open cases.

    The number of statements does not depend on how many there are. All causes are of one kind.
    """
    if not found:
        return 0
    cause = Cause(by=by, source=source, at=at)
    try:
        with transaction.atomic():
            return _open_new(found, cause)
    except IntegrityError:
        return _open_new(found, cause)  # another run opened some of them at this moment: now they are known


def _open_new(found: Sequence[Contradiction], cause: Cause) -> int:
    new = _without_case({str(what.cause[1]): what for what in found if what.cause is not None})
    return len(_open(new, "", cause)) if new else 0


def _without_case(by_cause: Mapping[str, Contradiction]) -> list[Contradiction]:
    if not by_cause:
        return []
    fields = {what.cause[0] for what in by_cause.values() if what.cause is not None}
    assert len(fields) == 1, fields
    field = fields.pop()
    values = [what.cause[1] for what in by_cause.values() if what.cause is not None]
    known = Discrepancy.objects.filter(**{f"{field}__in": values}).values_list(field, flat=True)
    have = {str(value) for value in known}
    return [what for value, what in by_cause.items() if value not in have]


def _open(found: Sequence[Contradiction], note: str, cause: Cause) -> list[Discrepancy]:
    """Open a case for each, with as many statements as for one."""
    steps = EscalationStep.objects.filter(kind__in={what.kind for what in found}).order_by("kind", "-position")
    first = {step.kind: step for step in steps}
    ledger = Ledger(cause)
    with transaction.atomic():
        with connection.cursor() as cursor:
            numbered = "SELECT nextval('integrations_discrepancy_number') FROM generate_series(1, %s)"
            cursor.execute(numbered, [len(found)])
            numbers = [number for (number,) in cursor.fetchall()]
        rows = [
            _opened(what, note, cause, ledger, number, first.get(what.kind))
            for what, number in zip(found, numbers, strict=True)
        ]
        Discrepancy.objects.bulk_create(rows)
        _append(ledger)
    return rows


def _opened(
    what: Contradiction, note: str, cause: Cause, ledger: Ledger, number: int, step: EscalationStep | None
) -> Discrepancy:
    """Return the row of a new case; its event is recorded."""
    case = Case()
    case.id, case.version, case.chain_hash, case.status, case.status_since = new_key(), 0, b"", "", cause.at
    case.reference = f"DC-{number:06d}"
    expected, seen = in_english(what.expected).strip()[:200], in_english(what.found).strip()[:200]
    sentences = {
        name: said.kept()
        for name, said in (("expected", what.expected), ("found", what.found))
        if isinstance(said, Sentence)
    }
    data = {"kind": what.kind, "expected": expected, "found": seen} | ({"sentences": sentences} if sentences else {})
    ledger.record(case, "case.opened", to=CaseStatus.OPEN.value, data=data, note=note.strip())
    return Discrepancy(
        id=case.id,
        reference=case.reference,
        version=case.version,
        chain_hash=case.chain_hash,
        kind=what.kind,
        expected=expected,
        found=seen,
        sentences=sentences,
        role=step.role if step else "",
        step=step.position if step else 1,
        due_at=cause.at + (timedelta(hours=step.hours) if step else WITHOUT_STEPS),
        status_since=cause.at,
        created_at=cause.at,
        **what.about,
        **({what.cause[0]: what.cause[1]} if what.cause else {}),
    )


def assign(
    *,
    case_id: UUID,
    owner_id: int | None,
    by: Actor,
    source: str,
    at: datetime,
    expected_version: int | None = None,
    only_free: bool = False,
) -> Discrepancy:
    """Give a case to somebody who may work on cases, or to nobody; with `only_free`, only one that nobody has. Raises
    Forbidden, NotFound, VersionConflict, Refused for a resolved one, Invalid for somebody who may not, NothingToDo."""

    def change(row: Discrepancy, case: Case, ledger: Ledger) -> None:
        _refuse_resolved(row)
        if row.owner_id == owner_id:
            raise NothingToDo(sentence("{reference} is with them already.", reference=row.reference))
        if only_free and row.owner is not None:
            raise Refused(
                sentence(
                    "{person} has {reference} already.",
                    person=full_name(row.owner),
                    reference=row.reference,
                )
            )
        if owner_id is not None and not workers().filter(pk=owner_id).exists():
            raise Invalid(sentence("Nobody can take the case."), {"owner": [sentence("They may not work on cases.")]})
        ledger.record(case, "case.assigned", data={"from": row.owner_id, "to": owner_id})
        row.owner_id = owner_id

    return _change(case_id, Cause(by=by, source=source, at=at), change, expected_version, fields=("owner",))


def workers() -> QuerySet[User]:
    """Return the people who may work on cases: by a role, by a right of their own, or above all rights."""
    return User.objects.with_perm("integrations.work_discrepancy", backend="django.contrib.auth.backends.ModelBackend")


def add_note(*, case_id: UUID, text: str, by: Actor, source: str, at: datetime) -> Discrepancy:
    """Put a note on a case, also on a resolved one. Raises Forbidden, NotFound, Invalid for an empty one."""
    if not text.strip():
        raise Invalid(sentence("The note is empty."), {"text": [sentence("Write something.")]})
    check_texts(text=(text, LONGEST_NOTE))

    def change(row: Discrepancy, case: Case, ledger: Ledger) -> None:
        ledger.record(case, "note.added", note=text.strip())

    return _change(case_id, Cause(by=by, source=source, at=at), change)


def resolve(
    *,
    case_id: UUID,
    resolution: str,
    text: str,
    by: Actor,
    source: str,
    at: datetime,
    expected_version: int | None = None,
) -> Discrepancy:
    """Settle a case: what was wrong, and what was done. Raises Forbidden, NotFound, VersionConflict, Invalid,
    ReasonRequired, Refused for a resolved one."""
    if resolution not in Resolution.values:
        raise Invalid(
            sentence("Say what was wrong."),
            {"resolution": [sentence("Must be one of {allowed}.", allowed=list(Resolution.values))]},
        )
    if not text.strip():
        raise ReasonRequired(sentence("Say what was done."), fields={"text": [sentence("Required.")]})
    check_texts(text=(text, LONGEST_NOTE))

    def change(row: Discrepancy, case: Case, ledger: Ledger) -> None:
        _refuse_resolved(row)
        data = {"resolution": resolution}
        ledger.record(case, "case.resolved", to=CaseStatus.RESOLVED.value, data=data, note=text.strip())
        row.resolution, row.resolved_at = resolution, at

    cause = Cause(by=by, source=source, at=at)
    return _change(case_id, cause, change, expected_version, fields=("resolution", "resolved_at"))


def reopen(
    *, case_id: UUID, reason: str, by: Actor, source: str, at: datetime, expected_version: int | None = None
) -> Discrepancy:
    """Open a resolved case again, from its first step on. Raises Forbidden, NotFound, VersionConflict, ReasonRequired,
    Refused for one that is open."""
    if not reason.strip():
        raise ReasonRequired(sentence("Say why it is opened again."), fields={"reason": [sentence("Required.")]})
    check_texts(reason=(reason, LONGEST_NOTE))

    def change(row: Discrepancy, case: Case, ledger: Ledger) -> None:
        if row.status != CaseStatus.RESOLVED:
            raise Refused(sentence("{reference} is open.", reference=row.reference), current=row.status)
        ledger.record(case, "case.reopened", to=CaseStatus.OPEN.value, note=reason.strip())
        row.resolution, row.resolved_at = "", None
        step = EscalationStep.objects.filter(kind=row.kind).order_by("position").first()
        row.step, row.role = (step.position, step.role) if step else (1, "")
        row.due_at = at + (timedelta(hours=step.hours) if step else WITHOUT_STEPS)

    fields = ("resolution", "resolved_at", "step", "role", "due_at")
    return _change(case_id, Cause(by=by, source=source, at=at), change, expected_version, fields=fields)


def escalate_overdue(*, at: datetime) -> int:
    """Hand every overdue case to the role of its next step, with that step's time; return how many. Safe to repeat.

    A case of the last step stays there, and stays overdue.
    """
    later = EscalationStep.objects.filter(kind=OuterRef("kind"), position__gt=OuterRef("step"))
    overdue = Discrepancy.objects.filter(status=CaseStatus.OPEN, due_at__lt=at)
    keys = list(overdue.filter(Exists(later)).order_by("due_at", "id").values_list("pk", flat=True)[:MOST_AT_ONCE])
    return sum(_escalate(key, at) for key in keys)


def _escalate(case_id: UUID, at: datetime) -> bool:
    def change(row: Discrepancy, case: Case, ledger: Ledger) -> None:
        step = EscalationStep.objects.filter(kind=row.kind, position__gt=row.step).order_by("position").first()
        if step is None or row.status != CaseStatus.OPEN or row.due_at >= at:
            raise NothingToDo(sentence("Another run was quicker."))
        data = {"from": row.role, "to": step.role, "step": step.position}
        ledger.record(case, "case.escalated", data=data)
        row.step, row.role, row.due_at = step.position, step.role, at + timedelta(hours=step.hours)

    cause = Cause(by=Actor.system("escalation"), source="escalation", at=at)
    try:
        _change(case_id, cause, change, fields=("step", "role", "due_at"))
    except NothingToDo:
        return False
    return True


def open_for_counts(*, at: datetime) -> int:
    """Open a case for each count of a warehouse that differed beyond its tolerance; return how many. Safe to repeat.

    However long nobody ran: it goes on where the last run ended, and looks a little further back than that, for what
    was committed late.
    """
    cursor = EventCursor.objects.filter(name=COUNTS).first() or EventCursor(name=COUNTS, event_id=UUID(int=0))
    rows = sql.COUNTS_BEYOND_TOLERANCE.rows(first=_looked_back(cursor.event_id), most=MOST_AT_ONCE)
    found = [
        Contradiction(
            DiscrepancyKind.COUNT_LEVEL.value,
            expected=sentence("{quantity} in the books", quantity=expected.normalize()),
            found=sentence("{quantity} counted", quantity=counted.normalize()),
            about={"level_id": level_id},
            cause=("correction_id", correction_id),
        )
        for correction_id, level_id, expected, counted in rows
    ]
    opened = open_by_rule(found=found, by=Actor.system("count-tolerance"), source="counts", at=at)
    if len(rows) < MOST_AT_ONCE:
        cursor.event_id = UUID(int=int(at.timestamp() * 1000) << 80)
        cursor.save()
    return opened


def _looked_back(key: UUID) -> UUID:
    """Return a key of so long before: keys begin with the millisecond at which they were made."""
    return UUID(int=max(0, key.int - (int(LOOKED_BACK.total_seconds() * 1000) << 80)))


# --- One case at a time ----------------------------------------------------------------------------------------------


def _locked_cases() -> QuerySet[Discrepancy]:
    return Discrepancy.objects.select_for_update(of=("self",))


def _change(
    case_id: UUID,
    cause: Cause,
    change: Callable[[Discrepancy, Case, Ledger], None],
    expected_version: int | None = None,
    fields: tuple[str, ...] = (),
) -> Discrepancy:
    """Change a case under its lock, with its event. Raises Forbidden, NotFound, VersionConflict, and as the change."""
    cause.by.require("integrations.work_discrepancy")
    with transaction.atomic():
        row = _locked_cases().filter(pk=case_id).first()
        if row is None:
            raise NotFound(sentence("There is no such case."), id=str(case_id))
        if expected_version is not None and row.version != expected_version:
            raise VersionConflict(
                sentence("{reference} has changed since you read it.", reference=row.reference), version=row.version
            )
        case = _as_subject(row)
        ledger = Ledger(cause)
        change(row, case, ledger)
        row.version, row.chain_hash = case.version, case.chain_hash
        row.status, row.status_since = case.status, case.status_since
        row.save(update_fields=["version", "chain_hash", "status", "status_since", *fields])
        _append(ledger)
    return row


def _as_subject(row: Discrepancy) -> Case:
    case = Case()
    case.id, case.reference, case.version, case.chain_hash = row.pk, row.reference, row.version, bytes(row.chain_hash)
    case.status, case.status_since = row.status, row.status_since.astimezone(UTC)
    return case


def _refuse_resolved(row: Discrepancy) -> None:
    if row.status == CaseStatus.RESOLVED:
        raise Refused(
            sentence("{reference} is resolved; open it again first.", reference=row.reference), current=row.status
        )


def _append(ledger: Ledger) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {APPEND_EVENTS} SELECT 1", ledger.parameters())
