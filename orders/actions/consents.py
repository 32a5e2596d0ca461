"""Overrides as people ask for them: with evidence, and with the consent of another person where a rule wants it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from orders.actions import overriding, service_orders
from orders.actions.attachments import checked, together_with
from orders.actions.service_orders import Moved, locked, write
from orders.actions.work import LineWork
from orders.consenting import IS_MOVE, Leave, has_moved, reference_of, rule_for_job, rule_for_line
from orders.errors import ReasonRequired, TransitionRefused, word_of
from orders.files import Judged
from orders.ledger import Cause, Ledger, Subject
from orders.models import EventText, OrderEvent, OrderLine, OverrideRequest, ServiceOrder
from orders.rules import LONGEST_NOTE, LONGEST_REFERENCE, before_it_began, check_status, check_texts
from orders.statuses import LINE_SHIPPED, ConsentStatus, LineStatus, ServiceOrderStatus
from parts import deciding
from parts.actors import Actor
from parts.errors import AlreadyDecided, Forbidden, Invalid, NotFound, Refused, VersionConflict
from parts.keys import new_key
from parts.rules import moment_problem
from parts.sentences import Says, sentence

About = Literal["line", "service_order"]
#: How long a request waits for consent before it lapses, and how many lapse in one run.
WAITS_FOR = timedelta(days=7)
MOST_AT_ONCE = 500
_MAY: dict[str, str] = {"line": "orders.override_orderline", "service_order": "orders.override_serviceorder"}


@dataclass(frozen=True, slots=True)
class Evidence:
    """A file that shows that an override is right."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Wish:
    """An override that somebody wants: of what, to which status, why, and what it rests on.

    Without a reference the evidence is one. `happened_at`: when it was shipped or delivered outside the system.
    """

    about: About
    subject_id: UUID
    to: str
    reason: str
    reference: str = ""
    evidence: Evidence | None = field(default=None, repr=False)
    happened_at: datetime | None = None


def ask(*, wish: Wish, by: Actor, source: str, at: datetime, expected_version: int | None = None) -> OverrideRequest:
    """Override at once where no rule wants a second person; otherwise ask for it, and change nothing yet.

    The ledger says who asked and why, either way. Raises as the override itself, and FileRefused, Forbidden for who is
    no person, Refused where another override of the same waits for consent already.
    """
    by.require(_MAY[wish.about])
    if by.user_id is None:
        raise Forbidden(sentence("Only a person can ask for an override."))
    kept = checked(wish.evidence.name, wish.evidence.content) if wish.evidence else None
    _check(wish, at)
    row = OverrideRequest(
        id=new_key(),
        to_status=wish.to,
        reference=wish.reference.strip() or (reference_of(_digest(kept)) if kept else ""),
        happened_at=wish.happened_at,
        requested_by_id=by.user_id,
        requested_at=at,
        **{f"{wish.about}_id": wish.subject_id},
    )
    try:
        with together_with(row.evidence):
            _keep(row, kept)
            _begin(row, wish, by=by, source=source, at=at, expected_version=expected_version)
    except IntegrityError as error:
        if "one_waiting_per" in str(error):
            raise Refused(sentence("An override of the same waits for consent already.")) from error
        raise
    return row


def _check(wish: Wish, at: datetime) -> None:
    missing: dict[str, list[Says]] = {} if wish.reason.strip() else {"reason": [sentence("Required.")]}
    if not wish.reference.strip() and wish.evidence is None:
        missing["reference"] = [sentence("Give a reference, or a file as evidence.")]
    if missing:
        raise ReasonRequired(sentence("An override needs a reason, and a reference or evidence."), fields=missing)
    check_texts(reason=(wish.reason, LONGEST_NOTE), reference=(wish.reference, LONGEST_REFERENCE))
    check_status(wish.to, LineStatus.values if wish.about == "line" else ServiceOrderStatus.values)
    if wish.happened_at is None:
        return
    problem = moment_problem(wish.happened_at, at)
    if wish.about != "line" or wish.to not in LINE_SHIPPED:
        problem = sentence("is only asked for what was shipped or delivered")
    elif not problem and wish.happened_at > at:
        problem = sentence("must not lie ahead")
    elif not problem:
        problem = before_it_began(wish.happened_at, _ordered_at(wish.subject_id))
    if problem:
        raise Invalid(sentence("The time {problem}.", problem=problem), {"happened_at": [problem]})


def _digest(kept: Judged) -> str:
    return hashlib.sha256(kept.content).hexdigest()


def _ordered_at(line_id: UUID) -> datetime | None:
    mine = OrderLine.objects.filter(pk=line_id).values("order_id")
    return OrderEvent.objects.filter(subject_id__in=mine, version=1).values_list("occurred_at", flat=True).first()


def _keep(row: OverrideRequest, kept: Judged | None) -> None:
    if kept is None:
        return
    row.evidence_name, row.evidence_type = kept.name, kept.kind.content_type
    row.evidence_sha256 = _digest(kept)
    row.evidence.save(kept.name, ContentFile(kept.content), save=False)


def _begin(
    row: OverrideRequest, wish: Wish, *, by: Actor, source: str, at: datetime, expected_version: int | None
) -> None:
    """Apply it, or record that it is asked for, under the lock of its subject."""
    row.rule = _rule(row, wish.to)
    if not row.rule:
        leave = Leave(row.pk, evidence_sha256=row.evidence_sha256, happened_at=row.happened_at)
        moved = _override(row, wish.reason, leave, by=by, source=source, at=at, expected_version=expected_version)
        row.status, row.decided_at = "applied", at
        event = OrderEvent.objects.filter(subject_id=moved.id, is_override=True).latest("version")
        row.asked_event, row.from_status = event.pk, event.from_status
        row.save(force_insert=True)
        return

    def asked(subject: Subject, ledger: Ledger) -> None:
        if expected_version is not None and subject.version != expected_version:
            raise VersionConflict(
                sentence("{reference} has changed since you read it.", reference=subject.reference),
                version=subject.version,
                status=subject.status,
            )
        if subject.status == wish.to:
            raise Refused(
                sentence("{reference} already is {current}.", reference=subject.reference, current=word_of(wish.to)),
                current=subject.status,
            )
        row.from_status = subject.status
        data = {"to": wish.to, "request": str(row.pk), "rule": row.rule, "evidence": row.evidence_sha256}
        event = ledger.record(
            subject,
            f"{wish.about}.override_asked",
            note=wish.reason.strip(),
            override_reference=row.reference,
            data=data,
        )
        row.asked_event = UUID(event["id"])

    _record(row, Cause(by=by, source=source, at=at), asked)
    row.status = "waiting"
    row.save(force_insert=True)


def consent(*, request_id: UUID, by: Actor, source: str, at: datetime) -> OverrideRequest:
    """Apply an override that somebody else asked for: in their name, with the consent of `by` beside it in the ledger.

    Raises Forbidden (without `orders.consent_override`; where the one who asked may not override any more),
    AnotherPersonNeeded, NotFound, AlreadyDecided, VersionConflict where its subject has moved since, and as the
    override itself.
    """
    by.require("orders.consent_override")
    with transaction.atomic():
        row = _waiting(request_id)
        _refuse_own(row, by)
        asked = OrderEvent.objects.get(pk=row.asked_event)
        text = EventText.objects.filter(event=row.asked_event).values_list("text", flat=True).first()
        if text is None:
            raise Refused(sentence("The reason was erased; refuse it, and let it be asked for anew."))
        leave = Leave(row.pk, by.reference, row.evidence_sha256, row.happened_at, as_of=asked.version)
        _override(row, text, leave, by=Actor.user(row.requested_by), source=source, at=at, expected_version=None)
        deciding.decide(row, "applied", by, at)
    return row


def refuse(*, request_id: UUID, reason: str, by: Actor, source: str, at: datetime) -> OverrideRequest:
    """Refuse an override that somebody else asked for; nothing is overridden. Raises as `consent`, ReasonRequired."""
    by.require("orders.consent_override")
    if not reason.strip():
        raise ReasonRequired(sentence("Say why it is refused."), fields={"reason": [sentence("A reason is required.")]})
    check_texts(reason=(reason, LONGEST_NOTE))
    with transaction.atomic():
        row = _waiting(request_id)
        _refuse_own(row, by)
        _close(row, "override_refused", reason, Cause(by=by, source=source, at=at))
        deciding.decide(row, "refused", by, at)
    return row


def withdraw(*, request_id: UUID, by: Actor, source: str, at: datetime) -> OverrideRequest:
    """Take back an override that one asked for oneself. Raises Forbidden, NotFound, AlreadyDecided."""
    with transaction.atomic():
        row = _waiting(request_id)
        deciding.refuse_others(row, by)
        _close(row, "override_withdrawn", "", Cause(by=by, source=source, at=at))
        deciding.decide(row, "withdrawn", None, at)
    return row


def expire_requests(*, at: datetime) -> int:
    """Let lapse what has waited for consent too long, or whose subject has moved since; return how many.

    Nothing is overridden; whoever still wants it asks anew. Each is an event of its subject. Safe to repeat.
    """
    asked = OrderEvent.objects.filter(pk=OuterRef(OuterRef("asked_event"))).values("version")
    subject = Coalesce(OuterRef("line_id"), OuterRef("service_order_id"))
    moved = OrderEvent.objects.filter(IS_MOVE, subject_id=subject, version__gt=Subquery(asked))
    late = Q(requested_at__lt=at - WAITS_FOR)
    waiting = OverrideRequest.objects.filter(status="waiting").filter(late | Exists(moved))
    keys = list(waiting.order_by("id").values_list("pk", flat=True)[:MOST_AT_ONCE])
    return sum(_expire(key, at) for key in keys)


def _expire(request_id: UUID, at: datetime) -> bool:
    cause = Cause(by=Actor.system("consent"), source="backline", at=at)
    with transaction.atomic():
        try:
            row = _waiting(request_id)
        except AlreadyDecided:
            return False  # somebody was quicker
        asked = OrderEvent.objects.get(pk=row.asked_event)
        if row.requested_at >= at - WAITS_FOR and not has_moved(asked.subject_id, since=asked.version):
            return False
        _close(row, "override_expired", "", cause)
        deciding.decide(row, "expired", None, at)
    return True


def _locked_requests() -> QuerySet[OverrideRequest]:
    return OverrideRequest.objects.select_for_update(of=("self",))


def _waiting(request_id: UUID) -> OverrideRequest:
    return deciding.waiting(
        _locked_requests(), request_id, ConsentStatus, none=sentence("Nobody asked for such an override.")
    )


def _refuse_own(row: OverrideRequest, by: Actor) -> None:
    deciding.refuse_own(row, by, only_people=sentence("Only a person can decide on an override."))


def _close(row: OverrideRequest, kind: str, note: str, cause: Cause) -> None:
    data = {"to": row.to_status, "request": str(row.pk)}

    def said(subject: Subject, ledger: Ledger) -> None:
        ledger.record(subject, f"{_about(row)}.{kind}", note=note.strip(), override_reference=row.reference, data=data)

    _record(row, cause, said)


def _about(row: OverrideRequest) -> About:
    return "line" if row.line_id else "service_order"


def _subject(row: OverrideRequest) -> OrderLine | ServiceOrder:
    found = (
        OrderLine.objects.filter(pk=row.line_id).first()
        if row.line_id
        else ServiceOrder.objects.filter(pk=row.service_order_id).first()
    )
    if found is None:
        raise NotFound(sentence("There is no such line or service order."))
    return found


def _rule(row: OverrideRequest, to: str) -> str:
    subject = _subject(row)
    if isinstance(subject, OrderLine):
        return rule_for_line(line_id=subject.pk, part_id=subject.part_id, quantity=subject.quantity, to=to)
    return rule_for_job(to=to)


def _override(
    row: OverrideRequest,
    reason: str,
    leave: Leave,
    *,
    by: Actor,
    source: str,
    at: datetime,
    expected_version: int | None,
) -> Moved:
    facts: dict[str, Any] = {
        "to": row.to_status,
        "reason": reason,
        "reference": row.reference,
        "by": by,
        "source": source,
        "at": at,
        "expected_version": expected_version,
        "leave": leave,
    }
    if row.line_id:
        return overriding.override(line_id=row.line_id, **facts)
    assert row.service_order_id is not None
    return service_orders.override(service_order_id=row.service_order_id, **facts)


def _record(row: OverrideRequest, cause: Cause, record: Callable[[Subject, Ledger], None]) -> None:
    """Record something about the subject, under its lock, that changes no status."""
    if row.line_id:
        work = LineWork(cause, line_ids=[row.line_id], touches_stock=False)
        line = work.trees.line(row.line_id)
        if line.is_split:
            raise TransitionRefused(line.reference, line.status, row.to_status, [], split=True)
        line.touched = True
        record(line, work.ledger)
        work.finish()
        return
    assert row.service_order_id is not None
    job = locked(row.service_order_id, None)
    ledger = Ledger(cause)
    record(job, ledger)
    write([job], ledger)
