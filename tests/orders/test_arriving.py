"""When a shipment arrived: when the last of what it carried was delivered, and by whose clock."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from orders.actions import lines, overriding, reporting
from orders.actions.lines import Step
from orders.models import OrderLine, Shipment
from parts.errors import Forbidden
from tests.orders.desk import NOBODY, NOW, TOLD, Desk, d, told


def test_a_shipment_arrives_with_the_last_of_its_lines(desk: Desk) -> None:
    desk.put(10)
    placed = desk.place(2, 3)
    items = [lines.ShipItem(item.id) for item in placed.lines]
    lines.ship(order_id=placed.id, items=items, walk=True, **TOLD)

    lines.move(line_id=placed.lines[1].id, to="delivered", **told(hours=5))
    assert Shipment.objects.get().delivered_at is None
    lines.move(line_id=placed.lines[0].id, to="delivered", **told(hours=7))
    assert Shipment.objects.get().delivered_at == NOW + timedelta(hours=7)


def test_a_shipment_arrives_with_what_was_not_sent_back_on_its_way(desk: Desk) -> None:
    desk.put(10)
    placed = desk.place(10)
    desk.ship(placed.lines[0].id)
    lines.return_to_stock(line_id=placed.lines[0].id, quantity=d(3), **TOLD)
    rest = OrderLine.objects.get(order_id=placed.id, is_split=False, status="shipped")

    lines.move(line_id=rest.pk, to="delivered", **told(hours=5))

    assert Shipment.objects.get().delivered_at == NOW + timedelta(hours=5)


def test_what_was_delivered_counts_when_the_rest_comes_back(desk: Desk) -> None:
    desk.put(10)
    placed = desk.place(2, 3)
    items = [lines.ShipItem(item.id) for item in placed.lines]
    lines.ship(order_id=placed.id, items=items, walk=True, **TOLD)
    lines.move(line_id=placed.lines[0].id, to="delivered", **told(hours=5))

    lines.return_to_stock(line_id=placed.lines[1].id, quantity=d(3), **told(hours=9))

    assert Shipment.objects.get().delivered_at == NOW + timedelta(hours=5)


def test_a_shipment_that_came_back_whole_has_not_arrived(desk: Desk) -> None:
    desk.put(10)
    placed = desk.place(10)
    desk.ship(placed.lines[0].id)
    lines.return_to_stock(line_id=placed.lines[0].id, quantity=d(10), **TOLD)

    assert Shipment.objects.get().delivered_at is None


def test_who_may_not_say_that_it_arrived_changes_nothing(desk: Desk) -> None:
    desk.put(10)
    placed = desk.place(10)
    key = placed.lines[0].id
    desk.ship(key)
    lines.return_to_stock(line_id=key, quantity=d(10), **TOLD)
    someone: dict[str, Any] = {"by": NOBODY, "source": "x", "at": NOW + timedelta(hours=1)}

    (refusal,) = lines.move_many(steps=[Step(key, "delivered")], **someone)
    (result,) = reporting.report_many(reports=[reporting.Report("line", key, "delivered", NOW)], **someone)

    assert isinstance(refusal, Forbidden)
    assert result.outcome == "refused"
    assert Shipment.objects.get().delivered_at is None


def test_a_report_dates_the_shipment_by_the_clock_of_its_sender(desk: Desk) -> None:
    desk.put(5)
    placed = desk.place(1)
    three_days_ago = NOW - timedelta(days=3)
    report = reporting.Report("line", placed.lines[0].id, "delivered", three_days_ago)

    reporting.report_many(reports=[report], **TOLD)

    shipment = Shipment.objects.get()
    assert (shipment.shipped_at, shipment.delivered_at) == (three_days_ago, three_days_ago)


def test_an_override_to_delivered_lets_the_shipment_arrive(desk: Desk) -> None:
    desk.put(5)
    placed = desk.place(1)
    overriding.override(line_id=placed.lines[0].id, to="delivered", reason="Seen there", reference="T-1", **TOLD)

    assert Shipment.objects.get().delivered_at == NOW
