"""Serial numbers of what leaves: kept with the shipment, told on the timeline, and no unit leaves twice."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from orders.actions import lines, overriding
from orders.actions.lines import ShipItem
from orders.actions.placing import Wanted
from orders.errors import SerialGone
from orders.models import ShipmentLine, ShippedSerial
from parts.actions.supply import DeliveryItem, receive_delivery
from parts.errors import Invalid
from tests.factories.parts import PartFactory, SupplierFactory, UnitOfMeasureFactory, WarehouseFactory
from tests.laws.checking import broken_laws
from tests.orders.desk import TOLD, Desk, child, d, events, leaf, line, statements, told, tree


def went(*serials: str) -> list[tuple[str, str]]:
    """Read with which line each of these left, in the order they did."""
    rows = ShippedSerial.objects.filter(serial__in=serials).select_related("shipment_line__line").order_by("id")
    return [(row.serial, row.shipment_line.line.reference.split("/")[1]) for row in rows]


def bring(desk: Desk, *serials: str, note: str = "DN-1", hours: float = 0) -> None:
    """Book a delivery of one unit for each of these."""
    receive_delivery(
        supplier_id=SupplierFactory.create().pk,
        warehouse_id=desk.warehouse.pk,
        note_number=note,
        lines=[DeliveryItem(desk.part.pk, d(len(serials)), serials=serials)],
        received_at=told(hours=hours)["at"],
        **told(hours=hours),
    )


def test_serial_numbers_are_kept_with_the_line_they_left_with_and_told_by_its_event(desk: Desk) -> None:
    bring(desk, "HP-1", "HP-2", "HP-3")
    placed = desk.place(3)
    desk.ship(leaf(placed).id, 2, ("HP-3", "HP-1"))
    assert went("HP-1", "HP-2", "HP-3") == [("HP-3", "1.2"), ("HP-1", "1.2")]
    assert events(child(placed, "1.2").pk)[-1].data == {"serials": ["HP-3", "HP-1"]}
    assert [row.serial for row in ShipmentLine.objects.get().serials.all()] == ["HP-3", "HP-1"]
    assert set(ShippedSerial.objects.values_list("part", "is_gone")) == {(desk.part.pk, True)}
    assert broken_laws() == {}


def test_some_units_may_leave_unnamed_and_one_that_nobody_read_at_the_dock_may_leave(desk: Desk) -> None:
    desk.put(3)
    desk.ship(leaf(desk.place(3)).id, serials=("NEVER SEEN",))
    assert went("NEVER SEEN") == [("NEVER SEEN", "1")]


@pytest.mark.parametrize(
    ("serials", "says"),
    [
        (("A", "B", "C"), "at most 2"),
        (("A", "a "), "twice"),
        (("A-1", "A 1"), "twice"),
        (("",), "empty"),
        (("--",), "no letter and no digit"),
        (("x" * 81,), "at most 80"),
        (("a\x00b",), "null"),
    ],
)
def test_serial_numbers_that_cannot_be_are_refused_and_nothing_leaves(
    desk: Desk, serials: tuple[str, ...], says: str
) -> None:
    desk.put(5)
    placed = desk.place(5)
    with pytest.raises(Invalid) as refusal:
        desk.ship(leaf(placed).id, 2, serials)
    assert list(refusal.value.extra["fields"]) == ["lines.0.serials"]
    assert says in " ".join(refusal.value.extra["fields"]["lines.0.serials"])
    assert tree(placed.id) == [("1", "reserved", 5)]
    assert not ShippedSerial.objects.exists()


def test_a_fraction_of_a_unit_bears_no_serial_number(desk: Desk) -> None:
    oil = PartFactory.create(unit=UnitOfMeasureFactory.create(code="LTR", name="Litre", decimals=3))
    desk.put(2, part=oil)
    placed = desk.order([Wanted(d("1.5"), oil.pk)])
    with pytest.raises(Invalid):
        desk.ship(leaf(placed).id, serials=("A", "B"))
    desk.ship(leaf(placed).id, serials=("A",))


def test_no_serial_number_of_a_part_stands_twice_in_one_shipment(desk: Desk) -> None:
    other = PartFactory.create()
    desk.put(2)
    desk.put(2, part=other)
    placed = desk.order([Wanted(d(1), desk.part.pk), Wanted(d(1), desk.part.pk), Wanted(d(1), other.pk)])
    keys = [item.id for item in placed.lines]
    with pytest.raises(Invalid) as refusal:
        lines.ship(order_id=placed.id, items=[ShipItem(key, serials=("S1",)) for key in keys[:2]], walk=True, **TOLD)
    assert list(refusal.value.extra["fields"]) == ["lines.1.serials"]
    # Two makers may number alike: of another part it is another unit.
    items = [ShipItem(keys[0], serials=("S1",)), ShipItem(keys[1]), ShipItem(keys[2], serials=("S1",))]
    lines.ship(order_id=placed.id, items=items, walk=True, **TOLD)
    assert went("S1") == [("S1", "1"), ("S1", "3")]


@pytest.mark.parametrize("again", ["HP-1", "hp 1"])
def test_a_unit_that_is_gone_cannot_leave_again(desk: Desk, again: str) -> None:
    bring(desk, "HP-1")
    desk.put(1)
    desk.ship(leaf(desk.place(1)).id, serials=("HP-1",))
    placed = desk.place(1)
    shipment = ShipmentLine.objects.get().shipment
    with pytest.raises(SerialGone, match=shipment.reference) as refusal:
        desk.ship(leaf(placed).id, serials=(again,))
    assert list(refusal.value.extra["fields"]) == ["lines.0.serials"]
    assert refusal.value.extra["serials"] == [again]
    assert tree(placed.id) == [("1", "reserved", 1)]
    lines.move(line_id=ShipmentLine.objects.get().line_id, to="delivered", **TOLD)
    with pytest.raises(SerialGone):
        desk.ship(leaf(placed).id, serials=(again,))


def test_what_came_back_leaves_again_but_not_more_units_than_came(desk: Desk) -> None:
    desk.put(5)
    first = desk.place(3)
    desk.ship(leaf(first).id, serials=("A", "B", "C"))
    lines.return_to_stock(line_id=leaf(first).id, quantity=d(1), **TOLD)
    placed = desk.place(3)
    with pytest.raises(SerialGone):
        desk.ship(leaf(placed).id, 2, ("A", "B"))
    desk.ship(leaf(placed).id, 1, ("B",))
    with pytest.raises(SerialGone):
        desk.ship(child(placed, "1.1").pk, 1, ("A",))
    assert went("B") == [("B", "1"), ("B", "1.2")]
    assert list(ShippedSerial.objects.filter(serial="B").order_by("id").values_list("is_gone", flat=True)) == [
        False,
        True,
    ]
    assert broken_laws() == {}


def test_what_was_delivered_of_a_split_line_is_not_taken_for_returned(desk: Desk) -> None:
    desk.put(6)
    first = desk.place(4)
    desk.ship(leaf(first).id, 3, ("A", "B", "C"))
    lines.return_to_stock(line_id=child(first, "1.2").pk, quantity=d(1), **TOLD)
    lines.move(line_id=child(first, "1.2").pk, to="delivered", **TOLD)
    placed = desk.place(2)
    with pytest.raises(SerialGone):
        desk.ship(leaf(placed).id, serials=("A", "B"))
    desk.ship(leaf(placed).id, 1, ("C",))


def test_a_leaving_that_was_overridden_is_none(desk: Desk) -> None:
    desk.put(2)
    first = leaf(desk.place(1)).id
    desk.ship(first, serials=("A",))
    overriding.override(line_id=first, to="packed", reason="It stood on the dock", reference="T-1", **TOLD)
    desk.ship(first, serials=("A",))
    assert line(first).status == "shipped"
    assert list(ShippedSerial.objects.order_by("id").values_list("is_gone", flat=True)) == [False, True]


def test_what_went_to_our_own_warehouse_leaves_there_once_it_has_arrived(desk: Desk) -> None:
    van = WarehouseFactory.create()
    desk.put(2)
    transfer = leaf(desk.transfer(1, to=van)).id
    desk.ship(transfer, serials=("A",))
    placed = desk.place(1)
    with pytest.raises(SerialGone):
        desk.ship(leaf(placed).id, serials=("A",))
    lines.move(line_id=transfer, to="delivered", **TOLD)
    desk.ship(leaf(placed).id, serials=("A",))
    assert ShippedSerial.objects.filter(serial="A", is_gone=True).count() == 1


def test_a_unit_that_a_delivery_brings_again_leaves_again(desk: Desk) -> None:
    bring(desk, "HP-1")
    desk.ship(leaf(desk.place(1)).id, serials=("HP-1",), at=told(hours=1)["at"])
    bring(desk, "HP 1", note="DN-2", hours=2)
    placed = desk.place(1, at=told(hours=3)["at"])
    desk.ship(leaf(placed).id, serials=("HP-1",), at=told(hours=3)["at"])
    assert len(went("HP-1")) == 2


def test_without_serial_numbers_shipping_takes_no_further_statement(desk: Desk) -> None:
    counts = []
    for serials in ((), ("A",), ("B",)):
        desk.put(2)
        placed = desk.place(2)
        with statements() as sent:
            desk.ship(leaf(placed).id, serials=serials)
        counts.append(len(sent))
        assert any("shippedserial" in query["sql"] for query in sent) == bool(serials)
    assert [count - counts[0] for count in counts] == [0, 2, 2]


def test_a_message_that_comes_again_keeps_its_serial_numbers_once(desk: Desk) -> None:
    desk.put(1)
    placed = desk.place(1)
    for _again in range(2):
        desk.ship(leaf(placed).id, serials=("A",), message_id="WMS-1")
    assert len(went("A")) == 1


def test_what_was_read_off_stays_as_it_was_read(desk: Desk) -> None:
    desk.put(1)
    desk.ship(leaf(desk.place(1)).id, serials=("A",))
    row = ShippedSerial.objects.get()
    for write in (
        lambda: ShippedSerial.objects.update(serial="B"),
        lambda: ShippedSerial.objects.update(is_gone=False, serial="B"),
        lambda: row.delete(),
    ):
        with pytest.raises(IntegrityError, match="shipped_serial_append_only"), transaction.atomic():
            write()
    ShippedSerial.objects.update(is_gone=False)
    with pytest.raises(IntegrityError, match="shipped_serial_append_only"), transaction.atomic():
        ShippedSerial.objects.update(is_gone=True)


def test_the_database_itself_lets_no_unit_be_gone_twice(desk: Desk) -> None:
    desk.put(2)
    for _each in range(2):
        desk.ship(leaf(desk.place(1)).id)
    first, second = ShipmentLine.objects.order_by("id")
    ShippedSerial.objects.create(shipment_line=first, part=desk.part, serial="A-1")
    with pytest.raises(IntegrityError, match="shipped_serial_gone_once"), transaction.atomic():
        ShippedSerial.objects.create(shipment_line=second, part=desk.part, serial="a 1")
