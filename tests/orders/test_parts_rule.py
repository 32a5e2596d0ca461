"""A job waits for parts exactly as long as one of its lines does. All laws hold (see the desk)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from orders.actions import lines, overriding, service_orders
from orders.actions.placing import Wanted
from orders.models import ServiceOrder
from tests.factories.parts import PartFactory
from tests.orders.desk import TOLD, Desk, d, events, leaf, statements, told, tree


def status(job: ServiceOrder) -> str:
    job.refresh_from_db()
    return job.status


def override(line_id: UUID, to: str, **facts: Any) -> None:
    overriding.override(line_id=line_id, to=to, reason="Not on the shelf", reference="CASE-1", **TOLD | facts)


def test_a_job_whose_line_loses_its_stock_waits_for_parts(desk: Desk) -> None:
    job = desk.job("in_progress")
    desk.put(3)
    placed = desk.place(3, service_order_id=job.pk)
    desk.place(3, kind="emergency")
    override(leaf(placed).id, "back_ordered")
    assert status(job) == "awaiting_parts"
    desk.put(3)
    assert status(job) == "in_progress"


def test_a_job_whose_line_is_served_again_at_once_goes_on_undisturbed(desk: Desk) -> None:
    job = desk.job("in_progress")
    desk.put(5)
    placed = desk.place(3, service_order_id=job.pk)
    before = len(events(job.pk))
    override(leaf(placed).id, "back_ordered")
    assert tree(placed.id) == [("1", "reserved", 3), ("1.1", "reserved", 3)]
    assert (status(job), len(events(job.pk))) == ("in_progress", before)


def test_a_job_that_a_person_took_back_to_work_is_not_paused_for_a_line_that_waited_before(desk: Desk) -> None:
    job, missing = desk.job("in_progress"), PartFactory.create()
    desk.put(2)
    placed = desk.order([Wanted(d(2), desk.part.pk), Wanted(d(1), missing.pk)], service_order_id=job.pk)
    assert status(job) == "awaiting_parts"
    service_orders.move(service_order_id=job.pk, to="in_progress", **TOLD)
    override(placed.lines[0].id, "back_ordered")
    assert (status(job), [row[1] for row in tree(placed.id)]) == (
        "in_progress",
        ["reserved", "reserved", "back_ordered", "back_ordered"],
    )


def test_a_job_goes_on_when_the_last_line_that_waits_is_cancelled(desk: Desk) -> None:
    job = desk.job("in_progress")
    placed = desk.place(1, 1, service_order_id=job.pk)
    lines.cancel(line_id=placed.lines[0].id, reason="Not needed", **TOLD)
    assert status(job) == "awaiting_parts"
    lines.cancel(line_id=placed.lines[1].id, reason="Not needed", **told(hours=1))
    assert status(job) == "in_progress"
    assert events(job.pk)[-1].actor == "system:parts-rule"


def test_stock_for_the_lines_of_many_jobs_is_as_many_statements_as_for_few(desk: Desk) -> None:
    counts = []
    for number in (2, 20):
        shelf = Desk(customer=desk.customer)
        jobs = [shelf.job("in_progress") for _ in range(number)]
        for job in jobs:
            shelf.place(1, service_order_id=job.pk)
        with statements() as sent:
            shelf.put(number)
        assert {status(job) for job in jobs} == {"in_progress"}
        counts.append(len(sent))
    assert counts[0] == counts[1]
