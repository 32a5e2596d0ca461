"""Placing an order on its page: found, previewed, placed once; errors at their line, nothing typed is lost."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from backorders.models import BackOrder
from orders.actions import service_orders
from orders.models import OrderEvent, OrderLine, PartsOrder, ServiceOrder
from parts.actors import Actor
from parts.models import PartNumber, PartRelation, Reservation, StockLevel
from parts.resolving import parts_called, stand_ins
from tests.admin.world import World, cause
from tests.desk.orders_words import PLACE, desk_of, text
from tests.factories.orders import CustomerFactory, EquipmentFactory
from tests.factories.parts import PartFactory, SupplierPartFactory, UnitOfMeasureFactory

KEY = "01890000-0000-7000-8000-00000000000a"


@pytest.fixture
def world(db: None) -> World:
    return World()


def form(world: World | None, *lines: tuple[object, object], **facts: Any) -> dict[str, Any]:
    """Return a form: for the world's customer, of these lines."""
    asked = {
        "do": "preview",
        "key": KEY,
        "kind": "by_job",
        "requested_on": timezone.localdate().isoformat(),
        "whom": world.customer.code if world else "",
    }
    for number, (part, quantity) in enumerate(lines):
        asked |= {f"part-{number}": str(part), f"quantity-{number}": str(quantity), f"needed_on-{number}": ""}
    return asked | facts


def counts() -> tuple[int, ...]:
    """Return how much there is of everything that placing writes."""
    return tuple(model.objects.count() for model in (PartsOrder, OrderLine, BackOrder, Reservation, OrderEvent))


def test_the_page_opens_empty_and_filled_from_its_address(world: World, dispatcher: User) -> None:
    client, part = desk_of(dispatcher), world.part_in_stock()
    assert client.get(PLACE).status_code == 200
    job = world.job("in_progress")
    shown = client.get(f"{PLACE}?job={job.reference}&part={part.number}&quantity=3")
    assert world.customer.name in text(shown)
    assert "All of it is there" in text(shown)
    assert f'value="{part.number}"' in shown.content.decode()


def test_a_preview_says_what_would_happen_and_changes_nothing(world: World, dispatcher: User) -> None:
    there, short = world.part_in_stock(Decimal(4)), PartFactory.create()
    world.bought(short, 1)
    before = counts()
    answer = desk_of(dispatcher).post(PLACE, form(world, (there.number, 6), (short.number, 2)))
    shown = text(answer)
    assert counts() == before
    assert StockLevel.objects.get(part=there).reserved == 0
    assert "2 lines are short and go on back order." in shown
    assert "Nothing is ordered or kept for anybody yet" in shown
    assert "1 from Pump works" in shown
    assert f"{world.near.code} 4" in shown
    assert "Place the order" in shown


def test_the_smallest_part_delivery_is_asked_for_line_by_line(world: World, dispatcher: User) -> None:
    there, short, client = world.part_in_stock(Decimal(4)), PartFactory.create(), desk_of(dispatcher)
    asked = form(world, (there.number, 6), (short.number, 5), **{"least-1": "4"}, do="place")
    order = PartsOrder.objects.get(reference=client.post(PLACE, asked).headers["Location"].split("/")[-2])
    assert {line.part: line.minimum_fill for line in order.lines.filter(parent=None)} == {there: 0, short: 4}
    assert BackOrder.objects.get(part=short).minimum_fill == 4
    assert "if short, at least 4" in text(client.get(f"/desk/parts-orders/{order.reference}/"))


@pytest.mark.parametrize(("least", "says"), [("6", "at most 5"), ("-1", "not a quantity"), ("some", "not a quantity")])
def test_a_smallest_part_delivery_that_cannot_be_is_said_at_its_line(
    world: World, dispatcher: User, least: str, says: str
) -> None:
    part, before = PartFactory.create(), counts()
    answer = desk_of(dispatcher).post(PLACE, form(world, (part.number, 5), **{"least-0": least}, do="place"))
    assert answer.status_code == 422
    assert says in text(answer)
    assert f'value="{least}"' in answer.content.decode()
    assert '<a href="#least-0">' in answer.content.decode()
    assert counts() == before


def test_an_order_that_is_only_delivered_complete_is_asked_for_and_previewed_so(world: World, dispatcher: User) -> None:
    short, client = PartFactory.create(), desk_of(dispatcher)
    asked = form(world, (short.number, 3), complete_delivery_only="on")
    shown = client.post(PLACE, asked)
    assert "what is put aside stays until all of it is there" in text(shown)
    assert re.search(r'name="complete_delivery_only"[^>]* checked', shown.content.decode())
    client.post(PLACE, asked | {"do": "place"})
    assert PartsOrder.objects.get().complete_delivery_only
    assert BackOrder.objects.get(part=short).minimum_fill == 3


def test_what_is_placed_is_what_was_previewed(world: World, dispatcher: User) -> None:
    there, short, client = world.part_in_stock(Decimal(4)), PartFactory.create(), desk_of(dispatcher)
    asked = form(world, (there.number, 6), (short.number, 2))
    preview = client.post(PLACE, asked).content.decode()
    digest = re.search(r'name="foreseen" value="([^"]+)"', preview)
    assert digest is not None
    assert digest[1] == "2;2"
    answer = client.post(PLACE, asked | {"do": "place", "foreseen": digest[1]}, follow=True)
    order = PartsOrder.objects.get()
    assert answer.redirect_chain[-1][0] == f"/desk/parts-orders/{order.reference}/"
    assert "2 lines are short and back-ordered" in text(answer)
    assert "Stock has changed" not in text(answer)
    assert str(order.pk) == KEY
    assert BackOrder.objects.count() == 2


def test_a_double_submit_orders_once(world: World, dispatcher: User) -> None:
    client, part = desk_of(dispatcher), world.part_in_stock()
    asked = form(world, (part.number, 2), do="place")
    first, again = (client.post(PLACE, asked) for _ in range(2))
    assert first.headers["Location"] == again.headers["Location"]
    assert PartsOrder.objects.count() == 1
    assert StockLevel.objects.get(part=part).reserved == 2
    assert "nothing was ordered twice" in text(client.get(again.headers["Location"]))


def test_stock_that_changed_since_the_preview_is_said(world: World, dispatcher: User) -> None:
    client, part = desk_of(dispatcher), world.part_in_stock(Decimal(2))
    asked = form(world, (part.number, 2), do="place", foreseen="0")
    world.placed(part, 1)
    assert "Stock has changed since the preview" in text(client.post(PLACE, asked, follow=True))


def test_every_error_stands_at_its_line_and_nothing_typed_is_lost(world: World, dispatcher: User) -> None:
    part, old = world.part_in_stock(), PartFactory.create(is_active=False)
    metre = UnitOfMeasureFactory.create(code="XHO", name="Hose length", decimals=1)
    hose = PartFactory.create(unit=metre)
    before = counts()
    answer = desk_of(dispatcher).post(
        PLACE,
        form(
            world,
            (part.number, "1.5"),
            ("no such thing", 1),
            (part.number, "many"),
            (old.number, 1),
            ("", 3),
            (hose.number, "2.5"),
            (part.number, "-1"),
            (part.number, "0"),
            note="Bring it to gate 3",
            external_reference="PO-77",
        ),
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert counts() == before
    for number, said in (
        (1, "No part goes by this number."),
        (2, "This is not a quantity."),
        (3, "can no longer be ordered."),
        (4, "Which part?"),
        (6, "Order more than nothing."),
        (7, "Order more than nothing."),
    ):
        row = page.split(f'data-row="{number}"')[1].split("</tr>")[0]
        assert said in row, number
        assert 'aria-invalid="true"' in row
    for typed in ("no such thing", "many", old.number, "Bring it to gate 3", "PO-77", "2.5"):
        assert typed in page
    assert 'role="alert"' in page
    assert "All of it is there" not in page.split('data-row="6"')[1]


def test_a_day_that_cannot_be_read_stays_to_be_mended(world: World, dispatcher: User) -> None:
    part = world.part_in_stock()
    asked = form(world, (part.number, 1)) | {"needed_on-0": "next monday"}
    row = desk_of(dispatcher).post(PLACE, asked).content.decode().split('data-row="0"')[1].split("</tr>")[0]
    assert re.search(r'<input type="text" id="needed_on-0"[^>]*value="next monday"', row), "a field of days empties it"


def test_columns_that_are_not_taken_over_are_named(world: World, dispatcher: User) -> None:
    part = world.part_in_stock()
    table = f"Part\tText\tQty\tNeeded\tEmpty\n{part.number}\tPump\t2\t01.12.2036\t\n"
    page = desk_of(dispatcher).post(PLACE, {**form(world), "do": "paste", "table": table}).content.decode()
    assert 'value="2036-12-01"' in page
    assert "not taken over: <strong>Text</strong>." in " ".join(page.split())


def test_what_the_action_refuses_stands_at_its_line_too(world: World, dispatcher: User) -> None:
    part = world.part_in_stock()
    hose = PartFactory.create(unit=UnitOfMeasureFactory.create(code="XHO", name="Hose length", decimals=1))
    answer = desk_of(dispatcher).post(PLACE, form(world, (part.number, "1.5"), ("", ""), (hose.number, "2.55")))
    assert answer.status_code == 400
    for number, said in ((0, "It must be a whole number."), (2, "It must have at most 1 decimals.")):
        row = answer.content.decode().split(f'data-row="{number}"')[1].split("</tr>")[0]
        assert said in row


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"whom": ""}, "Name a customer, a machine or a job."),
        ({"whom": "nobody at all"}, "Nobody and no open job goes by this."),
        ({"requested_on": ""}, "This field is required."),
        ({"requested_on": "yesterday"}, "Enter a valid date."),
        ({"kind": "stock"}, "Name the warehouse this is for."),
        ({"kind": "gift"}, "Select a valid choice."),
        ({"key": "x"}, "Enter a valid UUID."),
        ({"part-0": "", "quantity-0": ""}, "Order at least one part."),
    ],
)
def test_what_is_missing_above_the_lines_is_said_too(
    world: World, dispatcher: User, facts: dict[str, str], said: str
) -> None:
    part = world.part_in_stock()
    answer = desk_of(dispatcher).post(PLACE, form(world, (part.number, 1), **facts))
    assert answer.status_code == 422
    assert said in text(answer)
    assert not PartsOrder.objects.exists()


def test_a_part_is_found_by_any_number_of_any_system(world: World, dispatcher: User) -> None:
    part = world.part_in_stock()
    PartNumber.objects.create(part=part, system="ERP", number="4711-00")
    SupplierPartFactory.create(part=part, supplier_number="SUP 99")
    other = PartFactory.create()
    PartNumber.objects.create(part=other, system="WMS", number="B-1")
    PartNumber.objects.create(part=part, system="ERP", number="B 1")
    found = parts_called(["4711 00", "sup-99", part.number.lower(), "B1", "nothing", "", "\x00"])
    assert {name: {each.pk for each in rows} for name, rows in found.items()} == {
        "4711 00": {part.pk},
        "sup-99": {part.pk},
        part.number.lower(): {part.pk},
        "B1": {part.pk, other.pk},
        "nothing": set(),
        "": set(),
        "\x00": set(),
    }
    shown = desk_of(dispatcher).post(PLACE, form(world, ("B1", 1)))
    assert "Several parts go by this number: choose one." in text(shown)
    chosen = desk_of(dispatcher).post(PLACE, form(world, ("B1", 1), do=f"use:0:{part.number}:"))
    assert "All of it is there" in text(chosen)


def test_stand_ins_are_offered_where_a_part_is_short(world: World, dispatcher: User) -> None:
    short, newer, other = PartFactory.create(), world.part_in_stock(), world.part_in_stock()
    PartRelation.objects.create(kind="supersedes", part=newer, other=short, quantity_factor=2)
    PartRelation.objects.create(kind="substitutes", part=other, other=short, equipment_models=["EX-210 excavator"])
    past = timezone.localdate() - timedelta(days=1)
    PartRelation.objects.create(kind="substitutes", part=PartFactory.create(), other=short, effective_until=past)
    client = desk_of(dispatcher)
    shown = text(client.post(PLACE, form(world, (short.number, 3), do="check")))
    assert f"Replaced by {newer.number}" in shown
    assert "Use 6 of it" in shown
    assert other.number not in shown  # only for a machine that is not known here
    machine = EquipmentFactory.create(customer=world.customer)
    shown = text(client.post(PLACE, form(world, (short.number, 3), do="check", whom=machine.serial_number)))
    assert f"Can stand in: {other.number}" in shown
    used = client.post(PLACE, form(world, (short.number, 3), do=f"use:0:{newer.number}:6")).content.decode()
    assert f'value="{newer.number}"' in used
    assert 'value="6"' in used


def test_a_stand_in_holds_both_ways_only_where_it_is_said(world: World) -> None:
    one, two = PartFactory.create(), PartFactory.create()
    relation = PartRelation.objects.create(kind="substitutes", part=one, other=two, both_ways=True, quantity_factor=4)
    today = date(2026, 3, 2)
    assert [(each.part, each.factor) for each in stand_ins([one.pk], on=today)[one.pk]] == [(two, Decimal("0.25"))]
    relation.both_ways = False
    relation.save()
    assert stand_ins([one.pk], on=today) == {}


def test_a_table_is_taken_over_with_errors_at_its_rows(world: World, dispatcher: User) -> None:
    part, client = world.part_in_stock(), desk_of(dispatcher)
    table = f"Part;Qty\n{part.number};2\nnonsense;1\n{part.number};x"
    answer = client.post(PLACE, form(world, (part.number, 7), do="paste", table=table))
    page = answer.content.decode()
    assert 'value="7"' in page  # what stood there stays in front
    assert "No part goes by this number." in page.split('data-row="2"')[1].split("</tr>")[0]
    assert "This is not a quantity." in page.split('data-row="3"')[1].split("</tr>")[0]


def test_five_hundred_lines_are_placed_and_one_more_is_not(
    world: World, dispatcher: User, django_assert_max_num_queries
) -> None:
    parts = [world.part_in_stock() for _ in range(3)]
    client = desk_of(dispatcher)
    rows = [f"{parts[number % 3].number}\t1" for number in range(501)]
    too_many = client.post(PLACE, form(world, do="paste", table="\n".join(rows)))
    assert "At most 500 lines" in text(too_many)
    lines = [(parts[number % 3].number, 1) for number in range(500)]
    client.post(PLACE, form(world, lines[0]))
    with django_assert_max_num_queries(45):
        answer = client.post(PLACE, form(world, *lines))
    assert answer.status_code == 200
    assert client.post(PLACE, form(world, *lines, do="place")).status_code == 302
    assert PartsOrder.objects.get().lines.filter(parent=None).count() == 500
    assert client.post(PLACE, form(world, *lines, (parts[0].number, 1), do="place")).status_code == 422


def test_a_preview_costs_the_same_with_two_lines_and_with_twenty(
    world: World, dispatcher: User, django_assert_max_num_queries
) -> None:
    parts = [PartFactory.create() for _ in range(20)]
    client = desk_of(dispatcher)
    client.post(PLACE, form(world, (parts[0].number, 1)))
    with django_assert_max_num_queries(45) as few:
        client.post(PLACE, form(world, *[(part.number, 1) for part in parts[:2]]))
    with django_assert_max_num_queries(len(few)):
        client.post(PLACE, form(world, *[(part.number, 1) for part in parts]))


def test_an_order_for_a_job_whose_machine_is_down_is_an_emergency(world: World, dispatcher: User) -> None:
    part, client = world.part_in_stock(), desk_of(dispatcher)
    job = service_orders.create(customer_id=world.customer.pk, title="Down", status="new", machine_down=True, **cause())
    client.post(PLACE, form(world, (part.number, 1), do="place", whom=job.reference))
    order = PartsOrder.objects.get()
    assert (order.kind, order.service_order_id, order.customer_id) == ("emergency", job.pk, world.customer.pk)


def test_the_only_open_job_of_a_machine_is_taken_and_can_be_left(world: World, dispatcher: User) -> None:
    part, client, job = world.part_in_stock(), desk_of(dispatcher), world.job("new")
    machine = job.equipment
    assert machine is not None
    shown = client.post(PLACE, form(world, (part.number, 1), whom=machine.serial_number))
    assert f'<option value="{job.pk}" selected>' in shown.content.decode()
    chosen = {"chosen": f"equipment:{machine.pk}", "chosen_text": machine.serial_number, "job": ""}
    client.post(PLACE, form(world, (part.number, 1), do="place", whom=machine.serial_number, **chosen))
    assert PartsOrder.objects.get().service_order_id is None


def test_another_text_forgets_whom_was_chosen(world: World, dispatcher: User) -> None:
    part, client, other = world.part_in_stock(), desk_of(dispatcher), CustomerFactory.create()
    chosen = {"chosen": f"customer:{other.pk}", "chosen_text": other.code}
    client.post(PLACE, form(world, (part.number, 1), do="place", **chosen))
    assert PartsOrder.objects.get().customer == world.customer


def test_of_several_customers_one_is_chosen(world: World, dispatcher: User) -> None:
    one, two = CustomerFactory.create(name="Northern Quarry"), CustomerFactory.create(name="Northern Cranes")
    part, client = world.part_in_stock(), desk_of(dispatcher)
    answer = client.post(PLACE, form(world, (part.number, 1), whom="northern"))
    assert "Several go by this: choose one." in text(answer)
    chosen = client.post(PLACE, form(world, (part.number, 1), whom="northern", do=f"whom:customer:{two.pk}"))
    assert f'value="{two.code}"' in chosen.content.decode()
    assert one.name not in text(chosen)


def test_replenishment_goes_to_a_warehouse_and_to_nobody_else(world: World, dispatcher: User) -> None:
    part, client = world.part_in_stock(), desk_of(dispatcher)
    facts = {"kind": "transfer", "destination": world.far.pk, "whom": ""}
    client.post(PLACE, form(world, (part.number, 1), do="place", **facts))
    order = PartsOrder.objects.get()
    assert (order.kind, order.destination, order.customer) == ("transfer", world.far, None)


def test_a_preview_names_who_loses_and_that_the_job_waits(world: World, dispatcher: User) -> None:
    part, client, job = world.part_in_stock(Decimal(2)), desk_of(dispatcher), world.job("in_progress")
    transfer = form(world, (part.number, 2), do="place", kind="transfer", destination=world.far.pk, whom="")
    client.post(PLACE, transfer)
    soft = OrderLine.objects.get()
    shown = text(client.post(PLACE, form(world, (part.number, 3), whom=job.reference, key=KEY[:-1] + "b")))
    assert "It takes back what internal orders only held softly:" in shown
    assert soft.order.reference in shown
    assert "The job waits for parts from then on." in shown
    assert ServiceOrder.objects.get(pk=job.pk).status == "in_progress"
    assert OrderLine.objects.get(pk=soft.pk).status == "reserved"


def test_a_line_may_be_needed_on_another_day(world: World, dispatcher: User) -> None:
    part, client = world.part_in_stock(), desk_of(dispatcher)
    day = timezone.localdate() + timedelta(days=9)
    client.post(PLACE, form(world, (part.number, 1), do="place", **{"needed_on-0": day.strftime("%d.%m.%Y")}))
    assert OrderLine.objects.get().requested_on == day


def test_quantities_are_read_in_the_readers_language(world: World, dispatcher: User) -> None:
    hose = PartFactory.create(unit=UnitOfMeasureFactory.create(code="XHO", name="Hose length", decimals=1))
    client = desk_of(dispatcher)
    client.cookies["django_language"] = "de"
    client.post(PLACE, form(world, (hose.number, "2,5"), do="place"))
    assert OrderLine.objects.filter(parent=None).get().quantity == Decimal("2.5")


def test_a_line_is_removed_and_rows_are_added(world: World, dispatcher: User) -> None:
    one, two, client = world.part_in_stock(), world.part_in_stock(), desk_of(dispatcher)
    asked = form(world, (one.number, 1), (two.number, 2))
    left = client.post(PLACE, asked | {"do": "remove:0"}).content.decode()
    assert one.number not in text(client.post(PLACE, asked | {"do": "remove:0"}))
    assert f'value="{two.number}"' in left
    more = client.post(PLACE, asked | {"do": "more"}).content.decode()
    assert more.split("<template")[0].count("data-row=") == 7


def test_what_is_typed_is_looked_up_line_by_line(world: World, dispatcher: User) -> None:
    part, client = world.part_in_stock(Decimal(4)), desk_of(dispatcher)
    line = client.get("/desk/place/line/", {"part-3": part.number, "quantity-3": "6"}, headers={"HX-Request": "true"})
    assert "2 short" in text(line)
    assert "<html" not in line.content.decode()
    assert client.get("/desk/place/line/").status_code == 200
    assert part.number in text(client.get("/desk/place/part/", {"q": part.number[:5]}))
    assert world.customer.name in text(client.get("/desk/place/whom/", {"q": world.customer.code}))
    assert "Nothing goes by this." in text(client.get("/desk/place/whom/", {"q": "zzzz"}))
    whose = client.post(
        PLACE, form(world, do="look"), headers={"HX-Request": "true", "HX-Target": "whose"}
    ).content.decode()
    assert world.customer.name in whose
    assert "<form" not in whose


def test_with_htmx_the_page_answers_in_part_and_leads_on_when_it_is_placed(world: World, dispatcher: User) -> None:
    part, client = world.part_in_stock(), desk_of(dispatcher)
    quick = {"HX-Request": "true", "HX-Target": "placing"}
    preview = client.post(PLACE, form(world, (part.number, 1)), headers=quick)
    assert "<html" not in preview.content.decode()
    assert "What would happen" in text(preview)
    wrong = client.post(PLACE, form(world, ("nonsense", 1)), headers=quick)
    assert wrong.status_code == 200
    placed = client.post(PLACE, form(world, (part.number, 1), do="place"), headers=quick)
    assert placed.headers["HX-Redirect"] == f"/desk/parts-orders/{PartsOrder.objects.get().reference}/"


def test_only_who_may_order_comes_here(world: World, auditor: User, partner: User, client: Client) -> None:
    part = world.part_in_stock()
    for address in (PLACE, "/desk/place/line/", "/desk/place/part/", "/desk/place/whom/"):
        assert client.get(address).status_code == 302
        for person in (auditor, partner):
            assert desk_of(person).get(address).status_code == 403
    for person in (auditor, partner):
        assert desk_of(person).post(PLACE, form(world, (part.number, 1), do="place")).status_code == 403
    assert not PartsOrder.objects.exists()


def test_the_one_who_places_is_in_the_ledger(world: World, dispatcher: User) -> None:
    part = world.part_in_stock()
    desk_of(dispatcher).post(PLACE, form(world, (part.number, 1), do="place", note="By phone"))
    event = OrderEvent.objects.get(kind="parts_order.placed")
    assert (event.actor, event.source, event.text.text) == (Actor.user(dispatcher).reference, "desk", "By phone")


def test_a_closed_job_is_not_ordered_for(world: World, dispatcher: User) -> None:
    part, job = world.part_in_stock(), world.job("completed")
    answer = desk_of(dispatcher).post(
        PLACE,
        form(world, (part.number, 1), whom=job.reference, chosen=f"serviceorder:{job.pk}", chosen_text=job.reference),
    )
    assert answer.status_code == 409
    assert "nothing more can be ordered for it" in text(answer)
    assert not PartsOrder.objects.exists()
