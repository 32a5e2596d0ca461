"""A warehouse confirms in IDocs what left: by our reference, by its delivery's number, in batches, and twice."""

from __future__ import annotations

import pytest

from integrations.models import InboundMessage, NumberElsewhere
from integrations.statuses import MessageStatus
from orders.models import OrderLine, Shipment
from tests.api.world import World
from tests.integrations.idocs import as_flat, as_xml, control, item, left, ours
from tests.integrations.sending import connect, send

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> World:
    connect("wms-sap", form="sap-idoc-xml")
    connect("wms-old", form="sap-idoc-flat")
    return World()


def _line(world: World, quantity: int = 10) -> OrderLine:
    placed = world.placed(quantity=quantity)
    return OrderLine.objects.select_related("order").get(pk=placed.lines[0].id)


def _statuses(line: OrderLine) -> list[tuple[str, int]]:
    return sorted((row.status, int(row.quantity)) for row in OrderLine.objects.filter(parent=line))


def test_a_delivery_of_two_batches_ships_a_part_and_the_next_one_the_rest(world: World) -> None:
    line = _line(world)
    order = ours(line.order.reference, "000001")
    split = (item("10", "0", order), item("900001", "3", HIPOS="10"), item("900002", "1", HIPOS="10"))
    [taken] = send(as_xml((control("1"), left(*split))), system="wms-sap")
    assert (taken.status, [fact["outcome"] for fact in taken.facts]) == ("accepted", ["noted", "moved"])
    assert _statuses(line) == [("reserved", 6), ("shipped", 4)]
    rest = left(item("10", "6", order), delivery="0080001235")
    [taken] = send(as_xml((control("2"), rest)), system="wms-sap")
    assert taken.status == "accepted"
    line.refresh_from_db()
    assert line.status == "shipped"
    assert set(Shipment.objects.values_list("carrier", "tracking_number")) == {("DHL Freight", "JD014")}


def test_the_same_delivery_in_another_idoc_ships_nothing_more(world: World) -> None:
    line = _line(world)
    goods = left(item("10", "4", ours(line.order.reference, "1")))
    first, second = send(as_xml((control("1"), goods), (control("2"), goods)), system="wms-sap")
    assert [first.status, second.status] == ["accepted", "accepted"]
    assert [fact["outcome"] for fact in second.facts] == ["noted", "repeated"]
    assert _statuses(line) == [("reserved", 6), ("shipped", 4)]


def test_a_number_that_was_learnt_names_the_line_from_then_on_and_wakes_what_waited_for_it(world: World) -> None:
    line = _line(world, 4)
    [waiting] = send(as_flat((control("7"), left(item("10", "4")))), system="wms-old")
    assert (waiting.status, waiting.cause) == ("parked", "not_found")
    order = control("8", kind="SHPORD"), left(item("10", "4", ours(line.order.reference, "1")))
    [taken] = send(as_flat(order), system="wms-old")
    assert taken.status == "accepted"
    number = NumberElsewhere.objects.get()
    assert (number.kind, number.number, number.subject_id) == ("delivery_item", "80001234/10", line.pk)
    assert InboundMessage.objects.get(pk=waiting.id).status == MessageStatus.RECEIVED
    [again] = send(as_flat((control("9"), left(item("10", "4")))), system="wms-old")
    assert again.status == "accepted"
    line.refresh_from_db()
    assert line.status == "shipped"


def test_a_number_never_means_two(world: World) -> None:
    for number, line in enumerate((_line(world), _line(world))):
        order = control(str(number + 1), kind="SHPORD"), left(item("10", "4", ours(line.order.reference, "1")))
        [taken] = send(as_flat(order), system="wms-old")
    assert (taken.status, taken.cause) == ("rejected", "number_means_another")
    assert NumberElsewhere.objects.count() == 1
