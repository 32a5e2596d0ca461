"""Times and days as others send them: with their zone, and within reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from orders.actions import jobs, lines
from orders.actions.reporting import Report, report_many
from parts.actions import supply
from parts.errors import Invalid
from parts.rules import moment_problem
from tests.api.test_problems import assert_problem
from tests.api.world import Caller, World, cause

pytestmark = pytest.mark.django_db

NOW = datetime.now(UTC)
#: When nothing can have happened.
IMPOSSIBLE = {
    "no zone": "2026-11-02T00:00:00",
    "a day alone": "2026-11-02",
    "the first of all years": "0001-01-01T00:00:00Z",
    "before the first of all years": "0001-01-01T00:00:00+14:00",
    "long ago": "1989-12-31T23:59:59Z",
    "the day after tomorrow": (NOW + timedelta(days=2)).isoformat(),
    "the last of all years": "9999-12-31T23:59:59Z",
    "after the last of all years": "9999-12-31T23:59:59-14:00",
}
POSSIBLE = {
    "ours": "2026-11-02T09:00:00Z",
    "another zone": "2026-11-02T09:00:00.123456+05:30",
    "a clock that is fast": (NOW + timedelta(hours=12)).isoformat(),
}
NO_DAYS = ["0001-01-01", "1989-12-31", "2200-01-01", "9999-12-31"]


def _delivery(world: World, at: str) -> tuple[str, dict[str, Any], str]:
    body = {
        "supplier": str(world.supplier.pk),
        "warehouse": str(world.near.pk),
        "note_number": "DN-1",
        "received_at": at,
        "lines": [{"part": str(world.parts[0].pk), "quantity": "1"}],
    }
    return "deliveries/", body, "received_at"


def _purchase(world: World, at: str, expected_on: str | None = None) -> tuple[str, dict[str, Any], str]:
    body = {
        "supplier": str(world.supplier.pk),
        "warehouse": str(world.near.pk),
        "ordered_at": at,
        "lines": [{"part": str(world.parts[0].pk), "quantity": "1", "expected_on": expected_on}],
    }
    return "purchase-orders/", body, "ordered_at"


@pytest.mark.parametrize("call", [_delivery, _purchase])
@pytest.mark.parametrize("at", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_a_time_when_nothing_can_have_happened_is_refused_by_name(
    world: World, erp: Caller, call: Callable[..., Any], at: str
) -> None:
    path, body, field = call(world, at)
    problem = assert_problem(erp.post(path, body), 400, "invalid")
    assert any(name.endswith(field) for name in problem["fields"])


@pytest.mark.parametrize("call", [_delivery, _purchase])
@pytest.mark.parametrize("at", POSSIBLE.values(), ids=POSSIBLE)
def test_a_time_with_its_zone_is_taken(world: World, erp: Caller, call: Callable[..., Any], at: str) -> None:
    path, body, _ = call(world, at)
    assert erp.post(path, body).status_code == 201


@pytest.mark.parametrize("at", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_a_report_of_what_cannot_have_happened_then_is_refused_and_hinders_no_other(
    world: World, erp: Caller, at: str
) -> None:
    line, job = world.placed().lines[0], world.job()
    updates = [
        {"subject": "line", "id": str(line.id), "status": "released", "occurred_at": at},
        {"subject": "service_order", "id": str(job.pk), "status": "in_progress", "occurred_at": at},
        {"subject": "line", "id": str(line.id), "status": "picking", "occurred_at": datetime.now(UTC).isoformat()},
    ]
    answer = erp.post("status-updates/", {"updates": updates})
    assert answer.status_code == 200
    refused, also, moved = answer.json()["results"]
    for result in (refused, also):
        assert (result["outcome"], result["refusal"]["code"]) == ("refused", "invalid")
        assert "occurred_at" in result["refusal"]["extra"]["fields"]
    assert moved["outcome"] == "moved"


def test_what_is_ordered_does_not_come_before_it_was_ordered(world: World, erp: Caller) -> None:
    for expected_on in ("2026-10-31", "2020-01-01", *NO_DAYS):
        path, body, _ = _purchase(world, "2026-11-02T09:00:00Z", expected_on)
        problem = assert_problem(erp.post(path, body), 400, "invalid")
        assert any(name.endswith("expected_on") for name in problem["fields"])
    for expected_on in ("2026-11-02", "2026-11-01"):  # where the supplier is, it may still be the day before
        path, body, _ = _purchase(world, "2026-11-02T09:00:00Z", expected_on)
        assert erp.post(path, body).status_code == 201


@pytest.mark.parametrize("day", NO_DAYS)
def test_a_day_that_nobody_can_have_meant_is_refused_by_name(world: World, erp: Caller, day: str) -> None:
    line, customer = world.placed().lines[0], str(world.ours.pk)
    calls = [
        ("parts-orders/", world.order(requested_on=day), "requested_on"),
        ("parts-orders/", world.order(lines=[world.wanted()[0] | {"requested_on": day}]), "lines.0.requested_on"),
        ("service-orders/", {"customer": customer, "title": "Press", "scheduled_for": day}, "scheduled_for"),
        (f"lines/{line.id}/promise/", {"promised_on": day}, "promised_on"),
    ]
    for path, body, field in calls:
        problem = assert_problem(erp.post(path, body), 400, "invalid")
        assert list(problem["fields"]) == [field]


@pytest.mark.parametrize(
    "filtered",
    [
        "service-orders/?created_after=",
        "parts-orders/?created_before=",
        "stock-movements/?occurred_after=",
        "back-orders/?opened_after=",
        "deliveries/?received_after=",
        "purchase-orders/?ordered_before=",
    ],
)
def test_a_list_is_narrowed_by_a_time_with_its_zone_alone(erp: Caller, world: World, filtered: str) -> None:
    name = filtered.partition("?")[2].rstrip("=")
    for text in ("2026-11-02T09:00:00", "2026-11-02", "2026-11-02 09:00"):
        problem = assert_problem(erp.get(filtered + text), 400, "invalid")
        assert list(problem["fields"]) == [name]
    for text in ("2026-11-02T09:00:00Z", "2026-11-02T09:00:00%2B05:30"):
        assert erp.get(filtered + text).status_code == 200


# --- The actions themselves ------------------------------------------------------------------------------------------


def test_the_actions_refuse_what_no_door_lets_in(world: World) -> None:
    line, job = world.placed().lines[0], world.job()
    naive = datetime(2026, 11, 2)  # noqa: DTZ001 - what is to be refused
    item = supply.DeliveryItem(part_id=world.parts[0].pk, quantity=world.placed().lines[0].quantity)
    for moment in (naive, NOW + timedelta(days=2), datetime(1989, 1, 1, tzinfo=UTC)):
        with pytest.raises(Invalid):
            supply.receive_delivery(
                supplier_id=world.supplier.pk,
                warehouse_id=world.near.pk,
                note_number="DN",
                received_at=moment,
                lines=[item],
                **cause(),
            )
        [result] = report_many(reports=[Report("line", line.id, "released", moment)], **cause())
        assert isinstance(result.refusal, Invalid)
    far = datetime(2200, 1, 1, tzinfo=UTC)
    with pytest.raises(Invalid):
        jobs.reschedule(service_order_id=job.pk, scheduled_for=far.date(), **cause())
    with pytest.raises(Invalid):
        jobs.set_estimated_completion(service_order_id=job.pk, estimated_completion_at=far, **cause())
    with pytest.raises(Invalid):
        lines.promise(line_id=line.id, promised_on=far.date(), **cause())


@pytest.mark.parametrize("hours", [-14, -1, 0, 5, 14])
def test_a_day_ahead_is_a_day_in_every_zone(hours: int) -> None:
    now = datetime(2026, 11, 2, 12, tzinfo=UTC)
    zone = timezone(timedelta(hours=hours))
    assert moment_problem((now + timedelta(days=1)).astimezone(zone), now) is None
    assert moment_problem((now + timedelta(days=1, seconds=1)).astimezone(zone), now) is not None
