"""A consent is to what was asked for: what has moved since, be it in this very moment, gets none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from orders.actions import consents, lines, overriding, service_orders
from orders.actions.consents import Wish
from orders.models import ConsentRule, OrderEvent, OrderLine, OverrideRequest, ServiceOrder
from orders.tasks import expire_override_requests
from parts.errors import VersionConflict
from parts.models import Part
from tests.orders.desk import NOW, TOLD, Desk, d, days
from tests.orders.test_consents import by, dear, person, short_line, wish
from tests.racing import race


@pytest.fixture(autouse=True)
def _files(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def job_to_cancel(status: str) -> tuple[ServiceOrder, OverrideRequest]:
    ConsentRule.objects.create(name="Cancelling", subject="service_order", to_status="cancelled")
    job: ServiceOrder = Desk().job(status)
    what = Wish("service_order", job.pk, "cancelled", "No parts to be had", "C-1")
    return job, consents.ask(wish=what, **by(person("asks")))


# --- One after the other ---------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_what_has_moved_and_come_back_gets_no_consent_and_lapses() -> None:
    job, row = job_to_cancel("in_progress")
    service_orders.move(service_order_id=job.pk, to="awaiting_parts", **TOLD)
    service_orders.move(service_order_id=job.pk, to="in_progress", **TOLD)
    with pytest.raises(VersionConflict, match="has moved"):
        consents.consent(request_id=row.pk, **by(person("other")))
    assert expire_override_requests(NOW) == 1


@pytest.mark.django_db
def test_a_line_of_which_a_part_was_cancelled_since_gets_no_consent() -> None:
    dear()
    line = short_line()
    row = consents.ask(wish=wish(line), **by(person("asks")))
    lines.cancel(line_id=line.pk, quantity=d(1), reason="Not needed", **TOLD)
    with pytest.raises(VersionConflict, match="has moved"):
        consents.consent(request_id=row.pk, **by(person("other")))


@pytest.mark.django_db
def test_what_was_only_promised_or_noted_since_can_be_consented_to() -> None:
    dear()
    line = short_line()
    row = consents.ask(wish=wish(line), **by(person("asks")))
    lines.promise(line_id=line.pk, promised_on=days(3), **TOLD)
    assert expire_override_requests(NOW) == 0
    consents.consent(request_id=row.pk, **by(person("other")))
    assert OrderLine.objects.get(pk=line.pk).status == "shipped"


# --- At the same moment ----------------------------------------------------------------------------------------------


def cancelled_while_it_ships() -> tuple[Any, Any, OrderLine]:
    dear(to_status="cancelled")
    desk = Desk()
    desk.put(10)
    Part.objects.filter(pk=desk.part.pk).update(unit_cost=1000)
    desk.place(3)
    line = OrderLine.objects.get(part=desk.part, is_split=False)
    desk.pack(line.pk)
    row = consents.ask(wish=wish(line, to="cancelled"), **by(person("asks")))
    assert row.from_status == "packed"
    told = by(person("other"))
    shipped, consented = race(lambda: desk.ship(line.pk), lambda: consents.consent(request_id=row.pk, **told))
    assert shipped.error is None
    return consented, row, OrderLine.objects.get(pk=line.pk)


@pytest.mark.django_db(transaction=True)
def test_a_line_that_ships_while_it_is_consented_to_cancel_it_stays_shipped() -> None:
    consented, row, line = cancelled_while_it_ships()
    assert isinstance(consented.error, VersionConflict)
    assert line.status == "shipped"
    row.refresh_from_db()
    assert row.status == "waiting"


@pytest.mark.django_db(transaction=True)
def test_without_the_look_under_the_lock_goods_that_have_left_are_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overriding, "refuse_moved", lambda *_facts: None)
    consented, _row, line = cancelled_while_it_ships()
    assert consented.error is None
    assert line.status == "cancelled"
    steps = OrderEvent.objects.filter(subject_id=line.pk).order_by("version").values_list("from_status", "to_status")
    assert list(steps)[-2:] == [("packed", "shipped"), ("shipped", "cancelled")]


def cancelled_while_it_completes() -> tuple[Any, ServiceOrder]:
    job, row = job_to_cancel("ready_for_return")
    told = by(person("other"))
    completed, consented = race(
        lambda: service_orders.move(service_order_id=job.pk, to="completed", **TOLD),
        lambda: consents.consent(request_id=row.pk, **told),
    )
    assert completed.error is None
    return consented, ServiceOrder.objects.get(pk=job.pk)


@pytest.mark.django_db(transaction=True)
def test_a_job_that_completes_while_it_is_consented_to_cancel_it_stays_completed() -> None:
    consented, job = cancelled_while_it_completes()
    assert isinstance(consented.error, VersionConflict)
    assert job.status == "completed"


@pytest.mark.django_db(transaction=True)
def test_without_the_look_under_the_lock_a_completed_job_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_orders, "refuse_moved", lambda *_facts: None)
    consented, job = cancelled_while_it_completes()
    assert consented.error is None
    assert job.status == "cancelled"


def applied_at_once_while_it_ships() -> OverrideRequest:
    desk = Desk()
    desk.put(10)
    desk.place(3)
    line = OrderLine.objects.get(part=desk.part, is_split=False)
    desk.pack(line.pk)
    told = by(person("asks"))
    _shipped, asked = race(lambda: desk.ship(line.pk), lambda: consents.ask(wish=wish(line, to="delivered"), **told))
    assert asked.error is None
    return OverrideRequest.objects.get()


@pytest.mark.django_db(transaction=True)
def test_what_is_applied_at_once_says_from_where_it_was_overridden_in_truth() -> None:
    assert applied_at_once_while_it_ships().from_status == "shipped"
