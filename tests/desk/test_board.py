"""The board: open jobs by status, filtered by the address, moved step by step, explained where refused, taken back."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backorders import board as reading
from config.desk.board_clock import clock_of
from orders.actions import placing, service_orders
from orders.models import OrderEvent, ServiceOrder
from orders.statuses import SERVICE_ORDER_OPEN
from parts.models import Part
from tests.admin.world import World, cause
from tests.desk.orders_words import desk_of, text
from tests.factories.orders import CustomerFactory, EquipmentFactory, ServiceContractFactory
from tests.factories.parts import PartFactory, RegionFactory

BOARD = "/desk/board/"
QUICK = {"HX-Request": "true", "HX-Target": "board-body"}
MOVING = {"HX-Request": "true"}


@pytest.fixture
def world(db: None) -> World:
    return World()


def job(world: World, title: str = "Pump leaks", to: str = "new", **facts: Any) -> ServiceOrder:
    """Open a job of the world's customer and walk it to a status."""
    asked: dict[str, Any] = {"customer_id": world.customer.pk, "title": title, "status": "new"} | cause() | facts
    opened = service_orders.create(**asked)
    if to != opened.status:
        service_orders.fast_forward(service_order_id=opened.pk, to=to, **cause())
    return ServiceOrder.objects.get(pk=opened.pk)


def short(world: World, subject: ServiceOrder, part: Part | None = None, quantity: int = 1) -> None:
    """Order for a job what nobody has."""
    placing.place(
        kind="service",
        customer_id=subject.customer_id,
        service_order_id=subject.pk,
        requested_on=timezone.now().date(),
        lines=[placing.Wanted(quantity=Decimal(quantity), part_id=(part or PartFactory.create()).pk)],
        **cause(),
    )


def columns(answer: Any) -> dict[str, list[str]]:
    """Return the references that a page shows, by column."""
    found = {}
    for part in answer.content.decode().split('data-status="')[1:]:
        found[part.split('"')[0]] = re.findall(r'id="card-([^"]+)"', part)
    return found


def move(client: Client, subject: ServiceOrder, to: str, *, quick: bool = True, **facts: Any) -> Any:
    asked = {"to": to, "version": subject.version, **facts}
    return client.post(f"{BOARD}{subject.reference}/move/", asked, headers=MOVING if quick else {})


# --- What it shows ---------------------------------------------------------------------------------------------------


def test_each_open_job_stands_in_the_column_of_its_status(world: World, dispatcher: User) -> None:
    jobs = {status: job(world, to=status) for status in ("new", "in_progress", "ready_for_return")}
    job(world, to="completed")
    shown = columns(desk_of(dispatcher).get(BOARD))
    assert list(shown) == list(SERVICE_ORDER_OPEN)
    for status, references in shown.items():
        assert references == ([jobs[status].reference] if status in jobs else [])


def test_a_card_says_what_a_dispatcher_decides_on(world: World, dispatcher: User, technician: User) -> None:
    machine = EquipmentFactory.create(customer=world.customer, serial_number="SN-1", model="EX-210")
    contract = ServiceContractFactory.create(customer=world.customer, response_hours=4, repair_hours=48)
    came_in = timezone.now() - timedelta(hours=30)
    subject = job(
        world, equipment_id=machine.pk, contract_id=contract.pk, machine_down=True, at=came_in, title="Boom stuck"
    )
    service_orders.assign(service_order_id=subject.pk, technician_id=technician.pk, **cause())
    shown = text(desk_of(dispatcher).get(BOARD))
    for said in (
        subject.reference,
        "Boom stuck",
        world.customer.name,
        "EX-210 SN-1",
        "30 h in this status",
        "Response 26 h late",
        "Machine down",
        "Technician",
    ):
        assert said in shown


def test_missing_parts_are_counted_with_the_first_day_one_is_expected(world: World, dispatcher: User) -> None:
    subject = job(world, to="in_progress")
    part = world.part()
    for _ in range(2):
        short(world, subject, part, 3)
    found = reading.missing_of([subject.pk])[subject.pk]
    assert (found.lines, found.soonest, found.undated) == (2, None, 2)
    assert "2 missing, no date" in text(desk_of(dispatcher).get(BOARD))
    world.bought(part, 3)
    found = reading.missing_of([subject.pk])[subject.pk]
    assert found.soonest == timezone.now().date() + timedelta(days=9)
    assert found.undated == 1


def test_the_most_urgent_stands_first_and_what_has_no_deadline_last(world: World, dispatcher: User) -> None:
    soon = ServiceContractFactory.create(customer=world.customer, response_hours=2, repair_hours=None)
    later = ServiceContractFactory.create(customer=world.customer, response_hours=20, repair_hours=90)
    without, calm, urgent = job(world), job(world, contract_id=later.pk), job(world, contract_id=soon.pk)
    shown = columns(desk_of(dispatcher).get(BOARD))
    assert shown["new"] == [urgent.reference, calm.reference, without.reference]


def test_the_clock_runs_to_the_response_until_somebody_works_and_then_to_the_repair(world: World) -> None:
    contract = ServiceContractFactory.create(customer=world.customer, response_hours=4, repair_hours=48)
    now = timezone.now()
    subject = job(world, contract_id=contract.pk, at=now)

    def clock() -> Any:
        return clock_of(ServiceOrder.objects.get(pk=subject.pk), now + timedelta(hours=3))

    assert (clock().text, clock().meaning) == ("Response due in 1 h", "waiting")
    service_orders.move(service_order_id=subject.pk, to="in_progress", **cause())
    assert (clock().text, clock().meaning) == ("Repair due in 45 h", "neutral")
    service_orders.fast_forward(service_order_id=subject.pk, to="ready_for_return", **cause())
    assert clock() is None


def test_a_contract_that_is_not_valid_sets_no_clock(world: World) -> None:
    past = ServiceContractFactory.create(
        customer=world.customer, response_hours=1, valid_from=date(2020, 1, 1), valid_until=date(2021, 1, 1)
    )
    assert job(world, contract_id=past.pk).due_at is None


def test_a_long_column_is_counted_up_to_fifty_and_shows_more_on_demand(
    world: World, dispatcher: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "COUNTED", 5)
    monkeypatch.setattr(reading, "CARDS", 2)
    jobs = [job(world).reference for _ in range(6)]
    client = desk_of(dispatcher)
    page = client.get(BOARD)
    assert columns(page)["new"] == jobs[:2]
    assert "50+" in text(page)
    shown = jobs[:2]
    answer = page
    for _ in range(2):
        address = re.search(r'hx-get="([^"]*column=new[^"]*)"', answer.content.decode())
        assert address is not None
        answer = client.get(address[1].replace("&amp;", "&"), headers=MOVING)
        assert "<html" not in answer.content.decode()
        shown += re.findall(r'id="card-([^"]+)"', answer.content.decode())
    assert shown == jobs
    assert "Show more" not in text(answer)


def test_without_scripts_the_rest_of_a_column_is_read_as_a_table(world: World, dispatcher: User) -> None:
    jobs = [job(world) for _ in range(reading.CARDS + 1)]
    job(world, to="in_progress")
    client = desk_of(dispatcher)
    address = re.search(r'href="([^"]*as=table&amp;status=new)"', client.get(BOARD).content.decode())
    assert address is not None
    shown = re.findall(r'id="card-([^"]+)"', client.get(address[1].replace("&amp;", "&")).content.decode())
    assert shown == [one.reference for one in jobs]


def test_the_table_reads_all_jobs_page_by_page_in_one_order(
    world: World, dispatcher: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "ROWS", 3)
    contract = ServiceContractFactory.create(customer=world.customer, response_hours=9, repair_hours=9)
    jobs = [job(world, to=to, contract_id=contract.pk) for to in ("new", "in_progress", "new")]
    jobs += [job(world, to=to) for to in ("in_progress", "new", "with_manufacturer", "new")]
    client, address, shown = desk_of(dispatcher), f"{BOARD}?as=table", []
    for _ in range(4):
        page = client.get(address).content.decode()
        shown += re.findall(r'id="card-([^"]+)"', page)
        following = re.search(r'href="([^"]*)" rel="next"', page)
        if following is None:
            break
        address = following[1].replace("&amp;", "&")
    assert shown == [one.reference for one in sorted(jobs, key=lambda one: (one.due_at is None, one.due_at, one.pk))]


@pytest.mark.parametrize("after", ["nothing", "2026-01-01_x", "2026-01-01T00:00:00_" + "0" * 32, "_"])
def test_a_place_that_is_none_begins_at_the_beginning(world: World, dispatcher: User, after: str) -> None:
    subject = job(world)
    for query in ({"as": "table", "after": after}, {"column": "new", "after": after}):
        assert subject.reference in text(desk_of(dispatcher).get(BOARD, query))


def test_the_board_asks_as_often_for_twenty_jobs_as_for_two(world: World, dispatcher: User) -> None:
    def more(count: int) -> None:
        for number in range(count):
            subject = job(world, to=("new", "in_progress")[number % 2], customer_id=CustomerFactory.create().pk)
            short(world, subject)

    def cost(query: str) -> int:
        with CaptureQueriesContext(connection) as sent:
            assert client.get(BOARD + query).status_code == 200
        return len(sent)

    queries = ("", "?as=table", "?search=pump&customer_named=quarry&technician=nobody")
    client = desk_of(dispatcher)
    more(2)
    few = [cost(query) for query in queries]
    more(18)
    assert [cost(query) for query in queries] == few
    assert max(few) <= 16


# --- Filters ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"search": "boom"}, ["own"]),
        ({"search": "sn-77"}, ["own"]),
        ({"search": "mail 9"}, ["other"]),
        ({"customer_named": "sand"}, ["other"]),
        ({"customer_named": "k-7"}, ["other"]),
        ({"technician": "nobody"}, ["other"]),
        ({"technician": "me"}, ["own"]),
        ({"region": "NORTH"}, ["other"]),
        ({"machine_down": "on"}, ["own"]),
        ({"late": "on"}, ["own"]),
        ({"waits_for_parts": "on"}, ["other"]),
        ({"search": "boom", "technician": "nobody"}, []),
        ({"search": "", "technician": "", "late": ""}, ["own", "other"]),
    ],
)
def test_the_address_narrows_the_board(
    world: World, dispatcher: User, technician: User, query: dict[str, str], found: list[str]
) -> None:
    north = RegionFactory.create(code="NORTH", name="North")
    other_customer = CustomerFactory.create(code="K-7", name="Sandpit Works", region=north)
    machine = EquipmentFactory.create(customer=world.customer, serial_number="SN-77-A")
    contract = ServiceContractFactory.create(customer=world.customer, response_hours=1, repair_hours=1)
    jobs = {
        "own": job(
            world,
            "Boom stuck",
            equipment_id=machine.pk,
            contract_id=contract.pk,
            machine_down=True,
            at=timezone.now() - timedelta(hours=2),
        ),
        "other": job(
            world, "Oil everywhere", to="in_progress", customer_id=other_customer.pk, external_reference="Mail 9/26"
        ),
    }
    service_orders.assign(service_order_id=jobs["own"].pk, technician_id=technician.pk, **cause())
    short(world, jobs["other"])
    asked = {name: str(technician.pk) if value == "me" else value for name, value in query.items()}
    shown = columns(desk_of(dispatcher).get(BOARD, asked))
    assert {reference for each in shown.values() for reference in each} == {jobs[name].reference for name in found}


def test_a_filter_that_means_nothing_shows_nothing_and_says_so(world: World, dispatcher: User) -> None:
    job(world)
    shown = text(desk_of(dispatcher).get(BOARD, {"technician": "99999999999999"}))
    assert "No open job is like that" in shown
    assert "valid choice" in shown


def test_htmx_gets_the_jobs_alone_and_an_address_without_empty_filters(world: World, dispatcher: User) -> None:
    job(world)
    answer = desk_of(dispatcher).get(BOARD, {"search": "pump", "technician": "", "region": ""}, headers=QUICK)
    assert answer.headers["HX-Push-Url"] == f"{BOARD}?search=pump"
    assert "<html" not in answer.content.decode()
    assert "board-filters" not in answer.content.decode()


def test_folded_filters_say_how_many_are_set_and_say_so_again_when_one_changes(world: World, dispatcher: User) -> None:
    desk = desk_of(dispatcher)

    def shown(**asked: Any) -> str:
        return desk.get(BOARD, **asked).content.decode()

    assert '<span class="fold-count" id="board-filter-count"></span>' in shown()
    assert 'id="board-filter-count">2 active</span>' in shown(query_params={"search": "pump", "late": "on"})
    answer = shown(query_params={"search": "pump"}, headers=QUICK)
    assert '<span class="fold-count" id="board-filter-count" hx-swap-oob="true">1 active</span>' in answer


# --- Moves -----------------------------------------------------------------------------------------------------------


def test_a_step_moves_the_card_and_offers_the_way_back(world: World, dispatcher: User) -> None:
    subject = job(world)
    answer = move(desk_of(dispatcher), subject, "in_progress")
    shown = answer.content.decode()
    assert ServiceOrder.objects.get(pk=subject.pk).status == "in_progress"
    assert 'hx-swap-oob="afterbegin:#cards-in_progress"' in shown
    assert f"{subject.reference} is now In Progress." in text_with_templates(shown)
    assert "Back to New" in shown
    event = OrderEvent.objects.filter(subject_id=subject.pk).order_by("-version")[0]
    assert (event.actor, event.source) == (f"user:{dispatcher.pk}", "desk")


def text_with_templates(markup: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", markup))


def test_taking_a_step_back_is_a_step_and_stands_in_the_ledger(world: World, dispatcher: User) -> None:
    subject, client = job(world), desk_of(dispatcher)
    move(client, subject, "in_progress")
    subject.refresh_from_db()
    move(client, subject, "new")
    steps = OrderEvent.objects.filter(subject_id=subject.pk, kind="service_order.status_changed").order_by("version")
    assert [(event.from_status, event.to_status) for event in steps] == [("new", "in_progress"), ("in_progress", "new")]


def test_what_is_final_offers_no_way_back(world: World, dispatcher: User) -> None:
    subject = job(world, to="ready_for_return")
    shown = move(desk_of(dispatcher), subject, "completed").content.decode()
    assert f"{subject.reference} is now Completed." in text_with_templates(shown)
    assert "Back to" not in shown
    assert "card-" + subject.reference + '"' not in shown


def test_a_jump_is_refused_on_its_card_and_changes_nothing(world: World, dispatcher: User) -> None:
    subject = job(world)
    answer = move(desk_of(dispatcher), subject, "with_manufacturer")
    assert answer.status_code == 200
    assert f"Not possible: {subject.reference} is New. From there: In Progress, Scheduled, Cancelled." in text(answer)
    assert f'id="card-{subject.reference}"' in answer.content.decode()
    assert ServiceOrder.objects.get(pk=subject.pk).version == subject.version


def test_who_was_slower_is_told_and_sees_where_it_stands_now(world: World, dispatcher: User) -> None:
    subject = job(world)
    service_orders.move(service_order_id=subject.pk, to="in_progress", **cause())
    answer = move(desk_of(dispatcher), subject, "in_progress")
    assert "Somebody was quicker" in text(answer)
    assert 'data-at="in_progress"' in answer.content.decode()


def test_cancelling_asks_for_a_reason_and_keeps_what_was_typed(world: World, dispatcher: User) -> None:
    subject, client = job(world), desk_of(dispatcher)
    answer = move(client, subject, "cancelled", note="  ")
    assert f"Say why {subject.reference} is cancelled." in text(answer)
    refused = move(client, subject, "completed", note="The machine was sold")
    assert "The machine was sold</textarea>" in refused.content.decode()
    move(client, subject, "cancelled", note="The machine was sold")
    assert ServiceOrder.objects.get(pk=subject.pk).status == "cancelled"


@pytest.mark.parametrize("sent", [{"to": ""}, {"to": "nowhere"}, {"to": "in_progress", "version": "x" * 40}, {}])
def test_a_form_that_was_tampered_with_breaks_nothing(world: World, dispatcher: User, sent: dict[str, str]) -> None:
    subject = job(world)
    answer = desk_of(dispatcher).post(f"{BOARD}{subject.reference}/move/", sent, headers=MOVING)
    assert answer.status_code == 200


def test_without_scripts_a_step_leads_back_to_the_board_with_the_way_back(world: World, dispatcher: User) -> None:
    subject, client = job(world), desk_of(dispatcher)
    answer = move(client, subject, "in_progress", quick=False, filters="search=pump&evil=1")
    assert answer.headers["Location"] == (
        f"{BOARD}?search=pump&moved={subject.reference}&was=new#link-{subject.reference}"
    )
    shown = client.get(answer.headers["Location"].split("#")[0])
    assert f"{subject.reference} is now In Progress." in text(shown)
    assert "Back to New" in text(shown)
    subject.refresh_from_db()
    refused = move(client, subject, "completed", quick=False)
    assert "Not possible" in text(client.get(refused.headers["Location"].split("#")[0]))


def test_the_way_back_is_offered_for_some_seconds_only(world: World, dispatcher: User) -> None:
    subject = job(world, to="in_progress", at=timezone.now() - timedelta(hours=1))
    ServiceOrder.objects.filter(pk=subject.pk).update(status_since=timezone.now() - timedelta(minutes=5))
    shown = text(desk_of(dispatcher).get(BOARD, {"moved": subject.reference, "was": "new"}))
    assert "is now In Progress" not in shown


def test_who_may_not_move_sees_the_board_without_a_button(world: World, auditor: User) -> None:
    subject, client = job(world), desk_of(auditor)
    shown = client.get(BOARD).content.decode()
    assert subject.reference in shown
    assert "draggable" not in shown
    assert "data-step" not in shown
    assert move(client, subject, "in_progress").status_code == 403
    assert ServiceOrder.objects.get(pk=subject.pk).status == "new"


def test_partners_have_no_board(world: World, partner: User, client: Client) -> None:
    subject = job(world)
    assert desk_of(partner).get(BOARD).status_code == 403
    assert move(desk_of(partner), subject, "in_progress").status_code == 403
    assert "/accounts/login/" in client.get(BOARD).headers["Location"]


@pytest.mark.django_db
@pytest.mark.parametrize("status", SERVICE_ORDER_OPEN)
def test_a_column_is_read_along_its_index(status: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
    plan = ServiceOrder.objects.filter(status=status).most_urgent_first().values_list("pk")[:5].explain()
    assert "service_order_by_urgency" in plan
    assert "Sort" not in plan
