"""What is written down about a job beside its status: dates, labour, findings, and where the equipment is."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from orders.actions.service_orders import Job, Moved, locked, moved, write
from orders.errors import word_of
from orders.ledger import Cause, Ledger
from orders.models import DiagnosticNote, LabourEntry, ReturnShipment, ServiceOrder
from orders.rules import LONGEST_NOTE, check_days, check_texts, day_faults, earliest_today, text_faults
from orders.statuses import SERVICE_ORDER_CLOSED
from parts.actors import Actor
from parts.errors import Forbidden, Invalid, NotFound, Refused
from parts.keys import new_key
from parts.sentences import Says, sentence

_MOST_MINUTES = 1440


def _open_job(service_order_id: UUID, expected_version: int | None = None) -> Job:
    job = locked(service_order_id, expected_version)
    if job.status in SERVICE_ORDER_CLOSED:
        raise Refused(
            sentence(
                "{reference} is {status}; nothing is added to it any more.",
                reference=job.reference,
                status=word_of(job.status),
            ),
            current=job.status,
        )
    return job


def _person(by: Actor) -> int:
    if by.user_id is None:
        raise Forbidden(sentence("Only a person can do this."))
    return by.user_id


def _set(job: Job, ledger: Ledger, kind: str, note: str, public: bool, **changes: Any) -> Moved:
    """Write fields of a job that people edit, with an event that says from what to what."""
    row = ServiceOrder.objects.get(pk=job.id)
    data = {name: {"from": _text(getattr(row, name)), "to": _text(value)} for name, value in changes.items()}
    ledger.record(job, kind, data=data, note=note, public=public)
    write([job], ledger)
    for name, value in changes.items():
        setattr(row, name, value)
    row.save(update_fields=list(changes))
    return moved(job)


def _text(value: date | datetime | None) -> str | None:
    return value.isoformat() if value else None


def reschedule(
    *,
    service_order_id: UUID,
    scheduled_for: date,
    by: Actor,
    source: str,
    at: datetime,
    note: str = "",
    expected_version: int | None = None,
) -> Moved:
    """Plan a job for another day. Raises Invalid for a day that has passed, Refused for a closed job."""
    by.require("orders.change_serviceorder")
    check_texts(note=(note, LONGEST_NOTE))
    check_days(scheduled_for=scheduled_for)
    if scheduled_for < earliest_today(at):
        raise Invalid(
            sentence("A job is planned for a day to come."), {"scheduled_for": [sentence("This day has passed.")]}
        )
    ledger = Ledger(Cause(by=by, source=source, at=at))
    with transaction.atomic():
        job = _open_job(service_order_id, expected_version)
        return _set(job, ledger, "service_order.rescheduled", note, True, scheduled_for=scheduled_for)


def set_estimated_completion(
    *,
    service_order_id: UUID,
    estimated_completion_at: datetime,
    by: Actor,
    source: str,
    at: datetime,
    note: str = "",
    expected_version: int | None = None,
) -> Moved:
    """Say when the job will probably be done. Raises Invalid for a time that has passed, Refused for a closed job."""
    by.require("orders.change_serviceorder")
    check_texts(note=(note, LONGEST_NOTE))
    check_days(estimated_completion_at=estimated_completion_at.date())
    if estimated_completion_at < at:
        raise Invalid(
            sentence("The estimate lies in the past."), {"estimated_completion_at": [sentence("This time has passed.")]}
        )
    ledger = Ledger(Cause(by=by, source=source, at=at))
    with transaction.atomic():
        job = _open_job(service_order_id, expected_version)
        return _set(
            job,
            ledger,
            "service_order.completion_estimated",
            note,
            True,
            estimated_completion_at=estimated_completion_at,
        )


def log_labour(
    *,
    service_order_id: UUID,
    started_at: datetime,
    minutes: int,
    by: Actor,
    source: str,
    at: datetime,
    description: str = "",
) -> LabourEntry:
    """Write down work done on a job by the person who acts. Raises Invalid, Refused for a closed job."""
    by.require("orders.add_labourentry")
    fields: dict[str, list[Says]] = {}
    if not 0 < minutes <= _MOST_MINUTES:
        fields["minutes"] = [sentence("Between 1 and 1440.")]
    if started_at > at:
        fields["started_at"] = [sentence("This is still to come.")]
    fields |= text_faults(description=(description, 300)) | day_faults(started_at=started_at.date())
    if fields:
        raise Invalid(sentence("The labour entry is not right."), fields)
    ledger = Ledger(Cause(by=by, source=source, at=at))
    with transaction.atomic():
        job = _open_job(service_order_id)
        entry = LabourEntry.objects.create(
            service_order_id=job.id,
            technician_id=_person(by),
            started_at=started_at,
            minutes=minutes,
            description=description,
        )
        ledger.record(job, "labour.logged", data={"entry": str(entry.id), "minutes": minutes})
        write([job], ledger)
    return entry


def add_diagnosis(
    *,
    service_order_id: UUID,
    text: str,
    by: Actor,
    source: str,
    at: datetime,
    failure_code: str = "",
) -> DiagnosticNote:
    """Write down what was found wrong, with the failure code where there is one. Raises Invalid, Refused."""
    by.require("orders.add_diagnosticnote")
    if not text.strip():
        raise Invalid(sentence("The finding is empty."), {"text": [sentence("Write what you found.")]})
    check_texts(text=(text, LONGEST_NOTE), failure_code=(failure_code, 40))
    ledger = Ledger(Cause(by=by, source=source, at=at))
    with transaction.atomic():
        job = _open_job(service_order_id)
        note = DiagnosticNote.objects.create(
            service_order_id=job.id,
            author_id=_person(by),
            text=text.strip(),
            failure_code=failure_code.strip(),
            created_at=at,
        )
        ledger.record(job, "diagnosis.added", data={"diagnosis": str(note.id), "failure_code": note.failure_code})
        write([job], ledger)
    return note


def send_equipment(
    *,
    service_order_id: UUID,
    direction: str,
    carrier: str,
    tracking_number: str,
    by: Actor,
    source: str,
    at: datetime,
    expected_on: date | None = None,
) -> ReturnShipment:
    """Track the equipment on its way to or from the manufacturer, or back to the customer.

    The same carrier and tracking number again is refused (`shipment_known`). Raises Invalid, NotFound.
    """
    by.require("orders.change_serviceorder")
    texts = {"carrier": carrier, "tracking_number": tracking_number}
    fields: dict[str, list[Says]] = {}
    if direction not in ReturnShipment.Direction.values:
        fields["direction"] = [sentence("Must be one of {allowed}.", allowed=list(ReturnShipment.Direction.values))]
    fields |= text_faults(carrier=(carrier, 60), tracking_number=(tracking_number, 80))
    fields |= day_faults(expected_on=expected_on)
    fields |= {name: [sentence("Must not be empty.")] for name, text in texts.items() if not text.strip()}
    if fields:
        raise Invalid(sentence("The shipment cannot be tracked as it is."), fields)
    ledger = Ledger(Cause(by=by, source=source, at=at))
    try:
        with transaction.atomic():
            job = locked(service_order_id, None)
            shipment = ReturnShipment(
                id=new_key(),
                service_order_id=job.id,
                direction=direction,
                carrier=carrier.strip(),
                tracking_number=tracking_number.strip(),
                shipped_at=at,
                expected_on=expected_on,
            )
            shipment.save(force_insert=True)
            facts = {"direction": direction, "carrier": shipment.carrier, "tracking_number": shipment.tracking_number}
            ledger.record(job, "equipment.sent", data=facts, public=True)
            write([job], ledger)
    except IntegrityError as error:
        if "return_shipment_tracking_unique" in str(error):
            raise ShipmentKnown(sentence("This tracking number is tracked already.")) from error
        raise
    return shipment


class ShipmentKnown(Refused):
    """A carrier's tracking number is on record already."""

    code = "shipment_known"


def equipment_arrived(*, shipment_id: UUID, by: Actor, source: str, at: datetime) -> ReturnShipment:
    """Note that tracked equipment arrived; a repeat changes nothing. Raises NotFound, Invalid."""
    by.require("orders.change_serviceorder")
    ledger = Ledger(Cause(by=by, source=source, at=at))
    with transaction.atomic():
        shipment = ReturnShipment.objects.filter(pk=shipment_id).first()
        if shipment is None:
            raise NotFound(sentence("There is no such shipment."), id=str(shipment_id))
        job = locked(shipment.service_order_id, None)
        shipment.refresh_from_db()
        if shipment.arrived_at is not None:
            return shipment
        if at < shipment.shipped_at:
            raise Invalid(
                sentence("It cannot arrive before it left."),
                {"at": [sentence("It left at {shipped_at}.", shipped_at=f"{shipment.shipped_at:%F %R}")]},
            )
        shipment.arrived_at = at
        shipment.save(update_fields=["arrived_at"])
        facts = {"direction": shipment.direction, "tracking_number": shipment.tracking_number}
        ledger.record(job, "equipment.arrived", data=facts, public=True)
        write([job], ledger)
    return shipment
