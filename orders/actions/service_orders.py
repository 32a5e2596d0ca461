"""Everything that changes a job: one step at a time, each step an event."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from orders import sql
from orders.actions import messages
from orders.consenting import Leave, refuse_moved, require, rule_for_job
from orders.errors import ConcurrentChange, NothingToDo, ReasonRequired, TransitionRefused, word_of
from orders.flows import is_declared
from orders.ledger import Cause, Ledger, Subject, text_of_time
from orders.models import Customer, Equipment, ServiceContract, ServiceOrder
from orders.people import technicians
from orders.rules import LONGEST_NOTE, check_override, check_texts, day_faults, service_order_way
from orders.statuses import SERVICE_ORDER_CLOSED, SERVICE_ORDER_STEPS, ServiceOrderStatus
from parts.actors import Actor
from parts.documents import as_text
from parts.errors import Forbidden, Invalid, NotFound, Refused, VersionConflict
from parts.keys import new_key
from parts.sentences import Says, sentence

CANCELLED = ServiceOrderStatus.CANCELLED.value


class Job(Subject):
    """A service order under its lock."""

    __slots__ = ("customer_id", "read_version", "scheduled_for", "technician_id")
    kind = "service_order"

    customer_id: UUID
    technician_id: int | None
    scheduled_for: date | None
    read_version: int

    def check_step(self, to: str) -> None:
        """Raise TransitionRefused unless the job may go to the status now, by the FSM declared on the model."""
        if not is_declared(ServiceOrder, self.status, to):
            raise TransitionRefused(self.reference, self.status, to, SERVICE_ORDER_STEPS[self.status])


@dataclass(frozen=True, slots=True)
class Moved:
    """Where a subject stands after an action."""

    id: UUID
    reference: str
    status: str
    version: int


@dataclass(frozen=True, slots=True)
class Step:
    """One wanted step of a job; `expected_version` refuses it where somebody else was quicker."""

    id: UUID
    to: str
    expected_version: int | None = None
    note: str = ""
    public: bool = False


def create(
    *,
    customer_id: UUID,
    title: str,
    by: Actor,
    source: str,
    at: datetime,
    status: str = "draft",
    equipment_id: UUID | None = None,
    contract_id: UUID | None = None,
    description: str = "",
    external_reference: str = "",
    machine_down: bool = False,
    scheduled_for: date | None = None,
    is_test: bool = False,
    note: str = "",
    key: UUID | None = None,
    region_id: UUID | None = None,
) -> ServiceOrder:
    """Open a job, as Draft or (logged on site) as New, in the customer's region or another. Raises Forbidden, Invalid
    naming the bad fields.

    `key`, if given, becomes the job's key: the same key again for the same customer answers with the job as it is.
    """
    by.require("orders.add_serviceorder")
    check_texts(
        title=(title.strip(), 160),
        description=(description, LONGEST_NOTE),
        external_reference=(external_reference, 80),
        note=(note, LONGEST_NOTE),
    )
    customer = Customer.objects.filter(pk=customer_id).first()
    contract = ServiceContract.objects.filter(pk=contract_id, customer_id=customer_id).first() if contract_id else None
    fields = _faults(customer, title, status, customer_id, equipment_id, contract is None and contract_id is not None)
    fields |= day_faults(scheduled_for=scheduled_for)
    if fields or customer is None:
        raise Invalid(sentence("The service order cannot be opened as it is."), fields)
    job = Job()
    job.id, job.version, job.chain_hash, job.status, job.status_since = key or new_key(), 0, b"", "", at
    ledger = Ledger(Cause(by=by, source=source, at=at))
    row = ServiceOrder(
        id=job.id,
        status=status,
        status_since=at,
        created_at=at,
        customer=customer,
        region_id=region_id or customer.region_id,
        equipment_id=equipment_id,
        contract_id=contract_id,
        title=title.strip(),
        description=description,
        external_reference=external_reference,
        machine_down=machine_down,
        scheduled_for=scheduled_for,
        is_test=is_test,
        **(contract.clocks(at) if contract else {}),
    )
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT nextval('orders_service_order_number')")
                job.reference = f"SO-{cursor.fetchone()[0]:06d}"
            ledger.record(job, "service_order.created", to=status, note=note)
            row.reference, row.version, row.chain_hash = job.reference, job.version, job.chain_hash
            row.save(force_insert=True)
            _append(ledger)
    except IntegrityError:
        known = ServiceOrder.objects.filter(pk=key).first() if key else None
        if known is None:
            raise
        if known.customer_id != customer_id:
            raise Refused(sentence("This key belongs to another service order.")) from None
        return known
    return row


def _faults(
    customer: Customer | None,
    title: str,
    status: str,
    customer_id: UUID,
    equipment_id: UUID | None,
    contract_missing: bool,
) -> dict[str, list[Says]]:
    fields: dict[str, list[Says]] = {}
    if customer is None or not customer.is_active:
        fields["customer"] = [sentence("There is no such customer, or it is not active.")]
    if not title.strip():
        fields["title"] = [sentence("Say in a few words what is to be done.")]
    if status not in ("draft", "new"):
        fields["status"] = [sentence("A job begins as draft or as new.")]
    if equipment_id and not Equipment.objects.filter(pk=equipment_id, customer_id=customer_id).exists():
        fields["equipment"] = [sentence("This customer has no such equipment.")]
    if contract_missing:
        fields["contract"] = [sentence("This customer has no such contract.")]
    return fields


def lock(ids: Iterable[UUID]) -> dict[UUID, Job]:
    """Lock jobs in key order and return them as they stand. Keys that do not exist are left out."""
    with connection.cursor() as cursor:
        cursor.execute(sql.LOCK_SERVICE_ORDERS, {"ids": list(ids)})
        return {row[0]: _job(row) for row in cursor.fetchall()}


def _job(row: tuple[Any, ...]) -> Job:
    job = Job()
    job.id, job.reference, job.version, chain_hash, job.status, job.status_since = row[:6]
    job.customer_id, job.technician_id, job.scheduled_for = row[6:]
    job.chain_hash, job.read_version = bytes(chain_hash), job.version
    return job


def write(jobs: Sequence[Job], ledger: Ledger) -> None:
    """Write locked jobs and their events in one statement."""
    changes = [
        {
            "id": job.key_text,
            "read_version": job.read_version,
            "status": job.status,
            "version": job.version,
            "chain_hash": job.chain_hash.hex(),
            "status_since": text_of_time(job.status_since),
        }
        for job in jobs
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql.WRITE_SERVICE_ORDERS, {"changes": as_text(changes), **ledger.parameters()})
        if cursor.fetchone() != (len(jobs),):
            raise ConcurrentChange(sentence("A service order was changed by somebody who did not hold its lock."))
    for job in jobs:
        job.read_version = job.version


def _append(ledger: Ledger) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {sql.APPEND_EVENTS} SELECT 1", ledger.parameters())


def locked(service_order_id: UUID, expected_version: int | None) -> Job:
    """Lock one job and return it as it stands. Raises NotFound, VersionConflict."""
    job = lock([service_order_id]).get(service_order_id)
    if job is None:
        raise NotFound(sentence("There is no such service order."), id=str(service_order_id))
    _check_version(job, expected_version)
    return job


def _check_version(job: Job, expected_version: int | None) -> None:
    if expected_version is not None and job.version != expected_version:
        raise VersionConflict(
            sentence("{reference} has changed since you read it.", reference=job.reference),
            version=job.version,
            status=job.status,
        )


def _check_step(job: Job, step: Step, by: Actor) -> None:
    """Refuse what the flow, the rights or the rules of the status do not allow."""
    by.require("orders.move_serviceorder")
    job.check_step(step.to)
    check_texts(note=(step.note, LONGEST_NOTE))
    if step.to == CANCELLED and not step.note.strip():
        raise ReasonRequired(
            sentence("Say why {reference} is cancelled.", reference=job.reference),
            fields={"note": [sentence("A reason is required.")]},
        )


def move(
    *,
    service_order_id: UUID,
    to: str,
    by: Actor,
    source: str,
    at: datetime,
    expected_version: int | None = None,
    note: str = "",
    public: bool = False,
    message_id: str = "",
) -> Moved:
    """Take one step forward or back, or cancel (with a note that gives the reason). Two statements.

    The same message about the job again changes nothing and is answered as the first time. Raises Forbidden, NotFound,
    VersionConflict, ReasonRequired, TransitionRefused, which names the present status and the allowed ones, for a jump,
    a repeat, or any step from a final status, and MessageUsed for a message that moved the job elsewhere before.
    """
    by.require("orders.move_serviceorder")
    cause = Cause(by=by, source=source, at=at, message_id=message_id)
    ledger = Ledger(cause)
    with transaction.atomic():
        job = locked(service_order_id, None)
        if before := messages.known(job, to, cause):
            return Moved(job.id, job.reference, before.to_status, before.version)
        _check_version(job, expected_version)
        _check_step(job, Step(service_order_id, to, expected_version, note), by)
        ledger.record(job, "service_order.status_changed", to=to, note=note, public=public)
        write([job], ledger)
    return moved(job)


def moved(job: Job) -> Moved:
    """Return where a job stands."""
    return Moved(job.id, job.reference, job.status, job.version)


def move_many(*, steps: Sequence[Step], by: Actor, source: str, at: datetime) -> list[Moved | Refused]:
    """Take one step of each of many jobs, with a result per step in the order given; a refused one changes nothing.

    Two statements, however many steps. A job named twice takes its steps in the order given.
    """
    ledger = Ledger(Cause(by=by, source=source, at=at))
    results: list[Moved | Refused] = []
    with transaction.atomic():
        jobs = lock({step.id for step in steps})
        for step in steps:
            try:
                by.require("orders.move_serviceorder")
                job = jobs.get(step.id)
                if job is None:
                    raise NotFound(sentence("There is no such service order."), id=str(step.id))
                if step.expected_version is not None and job.version != step.expected_version:
                    raise VersionConflict(
                        sentence("{reference} has changed since you read it.", reference=job.reference),
                        version=job.version,
                    )
                _check_step(job, step, by)
            except Refused as refusal:
                results.append(refusal)
            else:
                ledger.record(job, "service_order.status_changed", to=step.to, note=step.note, public=step.public)
                results.append(moved(job))
        write_walked(jobs.values(), ledger)
    return results


def write_walked(jobs: Iterable[Job], ledger: Ledger) -> None:
    """Write the jobs that changed, some of them by several steps at once, each step an event of its own."""
    changed = [job for job in jobs if job.version != job.read_version]
    if not changed:
        return
    walked = any(job.version - job.read_version > 1 for job in changed)
    if walked:
        let_walk("on")
    write(changed, ledger)
    if walked:
        let_walk("")


def let_walk(value: str) -> None:
    """Tell the trigger that a row may go several steps in one UPDATE, because each has its event."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('backline.walk', %s, true)", [value])


def fast_forward(
    *,
    service_order_id: UUID,
    to: str,
    by: Actor,
    source: str,
    at: datetime,
    expected_version: int | None = None,
    note: str = "",
    public: bool = False,
) -> Moved:
    """Walk every step between the present status and `to`, each its own event; those in between are `passed_through`.

    Raises as `move`; a way that does not exist is TransitionRefused. Cancelling is not a way: use `move`.
    """
    by.require("orders.move_serviceorder")
    check_texts(note=(note, LONGEST_NOTE))
    ledger = Ledger(Cause(by=by, source=source, at=at))
    with transaction.atomic():
        job = locked(service_order_id, expected_version)
        way = [] if to == CANCELLED else service_order_way(job.status, to)
        if not way:
            raise TransitionRefused(job.reference, job.status, to, SERVICE_ORDER_STEPS[job.status])
        for status in way[:-1]:
            job.check_step(status)
            ledger.record(job, "service_order.status_changed", to=status, passed_through=True)
        job.check_step(to)
        ledger.record(job, "service_order.status_changed", to=to, note=note, public=public)
        write_walked([job], ledger)
    return moved(job)


def override(
    *,
    service_order_id: UUID,
    to: str,
    reason: str,
    reference: str,
    by: Actor,
    source: str,
    at: datetime,
    expected_version: int | None = None,
    leave: Leave | None = None,
) -> Moved:
    """Put a job into any status, against the flow. Needs its own permission, a reason and a reference; marked for ever.

    `leave` comes from `orders.actions.consents`. Raises Forbidden, ReasonRequired, NotFound, VersionConflict,
    NothingToDo where it already stands there, ConsentNeeded.
    """
    by.require("orders.override_serviceorder")
    check_override(to=to, reason=reason, reference=reference, known=ServiceOrderStatus.values)
    ledger = Ledger(Cause(by=by, source=source, at=at))
    with transaction.atomic():
        job = locked(service_order_id, expected_version)
        refuse_moved(job, leave)
        if job.status == to:
            raise NothingToDo(
                sentence("{reference} already is {current}.", reference=job.reference, current=word_of(to)),
                current=job.status,
            )
        require(rule_for_job(to=to), by, leave)
        ledger.record(
            job,
            "service_order.status_overridden",
            to=to,
            note=reason.strip(),
            is_override=True,
            override_reference=reference.strip(),
            data=leave.as_data() if leave else None,
        )
        allow_any_step(job.id)
        write([job], ledger)
    return moved(job)


def allow_any_step(subject_id: UUID) -> None:
    """Let the trigger pass one subject in this transaction: the one that is overridden."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('backline.override', %s, true)", [str(subject_id)])


def assign(
    *,
    service_order_id: UUID,
    technician_id: int | None,
    by: Actor,
    source: str,
    at: datetime,
    expected_version: int | None = None,
) -> Moved:
    """Give a job to a technician (or to nobody).

    Raises Forbidden, NotFound, VersionConflict, Refused for a closed job, Invalid for somebody who is no technician.
    """
    by.require("orders.assign_serviceorder")
    return _set_technician(service_order_id, technician_id, "assigned", by, source, at, expected_version)


def claim(
    *, service_order_id: UUID, by: Actor, source: str, at: datetime, expected_version: int | None = None
) -> Moved:
    """Take a job that nobody has. Raises Refused where another has it; claiming one's own again is harmless."""
    by.require("orders.claim_serviceorder")
    if by.user_id is None:
        raise Forbidden(sentence("Only a person can claim a job."))
    return _set_technician(service_order_id, by.user_id, "claimed", by, source, at, expected_version)


def _set_technician(
    service_order_id: UUID,
    technician_id: int | None,
    verb: str,
    by: Actor,
    source: str,
    at: datetime,
    expected_version: int | None,
) -> Moved:
    ledger = Ledger(Cause(by=by, source=source, at=at))
    with transaction.atomic():
        job = locked(service_order_id, expected_version)
        if job.status in SERVICE_ORDER_CLOSED:
            raise Refused(
                sentence(
                    "{reference} is {status}; nobody works on it any more.",
                    reference=job.reference,
                    status=word_of(job.status),
                ),
                current=job.status,
            )
        if job.technician_id == technician_id:
            return moved(job)
        if verb == "claimed" and job.technician_id is not None:
            raise Refused(sentence("{reference} already has a technician.", reference=job.reference))
        if verb == "assigned" and technician_id is not None and not technicians().filter(pk=technician_id).exists():
            raise Invalid(
                sentence("Nobody can take the job."), {"technician": [sentence("There is no such technician.")]}
            )
        change = {"from": job.technician_id, "to": technician_id}
        ledger.record(job, f"service_order.{verb}", data=change)
        write([job], ledger)
        row = ServiceOrder.objects.get(pk=job.id)
        row.technician_id = technician_id
        row.save(update_fields=["technician"])
    return moved(job)


def add_note(
    *,
    service_order_id: UUID,
    text: str,
    by: Actor,
    source: str,
    at: datetime,
    public: bool = False,
    kind: str = "note.added",
) -> Moved:
    """Put a note on the job's timeline, for staff only or also for the customer. Raises Invalid for an empty one."""
    by.require("orders.change_serviceorder")
    if not text.strip():
        raise Invalid(sentence("The note is empty."), {"text": [sentence("Write something.")]})
    check_texts(text=(text, LONGEST_NOTE))
    ledger = Ledger(Cause(by=by, source=source, at=at))
    with transaction.atomic():
        job = locked(service_order_id, None)
        ledger.record(job, kind, note=text.strip(), public=public)
        write([job], ledger)
    return moved(job)
