"""A work order of field service becomes a service order here, and a parts order for what it needs.

There is one service order for each number of a system's, however often and in however many messages it comes. What the
work order needs and no order of its service order has yet is ordered: so a part that nobody knew waits alone, and is
ordered when its number is known. Each work order is an order of its own, with the statements that placing one takes; a
refused one leaves nothing of itself and hinders no other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _g

from integrations.effects.numbers import LONGEST_NUMBER, write_down
from integrations.effects.task import Task
from integrations.facts import Subject, WorkOrderCreated
from integrations.models import NumberElsewhere
from integrations.senders import Sender
from integrations.subjects import look_up
from orders.actions import placing, service_orders
from orders.actions.reporting import Result
from orders.models import Equipment, OrderLine, ServiceOrder
from orders.rules import ENTERED_WITHIN
from parts.errors import Invalid, Refused
from parts.keys import new_key
from parts.rules import moment_problem
from parts.sentences import sentence
from parts.statuses import Purpose

#: What their numbers are called where they are learnt.
WORK_ORDER = "work_order"


@dataclass(frozen=True, slots=True)
class _Known:
    """What a batch of work orders speaks of, as it is here."""

    keys: Mapping[Subject, UUID]
    customers: Mapping[UUID, UUID]
    ordered: dict[UUID, set[UUID]]


def create(tasks: Sequence[Task[WorkOrderCreated]], sender: Sender, at: datetime) -> None:
    """Make what is new of each work order, in the order in which they were made."""
    known = _read(tasks, sender)
    made = {task.fact.number: key for task in tasks if (key := known.keys.get(_own(task.fact))) is not None}
    for task in sorted(tasks, key=lambda task: task.fact.occurred_at.timestamp()):
        try:
            _check(task.fact, at)
            with transaction.atomic():
                results = _make(task, made, known, sender, at)
        except Refused as refusal:
            task.refuse(refusal, f"service_order:{WORK_ORDER}:{task.fact.number}"[:240] if _is_race(refusal) else "")
        else:
            task.results += results


def _is_race(refusal: Refused) -> bool:
    return isinstance(refusal, MadeMeanwhile)


def _read(tasks: Sequence[Task[WorkOrderCreated]], sender: Sender) -> _Known:
    """Read what all of them speak of: a constant number of queries."""
    subjects: set[Subject] = set()
    for task in tasks:
        fact = task.fact
        named = (fact.customer, fact.equipment, fact.region, _own(fact), *(want.part for want in fact.wanted))
        subjects |= {subject for subject in named if subject is not None}
    keys = look_up(subjects, sender)
    machines = [key for subject, key in keys.items() if subject.kind == "equipment"]
    jobs = [key for subject, key in keys.items() if subject.kind == "service_order"]
    customers = dict(Equipment.objects.filter(pk__in=machines).values_list("pk", "customer_id")) if machines else {}
    ordered: dict[UUID, set[UUID]] = {}
    if jobs:
        rows = OrderLine.objects.filter(order__service_order__in=jobs).order_by()
        for job, part in rows.values_list("order__service_order_id", "part_id"):
            ordered.setdefault(job, set()).add(part)
    return _Known(keys, customers, ordered)


def _own(fact: WorkOrderCreated) -> Subject:
    return Subject("service_order", WORK_ORDER, fact.number[:LONGEST_NUMBER])


def _check(fact: WorkOrderCreated, at: datetime) -> None:
    problem = moment_problem(fact.occurred_at, at)
    if problem is None and fact.occurred_at < at - ENTERED_WITHIN:
        problem = sentence("must not lie more than {days} days back", days=ENTERED_WITHIN.days)
    if problem:
        raise Invalid(sentence("The time of the work order {problem}.", problem=problem), {"occurred_at": [problem]})
    if not fact.number.strip():
        raise Invalid(sentence("The work order has no number."), {"number": [sentence("Required.")]})


def _make(
    task: Task[WorkOrderCreated], made: dict[str, UUID], known: _Known, sender: Sender, at: datetime
) -> list[Result]:
    """Open the job, if there is none for its number yet, and order what is not ordered yet; return what was made."""
    fact, results = task.fact, []
    job = made.get(fact.number)
    if job is None:
        opened = _open(task, known, sender, at)
        if opened is None:
            return []
        job = opened.pk
        results.append(Result("moved", opened.status, opened.version, opened.reference))
    have = known.ordered.setdefault(job, set())
    lines = [
        placing.Wanted(want.quantity, key)
        for want in fact.wanted
        if (key := known.keys.get(want.part)) is not None and key not in have
    ]
    if lines:
        placed = placing.place(
            kind=Purpose.EMERGENCY.value if fact.machine_down else Purpose.SERVICE.value,
            lines=lines,
            requested_on=fact.needed_by or fact.occurred_at.date(),
            service_order_id=job,
            external_reference=fact.number[:80],
            by=sender.actor,
            source=sender.code,
            at=fact.occurred_at,
        )
        results.append(Result("moved", placed.status, placed.version, placed.reference))
    have |= {line.part_id for line in lines if line.part_id}
    made[fact.number] = job
    for want in fact.wanted:
        if want.part not in known.keys:
            task.is_missing(want.part)
    return results or ([] if task.results else [Result("repeated")])


def _open(task: Task[WorkOrderCreated], known: _Known, sender: Sender, at: datetime) -> ServiceOrder | None:
    """Open the job; None, and why, where it is not known whose it is."""
    fact = task.fact
    for subject in (fact.customer, fact.equipment, fact.region):
        if subject is not None and subject not in known.keys:
            task.is_missing(subject)
            return None
    machine = known.keys[fact.equipment] if fact.equipment is not None else None
    customer = known.keys[fact.customer] if fact.customer is not None else None
    customer = customer or (known.customers.get(machine) if machine else None)
    if customer is None:
        raise Invalid(sentence("The work order does not say whose it is."), {"customer": [sentence("Required.")]})
    job = service_orders.create(
        customer_id=customer,
        title=fact.title.strip()[:160] or _g("Work order %(number)s") % {"number": fact.number[:80]},
        description=fact.problem,
        status="new",
        equipment_id=machine,
        region_id=known.keys[fact.region] if fact.region is not None else None,
        machine_down=fact.machine_down,
        external_reference=fact.number[:80],
        key=new_key(),
        by=sender.actor,
        source=sender.code,
        at=fact.occurred_at,
    )
    row = NumberElsewhere(
        system_id=sender.system_id,
        kind=WORK_ORDER,
        number=fact.number[:LONGEST_NUMBER],
        subject_kind="service_order",
        subject_id=job.pk,
        known_since=at,
    )
    if write_down([row], at)[WORK_ORDER, row.number] != ("service_order", job.pk):
        raise MadeMeanwhile(sentence("The work order {number} was made at this moment.", number=fact.number))
    return job


class MadeMeanwhile(Refused):
    """Another message made the same work order at the same time; what is tried again finds it."""

    code = "made_meanwhile"
