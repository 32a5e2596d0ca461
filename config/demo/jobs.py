"""Service orders for the demo: one and more in each of the nine statuses, with what people write down on the way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from config.demo.people import Cast
from orders.actions import jobs, service_orders
from orders.actions.placing import Wanted, place
from orders.models import Equipment, ServiceContract
from parts.actors import Actor

SOURCE = "demo"


@dataclass(frozen=True, slots=True)
class Tale:
    """A job: how long ago it came in, how far it got (`path` ends with its present status), and what was said."""

    title: str
    days: int
    path: tuple[str, ...]
    note: str = ""
    machine_down: bool = False
    finding: tuple[str, str] | None = None
    minutes: int = 0


_STARTED = ("new", "in_progress")
_SENT = (*_STARTED, "awaiting_parts", "with_manufacturer")
_BACK = (*_SENT, "ready_for_return")

_WAITS = (*_STARTED, "awaiting_parts")

TALES = (
    Tale("Annual inspection", 1, ("draft",), "The customer will name a date."),
    Tale("Replace the slewing bearing", 2, ("draft", "scheduled"), "Crane is free on that day."),
    Tale("Gearbox leaks oil", 5, ("draft", "scheduled", "new")),
    Tale("Does not start", 0, ("new",), "Called in from the site.", machine_down=True),
    Tale("Brakes pull to the left", 3, _STARTED, "", finding=("BRK-12", "Left caliper seized"), minutes=85),
    Tale("Engine overheats", 6, _WAITS, "Pump ordered.", True, ("ENG-40", "Water pump bearing worn out"), 120),
    Tale("ABS warning light", 12, _WAITS, "", finding=("ABS-03", "Control unit dead"), minutes=45),
    Tale("Injection pump", 16, _SENT, "The maker repairs it.", finding=("INJ-07", "Plunger scored"), minutes=150),
    Tale("Rebuilt clutch", 24, _BACK, "Ready; carrier comes tomorrow.", minutes=240),
    Tale("Steering column plays", 30, (*_BACK, "completed"), "Test drive was fine.", minutes=190),
    Tale("New radiator", 20, (*_BACK, "completed"), "Done on site.", minutes=95),
    Tale("Second opinion on the axle", 9, ("new", "cancelled"), "The machine was sold."),
)
#: The jobs that wait for a part nobody has.
WAITING = [tale for tale in TALES if tale.path[-1] == "awaiting_parts"]


def tell(cast: Cast, now: datetime, missing_parts: list[UUID]) -> list[UUID]:
    """Let each tale happen; parts of which nothing is there are ordered for those that wait. Returns the customers."""
    machines = list(Equipment.objects.select_related("customer").order_by("customer__code", "serial_number"))
    contracts = dict(ServiceContract.objects.values_list("customer_id", "id"))
    waiting = iter(missing_parts)
    told = []
    for number, tale in enumerate(TALES):
        machine = machines[number * 3 % len(machines)]
        told.append(machine.customer_id)
        part_id = next(waiting) if tale in WAITING else None
        _tell(cast, now, tale, machine, contracts.get(machine.customer_id), part_id)
    return list(dict.fromkeys(told))


def _tell(
    cast: Cast, now: datetime, tale: Tale, machine: Equipment, contract_id: UUID | None, part_id: UUID | None
) -> None:
    came_in = now - timedelta(days=tale.days, hours=3)
    pause = (now - came_in) / (len(tale.path) + 2)
    job = service_orders.create(
        customer_id=machine.customer_id,
        title=f"{machine.model}: {tale.title}",
        status=tale.path[0],
        equipment_id=machine.pk,
        contract_id=contract_id,
        machine_down=tale.machine_down,
        by=cast.dispatcher,
        source=SOURCE,
        at=came_in,
    )
    at = came_in
    for status in tale.path[1:]:
        at += pause
        _reach(cast, job.pk, tale, status, at, part_id)
    if tale.note and tale.path[-1] != "cancelled":
        service_orders.add_note(
            service_order_id=job.pk, text=tale.note, public=True, by=cast.dispatcher, source=SOURCE, at=at + pause / 2
        )


def _reach(cast: Cast, job_id: UUID, tale: Tale, status: str, at: datetime, part_id: UUID | None) -> None:
    """Go one step, with what belongs to it."""
    if status == "awaiting_parts" and part_id:
        place(
            kind="emergency" if tale.machine_down else "service",
            lines=[Wanted(quantity=Decimal(1), part_id=part_id)],
            requested_on=at.date() + timedelta(days=2),
            service_order_id=job_id,
            by=cast.technician,
            source=SOURCE,
            at=at,
        )
        return  # the rule has moved it
    by: Actor = cast.technician if status in ("in_progress", "ready_for_return") else cast.dispatcher
    if status == "in_progress":
        service_orders.assign(
            service_order_id=job_id, technician_id=cast.technician_id, by=cast.dispatcher, source=SOURCE, at=at
        )
    note = tale.note if status == "cancelled" else ""
    service_orders.move(service_order_id=job_id, to=status, note=note, public=True, by=by, source=SOURCE, at=at)
    if status == "scheduled":
        day = at.date() + timedelta(days=9)
        jobs.reschedule(service_order_id=job_id, scheduled_for=day, by=cast.dispatcher, source=SOURCE, at=at)
    elif status == "in_progress":
        _work(cast, job_id, tale, at)
    elif status in ("with_manufacturer", "ready_for_return"):
        _send(cast, job_id, status, at)


def _work(cast: Cast, job_id: UUID, tale: Tale, at: datetime) -> None:
    """What a technician writes down: the finding, the hours, and when it will be done."""
    if tale.finding:
        code, text = tale.finding
        jobs.add_diagnosis(
            service_order_id=job_id, text=text, failure_code=code, by=cast.technician, source=SOURCE, at=at
        )
    if tale.minutes:
        jobs.log_labour(
            service_order_id=job_id,
            started_at=at - timedelta(minutes=tale.minutes),
            minutes=tale.minutes,
            description="Fault finding and repair",
            by=cast.technician,
            source=SOURCE,
            at=at,
        )
    done = at + timedelta(days=14)
    jobs.set_estimated_completion(
        service_order_id=job_id, estimated_completion_at=done, by=cast.dispatcher, source=SOURCE, at=at
    )


def _send(cast: Cast, job_id: UUID, status: str, at: datetime) -> None:
    """Track the equipment on its way."""
    direction = "to_manufacturer" if status == "with_manufacturer" else "from_manufacturer"
    shipment = jobs.send_equipment(
        service_order_id=job_id,
        direction=direction,
        carrier="Nordfracht",
        tracking_number=f"NF{job_id.int % 10**10:010}{direction[0].upper()}",
        expected_on=at.date() + timedelta(days=4),
        by=cast.dispatcher,
        source=SOURCE,
        at=at,
    )
    if status == "ready_for_return":
        jobs.equipment_arrived(shipment_id=shipment.pk, by=cast.dispatcher, source=SOURCE, at=at)
