"""Stock and supply at the desk: deliveries, corrections, transfers, purchase orders."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from backorders.models import BackOrder
from parts.models import Delivery, PartNumber, PurchaseOrder, StockLevel
from tests.admin.desk import deed, desk_of, page, said, text
from tests.admin.world import World
from tests.factories.parts import WarehouseFactory

pytestmark = pytest.mark.django_db


def test_a_delivery_is_booked_with_what_is_open_filled_in_and_fills_the_queue(world: World, dispatcher: User) -> None:
    row = world.short()
    order = world.bought(row.part, 20)
    line = order.lines.get()
    client = desk_of(dispatcher)
    form = client.get(deed(order, "deliver")).context["form"]
    assert form[f"quantity_{line.pk.hex}"].value() == "20"
    data = {
        "note_number": "DN-1",
        "received_at": timezone.now().strftime("%Y-%m-%dT%H:%M"),
        f"quantity_{line.pk.hex}": "8",
        f"unfit_{line.pk.hex}": "1",
    }
    answer = client.post(deed(order, "deliver"), data)
    assert answer.headers["Location"] == page(Delivery.objects.get())
    assert BackOrder.objects.get(pk=row.pk).status == "allocated"
    again = client.post(deed(order, "deliver"), data)
    assert "was booked before" in said(again)
    assert client.post(deed(order, "deliver"), data | {f"quantity_{line.pk.hex}": "9"}).status_code == 409


def test_stock_is_corrected_and_transferred_from_the_page_of_a_level(world: World, manager: User) -> None:
    level = StockLevel.objects.get(part=world.part_in_stock())
    client = desk_of(manager)
    client.post(deed(level, "correct"), {"on_hand_change": "-2", "unfit_change": "0", "reason": "damage"})
    client.post(deed(level, "transfer"), {"to_warehouse": world.far.pk, "quantity": "3"})
    found = dict(StockLevel.objects.filter(part=level.part).values_list("warehouse__code", "on_hand"))
    assert found == {world.near.code: Decimal(5), world.far.code: Decimal(3)}
    answer = client.post(deed(level, "transfer"), {"to_warehouse": world.far.pk, "quantity": "30"})
    assert answer.status_code == 409


def test_stock_is_corrected_where_there_was_none(world: World, manager: User) -> None:
    data = {
        "part": world.part_in_stock().pk,
        "warehouse": world.far.pk,
        "condition": "new",
        "owner": "own",
        "on_hand_change": "4",
        "unfit_change": "0",
        "reason": "found",
    }
    assert desk_of(manager).post(deed(StockLevel, "correct-any"), data).status_code == 302
    assert StockLevel.objects.get(warehouse=world.far).on_hand == 4


def test_what_is_chosen_by_typing_can_be_written_out(world: World, manager: User) -> None:
    order = world.bought(world.part_in_stock())
    part = order.lines.get().part
    data = {"supplier": order.supplier.code, "warehouse": world.near.name, "part_0": part.number, "quantity_0": "7"}
    client = desk_of(manager)
    assert client.post(deed(PurchaseOrder, "place"), data).status_code == 302
    placed = PurchaseOrder.objects.exclude(pk=order.pk).get()
    assert (placed.supplier, placed.warehouse, placed.lines.get().part) == (order.supplier, world.near, part)


def test_what_is_written_out_and_is_nothing_or_more_than_one_is_told_at_its_field_and_stays(
    world: World, manager: User
) -> None:
    order = world.bought(world.part_in_stock())
    for _ in range(2):
        WarehouseFactory.create(name="Depot")
    data = {"supplier": "nobody", "warehouse": "depot", "part_0": "nothing", "quantity_0": "7"}
    answer = desk_of(manager).post(deed(PurchaseOrder, "place"), data)
    assert answer.status_code == 400
    errors = answer.context["form"].errors
    assert errors["warehouse"] == ["More than one is called “depot”."]
    assert errors["part_0"][0] == "Nothing is called “nothing”."
    assert errors["supplier"] == ["Nothing is called “nobody”."]
    assert 'name="warehouse" value="depot"' in text(answer)
    assert list(PurchaseOrder.objects.all()) == [order]


def test_on_a_page_that_adds_something_it_can_be_written_out_too(world: World, manager: User) -> None:
    part = world.part_in_stock()
    data = {"part": part.number, "system": "WMS", "number": "88-1", "change_reason": "New system"}
    answer = desk_of(manager).post("/admin/parts/partnumber/add/", data)
    assert answer.status_code == 302
    assert PartNumber.objects.get(number="88-1").part == part


def test_a_purchase_order_is_placed_confirmed_and_cancelled_by_deeds(world: World, manager: User) -> None:
    order = world.bought(world.part_in_stock())
    data = {
        "supplier": order.supplier_id,
        "warehouse": world.near.pk,
        "part_0": order.lines.get().part_id,
        "quantity_0": "7",
    }
    client = desk_of(manager)
    client.post(deed(PurchaseOrder, "place"), data)
    line = PurchaseOrder.objects.exclude(pk=order.pk).get().lines.get()
    day = timezone.now().date() + timedelta(days=30)
    client.post(deed(line, "confirm"), {"expected_on": day})
    line.refresh_from_db()
    assert line.expected_on == day
    client.post(deed(line, "cancel"), {"quantity": ""})
    line.refresh_from_db()
    assert line.cancelled == 7
