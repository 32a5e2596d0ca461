"""An order and the end of the job it is for, at once: a job that is over gets no new orders."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from orders.actions import service_orders
from orders.actions.placing import draft
from orders.models import PartsOrder, ServiceOrder
from parts.errors import Refused
from tests.orders.desk import TOLD, Desk
from tests.racing import Racer, race

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk(db: None) -> Desk:
    desk = Desk()
    desk.put(5)
    return desk


def completing(job: ServiceOrder) -> Callable[[], object]:
    return lambda: service_orders.move(service_order_id=job.pk, to="completed", **TOLD)


def ordering(desk: Desk, job: ServiceOrder) -> Callable[[], object]:
    return lambda: desk.place(1, service_order_id=job.pk)


def complete_against_order(desk: Desk) -> tuple[Racer, Racer]:
    job = desk.job("ready_for_return")
    return race(completing(job), ordering(desk, job))


def test_a_job_that_ends_while_it_is_ordered_for_gets_no_order(desk: Desk) -> None:
    completed, ordered = complete_against_order(desk)

    assert completed.error is None
    assert isinstance(ordered.error, Refused)
    assert not PartsOrder.objects.exists()


def test_without_its_lock_an_order_is_placed_for_a_job_that_is_over(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlocked = draft._PLACE.replace(
        "WHERE id = %(service_order_id)s FOR NO KEY UPDATE", "WHERE id = %(service_order_id)s"
    )
    assert unlocked != draft._PLACE
    monkeypatch.setattr(draft, "_PLACE", unlocked)

    completed, ordered = complete_against_order(desk)

    assert (completed.error, ordered.error) == (None, None)
    assert PartsOrder.objects.get().service_order_id == ServiceOrder.objects.get(status="completed").pk


def test_two_orders_for_one_job_at_once_both_stand_and_pause_it(desk: Desk) -> None:
    job = desk.job("in_progress")

    first, second = race(lambda: desk.place(9, service_order_id=job.pk), lambda: desk.place(9, service_order_id=job.pk))

    assert (first.error, second.error) == (None, None)
    assert ServiceOrder.objects.get().status == "awaiting_parts"
