"""Lines leave, whole or in part, as a warehouse or a carrier says.

A shipment with a number of its sender's has its effect once, in however many messages it comes; one without is known by
its message. What left is booked with carrier, tracking number and serial numbers; what was not named stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from integrations.actions import reporting
from integrations.effects.task import Task, message_id
from integrations.facts import Shipped, ShippedItem, Subject
from integrations.senders import Sender
from integrations.subjects import look_up
from orders.actions.departing import Departure
from orders.actions.reporting import MOST_REPORTS, Report


def ship(tasks: Sequence[Task[Shipped]], sender: Sender, at: datetime) -> None:
    """Let what is named leave, in the order in which it left."""
    named = [item.line for task in tasks for item in task.fact.items]
    keys = look_up(named, sender)
    reports = [(task, report) for task in tasks for report in _reports(task, keys)]
    for first in range(0, len(reports), MOST_REPORTS):
        some = reports[first : first + MOST_REPORTS]
        results = reporting.report_many(
            reports=[report for _task, report in some], by=sender.actor, source=sender.code, at=at
        )
        for (task, report), result in zip(some, results, strict=True):
            task.results.append(result)
            if reporting.may_fit_later(report, result):
                task.waits_for.append(f"line:{report.id}")
                task.contradiction = reporting.contradiction(report, result, sender.code)


def _reports(task: Task[Shipped], keys: Mapping[Subject, UUID]) -> Iterator[Report]:
    """Give one report for each line; what is not here yet is waited for, and hinders no other line."""
    fact = task.fact
    said_by = message_id(f"shipment:{fact.shipment_number}") if fact.shipment_number else task.message_id
    together: dict[UUID, list[ShippedItem]] = {}
    for item in fact.items:
        key = keys.get(item.line)
        if key is None:
            task.is_missing(item.line)
        else:
            together.setdefault(key, []).append(item)
    for key, items in together.items():
        yield Report(
            subject="line",
            id=key,
            status="shipped",
            occurred_at=fact.occurred_at,
            message_id=said_by,
            note=fact.note,
            public=True,
            departure=_departure(fact, items),
        )


def _departure(fact: Shipped, items: Sequence[ShippedItem]) -> Departure:
    """Return how a line left that may be named in several ways: added up, or all where one of them says so."""
    quantities = [item.quantity for item in items if item.quantity is not None]
    said = [item.is_complete for item in items if item.is_complete is not None]
    return Departure(
        quantity=sum(quantities[1:], quantities[0]) if len(quantities) == len(items) else None,
        is_complete=said[-1] if said else None,
        carrier=fact.carrier,
        tracking_number=fact.tracking_number,
        serials=tuple(serial for item in items for serial in item.serials),
    )
