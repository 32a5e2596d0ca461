"""Whom an order is for: found by what somebody typed, carried along by the form, with the jobs it may be for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from orders.models import Customer, Equipment, ServiceOrder
from orders.searching import find_customers, find_equipment, find_jobs
from orders.statuses import SERVICE_ORDER_OPEN

#: How many possible meanings of a text are shown.
MOST_MEANT = 6


@dataclass(slots=True)
class Whom:
    """Whom an order is for: a customer, with the machine and the job where they are known."""

    customer: Customer
    equipment: Equipment | None = None
    job: ServiceOrder | None = None
    #: What the form carries along, so that it need not be looked for again, and what stands in the box.
    value: str = ""
    text: str = ""

    def __post_init__(self) -> None:
        row: Any = self.job or self.equipment or self.customer
        self.value = f"{row._meta.model_name}:{row.pk}"
        if self.job:
            self.text = self.job.reference
        else:
            self.text = self.equipment.serial_number if self.equipment else self.customer.code

    @property
    def title(self) -> str:
        """How it is called in a list of choices."""
        if self.job:
            return f"{self.job.reference} {self.job.title} · {self.customer.name}"
        if self.equipment:
            return f"{self.equipment.model} {self.equipment.serial_number} · {self.customer.name}"
        return f"{self.customer.code} {self.customer.name}"


def _of_job(job: ServiceOrder) -> Whom:
    return Whom(job.customer, job.equipment, job)


def whom_called(text: str, person: Any, most: int = MOST_MEANT) -> list[Whom]:
    """Return whom a text may mean: customers, machines, open jobs. What it is exactly comes first, and alone."""
    text = text.strip()
    found = [(hit.is_exact, Whom(hit.row)) for hit in find_customers(text, person, most) if hit.row.is_active]
    found += [(hit.is_exact, Whom(hit.row.customer, hit.row)) for hit in find_equipment(text, person, most)]
    jobs = find_jobs(text, person, most)
    found += [(hit.is_exact, _of_job(hit.row)) for hit in jobs if hit.row.status in SERVICE_ORDER_OPEN]
    exact = [whom for is_exact, whom in found if is_exact]
    return exact or [whom for _exact, whom in found]


def whom_chosen(value: str) -> Whom | None:
    """Return whom a form carried along; None for nonsense, and for what is not there any more."""
    kind, _colon, key = value.partition(":")
    try:
        wanted = UUID(key)
    except ValueError:
        return None
    if kind == "customer":
        customer = Customer.objects.filter(pk=wanted, is_active=True).first()
        return Whom(customer) if customer else None
    if kind == "equipment":
        machine = Equipment.objects.select_related("customer").filter(pk=wanted).first()
        return Whom(machine.customer, machine) if machine else None
    job = ServiceOrder.objects.select_related("customer", "equipment").filter(pk=wanted).first()
    return _of_job(job) if kind == "serviceorder" and job else None


def open_jobs(whom: Whom, most: int = 20) -> list[ServiceOrder]:
    """Return the open jobs that parts may be ordered for: of the machine, where it is known; the newest first."""
    rows = ServiceOrder.objects.open().filter(customer=whom.customer)
    if whom.equipment:
        rows = rows.filter(equipment=whom.equipment)
    return list(rows.select_related("equipment").order_by("-id")[:most])
