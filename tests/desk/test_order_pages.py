"""The pages of a service order and of a parts order: what they show, to whom, and at what cost."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from backorders.actions import moving
from orders import timeline
from orders.actions import attachments, jobs, lines, overriding, parts_orders, placing, reporting, service_orders
from orders.actions.placing import Wanted
from orders.models import OrderLine, PartsOrder, ServiceOrder
from parts.actors import Actor
from parts.keys import new_key
from tests.admin.world import World, cause
from tests.desk.orders_words import QUICK, at, desk_of, text
from tests.factories.parts import PartFactory


@pytest.fixture
def world(db: None) -> World:
    return World()


def ordered(world: World, job: ServiceOrder | None, *wanted: tuple[object, int]) -> PartsOrder:
    """Order parts, for a job if one is named."""
    placed = placing.place(
        kind="service",
        customer_id=world.customer.pk,
        service_order_id=job.pk if job else None,
        requested_on=timezone.now().date(),
        lines=[Wanted(quantity=Decimal(quantity), part_id=part.pk) for part, quantity in wanted],  # type: ignore[attr-defined]
        **cause(),
    )
    return PartsOrder.objects.get(pk=placed.id)


def test_the_page_of_a_job_says_what_it_is_about(world: World, dispatcher: User) -> None:
    job: Any = world.job("in_progress")
    shown = text(desk_of(dispatcher).get(at(job)))
    for said in (
        job.reference,
        "Press loses pressure",
        "In Progress",
        world.customer.name,
        job.equipment.serial_number,
        job.contract.number,
        "Repair due",
        "nobody yet",
    ):
        assert said in shown


def test_it_says_in_one_sentence_what_blocks_a_job(world: World, dispatcher: User, technician: User) -> None:
    client, job = desk_of(dispatcher), world.job("in_progress")
    assert "Nobody has it: assign a technician." in text(client.get(at(job)))
    service_orders.assign(service_order_id=job.pk, technician_id=technician.pk, **cause())
    assert "Nothing: Technician works on it." in text(client.get(at(job)))

    missing = PartFactory.create(number="S-1", description="Slewing bearing")
    order = ordered(world, job, (missing, 2))
    assert "Waits for 2 × S-1 Slewing bearing. No supply is ordered for it." in text(client.get(at(job)))
    world.bought(missing, 1)
    shown = text(client.get(at(job)))
    assert re.search(r"1 from Pump works \d+, PUR?-[\w-]+, due .+; nothing is ordered for 1 of it\.", shown)
    parts_orders.hold(order_id=order.pk, reason="Credit limit", **cause())
    assert f"{order.reference} is on hold: Credit limit" in text(client.get(at(job)))

    service_orders.move(service_order_id=job.pk, to="cancelled", note="sold", **cause())
    assert "Nothing: the job is cancelled." in text(client.get(at(job)))


def test_steps_that_would_be_refused_are_not_there(world: World, dispatcher: User, auditor: User) -> None:
    client = desk_of(dispatcher)
    job = world.job("new")
    shown = client.get(at(job)).content.decode()
    assert re.findall(r'name="to" value="(\w+)"', shown) == ["in_progress", "scheduled"]
    assert "Override the status" not in shown  # a dispatcher may not
    done = world.job("completed")
    assert 'name="to"' not in client.get(at(done)).content.decode()
    read_only = desk_of(auditor).get(at(job)).content.decode()
    assert 'method="post" action="/desk/' not in read_only


def test_every_line_has_its_four_dates_and_why_the_last_is_what_it_is(world: World, dispatcher: User) -> None:
    client, part = desk_of(dispatcher), world.part_in_stock(Decimal(4))
    first = ordered(world, None, (part, 6))
    second = ordered(world, None, (part, 1))
    world.bought(part, 2)
    waiting = OrderLine.objects.get(order=first, status="back_ordered", is_split=False)
    day = timezone.localdate() + timedelta(days=12)
    lines.promise(line_id=waiting.pk, promised_on=day, **cause())

    shown = text(client.get(at(first)))
    assert "Put aside in" in shown
    assert "in stock" in shown
    assert "Next in the queue." in shown
    assert "2 from Pump works" in shown
    behind = text(client.get(at(second)))
    assert "1 stands before it and gets 2 first." in behind
    assert first.reference in behind  # who is ahead, with a link
    assert "What is on order goes to those before it." in behind


def test_a_line_that_is_wholly_short_is_one_row(world: World, dispatcher: User) -> None:
    order = ordered(world, None, (PartFactory.create(), 3))
    shown = desk_of(dispatcher).get(at(order)).content.decode()
    assert shown.count('scope="row"') == 1


def test_one_timeline_tells_everything_and_marks_what_is_special(
    world: World, dispatcher: User, manager: User, technician: User
) -> None:
    job, by = world.job("new"), cause()
    service_orders.assign(service_order_id=job.pk, technician_id=technician.pk, **cause())
    service_orders.fast_forward(service_order_id=job.pk, to="ready_for_return", **cause())
    service_orders.add_note(service_order_id=job.pk, text="For us alone", **cause())
    service_orders.add_note(service_order_id=job.pk, text="For the customer", public=True, **cause())
    worked = cause(technician)
    jobs.log_labour(service_order_id=job.pk, started_at=worked["at"], minutes=45, description="New seal", **worked)
    jobs.add_diagnosis(service_order_id=job.pk, text="Seal worn", failure_code="HYD-2", **cause(technician))
    attachments.attach(service_order_id=job.pk, name="Note.txt", content=b"Pump", **cause())
    service_orders.override(
        service_order_id=job.pk, to="in_progress", reason="leaks", reference="INC-7", **cause(manager)
    )
    late = reporting.Report(
        subject="service_order", id=job.pk, status="new", occurred_at=by["at"] - timedelta(days=2), message_id="m-1"
    )
    reporting.report_many(reports=[late], **cause())
    order = ordered(world, job, (world.part_in_stock(), 1), (PartFactory.create(), 1))
    lines.ship(
        order_id=order.pk,
        items=[lines.ShipItem(OrderLine.objects.get(order=order, status="reserved").pk)],
        walk=True,
        carrier="DHL",
        **cause(),
    )

    client = desk_of(dispatcher)
    answer = client.get(at(job))
    shown = text(answer)
    for said in (
        "For us alone",
        "Staff only",
        "For the customer",
        "The customer reads it",
        "45 minutes",
        "New seal",
        "Seal worn",
        "Technician",
        "Note.txt",
        "Override, INC-7",
        "Reported late",
        "steps passed through",
        "Back order opened",
        "Shipped",
        "By a rule",
        order.reference,
    ):
        assert said in shown, said
    narrowed = {
        "notes": ("For us alone", "45 minutes"),
        "work": ("45 minutes", "For us alone"),
        "overrides": ("INC-7", "45 minutes"),
        "shipments": ("Shipped", "For us alone"),
        "back-orders": ("Back order opened", "For us alone"),
        "files": ("Note.txt", "For us alone"),
    }
    for kind, (there, gone) in narrowed.items():
        section = (
            client.get(f"{at(job)}?kind={kind}").content.decode().split('<ol class="timeline">')[1].split("</ol>")[0]
        )
        assert there in section, kind
        assert gone not in section, kind


def test_the_timeline_goes_on_where_the_page_before_ended(world: World, dispatcher: User) -> None:
    job, client = world.job("new"), desk_of(dispatcher)
    for number in range(timeline.PAGE + 5):
        service_orders.add_note(service_order_id=job.pk, text=f"Note {number:03}", **cause())
    first = client.get(at(job))
    notes = re.findall(r"Note \d{3}", first.content.decode())
    assert len(notes) == timeline.PAGE
    older = re.search(r'href="(\?before=[^"#]+)', first.content.decode())
    assert older is not None
    second = client.get(at(job) + older[1])
    more = client.get(at(job) + older[1], headers={"HX-Request": "true", "HX-Target": "more"})
    for answer in (second, more):
        rest = re.findall(r"Note \d{3}", answer.content.decode())
        assert sorted(notes + rest) == [f"Note {number:03}" for number in range(timeline.PAGE + 5)]
    assert "<html" not in more.content.decode()


@pytest.mark.parametrize("nonsense", ["x", "MjAyNg", "🦀", "A" * 500])
def test_a_place_in_the_timeline_that_is_none_begins_at_the_newest(
    world: World, dispatcher: User, nonsense: str
) -> None:
    job = world.job("new")
    assert "Opened" in text(desk_of(dispatcher).get(f"{at(job)}?before={nonsense}&kind={nonsense}&from={nonsense}"))


def test_a_run_of_the_same_event_is_folded(world: World, dispatcher: User) -> None:
    part = world.part_in_stock()
    order = ordered(world, None, *[(part, 1)] * 5)
    assert "5 × Ordered" in text(desk_of(dispatcher).get(at(order)))


def test_a_large_order_shows_its_lines_fifty_at_a_time(world: World, dispatcher: User) -> None:
    part = world.part_in_stock(Decimal(200))
    order = ordered(world, None, *[(part, 1)] * 80)
    client = desk_of(dispatcher)
    first = client.get(at(order)).content.decode()
    assert first.count('scope="row"') == 50
    assert "?from=51" in first
    assert client.get(f"{at(order)}?from=51").content.decode().count('scope="row"') == 30


def test_the_pages_cost_the_same_with_two_lines_and_with_twenty(
    world: World, dispatcher: User, django_assert_max_num_queries
) -> None:
    client = desk_of(dispatcher)

    def filled(count: int) -> tuple[ServiceOrder, PartsOrder]:
        job = world.job("in_progress")
        parts = [PartFactory.create() for _ in range(count)]
        for part in parts:
            world.bought(part, 1)
        order = ordered(world, job, *[(part, 2) for part in parts])
        for number in range(count):
            attachments.attach(service_order_id=job.pk, name=f"{number}.txt", content=b"x", **cause(dispatcher))
        return job, order

    small, large = filled(2), filled(20)
    client.get(at(small[0]))
    for few, many, most in ((small[0], large[0], 26), (small[1], large[1], 20)):
        with django_assert_max_num_queries(most) as counted:
            client.get(at(few))
        with django_assert_max_num_queries(len(counted)):
            client.get(at(many))


def test_who_is_not_of_the_house_or_not_signed_in_sees_nothing(
    world: World, partner: User, nobody: User, client
) -> None:
    job, order = world.job("new"), world.placed(world.part_in_stock(), 1)
    for address in (at(job), at(order)):
        assert client.get(address).headers["Location"].startswith("/accounts/login/")
        for person in (partner, nobody):
            assert desk_of(person).get(address).status_code == 403
            assert desk_of(person).post(address, {"deed": "hold", "reason": "x"}).status_code == 403


def test_an_order_that_does_not_exist_is_not_found(world: World, dispatcher: User) -> None:
    client = desk_of(dispatcher)
    assert client.get("/desk/orders/SO-999999/").status_code == 404
    assert client.get("/desk/parts-orders/P-999999/").status_code == 404


def test_a_form_opens_on_the_page_itself_for_those_who_may(world: World, dispatcher: User, auditor: User) -> None:
    job = world.job("new")
    assert 'id="deed"' in desk_of(dispatcher).get(f"{at(job)}?do=reschedule").content.decode()
    assert 'id="deed"' not in desk_of(dispatcher).get(f"{at(job)}?do=override").content.decode()
    assert 'id="deed"' not in desk_of(auditor).get(f"{at(job)}?do=reschedule").content.decode()
    quick = desk_of(dispatcher).get(f"{at(job)}?do=reschedule", headers=QUICK).content.decode()
    assert 'id="deed"' in quick
    assert "<html" not in quick
    foreign = world.short().line
    assert 'id="deed"' not in desk_of(dispatcher).get(f"{at(job)}?do=line-cancel&about={foreign.pk}").content.decode()
    assert 'id="deed"' not in desk_of(dispatcher).get(f"{at(job)}?do=line-cancel&about=x").content.decode()


def test_what_people_wrote_cannot_bring_markup(world: World, dispatcher: User) -> None:
    job = world.job("new")
    service_orders.add_note(service_order_id=job.pk, text="<script>alert(1)</script>", **cause())
    attachments.attach(service_order_id=job.pk, name="<b>.txt", content=b"x", **cause())
    shown = desk_of(dispatcher).get(at(job)).content.decode()
    assert "<script>alert" not in shown
    assert "<b>.txt" not in shown


def test_no_page_carries_a_script_or_a_style_of_its_own(world: World, manager: User) -> None:
    job = world.job("in_progress")
    order = ordered(world, job, (PartFactory.create(), 1))
    client = desk_of(manager)
    for address in (at(job), at(order), f"{at(job)}?do=override", "/desk/place/?part=x"):
        shown = client.get(address).content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|hx-on|javascript:", shown), address


def test_a_held_back_order_and_a_kept_back_line_say_so(world: World, dispatcher: User) -> None:
    client = desk_of(dispatcher)
    waiting = world.short()
    moving.hold(back_order_id=waiting.pk, reason="asks", **cause())
    assert "On hold: it gets nothing until it is let go." in text(client.get(at(waiting.line.order)))
    order = world.placed(world.part_in_stock(), 1)
    line = order.lines.get()
    lines.move(line_id=line.pk, to="released", **cause())
    lines.move(line_id=line.pk, to="reserved", **cause())
    shown = text(client.get(at(order)))
    assert "Kept back" in shown
    assert "Let go" in shown


def test_a_promise_that_is_broken_is_said(world: World, manager: User) -> None:
    waiting = world.short()
    past = cause() | {"at": timezone.now() - timedelta(days=5)}
    lines.promise(line_id=waiting.line_id, promised_on=past["at"].date(), **past)
    shown = text(desk_of(manager).get(at(waiting.line.order)))
    assert "broken" in shown
    assert "It was promised for" in shown


def test_overriding_out_of_delivery_is_on_the_page(world: World, manager: User) -> None:
    order = world.shipped()
    line = order.lines.get()
    overriding.override(line_id=line.pk, to="delivered", reason="seen there", reference="T-1", **cause(manager))
    assert "Override, T-1" in text(desk_of(manager).get(at(order)))


def test_somebody_without_a_name_is_shown_by_what_they_are_called(world: World, dispatcher: User) -> None:
    job = world.job("new")
    service_orders.assign(service_order_id=job.pk, technician_id=world.person.pk, **cause())
    service_orders.add_note(service_order_id=job.pk, text="x", **cause() | {"by": Actor("user:999999")})
    shown = text(desk_of(dispatcher).get(at(job)))
    assert "Some Body" in shown
    assert "person 999999" in shown
    assert str(new_key()) not in shown
