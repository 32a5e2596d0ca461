"""Booking what came: several orders at once, from the keyboard; and what to do with it, told at once and later."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from backorders.freed import freed_by
from backorders.models import BackOrder
from config.integrity import check_all
from orders.actions import placing
from parts.actions.supply.deliveries import DeliveryItem, receive_delivery
from parts.actions.supply.purchase_orders import PurchaseLine, place_purchase_order
from parts.errors import Invalid
from parts.models import Delivery, DeliverySerial, Part, PartNumber, PurchaseOrder, PurchaseOrderLine, StockLevel
from tests.admin.desk import deed, desk_of, page, text
from tests.admin.world import World, cause
from tests.factories.parts import PartFactory, SupplierPartFactory

pytestmark = pytest.mark.django_db


def more_from(world: World, order: PurchaseOrder, part: Part, quantity: int = 5) -> PurchaseOrder:
    """Another order from the same supplier to the same warehouse."""
    SupplierPartFactory.create(part=part, supplier=order.supplier)
    placed = place_purchase_order(
        supplier_id=order.supplier_id,
        warehouse_id=order.warehouse_id,
        lines=[PurchaseLine(part.pk, Decimal(quantity), Decimal(1), None)],
        ordered_at=timezone.now(),
        **cause(),
    )
    return PurchaseOrder.objects.get(pk=placed.id)


def booking(note: str = "DN-1", **rows: Any) -> dict[str, Any]:
    return {"note_number": note, "received_at": timezone.now().strftime("%Y-%m-%dT%H:%M"), **rows}


def came(line: PurchaseOrderLine, quantity: str, unfit: str = "", serials: str = "") -> dict[str, str]:
    key = line.pk.hex
    return {f"quantity_{key}": quantity, f"unfit_{key}": unfit, f"serials_{key}": serials}


def book(*orders: PurchaseOrder) -> str:
    return deed(Delivery, "book") + "?" + "&".join(f"orders={order.pk}" for order in orders)


def test_one_delivery_is_booked_for_several_orders_and_the_page_says_what_goes_where(
    world: World, dispatcher: User
) -> None:
    world.near.dock = "dock 2"
    world.near.save()
    waiting = world.short()
    job = world.job("in_progress")
    order = world.bought(waiting.part, 8)
    shelf = PartFactory.create()
    other = more_from(world, order, shelf)
    placing.place(
        kind="service",
        service_order_id=job.pk,
        requested_on=timezone.now().date(),
        lines=[placing.Wanted(quantity=Decimal(2), part_id=waiting.part_id)],
        **cause(),
    )
    client = desk_of(dispatcher)
    form = client.get(book(order, other)).context["form"]
    assert [quantity.value() for _, quantity, _, _ in form.rows()] == ["8", "5"]

    rows = came(order.lines.get(), "6", "1", "A1 A2, A3") | came(other.lines.get(), "5")
    answer = client.post(book(order, other), booking(**rows))
    delivery = Delivery.objects.get()
    assert answer.headers["Location"] == page(delivery)

    shown = text(client.get(page(delivery)))
    assert "2 orders were waiting for this" in shown
    assert f">{job.reference}</a>" in shown
    assert "leave on <strong>dock 2</strong>" in shown
    assert "damaged or wrong: keep apart" in shown
    assert "<strong>5</strong>" in shown
    assert "2 are still to come" in shown
    assert "Who to tell" in shown
    assert world.customer.name in shown
    assert BackOrder.objects.filter(status="allocated").count() == 2
    assert [row.serial for row in DeliverySerial.objects.order_by("pk")] == ["A1", "A2", "A3"]
    freed = freed_by(delivery)
    assert [gift.serials for gift in freed.lines[0].gifts] in ([["A1", "A2"], ["A3"]], [["A1", "A2", "A3"], []])
    assert [verdict.law.name for verdict in check_all(5) if verdict.finding.total] == []


def test_more_than_ordered_is_booked_only_when_somebody_says_that_it_is_right(world: World, manager: User) -> None:
    order = world.bought(PartFactory.create(), 4)
    line, client = order.lines.get(), desk_of(manager)
    refused = client.post(book(order), booking(**came(line, "4006381333931")))
    assert refused.status_code == 400
    assert "more than ordered" in text(refused)
    assert not Delivery.objects.exists()
    client.post(book(order), booking(**came(line, "6"), more_is_right="on"))
    assert "2 more than the order waited for" in text(client.get(page(Delivery.objects.get())))


def test_a_note_booked_again_changes_nothing_and_shows_the_same_page(world: World, manager: User) -> None:
    order = world.bought(PartFactory.create(), 3)
    client, rows = desk_of(manager), booking(**came(order.lines.get(), "3", serials="S1"))
    first, again = client.post(book(order), rows), client.post(book(order), rows)
    assert first.headers["Location"] == again.headers["Location"]
    assert StockLevel.objects.get().on_hand == 3
    assert DeliverySerial.objects.count() == 1
    other = client.post(book(order), rows | came(order.lines.get(), "3", serials="S2"))
    assert other.status_code == 409


def test_the_scanned_number_of_any_system_leads_to_its_line_and_books_nothing(world: World, manager: User) -> None:
    part = PartFactory.create()
    PartNumber.objects.create(part=part, system="Maker", number="03L-115 562")
    order = world.bought(part, 4)
    line, client = order.lines.get(), desk_of(manager)
    found = client.post(book(order), {"scan": "03l115562", "find": "1", **came(line, "2")})
    assert found.status_code == 200
    form = found.context["form"]
    assert form.found == line.pk
    assert form[f"quantity_{line.pk.hex}"].value() == "2"
    assert form.fields[f"quantity_{line.pk.hex}"].widget.attrs["autofocus"]
    assert "is on none of these orders" in text(client.post(book(order), {"scan": "X", "find": "1"}))
    assert not Delivery.objects.exists()


def test_orders_of_two_suppliers_are_never_one_delivery(world: World, manager: User) -> None:
    one, two = world.bought(PartFactory.create()), world.bought(PartFactory.create())
    client = desk_of(manager)
    assert "Choose orders of one supplier" in text(client.get(book(one, two)))
    assert client.post(book(one, two), booking(**came(one.lines.get(), "1"))).status_code == 400
    assert not Delivery.objects.exists()


def test_what_came_without_an_order_is_booked_beside_the_rest(world: World, manager: User) -> None:
    order, gift = world.bought(PartFactory.create(), 4), PartFactory.create()
    client = desk_of(manager)
    rows = booking(**came(order.lines.get(), "0"), part_0=str(gift.pk), beside_0="2", beside_unfit_0="")
    client.post(book(order), rows)
    assert StockLevel.objects.get().part == gift
    assert "It came without an order" in text(client.get(page(Delivery.objects.get())))


def test_the_orders_that_are_due_are_found_by_number_supplier_and_part(
    world: World, manager: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    order = world.bought(PartFactory.create(), 4)
    world.bought(PartFactory.create(), 4)
    client = desk_of(manager)
    for term in (order.number, order.supplier.code, order.lines.get().part.number):
        shown = text(client.get(deed(Delivery, "book"), {"q": term}))
        assert order.number in shown
        assert shown.count('name="orders"') == 1
    shown = text(client.get(deed(Delivery, "book")))
    assert f"Enter what came from {order.supplier.code} {order.supplier.name}" in shown
    assert f"{order.supplier.code} {order.supplier.name} → " in text(client.get(book(order)))
    assert "No open purchase order fits" in text(client.get(deed(Delivery, "book"), {"q": "nothing"}))


def queries_of(client: Client, address: str, captured: Any) -> int:
    client.get(address)
    with captured as found:
        client.get(address)
    return len(found)


def test_the_page_of_a_delivery_costs_the_same_for_two_lines_and_for_twenty(
    world: World, manager: User, django_assert_max_num_queries: Any
) -> None:
    client = desk_of(manager)
    counts = []
    for size in (2, 20):
        parts = [PartFactory.create() for _ in range(size)]
        for part in parts:
            world.placed(part, 2)
        order = world.bought(parts[0], 3)
        items = [DeliveryItem(part.pk, Decimal(3), serials=(f"S{place}",)) for place, part in enumerate(parts)]
        booked = receive_delivery(
            supplier_id=order.supplier_id,
            warehouse_id=order.warehouse_id,
            note_number=f"N{size}",
            lines=items,
            received_at=timezone.now(),
            **cause(),
        )
        delivery = Delivery.objects.get(pk=booked.delivery_id)
        counts.append(queries_of(client, page(delivery), django_assert_max_num_queries(60)))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("serials", "says"), [(("A", "A"), "twice"), (("A", "B", "C"), "more than the quantity"), (("",), "empty")]
)
def test_serial_numbers_that_cannot_be_are_refused_and_nothing_is_booked(
    world: World, serials: tuple[str, ...], says: str
) -> None:
    order = world.bought(PartFactory.create(), 4)
    item = DeliveryItem(order.lines.get().part_id, Decimal(2), serials=serials)
    with pytest.raises(Invalid, match=says):
        receive_delivery(
            supplier_id=order.supplier_id,
            warehouse_id=order.warehouse_id,
            note_number="N",
            lines=[item],
            received_at=timezone.now(),
            **cause(),
        )
    assert not Delivery.objects.exists()


def test_a_serial_number_that_stands_twice_is_told_at_its_line(world: World, manager: User) -> None:
    order = world.bought(PartFactory.create(), 5)
    line = order.lines.get()
    answer = desk_of(manager).post(book(order), booking(**came(line, "3", serials="S-1 S-2 S-1")))
    assert answer.status_code == 400
    assert answer.context["form"].errors == {f"serials_{line.pk.hex}": ["S-1 stands here twice."]}
    assert not Delivery.objects.exists()


def test_one_serial_number_at_two_lines_of_a_part_is_told_once(world: World, manager: User) -> None:
    part = PartFactory.create()
    order = world.bought(part, 5)
    other = world.bought(part, 5)
    PurchaseOrder.objects.filter(pk=other.pk).update(supplier=order.supplier)
    rows = came(order.lines.get(), "1", serials="S-1") | came(other.lines.get(), "1", serials="S-1")
    answer = desk_of(manager).post(book(order, other), booking(**rows))
    assert answer.status_code == 400
    assert answer.context["form"].non_field_errors() == ["lines name a serial number of a part twice."]


def test_who_may_not_see_orders_sees_the_delivery_without_them(world: World, manager: User) -> None:
    part = PartFactory.create()
    world.placed(part, 2)
    order = world.bought(part, 4)
    desk_of(manager).post(book(order), booking(**came(order.lines.get(), "4")))
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_delivery"))
    shown = text(desk_of(clerk).get(page(Delivery.objects.get())))
    assert "desk-sheet" not in shown
    assert reverse("admin:parts_delivery_changelist") in shown
