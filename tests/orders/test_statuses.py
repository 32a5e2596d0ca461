"""One table of steps, kept by four: the lists of orders.statuses, the FSM of the models, the triggers, the actions."""

from __future__ import annotations

from contextlib import suppress
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, IntegrityError, connection, models, transaction
from django_fsm import TransitionNotAllowed

from backorders.models import BackOrder
from backorders.statuses import BACK_ORDER_STEPS, BackOrderStatus
from orders.actions import service_orders
from orders.errors import ReasonRequired, TransitionRefused
from orders.models import OrderLine, ServiceOrder
from orders.statuses import LINE_STEPS, SERVICE_ORDER_STEPS, LineStatus, ServiceOrderStatus
from tests.orders.desk import TOLD, Desk, leaf

FLOWS: list[tuple[type[models.Model], dict[str, tuple[str, ...]], type[models.TextChoices]]] = [
    (ServiceOrder, SERVICE_ORDER_STEPS, ServiceOrderStatus),
    (OrderLine, LINE_STEPS, LineStatus),
    (BackOrder, BACK_ORDER_STEPS, BackOrderStatus),
]
EVERY_PAIR = [
    pytest.param(model, start, end, end in steps[start], id=f"{model._meta.model_name}-{start}-{end}")
    for model, steps, statuses in FLOWS
    for start, end in product(statuses.values, statuses.values)
    if start != end
]


def test_the_nine_statuses_go_one_step_forward_or_back_or_are_cancelled() -> None:
    assert SERVICE_ORDER_STEPS == {
        "draft": ("scheduled", "cancelled"),
        "scheduled": ("new", "draft", "cancelled"),
        "new": ("in_progress", "scheduled", "cancelled"),
        "in_progress": ("awaiting_parts", "new", "cancelled"),
        "awaiting_parts": ("with_manufacturer", "in_progress", "cancelled"),
        "with_manufacturer": ("ready_for_return", "awaiting_parts", "cancelled"),
        "ready_for_return": ("completed", "with_manufacturer", "cancelled"),
        "completed": (),
        "cancelled": (),
    }


@pytest.mark.parametrize(("model", "steps", "statuses"), FLOWS, ids=["job", "line", "back order"])
def test_every_status_has_its_steps(
    model: type[models.Model], steps: dict[str, tuple[str, ...]], statuses: type[models.TextChoices]
) -> None:
    assert set(steps) == set(statuses.values)
    assert {end for ends in steps.values() for end in ends} <= set(statuses.values)


@pytest.mark.parametrize(("model", "start", "end", "allowed"), EVERY_PAIR)
def test_the_declared_transitions_are_the_steps(model: type[models.Model], start: str, end: str, allowed: bool) -> None:
    row: Any = model.from_db("default", ("id", "status"), (None, start))
    step = getattr(row, f"to_{end}", None)
    if allowed:
        assert step is not None
        step()
        assert row.status == end
    elif step is not None:
        with pytest.raises(TransitionNotAllowed):
            step()


def pairs_the_database_allows(table: str, row_id: UUID, statuses: list[str], also: str = "") -> set[tuple[str, str]]:
    """Try every pair of statuses in SQL that goes round all code; only the trigger decides."""
    allowed = set()
    for start, end in product(statuses, statuses):
        if start == end:
            continue
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('backline.override', %s, true)", [str(row_id)])
            cursor.execute(
                f"UPDATE {table} SET status = %s{also.format(status=start)}, version = version + 1,"
                " chain_hash = sha256(chain_hash) WHERE id = %s AND status <> %s",
                [start, row_id, start],
            )
            cursor.execute("SELECT set_config('backline.override', '', true)")
            with suppress(IntegrityError), transaction.atomic():  # which of them the trigger raises is tried below
                cursor.execute(
                    f"UPDATE {table} SET status = %s{also.format(status=end)}, version = version + 1,"
                    " chain_hash = sha256(chain_hash) WHERE id = %s",
                    [end, row_id],
                )
                allowed.add((start, end))
            transaction.set_rollback(True)
    return allowed


def listed(steps: dict[str, tuple[str, ...]]) -> set[tuple[str, str]]:
    return {(start, end) for start, ends in steps.items() for end in ends}


def test_the_database_lets_a_job_take_the_same_steps(desk: Desk) -> None:
    job = desk.job()
    found = pairs_the_database_allows("orders_serviceorder", job.pk, ServiceOrderStatus.values)
    assert found == listed(SERVICE_ORDER_STEPS)


def test_the_database_lets_a_line_take_the_same_steps(desk: Desk) -> None:
    desk.put(1)
    line_id = leaf(desk.place(1)).id
    assert pairs_the_database_allows("orders_orderline", line_id, LineStatus.values) == listed(LINE_STEPS)


def test_the_database_lets_a_back_order_take_the_same_steps(desk: Desk) -> None:
    opened = leaf(desk.place(1), "back_ordered").back_order
    assert opened is not None
    waiting = "('open', 'sourcing', 'supply_confirmed')"
    also = f", closed_at = CASE WHEN '{{status}}' IN {waiting} THEN NULL ELSE now() END"
    found = pairs_the_database_allows("backorders_backorder", opened.back_order_id, BackOrderStatus.values, also)
    assert found == listed(BACK_ORDER_STEPS)


@pytest.mark.parametrize("start", ServiceOrderStatus.values)
def test_a_job_moves_exactly_as_the_table_says(desk: Desk, start: str) -> None:
    for end in ServiceOrderStatus.values:
        job = desk.job()
        if start == "cancelled":
            service_orders.move(service_order_id=job.pk, to="cancelled", note="Not needed", **TOLD)
        elif start != "draft":
            service_orders.fast_forward(service_order_id=job.pk, to=start, **TOLD)
        if end in SERVICE_ORDER_STEPS[start]:
            moved = service_orders.move(service_order_id=job.pk, to=end, note="So it is", **TOLD)
            assert moved.status == end
            continue
        with pytest.raises(TransitionRefused) as refusal:
            service_orders.move(service_order_id=job.pk, to=end, note="So it is", **TOLD)
        assert refusal.value.extra == {
            "current": start,
            "requested": end,
            "allowed": list(SERVICE_ORDER_STEPS[start]),
        }


@pytest.mark.parametrize("start", [status for status, ends in SERVICE_ORDER_STEPS.items() if "cancelled" in ends])
def test_cancelling_a_job_needs_a_reason(desk: Desk, start: str) -> None:
    job = desk.job(start)
    with pytest.raises(ReasonRequired):
        service_orders.move(service_order_id=job.pk, to="cancelled", note="  ", **TOLD)
    assert ServiceOrder.objects.get(pk=job.pk).status == start


def test_a_status_cannot_be_written_by_hand(desk: Desk) -> None:
    job = desk.job()
    with pytest.raises(AttributeError):
        job.status = "completed"
    with pytest.raises(DatabaseError, match="without its event"), transaction.atomic():
        ServiceOrder.objects.filter(pk=job.pk).update(status="scheduled")


def test_sql_that_walks_is_told_from_sql_that_jumps(desk: Desk) -> None:
    """The permission to walk or to override ends with the statement it was given for."""
    desk.put(3)
    placed, job = desk.place(3), desk.job()
    service_orders.fast_forward(service_order_id=job.pk, to="ready_for_return", **TOLD)
    desk.ship(leaf(placed).id)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('backline.walk', true)")
        assert cursor.fetchone() in [(None,), ("",)]
        with pytest.raises(DatabaseError, match="cannot go from"), transaction.atomic():
            cursor.execute(
                "UPDATE orders_serviceorder SET status = 'draft', version = version + 1,"
                " chain_hash = sha256(chain_hash) WHERE id = %s",
                [job.pk],
            )
