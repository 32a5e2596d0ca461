"""When? Two steps from a name to the answer: what is waited for, until when and why, and what to tell the customer."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backorders.dossiers import Row
from backorders.models import BackOrder
from backorders.prospects import Prospect
from backorders.waiting import Case, waits_of
from config.desk.when_says import answer, tell
from orders import wording
from orders.actions import jobs, lines, placing, service_orders
from orders.models import Customer, OrderLine, PartsOrder
from parts.models import Part, UnitOfMeasure
from tests.admin.world import World, cause
from tests.desk.orders_words import desk_of, text
from tests.factories.orders import CustomerFactory, EquipmentFactory
from tests.factories.parts import PartFactory

WHEN = "/desk/when/"


@pytest.fixture
def world(db: None) -> World:
    return World()


def ordered(customer: Customer, part: Part, quantity: int = 2, **facts: Any) -> PartsOrder:
    """Order a part for a customer."""
    placed = placing.place(
        kind="service",
        customer_id=customer.pk,
        requested_on=timezone.now().date(),
        lines=[placing.Wanted(quantity=Decimal(quantity), part_id=part.pk)],
        **facts,
        **cause(),
    )
    return PartsOrder.objects.get(pk=placed.id)


def waiting_line(order: PartsOrder) -> OrderLine:
    return OrderLine.objects.get(order=order, is_split=False, status="back_ordered")


def promised(order: PartsOrder, day: date) -> OrderLine:
    """Promise a day for the line that waits."""
    line = waiting_line(order)
    before = cause() | {"at": timezone.now() - timedelta(days=9)}
    lines.promise(line_id=line.pk, promised_on=day, **before)
    return line


def answers(subject: Any, person: User) -> list[Any]:
    today = timezone.now().date()
    return [answer(row, today) for case in waits_of(subject, person).cases for row in case.rows]


# --- The way there ---------------------------------------------------------------------------------------------------


def test_from_a_name_to_the_answer_in_two_steps(world: World, dispatcher: User) -> None:
    north = CustomerFactory.create(name="Quarry North")
    CustomerFactory.create(name="Quarry South")
    ordered(north, PartFactory.create(description="Swivel joint"))
    client = desk_of(dispatcher)
    first = client.get(WHEN, {"q": "quarry"})
    assert "Who or what do you mean?" in text(first)
    assert f'href="{WHEN}?customer={north.code}"' in first.content.decode()
    second = client.get(f"{WHEN}?customer={north.code}")
    assert "No supply is ordered for it." in text(second)


@pytest.mark.parametrize("asked", ["name", "code", "job", "order", "part", "serial"])
def test_one_step_where_only_one_can_be_meant(world: World, dispatcher: User, asked: str) -> None:
    customer = CustomerFactory.create(name="Quarry Zwickau", code="ZW-9")
    machine = EquipmentFactory.create(customer=customer, serial_number="ZZ-1")
    job = service_orders.create(customer_id=customer.pk, title="Crane", equipment_id=machine.pk, **cause())
    part = PartFactory.create(number="ZP-77", description="Swivel joint")
    order = ordered(customer, part, service_order_id=job.pk)
    text_of = {
        "name": "zwick",
        "code": "zw9",
        "job": job.reference,
        "order": order.reference,
        "part": "zp 77",
        "serial": "zz1",
    }
    found = desk_of(dispatcher).get(WHEN, {"q": text_of[asked]}, follow=True)
    assert len(found.redirect_chain) == 1
    assert "Swivel joint" in text(found)
    assert "No supply is ordered for it." in text(found)


def test_the_empty_page_teaches_and_what_is_not_there_is_not_found(world: World, dispatcher: User) -> None:
    client = desk_of(dispatcher)
    assert "Who asks?" in text(client.get(WHEN))
    assert "Nothing found" in text(client.get(WHEN, {"q": "zzzz"}))
    for query in ("customer=none", "part=none", "order=SO-999999", "machine=x", f"machine={world.customer.pk}"):
        assert client.get(f"{WHEN}?{query}").status_code == 404


# --- The answer ------------------------------------------------------------------------------------------------------


def test_each_line_says_what_it_waits_for_the_day_and_why(world: World, dispatcher: User) -> None:
    part = world.part()
    order = ordered(world.customer, part, 3)
    bought = world.bought(part, 5)
    [found] = answers(order, dispatcher)
    assert found.expected_on == timezone.now().date() + timedelta(days=9)
    assert bought.number in found.why
    assert bought.supplier.name in found.why
    shown = text(desk_of(dispatcher).get(f"{WHEN}?order={order.reference}"))
    assert bought.number in shown
    assert "Next in the queue." in shown


@pytest.mark.parametrize(
    ("promise_in", "says", "danger"),
    [
        (None, "Nothing was promised.", False),
        (20, "in time.", False),
        (9, "in time.", False),
        (4, "in danger, it comes 5 days later.", True),
        (-3, "broken, 3 days late.", True),
    ],
)
def test_a_promise_is_held_against_the_expected_day(
    world: World, dispatcher: User, promise_in: int | None, says: str, danger: bool
) -> None:
    part, today = world.part(), timezone.now().date()
    order = ordered(world.customer, part, 3)
    world.bought(part, 5)
    if promise_in is not None:
        promised(order, today + timedelta(days=promise_in))
    [found] = answers(order, dispatcher)
    assert says in found.promise.text
    assert found.promise.in_danger == danger


def test_a_promise_without_any_date_for_the_goods_is_in_danger(world: World, dispatcher: User) -> None:
    order = ordered(world.customer, PartFactory.create())
    promised(order, timezone.now().date() + timedelta(days=5))
    [found] = answers(order, dispatcher)
    assert found.promise.in_danger
    assert "no day is known" in found.promise.text
    assert "1 promise in danger" in text(desk_of(dispatcher).get(f"{WHEN}?customer={world.customer.code}"))


def test_what_lies_ready_and_what_is_on_its_way_is_said_too(world: World, dispatcher: User) -> None:
    part = world.part_in_stock()
    held, left = ordered(world.customer, part), ordered(world.customer, part)
    line = OrderLine.objects.get(order=left, is_split=False)
    item = lines.ShipItem(line.pk, None)
    lines.ship(order_id=left.pk, items=[item], carrier="Nord", tracking_number="NF1", walk=True, **cause())
    assert "Put aside in" in answers(held, dispatcher)[0].why
    assert "NF1" in answers(left, dispatcher)[0].why


def test_a_job_without_parts_says_when_it_is_done(world: World, dispatcher: User) -> None:
    job = service_orders.create(customer_id=world.customer.pk, title="Crane", **cause())
    address = f"{WHEN}?customer={world.customer.code}"
    assert "No day is set for it." in text(desk_of(dispatcher).get(address))
    done = timezone.now() - timedelta(days=2)
    before = cause() | {"at": timezone.now() - timedelta(days=9)}
    jobs.set_estimated_completion(service_order_id=job.pk, estimated_completion_at=done, **before)
    assert "is late." in text(desk_of(dispatcher).get(address))


def test_what_is_closed_is_not_waited_for(world: World, dispatcher: User) -> None:
    order = ordered(world.customer, PartFactory.create())
    lines.cancel(line_id=waiting_line(order).pk, reason="Not needed", **cause())
    assert waits_of(world.customer, dispatcher).cases == []
    assert "Nothing is open" in text(desk_of(dispatcher).get(f"{WHEN}?customer={world.customer.code}"))


# --- For the customer ------------------------------------------------------------------------------------------------


def test_the_text_for_the_customer_is_in_their_language_and_betrays_nothing(world: World, dispatcher: User) -> None:
    customer = CustomerFactory.create(language="de", time_zone="Europe/Berlin")
    part = world.part()
    order = ordered(customer, part, 3, external_reference="Mail 7")
    bought = world.bought(part, 5)
    promised(order, timezone.now().date() + timedelta(days=2))
    shown = desk_of(dispatcher).get(f"{WHEN}?customer={customer.code}").content.decode()
    told = re.search(r"<textarea[^>]*lang=\"de\"[^>]*>(.*?)</textarea>", shown, re.DOTALL)
    assert told is not None
    assert order.reference in told[1]
    assert "Mail 7" in told[1]
    assert part.number in told[1]
    assert "In the customer’s language (German)" in shown.replace("&#x27;", "’").replace("'", "’")
    for ours in (bought.number, bought.supplier.name, "queue", "Warteschlange", world.near.code):
        assert ours not in told[1]


def test_a_customer_whose_language_is_not_spoken_is_told_in_ours(world: World, dispatcher: User) -> None:
    customer = CustomerFactory.create(language="fr")
    ordered(customer, world.part(), 3)
    client = desk_of(dispatcher)
    client.cookies["django_language"] = "de"
    shown = client.get(f"{WHEN}?customer={customer.code}").content.decode()
    told = re.search(r"<textarea[^>]*lang=\"en\"[^>]*>(.*?)</textarea>", shown, re.DOTALL)
    assert told is not None
    assert told[1].startswith("As of ")
    assert "(Englisch)" in shown


def test_the_text_says_the_day_the_promise_and_that_it_is_late() -> None:
    now = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
    spoken = wording.Wording("en", {"line": {"back_ordered": "On order"}, "service_order": {}}, {})
    customer = Customer(language="en", time_zone="Asia/Tokyo")
    line = line_that_waits(expected=date(2026, 3, 12), promised=date(2026, 3, 10))
    said = tell(customer, [case_of(line)], spoken, now)
    assert said.splitlines() == [
        "As of 3 Mar 2026:",
        "",
        "P-000001 (Mail 7)",
        "- 2 × Pump (P-1): On order; we expect it on 12 Mar 2026; that is later than the promised 10 Mar 2026",
    ]
    line = line_that_waits(expected=None, promised=None)
    assert tell(customer, [case_of(line)], spoken, now).endswith("On order; we have no date for it yet")


def line_that_waits(expected: date | None, promised: date | None) -> Any:
    part = Part(number="P-1", description="Pump", unit=UnitOfMeasure(code="C62", name="Piece"))
    order = PartsOrder(reference="P-000001", external_reference="Mail 7")
    line = OrderLine(part=part, quantity=Decimal(2), order=order, status="back_ordered", promised_on=promised)
    back_order = BackOrder(expected_on=expected, quantity=Decimal(2))
    return Row(line, back_order, Prospect(back_order.pk, 0, Decimal(0), (), (), is_on_order=True))


def case_of(row: Any) -> Any:
    return Case(None, row.line.order, [row])


# --- Who, and at what cost -------------------------------------------------------------------------------------------


def test_partners_are_not_let_in(world: World, partner: User) -> None:
    assert desk_of(partner).get(f"{WHEN}?customer={world.customer.code}").status_code == 403


def test_the_answer_asks_as_often_for_many_lines_as_for_few(world: World, dispatcher: User) -> None:
    client, part = desk_of(dispatcher), world.part_in_stock(Decimal(500))

    def more(count: int) -> None:
        for _ in range(count):
            ordered(world.customer, PartFactory.create())
            left = ordered(world.customer, part)
            line = OrderLine.objects.get(order=left, is_split=False)
            lines.ship(order_id=left.pk, items=[lines.ShipItem(line.pk, None)], walk=True, **cause())
            job = service_orders.create(customer_id=world.customer.pk, title="Crane", **cause())
            ordered(world.customer, PartFactory.create(), service_order_id=job.pk)

    def cost() -> int:
        with CaptureQueriesContext(connection) as sent:
            assert client.get(f"{WHEN}?customer={world.customer.code}").status_code == 200
        return len(sent)

    more(1)
    few = cost()
    more(9)
    assert cost() == few
    assert few <= 14


def test_more_lines_than_anybody_reads_are_cut_and_it_says_so(
    world: World, dispatcher: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backorders.waiting.MOST", 2)
    for _ in range(3):
        ordered(world.customer, PartFactory.create())
    assert "There are more lines" in text(desk_of(dispatcher).get(f"{WHEN}?customer={world.customer.code}"))


def test_a_part_shows_who_waits_for_it_and_what_there_is(world: World, dispatcher: User) -> None:
    part = world.part_in_stock(Decimal(3))
    ordered(world.customer, part, 5)
    shown = text(desk_of(dispatcher).get(f"{WHEN}?part={part.number}"))
    assert world.customer.name in shown
    assert world.near.code in shown
