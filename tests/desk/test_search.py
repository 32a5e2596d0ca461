"""One box finds everything by what people have in hand; what is exactly meant opens at once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from config.desk.search import find
from orders import searching
from orders.actions import lines, service_orders
from orders.models import Customer, Equipment, OrderLine, PartsOrder, ServiceOrder, Shipment, ShippedSerial
from parts.actions.supply import DeliveryItem, receive_delivery
from parts.lookups import Key, beginnings, key_of
from parts.models import DeliverySerial, Part, PartNumber, SupplierPart
from parts.searching import by_key, by_words, find_parts
from tests.admin.world import World, cause
from tests.desk.orders_words import desk_of, text
from tests.factories.orders import CustomerFactory, EquipmentFactory
from tests.factories.parts import PartFactory, SupplierPartFactory

SEARCH = "/desk/search/"
TYPING = {"HX-Request": "true", "HX-Target": "bar-results"}


@pytest.fixture
def world(db: None) -> World:
    return World()


def titles(asked: str, person: User) -> list[str]:
    """Return what is found, exactly what was meant first."""
    hits = [hit for group in find(asked, person, 9) for hit in group.hits]
    return [hit.title for hit in sorted(hits, key=lambda hit: not hit.is_exact)]


@pytest.mark.parametrize("written", ["{0}", "{1}", "so {2}", "SO-{2}", "so{2}", " {0} "])
def test_a_job_is_found_by_its_reference_however_it_is_written(world: World, dispatcher: User, written: str) -> None:
    job = world.job()
    asked = written.format(job.reference, job.reference.lower().replace("-", ""), int(job.reference[3:]))
    answer = desk_of(dispatcher).get(SEARCH, {"q": asked})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/desk/orders/{job.reference}/")


def test_a_bare_number_may_be_a_job_and_an_order_so_both_are_listed(world: World, dispatcher: User) -> None:
    order, job = world.placed(world.part_in_stock(), 1), world.job()
    ServiceOrder.objects.filter(pk=job.pk).update(reference="SO-000077")
    PartsOrder.objects.filter(pk=order.pk).update(reference="P-000077")
    assert titles("77", dispatcher)[:2] == ["SO-000077", "P-000077"]
    assert desk_of(dispatcher).get(SEARCH, {"q": "77"}).status_code == 200


def test_orders_are_found_by_the_customers_own_reference(world: World, dispatcher: User) -> None:
    order = world.placed(world.part_in_stock(), 1, external_reference="Mail 45/2026")
    job = service_orders.create(
        customer_id=world.customer.pk, title="Crane", external_reference="Mail 45-2027", **cause()
    )
    assert titles("mail45", dispatcher) == [job.reference, order.reference]
    assert titles("mail 45 2026", dispatcher) == [order.reference]


def test_an_order_is_found_by_its_shipment_and_its_tracking_number(world: World, dispatcher: User) -> None:
    order = world.placed(world.part_in_stock(), 1)
    line = OrderLine.objects.get(order=order, is_split=False)
    item = lines.ShipItem(line.pk, None)
    lines.ship(order_id=order.pk, items=[item], carrier="Nord", tracking_number="NF 77 A", walk=True, **cause())
    shipment = Shipment.objects.get(order=order)
    assert titles("nf-77", dispatcher) == [order.reference]
    assert titles(shipment.reference, dispatcher) == [order.reference]


def sent(world: World, part: Part, *serials: str) -> PartsOrder:
    """An order of as many of a part, that left with these serial numbers."""
    order = world.placed(part, len(serials))
    item = lines.ShipItem(OrderLine.objects.get(order=order, is_split=False).pk, serials=serials)
    lines.ship(order_id=order.pk, items=[item], walk=True, **cause())
    return order


@pytest.mark.parametrize("asked", ["HP-88 121", "hp88121"])
def test_the_order_that_got_a_serial_number_opens_by_it(world: World, dispatcher: User, asked: str) -> None:
    order = sent(world, world.part_in_stock(), "HP-88121", "HP-88122")
    answer = desk_of(dispatcher).get(SEARCH, {"q": asked})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/desk/parts-orders/{order.reference}/")
    listed = text(desk_of(dispatcher).get(SEARCH, {"q": "hp-88"}))
    for said in ("HP-88121", "HP-88122", order.reference, Shipment.objects.get().reference, "Serial numbers"):
        assert said in listed
    assert titles("HP-88121", dispatcher) == ["HP-88121"]


def test_a_serial_number_that_came_back_and_left_again_leads_to_who_has_it_now(world: World, dispatcher: User) -> None:
    part = world.part_in_stock()
    first = sent(world, part, "A-77")
    lines.return_to_stock(line_id=first.lines.get().pk, quantity=Decimal(1), **cause())
    second = sent(world, part, "A-77")
    answer = desk_of(dispatcher).get(SEARCH, {"q": "a77"})
    assert answer.headers["Location"] == f"/desk/parts-orders/{second.reference}/"


def test_a_serial_number_that_has_not_left_says_with_which_delivery_it_came(world: World, dispatcher: User) -> None:
    part = PartFactory.create()
    order = world.bought(part, 2)
    receive_delivery(
        supplier_id=order.supplier_id,
        warehouse_id=order.warehouse_id,
        note_number="DN-4711",
        lines=[DeliveryItem(part.pk, Decimal(2), serials=("ZX-1", "ZX-2"))],
        received_at=timezone.now(),
        **cause(),
    )
    assert "came with DN-4711" in text(desk_of(dispatcher).get(SEARCH, {"q": "zx-1", "list": "1"}))
    sent(world, part, "ZX-1")
    assert titles("zx-", dispatcher) == ["ZX-1", "ZX-2"]


def test_who_is_not_of_the_house_finds_no_serial_number_of_others(world: World, nobody: User) -> None:
    sent(world, world.part_in_stock(), "A-1")
    assert searching.find_units("A-1", nobody, 5) == []


def test_a_line_is_found_by_its_reference_and_by_that_of_its_back_order(world: World, dispatcher: User) -> None:
    back_order = world.short()
    line = back_order.line
    assert line.reference in titles(line.reference, dispatcher)
    assert titles(back_order.reference, dispatcher)[0] == line.reference
    answer = desk_of(dispatcher).get(SEARCH, {"q": back_order.reference.lower()})
    assert answer.headers["Location"].startswith(f"/desk/parts-orders/{line.order.reference}/")


def test_a_part_is_found_by_the_number_of_any_system(db: None, dispatcher: User) -> None:
    part = PartFactory.create(number="03L-115-562", description="Oil filter housing")
    PartNumber.objects.create(part=part, system="ERP", number="4711.0815")
    SupplierPartFactory.create(part=part, supplier_number="ZF 99 12")
    for asked in ("03l 115 562", "03L115562", "47110815", "4711-0815", "zf9912", "oil hous", "filter"):
        assert titles(asked, dispatcher) == ["03L-115-562"], asked
    [found] = find_parts("4711 0815", 5)
    assert (found.is_exact, found.elsewhere) == (True, "ERP 4711.0815")
    answer = desk_of(dispatcher).get(SEARCH, {"q": "4711 0815"})
    assert answer.headers["Location"] == "/desk/when/?part=03L-115-562"


def test_customers_and_machines_are_found_by_name_code_and_serial_number(db: None, dispatcher: User) -> None:
    customer = CustomerFactory.create(code="K-12", name="Steinbruch Nördlingen")
    EquipmentFactory.create(customer=customer, serial_number="SN 0815-X", model="EX-210")
    assert titles("nörd", dispatcher) == ["Steinbruch Nördlingen"]
    assert titles("k12", dispatcher) == ["Steinbruch Nördlingen"]
    assert titles("sn0815", dispatcher) == ["EX-210 SN 0815-X"]
    assert titles("ex 210", dispatcher) == ["EX-210 SN 0815-X"]


def test_words_of_a_title_find_open_jobs_only(world: World, dispatcher: User) -> None:
    job, done = world.job(), world.job("completed")
    assert job.title == done.title
    assert titles("press loses", dispatcher) == [job.reference]


def test_what_is_typed_brings_the_list_under_the_box_and_never_leads_away(world: World, dispatcher: User) -> None:
    job = world.job()
    answer = desk_of(dispatcher).get(SEARCH, {"q": job.reference}, headers=TYPING)
    shown = answer.content.decode()
    assert answer.status_code == 200
    assert 'role="option"' in shown
    assert "<html" not in shown
    assert f"opens {job.reference}" in text(answer)


def test_without_scripts_the_box_is_a_form_and_its_answer_a_page(world: World, dispatcher: User) -> None:
    world.job()
    client = desk_of(dispatcher)
    assert f'action="{SEARCH}"' in client.get("/").content.decode()
    shown = text(client.get(SEARCH, {"q": "press"}))
    assert "Press loses pressure" in shown
    assert "1 result" in shown


@pytest.mark.parametrize("asked", ["", "x", "--", "y" * 201, "' OR 1=1 --", "a:* & !b", "%", "((", "\udcff"])
def test_what_is_no_search_finds_nothing_and_breaks_nothing(world: World, dispatcher: User, asked: str) -> None:
    world.job()
    for headers in ({}, TYPING):
        answer = desk_of(dispatcher).get(SEARCH, {"q": asked.encode("utf-8", "replace")}, headers=headers)
        assert answer.status_code == 200
        assert "SO-" not in text(answer)


def test_people_find_what_they_may_see(world: World, partner: User, technician: User, dispatcher: User) -> None:
    job = world.job()
    part = world.part_in_stock()
    assert desk_of(partner).get(SEARCH, {"q": job.reference}).status_code == 403
    assert searching.find_jobs(job.reference, partner, 5) == []
    assert searching.find_customers(world.customer.code, partner, 5) == []
    assert titles(part.number, technician) == [part.number]
    dispatcher.groups.clear()
    assert titles(part.number, User.objects.get(pk=dispatcher.pk)) == []
    assert "bar-search" not in desk_of(partner).get("/").content.decode()


def test_a_search_asks_as_often_for_many_results_as_for_few(world: World, dispatcher: User) -> None:
    def cost() -> int:
        person = User.objects.get(pk=dispatcher.pk)
        person.get_all_permissions()
        with CaptureQueriesContext(
            connection,
        ) as sent:
            find("press", person, 20)
        return len(sent)

    def more(count: int) -> None:
        for _ in range(count):
            world.job()
            PartFactory.create(description="Press plate")
            CustomerFactory.create(name="Press works")

    more(2)
    few = cost()
    more(18)
    assert cost() == few
    assert few <= 12


WAYS: list[tuple[str, QuerySet[Any]]] = [
    ("service_order_by_key", by_key(ServiceOrder.objects.all(), "reference", "so1", 5)),
    (
        "service_order_by_their_key",
        by_key(ServiceOrder.objects.exclude(external_reference=""), "external_reference", "ab", 5),
    ),
    ("parts_order_by_key", by_key(PartsOrder.objects.all(), "reference", "p1", 5)),
    (
        "parts_order_by_their_key",
        by_key(PartsOrder.objects.exclude(external_reference=""), "external_reference", "ab", 5),
    ),
    ("shipment_by_key", by_key(Shipment.objects.all(), "reference", "sh1", 5)),
    ("shipment_by_tracking_key", by_key(Shipment.objects.exclude(tracking_number=""), "tracking_number", "nf", 5)),
    ("customer_by_key", by_key(Customer.objects.all(), "code", "c1", 5)),
    ("customer_by_words", by_words(Customer.objects.all(), "name", "quarry", 5)),
    ("shipped_serial_by_key", ShippedSerial.objects.filter(serial__key_begins="hp").order_by(Key("serial"), "-id")[:5]),
    (
        "delivery_serial_by_key",
        DeliverySerial.objects.filter(serial__key_begins="hp").order_by(Key("serial"), "-id")[:5],
    ),
    ("equipment_by_serial_key", by_key(Equipment.objects.all(), "serial_number", "sn", 5)),
    ("equipment_by_model_key", by_key(Equipment.objects.all(), "model", "ex", 5)),
    ("part_by_key", by_key(Part.objects.all(), "number", "hp", 5)),
    ("part_by_words", by_words(Part.objects.all(), "description", "pump", 5)),
    ("part_number_by_key", by_key(PartNumber.objects.all(), "number", "47", 5, row="part_id")),
    (
        "supplier_part_by_key",
        by_key(SupplierPart.objects.exclude(supplier_number=""), "supplier_number", "zf", 5, row="part_id"),
    ),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("index", "way"), WAYS, ids=[name for name, _ in WAYS])
def test_each_way_to_find_something_is_served_by_its_index(index: str, way: QuerySet[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        if index.endswith("words"):  # of an empty table, PostgreSQL reads any index to the end as gladly
            cursor.execute("SET LOCAL enable_indexscan = off")
    assert index in way.all().explain()


def test_titles_are_looked_for_in_an_index_of_open_jobs(world: World) -> None:
    facts = {"customer": world.customer, "region": world.customer.region, "status": "new", "created_at": timezone.now()}
    ServiceOrder.objects.bulk_create(
        ServiceOrder(reference=f"T-{n}", title=f"Job {n}", status_since=timezone.now(), **facts) for n in range(500)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE orders_serviceorder")
    assert "service_order_open_by_words" in by_words(ServiceOrder.objects.open(), "title", "press", 5).explain()


@pytest.mark.django_db
@pytest.mark.parametrize("written", ["so-000 12", "Ä.B/c", "x_y#z:(1)+2,3*4", "straße 7", "ﬁ", ""])
def test_the_key_of_a_text_is_the_same_here_and_in_the_database(written: str) -> None:
    part = PartFactory.create(number=written or "-")
    assert Part.objects.filter(pk=part.pk, number__key_is=written).exists()
    stored = Part.objects.annotate(key=Key("number")).values_list("key", flat=True).get(pk=part.pk)
    if written.upper().lower() == written.lower():  # letters that become two in upper case are PostgreSQL's to decide
        assert stored == key_of(written)


def test_words_become_a_query_without_operators() -> None:
    assert beginnings("north & !quarry | (:*)") == "north:* & quarry:*"
    assert beginnings("-- ' ()") == ""
    assert beginnings("a b c d e f g h").count("&") == 5
