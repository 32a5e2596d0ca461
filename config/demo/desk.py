"""The dispatcher's day in the demo: colleagues with jobs, clocks that run out, special stock and who is shown it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User

from config import roles
from config.demo.jobs import SOURCE
from config.demo.people import Cast
from orders.actions import lines, service_orders
from orders.actions.placing import Wanted, place
from orders.actions.saved_views import save_view
from orders.models import Equipment, OrderLine, ServiceContract, StockVisibilityRule
from parts.actions.stock import correct_stock
from parts.actors import Actor
from parts.models import Part, Warehouse

#: Technicians beside the one who can sign in.
COLLEAGUES = (("nora", "Nora", "Lindqvist"), ("milan", "Milan", "Horvat"), ("aisha", "Aisha", "Rahman"))


@dataclass(frozen=True, slots=True)
class Called:
    """A job that came in so many hours ago and stands there now; who has it (a number of COLLEAGUES), and whether
    parts are ordered for it that nobody has: the promise in days from now (0: none was made)."""

    title: str
    hours: int
    status: str
    whose: int | None = None
    machine_down: bool = False
    promise: int | None = None


CALLED = (
    Called("Hydraulic hose burst", 1, "new", machine_down=True),
    Called("Annual inspection", 30, "scheduled"),
    Called("Cab heater stays cold", 9, "scheduled", 0),
    Called("Loses coolant", 20, "new", 1),
    Called("Display is dark", 66, "in_progress", 0),
    Called("Bucket drifts down", 40, "in_progress", 1),
    Called("Parking brake drags", 5, "in_progress", 2),
    Called("Travel motor seized", 70, "awaiting_parts", 0, True, 6),
    Called("Alternator does not charge", 50, "awaiting_parts", 2, False, 0),
    Called("Swing drive rattles", 90, "awaiting_parts", 1, True, 2),
    Called("Control unit to be flashed", 120, "with_manufacturer", 2),
    Called("Pump rebuilt", 160, "ready_for_return", 0),
)
#: Special stock: its kind for a rule, where it lies, how much, and what makes it special.
SPECIAL: tuple[tuple[str, str, int, dict[str, Any]], ...] = (
    ("consigned", "CENTRAL", 4, {"owner": "SUP-03"}),
    ("consigned", "DALLAS", 6, {"owner": "SUP-03"}),
    ("loaner", "CENTRAL", 1, {"condition": "loaner"}),
    ("in_repair", "SHOP", 2, {"condition": "in_repair"}),
)


def _facts(by: Actor, at: datetime) -> dict[str, Any]:
    return {"by": by, "source": SOURCE, "at": at}


def tell(cast: Cast, now: datetime, nobody_has: list[Any]) -> None:
    """Fill the board, put special stock on the shelf with the rules by which it is shown, and save two views."""
    people = _colleagues()
    machines = list(Equipment.objects.select_related("customer").order_by("serial_number", "id"))
    contracts = dict(ServiceContract.objects.values_list("customer_id", "id"))
    missing = iter(nobody_has)
    for number, called in enumerate(CALLED):
        machine = machines[(number * 7 + 4) % len(machines)]
        _call(cast, now, called, machine, contracts.get(machine.customer_id), people, missing)
    _put_special_stock(cast, now, nobody_has[0])
    dispatcher = cast.dispatcher
    save_view(page="board", name="Late", query="late=on", by=dispatcher, at=now)
    save_view(page="board", name="Waits for parts", query="as=table&waits_for_parts=on", by=dispatcher, at=now)


def waiting() -> int:
    """Return how many parts are needed that nobody has."""
    return sum(called.promise is not None for called in CALLED)


def _colleagues() -> list[User]:
    people = []
    for name, first, last in COLLEAGUES:
        person, is_new = User.objects.get_or_create(
            username=name, defaults={"first_name": first, "last_name": last, "email": f"{name}@demo.example"}
        )
        if is_new:
            person.set_unusable_password()
            person.save()
            roles.give_role(person, roles.TECHNICIAN)
        people.append(person)
    return people


def _call(
    cast: Cast, now: datetime, called: Called, machine: Equipment, contract_id: Any, people: list[User], missing: Any
) -> None:
    at = now - timedelta(hours=called.hours)
    job = service_orders.create(
        customer_id=machine.customer_id,
        equipment_id=machine.pk,
        contract_id=contract_id,
        title=f"{machine.model}: {called.title}",
        status="draft" if called.status == "scheduled" else "new",
        machine_down=called.machine_down,
        **_facts(cast.dispatcher, at),
    )
    at += (now - at) / 3
    if called.whose is not None:
        service_orders.assign(
            service_order_id=job.pk, technician_id=people[called.whose].pk, **_facts(cast.dispatcher, at)
        )
    started = "in_progress" if called.promise is not None else called.status
    if started != job.status:
        service_orders.fast_forward(service_order_id=job.pk, to=started, **_facts(cast.technician, at))
    if called.promise is not None:
        _order_what_is_missing(cast, now, called, job.pk, next(missing), at)


def _order_what_is_missing(cast: Cast, now: datetime, called: Called, job_id: Any, part_id: Any, at: datetime) -> None:
    placed = place(
        kind="emergency" if called.machine_down else "service",
        lines=[Wanted(quantity=Decimal(1), part_id=part_id)],
        requested_on=at.date(),
        service_order_id=job_id,
        **_facts(cast.technician, at),
    )
    if called.promise:
        line = OrderLine.objects.get(order_id=placed.id, status="back_ordered", is_split=False)
        day = now.date() + timedelta(days=called.promise)
        lines.promise(line_id=line.pk, promised_on=day, **_facts(cast.dispatcher, at))


def _put_special_stock(cast: Cast, now: datetime, waited_for: Any) -> None:
    """Put special stock beside the ordinary stock of two parts, and of one that a job waits for; show dispatchers what
    is consigned in one depot and not in the other, loaners for orders of one customer, and what is in repair."""
    places = {place.code: place for place in Warehouse.objects.filter(code__in=[code for _, code, _, _ in SPECIAL])}
    kept = Part.objects.filter(is_active=True).order_by("number")[:2]
    for part in [*kept, Part.objects.get(pk=waited_for)]:
        for _, code, quantity, facts in SPECIAL:
            correct_stock(
                part_id=part.pk,
                warehouse_id=places[code].pk,
                on_hand_change=Decimal(quantity),
                reason="opening",
                **facts,
                **_facts(cast.manager, now),
            )
    customer = Equipment.objects.select_related("customer").order_by("serial_number", "id")[0].customer
    StockVisibilityRule.objects.create(stock="consigned", warehouse=places["CENTRAL"], note="May be drawn for anybody")
    StockVisibilityRule.objects.create(stock="loaner", customer=customer, note="Loan pool of their contract")
    StockVisibilityRule.objects.create(stock="in_repair", warehouse=places["SHOP"], note="Back within two weeks")
