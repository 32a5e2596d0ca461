"""A message that comes again has no second effect, whichever action it is given to. All laws hold (see the desk)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from backorders.models import BackOrder
from orders.actions import lines, overriding, service_orders
from orders.actions.lines import ShipItem
from orders.actions.placing import Wanted
from orders.actions.reporting import Report, report_many
from orders.errors import MessageUsed, TransitionRefused
from orders.models import OrderEvent, PartsOrder, Shipment
from parts.errors import Forbidden, Invalid, Refused
from tests.factories.orders import CustomerFactory
from tests.factories.parts import WarehouseFactory
from tests.orders.desk import (
    NOBODY,
    NOW,
    TOLD,
    Desk,
    balance,
    child,
    d,
    events,
    kinds,
    leaf,
    line,
    order,
    statements,
    told,
    tree,
)

SAID = TOLD | {"message_id": "M-1"}
#: What no message can be called.
IMPOSSIBLE = ("x" * 121, "a\x00b")


def happened() -> int:
    return OrderEvent.objects.count()


# --- A line's step ---------------------------------------------------------------------------------------------------


def test_a_step_said_twice_is_answered_as_the_first_time(desk: Desk) -> None:
    desk.put(1)
    line_id = leaf(desk.place(1)).id
    first = lines.move(line_id=line_id, to="released", **SAID)
    before = happened()
    assert lines.move(line_id=line_id, to="released", expected_version=1, **SAID) == first
    lines.move(line_id=line_id, to="picking", **TOLD)
    assert lines.move(line_id=line_id, to="released", **SAID) == first
    assert (happened(), line(line_id).status) == (before + 2, "picking")  # the line's and the order's


def test_a_step_that_was_taken_back_is_not_taken_again_by_its_old_message(desk: Desk) -> None:
    desk.put(1)
    line_id = leaf(desk.place(1)).id
    first = lines.move(line_id=line_id, to="released", **SAID)
    lines.move(line_id=line_id, to="reserved", **TOLD)
    assert lines.move(line_id=line_id, to="released", **SAID) == first
    assert line(line_id).status == "reserved"


def test_a_message_that_asks_for_something_else_of_the_same_line_is_refused(desk: Desk) -> None:
    desk.put(1)
    line_id = leaf(desk.place(1)).id
    lines.move(line_id=line_id, to="released", **SAID)
    with pytest.raises(MessageUsed) as refusal:
        lines.move(line_id=line_id, to="picking", **SAID)
    assert (refusal.value.code, refusal.value.extra) == ("message_used", {"current": "released"})
    assert line(line_id).status == "released"


def test_the_same_message_of_another_system_is_another_message(desk: Desk) -> None:
    desk.put(1)
    line_id = leaf(desk.place(1)).id
    lines.move(line_id=line_id, to="released", **SAID)
    lines.move(line_id=line_id, to="reserved", **SAID | {"source": "another"})
    assert lines.move(line_id=line_id, to="released", **SAID | {"message_id": "M-2"}).version == 4


def test_one_message_may_speak_of_many_lines_of_an_order_however_often_the_order_goes_to_and_fro(desk: Desk) -> None:
    desk.put(2)
    placed = desk.place(1, 1)
    one, two = (each.id for each in placed.lines)
    lines.move(line_id=two, to="released", **TOLD)
    lines.move(line_id=one, to="released", **SAID)  # now all of the order is released
    lines.move(line_id=two, to="reserved", **TOLD)
    lines.move(line_id=two, to="released", **SAID)  # and once more
    assert (order(placed.id).status, kinds(placed.id).count("parts_order.status_derived released")) == ("released", 2)


def test_a_message_that_was_reported_is_known_to_a_step_and_the_other_way_round(desk: Desk) -> None:
    desk.put(2)
    one, two = (each.id for each in desk.place(1, 1).lines)
    [result] = report_many(reports=[Report("line", one, "released", NOW, "M-1")], **TOLD)
    assert lines.move(line_id=one, to="released", **SAID).version == result.version
    lines.move(line_id=two, to="released", **SAID)
    [result] = report_many(reports=[Report("line", two, "picking", NOW, "M-1")], **TOLD)
    assert (result.outcome, line(two).status) == ("repeated", "released")


def test_who_may_not_move_a_line_learns_nothing_from_an_old_message(desk: Desk) -> None:
    desk.put(1)
    line_id = leaf(desk.place(1)).id
    lines.move(line_id=line_id, to="released", **SAID)
    with pytest.raises(Forbidden):
        lines.move(line_id=line_id, to="released", **SAID | {"by": NOBODY})


def test_a_refused_step_leaves_its_message_unused(desk: Desk) -> None:
    desk.put(1)
    line_id = leaf(desk.place(1)).id
    with pytest.raises(TransitionRefused):
        lines.move(line_id=line_id, to="picking", **SAID)
    lines.move(line_id=line_id, to="released", **TOLD)
    assert lines.move(line_id=line_id, to="picking", **SAID).status == "picking"


def test_a_step_without_a_message_asks_for_none(desk: Desk) -> None:
    desk.put(1)
    line_id = leaf(desk.place(1)).id
    with statements() as sent:
        lines.move(line_id=line_id, to="released", **TOLD)
    assert not [query for query in sent if "message_id" in query["sql"] and "SELECT" in query["sql"][:9]]


# --- A shipment ------------------------------------------------------------------------------------------------------


def shipped(order_id: UUID, line_id: UUID, quantity: int | None = None, **facts: Any) -> list[UUID]:
    item = ShipItem(line_id, None if quantity is None else d(quantity))
    made = lines.ship(order_id=order_id, items=[item], walk=True, **SAID | facts)
    return [shipment.pk for shipment in made]


def test_a_shipment_said_twice_is_one(desk: Desk) -> None:
    desk.put(5)
    placed = desk.place(3)
    first = shipped(placed.id, leaf(placed).id)
    assert shipped(placed.id, leaf(placed).id) == first
    assert (Shipment.objects.count(), desk.balance()) == (1, balance(2))


def test_a_part_of_a_line_that_is_said_twice_leaves_once(desk: Desk) -> None:
    desk.put(9)
    placed = desk.place(5)
    first = shipped(placed.id, leaf(placed).id, 2)
    assert shipped(placed.id, leaf(placed).id, 2) == first
    rest = child(placed, "1.1").pk
    second = shipped(placed.id, rest, 1, message_id="M-2")
    assert shipped(placed.id, rest, 1, message_id="M-2") == second != first
    assert tree(placed.id)[1:] == [("1.1", "reserved", 2), ("1.2", "shipped", 2), ("1.3", "shipped", 1)]
    assert desk.balance() == balance(6, 2)


def test_a_message_that_shipped_something_else_of_an_order_is_refused(desk: Desk) -> None:
    desk.put(9)
    placed = desk.place(5, 1)
    shipped(placed.id, leaf(placed).id, 2)
    rest, other = child(placed, "1.1").pk, placed.lines[1].id
    with pytest.raises(MessageUsed):
        shipped(placed.id, rest, 1)
    with pytest.raises(MessageUsed):
        lines.ship(order_id=placed.id, items=[ShipItem(leaf(placed).id), ShipItem(other)], walk=True, **SAID)
    assert [status for _number, status, _quantity in tree(placed.id)] == ["reserved", "reserved", "shipped", "reserved"]


def test_one_message_may_ship_one_line_after_the_other(desk: Desk) -> None:
    desk.put(2)
    placed = desk.place(1, 1)
    for each in placed.lines:
        shipped(placed.id, each.id)
    assert (order(placed.id).status, Shipment.objects.count()) == ("shipped", 2)


# --- An order --------------------------------------------------------------------------------------------------------


def test_an_order_said_twice_is_placed_once(desk: Desk) -> None:
    desk.put(2)
    first = desk.place(1, 5, message_id="M-1")
    again = desk.place(1, 5, message_id="M-1")
    assert (again.id, again.reference, first.replayed, again.replayed) == (first.id, first.reference, False, True)
    assert PartsOrder.objects.count() == 1
    with pytest.raises(Refused):
        desk.place(1, message_id="M-1", customer_id=CustomerFactory.create().pk)
    assert desk.place(1, message_id="M-2").id != first.id


def test_an_order_that_takes_stock_back_twice_from_one_line_may_say_so_with_one_message(desk: Desk) -> None:
    """What follows for others is not what the message says."""
    desk.put(2)
    soft = desk.transfer(2, to=WarehouseFactory.create())
    urgent = desk.order([Wanted(d(2), desk.part.pk)], message_id="M-1")
    assert order(soft.id).status == "back_ordered"
    desk.put(2)
    loser = child(soft, "1.1").pk
    assert line(loser).status == "reserved"
    overriding.override(line_id=leaf(urgent).id, to="back_ordered", reason="x", reference="CASE-1", **TOLD)
    assert {event.message_id for event in events(loser)} == {""}
    assert {event.message_id for event in events(BackOrder.objects.get(line_id=loser).pk)} == {""}


# --- A job -----------------------------------------------------------------------------------------------------------


def test_a_step_of_a_job_said_twice_is_answered_as_the_first_time(desk: Desk) -> None:
    job = desk.job("new")
    first = service_orders.move(service_order_id=job.pk, to="in_progress", **SAID)
    service_orders.move(service_order_id=job.pk, to="new", **TOLD)
    again = service_orders.move(service_order_id=job.pk, to="in_progress", expected_version=job.version, **SAID)
    assert again == first
    with pytest.raises(MessageUsed):
        service_orders.move(service_order_id=job.pk, to="scheduled", **SAID)
    assert kinds(job.pk)[-1] == "service_order.status_changed new"


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_a_message_that_cannot_be_kept_is_refused_by_every_action(desk: Desk, name: str) -> None:
    desk.put(1)
    placed, job = desk.place(1), desk.job("new")
    facts = told(message_id=name)
    attempts = [
        lambda: lines.move(line_id=leaf(placed).id, to="released", **facts),
        lambda: lines.ship(order_id=placed.id, items=[ShipItem(leaf(placed).id)], walk=True, **facts),
        lambda: service_orders.move(service_order_id=job.pk, to="in_progress", **facts),
        lambda: desk.place(1, message_id=name),
    ]
    for attempt in attempts:
        with pytest.raises(Invalid) as refusal:
            attempt()
        assert list(refusal.value.extra["fields"]) == ["message_id"]
    [result] = report_many(reports=[Report("line", leaf(placed).id, "released", NOW, name)], **TOLD)
    assert (result.outcome, result.refusal.code if result.refusal else "") == ("refused", "invalid")
