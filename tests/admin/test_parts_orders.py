"""Parts orders and their lines at the desk: placed, shipped, held, promised, cancelled, returned."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from orders.models import OrderLine, PartsOrder, Shipment
from parts.models import Delivery, DeliverySerial, StockLevel
from tests.admin.desk import deed, desk_of, page, said, text
from tests.admin.world import World
from tests.factories.parts import PartFactory

pytestmark = pytest.mark.django_db


def test_an_order_placed_at_the_desk_says_what_is_back_ordered(world: World, dispatcher: User) -> None:
    part = world.part_in_stock()
    data = {
        "kind": "service",
        "customer": world.customer.pk,
        "requested_on": timezone.now().date(),
        "part_0": part.pk,
        "quantity_0": "12",
    }
    answer = desk_of(dispatcher).post(deed(PartsOrder, "place"), data)
    assert "1 line is back-ordered" in said(answer)
    assert PartsOrder.objects.get().customer == world.customer


def test_an_order_with_a_bad_quantity_comes_back_as_a_form_and_nothing_is_placed(
    world: World, dispatcher: User
) -> None:
    data = {
        "kind": "service",
        "customer": world.customer.pk,
        "requested_on": timezone.now().date(),
        "part_0": world.part_in_stock().pk,
        "quantity_0": "0.5",
    }
    answer = desk_of(dispatcher).post(deed(PartsOrder, "place"), data)
    assert answer.status_code == 400
    assert not PartsOrder.objects.exists()


def test_a_part_of_a_line_is_shipped_and_the_rest_stays_behind(world: World, dispatcher: User) -> None:
    order = world.placed(world.part_in_stock(), 5)
    line = order.lines.get()
    data = {line.pk.hex: "2", "walk": "1", "carrier": "Parcel", "tracking_number": "T-2"}
    answer = desk_of(dispatcher).post(deed(order, "ship"), data)
    assert answer.status_code == 302, text(answer)
    assert Shipment.objects.get(order=order).tracking_number == "T-2"
    left = OrderLine.objects.filter(order=order, is_split=False).order_by("quantity")
    assert [(row.status, row.quantity) for row in left] == [("shipped", Decimal(2)), ("reserved", Decimal(3))]


def test_serial_numbers_leave_with_a_line_and_are_shown_wherever_somebody_asks_who_got_them(
    world: World, dispatcher: User, manager: User
) -> None:
    part = world.part_in_stock()
    order = world.placed(part, 2)
    key, client = order.lines.get().pk.hex, desk_of(dispatcher)
    data = {key: "2", "walk": "1", f"serials_{key}": "HP-1, HP-2"}
    assert client.post(deed(order, "ship"), data).status_code == 302
    shipment = Shipment.objects.get()
    for shown in (page(shipment), page(order), page(part)):
        found = text(client.get(shown))
        assert [serial for serial in ("HP-1", "HP-2") if serial not in found] == [], shown
    listed = text(desk_of(manager).get(reverse("admin:orders_shippedserial_changelist"), {"q": "hp 1"}))
    assert order.reference in listed
    assert shipment.reference in listed
    assert "HP-2<" not in listed


def test_a_serial_number_that_is_gone_is_told_at_its_line(world: World, dispatcher: User) -> None:
    part = world.part_in_stock()
    first, second, client = world.placed(part, 1), world.placed(part, 1), desk_of(dispatcher)
    for order, status in ((first, 302), (second, 409)):
        key = order.lines.get().pk.hex
        answer = client.post(deed(order, "ship"), {key: "1", "walk": "1", f"serials_{key}": "HP-1"})
        assert answer.status_code == status
    assert "HP-1 has left before" in str(answer.context["form"].errors[f"serials_{key}"])


def test_a_delivery_says_which_orders_got_the_units_that_it_brought(world: World, dispatcher: User) -> None:
    part = PartFactory.create()
    world.bought_and_delivered(part)
    came, order = Delivery.objects.get(), Shipment.objects.get().order
    serial = DeliverySerial.objects.get().serial
    found = text(desk_of(dispatcher).get(page(came)))
    assert "Serial numbers that left" in found
    after = found.split("Serial numbers that left")[1]
    assert serial in after
    assert order.reference in after


def test_what_is_not_packed_does_not_leave_unless_that_is_asked_for(world: World, dispatcher: User) -> None:
    order = world.placed(world.part_in_stock(), 5)
    answer = desk_of(dispatcher).post(deed(order, "ship"), {order.lines.get().pk.hex: "5"})
    assert answer.status_code == 409
    assert not Shipment.objects.exists()


def test_an_order_is_held_let_go_and_cancelled_with_reasons(world: World, dispatcher: User) -> None:
    order = world.placed(world.part_in_stock(), 5)
    client = desk_of(dispatcher)
    assert client.post(deed(order, "hold"), {"reason": ""}).status_code == 400
    client.post(deed(order, "hold"), {"reason": "Credit check"})
    assert "On hold: Credit check" in text(client.get(page(order)))
    client.post(deed(order, "let-go"))
    version = PartsOrder.objects.get(pk=order.pk).version
    stale = client.post(deed(order, "cancel"), {"reason": "Withdrawn", "expected_version": version - 1})
    assert stale.status_code == 412
    client.post(deed(order, "cancel"), {"reason": "Withdrawn", "expected_version": version})
    assert PartsOrder.objects.get(pk=order.pk).status == "cancelled"
    level = StockLevel.objects.get(part=order.lines.all()[0].part)
    assert level.reserved == 0


def test_a_line_is_moved_promised_and_cancelled_in_part(world: World, dispatcher: User) -> None:
    line = world.placed(world.part_in_stock(), 5).lines.get()
    client = desk_of(dispatcher)
    answer = client.get(page(line))
    assert [value for value, _ in answer.context["moves"]] == ["released"]
    client.post(deed(line, "move"), {"to": "released", "expected_version": line.version})
    day = timezone.now().date() + timedelta(days=3)
    client.post(deed(line, "promise"), {"promised_on": day})
    assert client.post(deed(line, "promise"), {"promised_on": day + timedelta(days=1)}).status_code == 400
    client.post(deed(line, "cancel"), {"quantity": "2", "reason": "Fewer needed"})
    leaves = OrderLine.objects.filter(order=line.order, is_split=False).order_by("quantity")
    assert [(row.status, row.quantity, row.promised_on) for row in leaves] == [
        ("cancelled", Decimal(2), day),
        ("released", Decimal(3), day),
    ]


def test_a_line_that_was_taken_back_is_let_go_from_its_page(world: World, dispatcher: User) -> None:
    line = world.placed(world.part_in_stock(), 5).lines.get()
    client = desk_of(dispatcher)
    for status in ("released", "reserved"):
        client.post(deed(line, "move"), {"to": status, "note": "Box is damaged"})
    shown = text(client.get(page(line)))
    assert "Kept back: it was taken back from release" in shown
    assert "kept back until a person releases it or lets it go" in shown
    assert "Box is damaged" in shown
    client.post(deed(line, "let-go"))
    shown = text(client.get(page(line)))
    assert "Kept back: it was taken back from release" not in shown
    assert client.get(page(line)).context["timeline"][0].title == "Let go"


def test_a_return_is_booked_from_the_page_of_the_line(world: World, dispatcher: User) -> None:
    line = world.shipped().lines.get()
    answer = desk_of(dispatcher).post(deed(line, "return"), {"quantity": "1", "unfit": "1"})
    assert answer.status_code == 302, text(answer)
    assert StockLevel.objects.get(part=line.part).unfit == 1
