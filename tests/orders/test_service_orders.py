"""The job: its steps, its ways, its overrides, its people, and the two stories every job is like."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection

from orders.actions import lines, service_orders
from orders.actions.service_orders import Step
from orders.errors import NothingToDo, ReasonRequired, TransitionRefused
from orders.models import OrderEvent, ServiceOrder
from orders.statuses import SERVICE_ORDER_PATH, ServiceOrderStatus
from parts.actors import Actor
from parts.errors import Forbidden, Invalid, NotFound, Refused, VersionConflict
from parts.keys import new_key
from tests.factories.orders import CustomerFactory, EquipmentFactory, ServiceContractFactory
from tests.orders.desk import NOBODY, TOLD, Desk, events, kinds, leaf, only, statements, told


def status(job: ServiceOrder) -> str:
    return ServiceOrder.objects.get(pk=job.pk).status


# --- Stories ---------------------------------------------------------------------------------------------------------


def test_routine_bench_repair(desk: Desk) -> None:
    """Request, intake the next day, work when the item arrives, no extra parts, picked up."""
    job = desk.job()
    service_orders.move(service_order_id=job.pk, to="scheduled", **told(hours=1))
    service_orders.fast_forward(service_order_id=job.pk, to="in_progress", **told(hours=24))
    service_orders.fast_forward(service_order_id=job.pk, to="ready_for_return", public=True, **told(hours=27))
    service_orders.move(service_order_id=job.pk, to="completed", public=True, **told(hours=30))
    assert [(event.to_status, event.passed_through) for event in events(job.pk)] == [
        ("draft", False),
        ("scheduled", False),
        ("new", True),
        ("in_progress", False),
        ("awaiting_parts", True),
        ("with_manufacturer", True),
        ("ready_for_return", False),
        ("completed", False),
    ]
    to_the_customer = OrderEvent.objects.filter(subject_id=job.pk).public().values_list("to_status", flat=True)
    assert set(to_the_customer) == {"ready_for_return", "completed"}


def test_field_visit_waiting_on_the_manufacturer(desk: Desk) -> None:
    """Logged on site, a sealed component goes to the OEM, it returns, the job resumes and ends."""
    job = desk.job("new", begins="new")
    service_orders.move(service_order_id=job.pk, to="in_progress", **told(hours=1))
    service_orders.fast_forward(service_order_id=job.pk, to="with_manufacturer", **told(hours=3))
    service_orders.fast_forward(service_order_id=job.pk, to="in_progress", note="It is back", **told(hours=300))
    service_orders.fast_forward(service_order_id=job.pk, to="ready_for_return", **told(hours=310))
    service_orders.move(service_order_id=job.pk, to="completed", **told(hours=330))
    real = [event for event in events(job.pk) if not event.passed_through]
    assert [event.to_status for event in real] == [
        "new",
        "in_progress",
        "with_manufacturer",
        "in_progress",
        "ready_for_return",
        "completed",
    ]
    assert [int(event.dwell.total_seconds() // 3600) for event in real if event.dwell] == [1, 2, 297, 10, 20]


# --- Steps -----------------------------------------------------------------------------------------------------------


def test_a_move_is_two_statements(desk: Desk) -> None:
    job = desk.job()
    with statements() as sent:
        service_orders.move(service_order_id=job.pk, to="scheduled", **TOLD)
    assert len([query for query in sent if "SAVEPOINT" not in query["sql"]]) == 2


def test_many_moves_are_as_many_statements_as_few(desk: Desk) -> None:
    counts = []
    for number in (2, 20):
        jobs = [desk.job() for _ in range(number)]
        with statements() as sent:
            service_orders.move_many(steps=[Step(job.pk, "scheduled") for job in jobs], **TOLD)
        counts.append(len(sent))
    assert counts[0] == counts[1]


def test_of_many_moves_each_has_its_own_answer(desk: Desk) -> None:
    job, other, done = desk.job(), desk.job(), desk.job("cancelled")
    answers = service_orders.move_many(
        steps=[
            Step(job.pk, "scheduled"),
            Step(other.pk, "completed"),
            Step(done.pk, "draft"),
            Step(new_key(), "draft"),
            Step(other.pk, "scheduled", expected_version=7),
            Step(job.pk, "new"),
        ],
        **TOLD,
    )
    assert [getattr(answer, "status", None) or type(answer).__name__ for answer in answers[:1]] == ["scheduled"]
    assert [type(answer).__name__ for answer in answers] == [
        "Moved",
        "TransitionRefused",
        "TransitionRefused",
        "NotFound",
        "VersionConflict",
        "Moved",
    ]
    assert (status(job), status(other), status(done)) == ("new", "draft", "cancelled")


def test_a_repeated_move_is_refused_and_says_so(desk: Desk) -> None:
    job = desk.job("scheduled")
    with pytest.raises(TransitionRefused, match="already is scheduled; allowed from here: new, draft, cancelled"):
        service_orders.move(service_order_id=job.pk, to="scheduled", **TOLD)


def test_a_move_on_an_old_version_is_refused(desk: Desk) -> None:
    job = desk.job()
    service_orders.move(service_order_id=job.pk, to="scheduled", expected_version=1, **TOLD)
    with pytest.raises(VersionConflict) as refusal:
        service_orders.move(service_order_id=job.pk, to="draft", expected_version=1, **TOLD)
    assert refusal.value.extra == {"version": 2, "status": "scheduled"}


def test_a_move_of_nothing_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound):
        service_orders.move(service_order_id=new_key(), to="scheduled", **TOLD)


def test_an_unknown_status_is_refused(desk: Desk) -> None:
    with pytest.raises(TransitionRefused):
        service_orders.move(service_order_id=desk.job().pk, to="lost", **TOLD)


@pytest.mark.parametrize("note", ["a\x00b", "\ud800", "x" * 10_001])
def test_a_note_that_cannot_be_kept_is_refused(desk: Desk, note: str) -> None:
    job = desk.job()
    with pytest.raises(Invalid) as refusal:
        service_orders.move(service_order_id=job.pk, to="scheduled", note=note, **TOLD)
    assert "note" in refusal.value.extra["fields"]
    with pytest.raises(Invalid):
        service_orders.add_note(service_order_id=job.pk, text=note, **TOLD)
    assert kinds(job.pk) == ["service_order.created draft"]


# --- Ways ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", SERVICE_ORDER_PATH)
@pytest.mark.parametrize("end", ServiceOrderStatus.values)
def test_a_way_walks_every_step_in_between(desk: Desk, start: str, end: str) -> None:
    job = desk.job(start)
    before = len(events(job.pk))
    if start in ("completed", end) or end == "cancelled":
        with pytest.raises(TransitionRefused):
            service_orders.fast_forward(service_order_id=job.pk, to=end, **TOLD)
        return
    service_orders.fast_forward(service_order_id=job.pk, to=end, **TOLD)
    walked = events(job.pk)[before:]
    distance = abs(SERVICE_ORDER_PATH.index(end) - SERVICE_ORDER_PATH.index(start))
    assert len(walked) == distance
    assert [event.passed_through for event in walked] == [True] * (distance - 1) + [False]
    assert walked[-1].to_status == end


# --- Overrides -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", ServiceOrderStatus.values)
def test_an_override_reaches_any_status_and_is_marked_for_ever(desk: Desk, start: str) -> None:
    for end in ServiceOrderStatus.values:
        job = desk.job(start)
        facts: dict[str, Any] = {"reason": "Booked on paper", "reference": "CASE-7"}
        if start == end:
            with pytest.raises(NothingToDo):
                service_orders.override(service_order_id=job.pk, to=end, **facts, **TOLD)
            continue
        assert service_orders.override(service_order_id=job.pk, to=end, **facts, **TOLD).status == end
        event = events(job.pk)[-1]
        assert (event.is_override, event.override_reference, event.text.text) == (True, "CASE-7", "Booked on paper")


@pytest.mark.parametrize(("reason", "reference"), [("", "CASE-7"), ("Booked on paper", " ")])
def test_an_override_needs_a_reason_and_a_reference(desk: Desk, reason: str, reference: str) -> None:
    with pytest.raises(ReasonRequired) as refusal:
        service_orders.override(
            service_order_id=desk.job().pk, to="completed", reason=reason, reference=reference, **TOLD
        )
    assert list(refusal.value.extra["fields"]) == ["reason" if not reason else "reference"]


def test_an_override_to_nowhere_is_invalid(desk: Desk) -> None:
    with pytest.raises(Invalid):
        service_orders.override(service_order_id=desk.job().pk, to="lost", reason="r", reference="c", **TOLD)


# --- Rights ----------------------------------------------------------------------------------------------------------


def test_nobody_does_anything_to_a_job_without_the_right(desk: Desk) -> None:
    job = desk.job()
    key: dict[str, Any] = {"service_order_id": job.pk}
    other = told(by=NOBODY)
    attempts = [
        lambda: service_orders.create(customer_id=desk.customer.pk, title="x", **other),
        lambda: service_orders.move(**key, to="scheduled", **other),
        lambda: service_orders.fast_forward(**key, to="in_progress", **other),
        lambda: service_orders.override(**key, to="completed", reason="r", reference="c", **other),
        lambda: service_orders.assign(**key, technician_id=None, **other),
        lambda: service_orders.claim(**key, **other),
        lambda: service_orders.add_note(**key, text="x", **other),
    ]
    for attempt in attempts:
        with pytest.raises(Forbidden) as refusal:
            attempt()
        assert refusal.value.extra["permission"].startswith("orders.")
    assert kinds(job.pk) == ["service_order.created draft"]


def test_the_right_to_move_is_not_the_right_to_override(desk: Desk) -> None:
    mover = only("orders.move_serviceorder")
    with pytest.raises(Forbidden):
        service_orders.override(
            service_order_id=desk.job().pk, to="completed", reason="r", reference="c", **told(by=mover)
        )


# --- Opening, people -------------------------------------------------------------------------------------------------


def test_a_job_is_opened_for_a_machine_under_its_contract(desk: Desk) -> None:
    machine, contract = (
        EquipmentFactory.create(customer=desk.customer),
        ServiceContractFactory.create(customer=desk.customer),
    )
    job = desk.job(equipment_id=machine.pk, contract_id=contract.pk, machine_down=True)
    assert (job.status, job.region_id, job.machine_down) == ("draft", desk.customer.region_id, True)
    assert job.reference.startswith("SO-")


def test_a_job_for_a_stranger_s_machine_is_refused_with_every_bad_field(desk: Desk) -> None:
    with pytest.raises(Invalid) as refusal:
        service_orders.create(
            customer_id=desk.customer.pk,
            title=" ",
            status="completed",
            equipment_id=EquipmentFactory.create().pk,
            contract_id=ServiceContractFactory.create().pk,
            **TOLD,
        )
    assert set(refusal.value.extra["fields"]) == {"title", "status", "equipment", "contract"}
    assert not ServiceOrder.objects.exists()


def test_the_same_key_again_is_the_same_job(desk: Desk) -> None:
    key = new_key()
    assert desk.job(key=key).pk == desk.job(key=key).pk
    assert OrderEvent.objects.filter(subject_id=key).count() == 1
    with pytest.raises(Refused):
        service_orders.create(customer_id=CustomerFactory.create().pk, title="x", key=key, **TOLD)


def test_a_technician_claims_what_nobody_has(desk: Desk) -> None:
    anna, ben = User.objects.create(username="anna"), User.objects.create(username="ben")
    claim = frozenset({"orders.claim_serviceorder"})
    as_anna = Actor(f"user:{anna.pk}", claim, anna.pk)
    as_ben = Actor(f"user:{ben.pk}", claim, ben.pk)
    job = desk.job("new")
    assert service_orders.claim(service_order_id=job.pk, **told(by=as_anna)).version == 4
    assert service_orders.claim(service_order_id=job.pk, **told(by=as_anna)).version == 4
    with pytest.raises(Refused, match="already has a technician"):
        service_orders.claim(service_order_id=job.pk, **told(by=as_ben))
    with pytest.raises(Forbidden):
        service_orders.claim(service_order_id=job.pk, **TOLD)
    assert ServiceOrder.objects.get(pk=job.pk).technician == anna


def test_a_job_is_assigned_to_people_who_work_here(desk: Desk) -> None:
    gone = User.objects.create(username="gone", is_active=False, is_staff=True)
    other = User.objects.create(username="other", is_staff=True)
    role = Group.objects.get(name="Technician")
    gone.groups.add(role)
    outside = User.objects.create(username="outside")
    outside.groups.add(role)
    job = desk.job("new")
    for technician_id in (gone.pk, other.pk, outside.pk, 999_999):
        with pytest.raises(Invalid) as refusal:
            service_orders.assign(service_order_id=job.pk, technician_id=technician_id, **TOLD)
        assert "technician" in refusal.value.extra["fields"]
    connection.check_constraints()


def test_a_closed_job_is_nobody_s(desk: Desk) -> None:
    with pytest.raises(Refused, match="nobody works on it"):
        service_orders.assign(service_order_id=desk.job("cancelled").pk, technician_id=None, **TOLD)


# --- Waiting for parts -----------------------------------------------------------------------------------------------


def test_a_job_pauses_when_a_line_is_short_and_goes_on_when_the_last_one_is_not(desk: Desk) -> None:
    job = desk.job("in_progress")
    desk.put(1)
    desk.place(3, service_order_id=job.pk)
    assert status(job) == "awaiting_parts"
    desk.put(1)
    assert status(job) == "awaiting_parts"
    desk.put(1)
    assert status(job) == "in_progress"
    by_rule = events(job.pk)[-2:]
    assert [(event.to_status, event.actor, event.data) for event in by_rule] == [
        ("awaiting_parts", "system:parts-rule", {"rule": "parts"}),
        ("in_progress", "system:parts-rule", {"rule": "parts"}),
    ]


def test_a_job_waits_for_all_of_its_orders(desk: Desk) -> None:
    job = desk.job("in_progress")
    desk.place(1, service_order_id=job.pk)
    desk.place(1, service_order_id=job.pk)
    desk.put(1)
    assert status(job) == "awaiting_parts"
    desk.put(1)
    assert status(job) == "in_progress"


def test_a_job_that_is_not_one_step_away_stays_where_it_is(desk: Desk) -> None:
    job = desk.job("new")
    desk.place(1, service_order_id=job.pk)
    assert status(job) == "new"
    desk.put(1)
    assert status(job) == "new"


def test_a_job_goes_on_when_what_it_waited_for_is_cancelled(desk: Desk) -> None:
    job = desk.job("in_progress")
    placed = desk.place(2, service_order_id=job.pk)
    lines.cancel(line_id=leaf(placed, "back_ordered").id, reason="Found one in the van", **TOLD)
    assert status(job) == "in_progress"
