"""Serial numbers at the desk: typed or scanned where an order is shipped, shown on its page and on its timeline."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.models import OrderLine, PartsOrder, Shipment, ShippedSerial
from tests.admin.world import World
from tests.desk.orders_words import at, desk_of, do, text


@pytest.fixture
def world(db: None) -> World:
    return World()


@pytest.fixture
def order(world: World) -> PartsOrder:
    return world.placed(world.part_in_stock(), 3)


def the_line(order: PartsOrder) -> OrderLine:
    return OrderLine.objects.get(order=order, is_split=False)


@pytest.mark.parametrize("typed", ["HP-1, HP-2", "HP-1\r\nHP-2\r\n", "HP-1;HP-2 "])
def test_serial_numbers_leave_with_the_line_and_stand_on_the_page_and_the_timeline(
    order: PartsOrder, dispatcher: User, typed: str
) -> None:
    client, line = desk_of(dispatcher), the_line(order)
    assert f"serials_{line.pk.hex}" in client.get(f"{at(order)}?do=ship").content.decode()
    answer = do(client, order, "ship", walk="on", **{line.pk.hex: "2", f"serials_{line.pk.hex}": typed})
    assert answer.status_code == 302
    assert list(ShippedSerial.objects.order_by("id").values_list("serial", flat=True)) == ["HP-1", "HP-2"]
    shown = text(client.get(at(order)))
    assert f"{line.part.number}: HP-1, HP-2" in shown  # beside the shipment
    assert "Serials: HP-1, HP-2" in shown  # on the timeline


def test_what_is_wrong_with_a_serial_number_stands_at_its_line_and_nothing_is_lost(
    world: World, order: PartsOrder, dispatcher: User
) -> None:
    client, line = desk_of(dispatcher), the_line(order)
    do(client, order, "ship", walk="on", **{line.pk.hex: "1", f"serials_{line.pk.hex}": "HP-1"})
    other = world.placed(line.part, 1)
    asked = the_line(other)
    answer = do(client, other, "ship", walk="on", **{asked.pk.hex: "1", f"serials_{asked.pk.hex}": "hp1"})
    assert answer.status_code == 409
    said = f"hp1 has left before, with {Shipment.objects.get().reference}, and is not back."
    assert answer.context["form"].errors == {f"serials_{asked.pk.hex}": [said]}
    assert answer.context["form"][f"serials_{asked.pk.hex}"].value() == "hp1"
    assert Shipment.objects.count() == 1


def test_too_many_serial_numbers_and_a_wrong_quantity_stand_at_their_fields(
    order: PartsOrder, dispatcher: User
) -> None:
    client, line = desk_of(dispatcher), the_line(order)
    key = line.pk.hex
    many = do(client, order, "ship", walk="on", **{key: "1", f"serials_{key}": "A B"})
    assert list(many.context["form"].errors) == [f"serials_{key}"]
    none = do(client, order, "ship", walk="on", **{key: "", f"serials_{key}": "A"})
    assert list(none.context["form"].errors)[0] == key
    half = do(client, order, "ship", walk="on", **{key: "0.5"})
    assert list(half.context["form"].errors) == [key]
    assert not Shipment.objects.exists()


def test_the_page_of_an_order_takes_as_many_statements_with_serial_numbers_as_without(
    world: World, dispatcher: User
) -> None:
    client, counts = desk_of(dispatcher), []
    for serials in ("", "A B C"):
        order = world.placed(world.part_in_stock(), 3)
        line = the_line(order)
        do(client, order, "ship", walk="on", **{line.pk.hex: "3", f"serials_{line.pk.hex}": serials})
        client.get(at(order))
        with CaptureQueriesContext(connection) as sent:
            client.get(at(order))
        counts.append(len(sent))
    assert counts[0] == counts[1]
