"""What other systems say has happened: late, twice, in any order, in crowds, and always with the same end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from orders.actions import lines, parts_orders
from orders.actions.reporting import MOST_REPORTS, Report, Result, report_many
from orders.models import OrderEvent, OrderLine, ServiceOrder, Shipment
from orders.statuses import LINE_PATH, SERVICE_ORDER_PATH
from parts.errors import Invalid
from parts.keys import new_key
from tests.orders.desk import (
    NOBODY,
    NOW,
    TOLD,
    Desk,
    balance,
    d,
    events,
    kinds,
    leaf,
    line,
    only,
    order,
    statements,
    told,
)


def of_line(key: UUID, status: str, hours: float = 1, **facts: Any) -> Report:
    return Report("line", key, status, NOW + timedelta(hours=hours), **facts)


def of_job(key: UUID, status: str, hours: float = 1, **facts: Any) -> Report:
    return Report("service_order", key, status, NOW + timedelta(hours=hours), **facts)


def report(*reports: Report, **facts: Any) -> list[Result]:
    return report_many(**{"reports": reports} | told(hours=12) | facts)


def outcomes(results: Sequence[Result]) -> list[str]:
    return [result.outcome for result in results]


# --- Lines -----------------------------------------------------------------------------------------------------------


def test_a_report_walks_a_line_to_where_it_is(desk: Desk) -> None:
    desk.put(3)
    line_id = leaf(desk.place(2)).id
    [result] = report(of_line(line_id, "delivered", message_id="M1"))
    assert (result.outcome, result.status, result.version) == ("moved", "delivered", 6)
    assert [(event.to_status, event.passed_through, event.message_id) for event in events(line_id)[1:]] == [
        ("released", True, "M1"),
        ("picking", True, "M1"),
        ("packed", True, "M1"),
        ("shipped", True, "M1"),
        ("delivered", False, "M1"),
    ]
    assert desk.balance() == balance(1)
    assert Shipment.objects.get().delivered_at is not None


def test_a_late_report_moves_nothing_back_and_is_filed_at_its_time(desk: Desk) -> None:
    desk.put(1)
    line_id = leaf(desk.place(1)).id
    report(of_line(line_id, "packed", hours=5))
    assert outcomes(report(of_line(line_id, "picking", hours=3))) == ["filed"]
    last = events(line_id)[-1]
    assert (last.kind, last.occurred_at, last.data, last.dwell) == (
        "line.status_filed",
        NOW + timedelta(hours=3),
        {"reported": "picking"},
        None,
    )
    assert line(line_id).status == "packed"


def test_the_same_message_has_one_effect(desk: Desk) -> None:
    desk.put(1)
    line_id = leaf(desk.place(1)).id
    message = of_line(line_id, "picking", message_id="M1")
    assert outcomes(report(message, message)) == ["moved", "repeated"]
    before = OrderEvent.objects.count()
    assert outcomes(report(message)) == ["repeated"]
    assert OrderEvent.objects.count() == before
    assert outcomes(report(message, source="another system")) == ["filed"]


LINE_STOPS = (*LINE_PATH[1:], "awaiting_kitting")


@pytest.mark.parametrize("pair", list(permutations(LINE_STOPS, 2)), ids="-".join)
def test_two_reports_of_a_line_end_alike_in_either_order(desk: Desk, pair: tuple[str, str]) -> None:
    desk.put(2)
    ends = []
    for statuses in (pair, pair[::-1]):
        line_id = leaf(desk.place(1)).id
        for status in statuses:
            report(of_line(line_id, status))
        ends.append(line(line_id).status)
    assert ends[0] == ends[1]


def test_reports_that_come_together_are_taken_as_they_happened(desk: Desk) -> None:
    desk.put(1)
    line_id = leaf(desk.place(1)).id
    results = report(of_line(line_id, "shipped", 4), of_line(line_id, "picking", 1), of_line(line_id, "packed", 2))
    assert outcomes(results) == ["moved"] * 3
    assert [event.to_status for event in events(line_id)] == ["reserved", "released", "picking", "packed", "shipped"]


def test_a_kit_is_reported_through_its_stop(desk: Desk) -> None:
    desk.put(1)
    line_id = leaf(desk.place(1)).id
    assert outcomes(report(of_line(line_id, "awaiting_kitting", 1))) == ["moved"]
    assert outcomes(report(of_line(line_id, "picking", 2))) == ["filed"]
    assert outcomes(report(of_line(line_id, "shipped", 3))) == ["moved"]
    assert [event.to_status for event in events(line_id)[-2:]] == ["packed", "shipped"]


@pytest.mark.parametrize(
    ("status", "note", "why"),
    [
        ("lost", "", "invalid"),
        ("cancelled", "", "reason_required"),
        ("returned", "", "refused"),
        ("reserved", "", ""),
        ("picking", "a\x00b", "invalid"),
    ],
)
def test_a_report_that_cannot_be_is_refused_and_hinders_no_other(desk: Desk, status: str, note: str, why: str) -> None:
    desk.put(2)
    bad, good = leaf(desk.place(1)).id, leaf(desk.place(1)).id
    results = report(of_line(bad, status, note=note), of_line(good, "picking"))
    assert outcomes(results) == ["refused" if why else "filed", "moved"]
    assert getattr(results[0].refusal, "code", "") == why
    assert (line(bad).status, line(good).status) == ("reserved", "picking")


def test_reports_about_what_waits_is_split_or_unknown_are_refused(desk: Desk) -> None:
    desk.put(1)
    placed = desk.place(2)
    results = report(
        of_line(leaf(placed, "back_ordered").id, "shipped"),
        of_line(placed.lines[0].id, "shipped"),
        of_line(new_key(), "shipped"),
        of_job(new_key(), "completed"),
        Report("warehouse", new_key(), "open", NOW),
    )
    codes = [result.refusal.code for result in results if result.refusal]
    assert codes == ["transition_refused", "transition_refused", "not_found", "not_found", "not_found"]


def test_a_report_from_the_future_is_refused(desk: Desk) -> None:
    desk.put(1)
    line_id = leaf(desk.place(1)).id
    assert outcomes(report(of_line(line_id, "picking", hours=37))) == ["refused"]
    assert outcomes(report(of_line(line_id, "picking", hours=35))) == ["moved"]


@pytest.mark.parametrize("days", [8, 30 * 365])
def test_a_report_of_long_before_it_was_ordered_is_refused(desk: Desk, days: int) -> None:
    desk.put(2)
    placed = desk.place(1, 1)
    first, second = (each.id for each in placed.lines)
    results = report(of_line(first, "shipped", hours=-24 * days), of_line(second, "shipped"))
    assert outcomes(results) == ["refused", "moved"]
    assert "before it was ordered" in str(results[0].refusal)
    assert line(first).status == "reserved"


def test_what_was_ordered_afterwards_may_have_left_some_days_before(desk: Desk) -> None:
    desk.put(1)
    line_id = leaf(desk.place(1)).id
    assert outcomes(report(of_line(line_id, "shipped", hours=-24 * 6))) == ["moved"]


def test_a_part_of_a_line_is_as_old_as_its_order(desk: Desk) -> None:
    desk.put(2)
    line_id = leaf(desk.place(5)).id
    later = told(hours=24 * 30)
    lines.ship(order_id=line(line_id).order_id, items=[lines.ShipItem(line_id, d(1))], walk=True, **later)
    rest = OrderLine.objects.get(order=line(line_id).order_id, status="reserved", is_split=False)
    assert outcomes(report(of_line(rest.pk, "packed", hours=2), **later)) == ["moved"]


def test_a_report_on_a_held_order_is_refused_until_it_has_left(desk: Desk) -> None:
    desk.put(1)
    placed = desk.place(1)
    parts_orders.hold(order_id=placed.id, reason="Credit limit", **TOLD)
    assert outcomes(report(of_line(leaf(placed).id, "shipped"))) == ["refused"]


def test_who_reports_needs_the_rights_of_who_moves(desk: Desk) -> None:
    desk.put(1)
    line_id, job = leaf(desk.place(1)).id, desk.job()
    mover = only("orders.move_orderline")
    assert outcomes(report(of_line(line_id, "picking"), of_job(job.pk, "new"), by=NOBODY)) == ["refused"] * 2
    assert outcomes(report(of_line(line_id, "shipped"), of_job(job.pk, "new"), by=mover)) == ["refused"] * 2
    assert outcomes(report(of_line(line_id, "packed"), by=mover)) == ["moved"]


def test_a_reported_cancellation_frees_stock_for_who_waits(desk: Desk) -> None:
    desk.put(1)
    placed, waiting = desk.place(1), desk.place(1)
    assert outcomes(report(of_line(leaf(placed).id, "cancelled", note="Damaged"))) == ["moved"]
    assert order(waiting.id).status == "reserved"


# --- Jobs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order_of_arrival", list(permutations(range(3))))
def test_a_job_stands_where_its_newest_report_says(desk: Desk, order_of_arrival: tuple[int, ...]) -> None:
    job = desk.job()
    reports = [of_job(job.pk, "in_progress", 1), of_job(job.pk, "with_manufacturer", 2), of_job(job.pk, "scheduled", 3)]
    for place in order_of_arrival:
        report(reports[place])
    row = ServiceOrder.objects.get(pk=job.pk)
    assert (row.status, row.status_since) == ("scheduled", NOW + timedelta(hours=3))


@pytest.mark.parametrize("status", SERVICE_ORDER_PATH[1:-1])
def test_a_final_status_wins_over_all_others(desk: Desk, status: str) -> None:
    for reports in ([("completed", 1), (status, 2)], [(status, 2), ("completed", 1)]):
        job = desk.job()
        for reported, hours in reports:
            report(of_job(job.pk, reported, hours))
        assert ServiceOrder.objects.get(pk=job.pk).status == "completed"


def test_a_late_report_of_a_job_is_filed(desk: Desk) -> None:
    job = desk.job()
    report(of_job(job.pk, "in_progress", 5))
    assert outcomes(report(of_job(job.pk, "scheduled", 2), of_job(job.pk, "in_progress", 7))) == ["filed", "filed"]
    assert kinds(job.pk)[-2:] == ["service_order.status_filed"] * 2


def test_a_report_of_a_job_and_of_its_lines_come_together(desk: Desk) -> None:
    """The lines' report lets the job go on by rule; the job's own is taken from there."""
    desk.put(5)
    job = desk.job("in_progress")
    placed = desk.place(7, service_order_id=job.pk)
    assert ServiceOrder.objects.get(pk=job.pk).status == "awaiting_parts"
    results = report(
        of_job(job.pk, "with_manufacturer", hours=13),
        of_line(leaf(placed, "back_ordered").id, "cancelled", note="Found in the van"),
    )
    assert outcomes(results) == ["moved", "moved"]
    assert [event.to_status for event in events(job.pk)[-3:]] == ["in_progress", "awaiting_parts", "with_manufacturer"]


# --- Crowds ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["released", "picking", "delivered"])
def test_many_reports_are_as_many_statements_as_few(desk: Desk, status: str) -> None:
    counts = []
    desk.put(100)
    for number in (2, 40):
        ids = [leaf(desk.place(1)).id for _ in range(number)]
        jobs = [desk.job().pk for _ in range(number)]
        with statements() as sent:
            results = report(*[of_line(key, status) for key in ids], *[of_job(key, "in_progress") for key in jobs])
        assert set(outcomes(results)) == {"moved"}
        counts.append(len(sent))
    assert counts[0] == counts[1]


def test_more_than_a_thousand_reports_are_refused() -> None:
    with pytest.raises(Invalid):
        report(*[of_line(new_key(), "picking")] * (MOST_REPORTS + 1))


def test_a_time_without_a_zone_is_refused(desk: Desk) -> None:
    desk.put(1)
    line_id = leaf(desk.place(1)).id
    naive = Report("line", line_id, "picking", NOW.replace(tzinfo=None))
    results = report(naive, of_line(line_id, "picking"))
    assert outcomes(results) == ["refused", "moved"]
