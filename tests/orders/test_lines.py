"""Lines on their way: steps, shipping, cancelling, coming back, promises. Trees always add up (see the desk)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from orders.actions import lines, parts_orders
from orders.actions.lines import ShipItem, Step
from orders.actions.placing import Placed, Wanted
from orders.errors import NothingToDo, ReasonRequired, TransitionRefused
from orders.models import OrderEvent, OrderLine, PartsOrder, Shipment
from orders.signals import line_withdrawn
from orders.statuses import LINE_STEPS, LineStatus
from parts.errors import Forbidden, Invalid, MoreThanIssued, NotFound, Refused, VersionConflict
from parts.keys import new_key
from parts.models import Reservation
from tests.factories.parts import PartFactory, UnitOfMeasureFactory, WarehouseFactory
from tests.orders.desk import (
    NOBODY,
    TOLD,
    Desk,
    back_order,
    balance,
    d,
    days,
    events,
    kinds,
    leaf,
    line,
    only,
    order,
    queue,
    statements,
    told,
    tree,
)


class ReceiverFailed(Exception):
    """The floor above could not do its part."""


@pytest.fixture
def _failing_queue() -> Iterator[None]:
    def fail(**_facts: object) -> None:
        raise ReceiverFailed

    line_withdrawn.connect(fail, weak=False)
    yield
    line_withdrawn.disconnect(fail)


def child(placed: Placed, number: str) -> OrderLine:
    return OrderLine.objects.get(order_id=placed.id, reference=f"{placed.reference}/{number}")


def sent_without_savepoints(sent: Any) -> int:
    return len([query for query in sent if "SAVEPOINT" not in query["sql"]])


# --- Steps -----------------------------------------------------------------------------------------------------------


def test_a_line_walks_from_the_shelf_to_its_receiver(desk: Desk) -> None:
    desk.put(5)
    placed = desk.place(3)
    line_id = leaf(placed).id
    desk.pack(line_id)
    lines.move(line_id=line_id, to="shipped", **told(hours=1))
    assert desk.balance() == balance(2)
    lines.move(line_id=line_id, to="delivered", **told(hours=30))
    assert (order(placed.id).status, order(placed.id).progress) == ("delivered", 1)
    assert Shipment.objects.get(order_id=placed.id).delivered_at == told(hours=30)["at"]
    assert [event.to_status for event in events(line_id)] == [
        "reserved",
        "released",
        "picking",
        "packed",
        "shipped",
        "delivered",
    ]


def test_a_step_without_stock_is_two_statements(desk: Desk) -> None:
    desk.put(1)
    line_id = leaf(desk.place(1)).id
    with statements() as sent:
        lines.move(line_id=line_id, to="released", **TOLD)
    assert sent_without_savepoints(sent) == 2


@pytest.mark.parametrize("to", ["released", "picking", "shipped", "cancelled"])
def test_many_steps_are_as_many_statements_as_few(desk: Desk, to: str) -> None:
    counts = []
    desk.put(100)
    for number in (2, 20):
        ids = [leaf(desk.place(1)).id for _ in range(number)]
        if to in ("picking", "shipped"):
            for line_id in ids:
                desk.pack(line_id, "released" if to == "picking" else "packed")
        with statements() as sent:
            answers = lines.move_many(steps=[Step(line_id, to, note="So be it") for line_id in ids], **TOLD)
        assert {getattr(answer, "status", answer) for answer in answers} == {to}
        counts.append(len(sent))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("to", LineStatus.values)
def test_by_hand_a_line_only_goes_where_stock_does_not_lead(desk: Desk, to: str) -> None:
    desk.put(1)
    line_id = leaf(desk.place(1)).id
    if to in ("released", "cancelled"):
        lines.move(line_id=line_id, to=to, note="So be it", **TOLD)
        return
    with pytest.raises(Refused):
        lines.move(line_id=line_id, to=to, note="So be it", **TOLD)
    assert line(line_id).status == "reserved"


def test_what_a_refusal_allows_is_what_works(desk: Desk) -> None:
    desk.put(1)
    line_id = leaf(desk.place(1)).id
    with pytest.raises(TransitionRefused) as refusal:
        lines.move(line_id=line_id, to="back_ordered", **TOLD)
    assert refusal.value.extra["allowed"] == ["released", "cancelled"]
    assert set(refusal.value.extra["allowed"]) < set(LINE_STEPS["reserved"])


def test_a_split_line_is_not_moved_itself(desk: Desk) -> None:
    desk.put(1)
    placed = desk.place(2)
    with pytest.raises(TransitionRefused) as refusal:
        lines.move(line_id=placed.lines[0].id, to="cancelled", note="x", **TOLD)
    assert refusal.value.extra["split"] is True


def test_a_step_on_an_old_version_is_refused(desk: Desk) -> None:
    desk.put(1)
    line_id = leaf(desk.place(1)).id
    lines.move(line_id=line_id, to="released", expected_version=1, **TOLD)
    with pytest.raises(VersionConflict) as refusal:
        lines.move(line_id=line_id, to="picking", expected_version=1, **TOLD)
    assert refusal.value.extra == {"version": 2, "status": "released"}


def test_of_many_steps_each_has_its_own_answer(desk: Desk) -> None:
    desk.put(3)
    one, two = leaf(desk.place(1)).id, leaf(desk.place(1)).id
    answers = lines.move_many(
        steps=[Step(one, "released"), Step(two, "shipped"), Step(new_key(), "released"), Step(one, "picking")], **TOLD
    )
    assert [type(answer).__name__ for answer in answers] == ["Moved", "TransitionRefused", "NotFound", "Moved"]
    assert (line(one).status, line(two).status) == ("picking", "reserved")


def test_many_delivered_lines_close_their_shipments(desk: Desk) -> None:
    desk.put(2)
    ids = [leaf(desk.place(1)).id for _ in range(2)]
    for line_id in ids:
        desk.ship(line_id)
    lines.move_many(steps=[Step(line_id, "delivered") for line_id in ids], **told(hours=2))
    assert not Shipment.objects.filter(delivered_at=None).exists()


def test_a_line_on_hold_only_ends(desk: Desk) -> None:
    desk.put(2)
    placed = desk.place(1, 1)
    parts_orders.hold(order_id=placed.id, reason="Credit limit", **TOLD)
    with pytest.raises(Refused, match="on hold"):
        lines.move(line_id=placed.lines[0].id, to="released", **TOLD)
    with pytest.raises(Refused, match="on hold"):
        desk.ship(placed.lines[0].id)
    lines.move(line_id=placed.lines[0].id, to="cancelled", note="Not needed", **TOLD)


def test_nobody_does_anything_to_a_line_without_the_right(desk: Desk) -> None:
    desk.put(2)
    placed = desk.place(2)
    line_id = leaf(placed).id
    mover = told(by=only("orders.move_orderline"))
    nobody = told(by=NOBODY)
    attempts = [
        lambda: lines.move(line_id=line_id, to="released", **nobody),
        lambda: lines.move(line_id=line_id, to="cancelled", note="x", **mover),
        lambda: lines.ship(order_id=placed.id, items=[ShipItem(line_id)], **mover),
        lambda: lines.cancel(line_id=line_id, reason="x", **mover),
        lambda: lines.return_to_stock(line_id=line_id, quantity=d(1), **nobody),
        lambda: lines.promise(line_id=line_id, promised_on=days(2), **mover),
        lambda: parts_orders.cancel(order_id=placed.id, reason="x", **mover),
        lambda: parts_orders.hold(order_id=placed.id, reason="x", **mover),
        lambda: parts_orders.let_go(order_id=placed.id, **mover),
        lambda: parts_orders.release_ready(order_ids=[placed.id], **nobody),
        lambda: parts_orders.release_ready(order_ids=[placed.id], to="shipped", **mover),
    ]
    for attempt in attempts:
        with pytest.raises(Forbidden):
            attempt()
    assert len(OrderEvent.objects.filter(reference__startswith=placed.reference)) == 2


# --- Shipping --------------------------------------------------------------------------------------------------------


def test_a_part_of_a_line_is_shipped_and_the_rest_stays_behind(desk: Desk) -> None:
    desk.put(10)
    placed = desk.place(8)
    desk.ship(leaf(placed).id, 3)
    assert tree(placed.id) == [("1", "reserved", 8), ("1.1", "reserved", 5), ("1.2", "shipped", 3)]
    assert order(placed.id).progress == Decimal("0.375")
    assert desk.balance() == balance(7, 5)
    desk.ship(child(placed, "1.1").pk, 1)
    desk.ship(child(placed, "1.1").pk)
    assert (order(placed.id).status, order(placed.id).progress) == ("shipped", 1)
    assert desk.balance() == balance(2)
    assert Shipment.objects.filter(order_id=placed.id).count() == 3


def test_lines_that_leave_one_warehouse_together_are_one_shipment(desk: Desk) -> None:
    other = WarehouseFactory.create()
    elsewhere = PartFactory.create()
    desk.put(5)
    desk.put(5, part=elsewhere, at=other)
    placed = desk.order([Wanted(d(1), desk.part.pk), Wanted(d(2), desk.part.pk), Wanted(d(1), elsewhere.pk)])
    shipments = lines.ship(
        order_id=placed.id,
        items=[ShipItem(item.id) for item in placed.lines],
        carrier="DHL",
        tracking_number="JD014",
        walk=True,
        **TOLD,
    )
    assert sorted(shipment.lines.count() for shipment in shipments) == [1, 2]
    assert {(shipment.carrier, shipment.tracking_number) for shipment in shipments} == {("DHL", "JD014")}


def test_what_a_walk_passes_through_is_marked_so(desk: Desk) -> None:
    desk.put(1)
    line_id = leaf(desk.place(1)).id
    desk.ship(line_id)
    assert [(event.to_status, event.passed_through) for event in events(line_id)] == [
        ("reserved", False),
        ("released", True),
        ("picking", True),
        ("packed", True),
        ("shipped", False),
    ]


def test_only_what_is_packed_leaves_unless_it_is_walked_there(desk: Desk) -> None:
    desk.put(1)
    placed = desk.place(1)
    with pytest.raises(TransitionRefused):
        lines.ship(order_id=placed.id, items=[ShipItem(leaf(placed).id)], **TOLD)
    assert tree(placed.id) == [("1", "reserved", 1)]


def test_a_line_that_awaits_kitting_is_packed_and_shipped(desk: Desk) -> None:
    desk.put(1)
    line_id = leaf(desk.place(1)).id
    desk.pack(line_id, "picking")
    lines.move(line_id=line_id, to="awaiting_kitting", **TOLD)
    desk.ship(line_id)
    assert line(line_id).status == "shipped"


@pytest.mark.usefixtures("_failing_queue")
def test_a_shipment_that_fails_half_way_never_was(desk: Desk) -> None:
    desk.put(5)
    placed = desk.place(5)
    before = OrderEvent.objects.count()
    with pytest.raises(ReceiverFailed):
        desk.ship(leaf(placed).id, 2)
    assert tree(placed.id) == [("1", "reserved", 5)]
    assert (desk.balance(), Shipment.objects.count(), OrderEvent.objects.count()) == (balance(5, 5), 0, before)


@pytest.mark.parametrize("quantity", ["0", "-1", "6", "NaN", "Infinity", "1.5", "0.0005"])
def test_a_part_of_a_line_that_cannot_be_is_refused(desk: Desk, quantity: str) -> None:
    desk.put(5)
    placed = desk.place(5)
    with pytest.raises(Invalid) as refusal:
        desk.ship(leaf(placed).id, quantity)
    assert list(refusal.value.extra["fields"]) == ["lines.0.quantity"]
    with pytest.raises(Invalid) as refusal:
        lines.cancel(line_id=leaf(placed).id, reason="x", quantity=Decimal(quantity), **TOLD)
    assert list(refusal.value.extra["fields"]) == ["quantity"]
    assert tree(placed.id) == [("1", "reserved", 5)]


def test_a_unit_with_decimals_is_split_to_the_last_of_them(desk: Desk) -> None:
    oil = PartFactory.create(unit=UnitOfMeasureFactory.create(code="LTR", name="Litre", decimals=3))
    desk.put(2, part=oil)
    placed = desk.order([Wanted(d("1.5"), oil.pk)])
    desk.ship(leaf(placed).id, "0.001")
    lines.cancel(line_id=placed.lines[0].id, reason="x", quantity=d("0.999"), **TOLD)
    assert tree(placed.id)[1:] == [
        ("1.1", "reserved", d("0.500")),
        ("1.2", "shipped", d("0.001")),
        ("1.3", "cancelled", d("0.999")),
    ]


def test_a_shipment_names_lines_of_its_order_once(desk: Desk) -> None:
    desk.put(2)
    placed, other = desk.place(1), desk.place(1)
    for items in ([], [ShipItem(leaf(placed).id)] * 2):
        with pytest.raises(Invalid):
            lines.ship(order_id=placed.id, items=items, walk=True, **TOLD)
    for order_id, line_id in [(placed.id, leaf(other).id), (new_key(), leaf(placed).id)]:
        with pytest.raises(NotFound):
            lines.ship(order_id=order_id, items=[ShipItem(line_id)], walk=True, **TOLD)


def test_what_waits_does_not_leave(desk: Desk) -> None:
    placed = desk.place(1)
    with pytest.raises(TransitionRefused):
        desk.ship(leaf(placed, "back_ordered").id)


def test_shipping_is_as_many_statements_for_many_lines_as_for_few(desk: Desk) -> None:
    counts = []
    desk.put(100)
    for number in (2, 20):
        placed = desk.place(*[2] * number)
        with statements() as sent:
            items = [ShipItem(item.id, d(1)) for item in placed.lines]
            lines.ship(order_id=placed.id, items=items, walk=True, **TOLD)
        counts.append(len(sent))
    assert counts[0] == counts[1]


def test_a_complete_delivery_leaves_as_one_or_not_at_all(desk: Desk) -> None:
    desk.put(5)
    placed = desk.place(2, 3, complete_delivery_only=True)
    first, second = (item.id for item in placed.lines)
    for items in ([ShipItem(first)], [ShipItem(first), ShipItem(second, d(1))]):
        with pytest.raises(Refused, match="complete only"):
            lines.ship(order_id=placed.id, items=items, walk=True, **TOLD)
    desk.pack(first)
    with pytest.raises(Refused, match="complete only"):
        lines.move(line_id=first, to="shipped", **TOLD)
    [answer] = lines.move_many(steps=[Step(first, "shipped")], **TOLD)
    assert isinstance(answer, Refused)
    desk.pack(second)
    answers = lines.move_many(steps=[Step(first, "shipped"), Step(second, "shipped")], **TOLD)
    assert not [answer for answer in answers if isinstance(answer, Refused)]
    assert order(placed.id).status == "shipped"


# --- Cancelling ------------------------------------------------------------------------------------------------------


def test_cancelling_gives_up_what_waits_before_what_is_held(desk: Desk) -> None:
    desk.put(3)
    placed = desk.place(10)
    root = placed.lines[0].id
    lines.cancel(line_id=root, reason="Fewer will do", quantity=d(5), **TOLD)
    assert tree(placed.id)[1:] == [("1.1", "reserved", 3), ("1.2", "back_ordered", 2), ("1.3", "cancelled", 5)]
    assert queue(desk.part) == [(f"{placed.reference}/1.2", 2)]
    lines.cancel(line_id=root, reason="Fewer still", quantity=d(3), **TOLD)
    assert tree(placed.id)[1:] == [
        ("1.1", "reserved", 2),
        ("1.2", "cancelled", 2),
        ("1.3", "cancelled", 5),
        ("1.4", "cancelled", 1),
    ]
    assert (queue(desk.part), desk.balance()) == ([], balance(3, 2))
    lines.cancel(line_id=root, reason="None", **TOLD)
    assert (order(placed.id).status, order(placed.id).progress, desk.balance()) == ("cancelled", 0, balance(3))


def test_what_a_cancelled_line_held_goes_to_who_waits(desk: Desk) -> None:
    desk.put(4)
    first, second = desk.place(4), desk.place(3)
    lines.cancel(line_id=leaf(first).id, reason="Not needed", **TOLD)
    assert (order(second.id).status, desk.balance()) == ("reserved", balance(4, 3))


def test_what_left_stays_left_when_the_rest_is_cancelled(desk: Desk) -> None:
    desk.put(2)
    placed = desk.place(6)
    desk.ship(leaf(placed).id, 1)
    answer = lines.cancel(line_id=placed.lines[0].id, reason="Not needed", **TOLD)
    assert (answer.status, order(placed.id).progress) == ("shipped", 1)
    assert {status for _, status, _ in tree(placed.id)[1:]} == {"shipped", "cancelled"}
    with pytest.raises(TransitionRefused):
        lines.cancel(line_id=placed.lines[0].id, reason="Again", **TOLD)


def test_a_whole_order_is_cancelled_as_far_as_it_has_not_left(desk: Desk) -> None:
    desk.put(2)
    placed = desk.place(1, 1, 5)
    desk.ship(placed.lines[0].id)
    parts_orders.cancel(order_id=placed.id, reason="Customer closed the site", **TOLD)
    assert [status for _, status, _ in tree(placed.id)] == ["shipped", "cancelled", "cancelled", "cancelled"]
    assert order(placed.id).status == "shipped"
    with pytest.raises(TransitionRefused):
        parts_orders.cancel(order_id=placed.id, reason="Again", **TOLD)


@pytest.mark.usefixtures("_failing_queue")
def test_a_cancellation_that_fails_half_way_never_was(desk: Desk) -> None:
    desk.put(2)
    placed = desk.place(5)
    before = OrderEvent.objects.count()
    with pytest.raises(ReceiverFailed):
        lines.cancel(line_id=placed.lines[0].id, reason="x", quantity=d(4), **TOLD)
    assert tree(placed.id) == [("1", "back_ordered", 5), ("1.1", "reserved", 2), ("1.2", "back_ordered", 3)]
    assert (desk.balance(), OrderEvent.objects.count()) == (balance(2, 2), before)


def test_cancelling_needs_a_reason_and_the_present_version(desk: Desk) -> None:
    desk.put(1)
    placed = desk.place(1)
    line_id = leaf(placed).id
    for attempt in (
        lambda: lines.cancel(line_id=line_id, reason=" ", **TOLD),
        lambda: lines.move(line_id=line_id, to="cancelled", note=" ", **TOLD),
        lambda: parts_orders.cancel(order_id=placed.id, reason=" ", **TOLD),
    ):
        with pytest.raises(ReasonRequired):
            attempt()
    with pytest.raises(VersionConflict):
        lines.cancel(line_id=line_id, reason="x", expected_version=9, **TOLD)
    with pytest.raises(VersionConflict):
        parts_orders.cancel(order_id=placed.id, reason="x", expected_version=9, **TOLD)
    with pytest.raises(NotFound):
        lines.cancel(line_id=new_key(), reason="x", **TOLD)


def test_the_version_a_cancellation_answers_with_is_the_present_one(desk: Desk) -> None:
    """Also where what it freed went to another part of the same line."""
    desk.put(4)
    placed = desk.place(4)
    waiting = desk.place(10, complete_delivery_only=True)
    answer = lines.cancel(line_id=waiting.lines[0].id, quantity=d(6), reason="Fewer", **TOLD)
    assert answer.version == line(waiting.lines[0].id).version
    answer = lines.cancel(line_id=leaf(placed).id, reason="None", **TOLD)
    assert answer.version == line(leaf(placed).id).version
    assert order(waiting.id).status == "reserved"


def test_who_needs_less_takes_what_was_too_little_before(desk: Desk) -> None:
    waiting = desk.place(10, complete_delivery_only=True)
    desk.put(4)
    assert desk.balance() == balance(4)
    lines.cancel(line_id=waiting.lines[0].id, quantity=d(6), reason="Fewer will do", **TOLD)
    assert (order(waiting.id).status, desk.balance()) == ("reserved", balance(4, 4))


# --- Coming back -----------------------------------------------------------------------------------------------------


def test_what_comes_back_is_in_stock_again_and_goes_to_who_waits(desk: Desk) -> None:
    desk.put(5)
    placed = desk.place(5)
    waiting = desk.place(2)
    line_id = leaf(placed).id
    desk.ship(line_id)
    lines.return_to_stock(line_id=line_id, quantity=d(3), unfit=d(1), note="Wrong size", **TOLD)
    assert tree(placed.id)[1:] == [("1.1", "shipped", 2), ("1.2", "returned", 3)]
    assert desk.balance() == balance(3, 2, 1)
    assert order(waiting.id).status == "reserved"
    lines.return_to_stock(line_id=child(placed, "1.1").pk, quantity=d(2), **TOLD)
    assert (order(placed.id).status, desk.balance()) == ("returned", balance(5, 2, 1))


def test_a_shipped_part_comes_back_to_where_it_left(desk: Desk) -> None:
    desk.put(5)
    placed = desk.place(5)
    desk.ship(leaf(placed).id, 2)
    desk.ship(child(placed, "1.1").pk, 2)
    for number in ("1.2", "1.3"):
        lines.return_to_stock(line_id=child(placed, number).pk, quantity=d(1), **TOLD)
    assert desk.balance() == balance(3, 1)
    with pytest.raises(Invalid):
        lines.return_to_stock(line_id=child(placed, "1.2").pk, quantity=d(2), **TOLD)


@pytest.mark.parametrize("facts", [{"quantity": d(0)}, {"quantity": d(4)}, {"quantity": d(1), "unfit": d(2)}])
def test_a_return_that_cannot_be_is_refused(desk: Desk, facts: dict[str, Any]) -> None:
    desk.put(3)
    placed = desk.place(3)
    desk.ship(leaf(placed).id)
    with pytest.raises((Invalid, MoreThanIssued)):
        lines.return_to_stock(line_id=leaf(placed).id, **facts, **TOLD)
    assert (tree(placed.id), desk.balance()) == ([("1", "shipped", 3)], balance(0))


def test_what_never_left_does_not_come_back(desk: Desk) -> None:
    desk.put(1)
    with pytest.raises(TransitionRefused):
        lines.return_to_stock(line_id=leaf(desk.place(1)).id, quantity=d(1), **TOLD)
    with pytest.raises(NotFound):
        lines.return_to_stock(line_id=new_key(), quantity=d(1), **TOLD)


# --- Promises --------------------------------------------------------------------------------------------------------


def test_the_first_promise_never_moves(desk: Desk) -> None:
    placed = desk.place(5)
    line_id = leaf(placed, "back_ordered").id
    lines.promise(line_id=line_id, promised_on=days(7), **TOLD)
    lines.promise(line_id=line_id, promised_on=days(12), reason="Supplier slipped", **TOLD)
    assert (line(line_id).first_promised_on, line(line_id).promised_on) == (days(7), days(12))
    desk.put(2)
    part = child(placed, "1.2")
    assert (part.status, part.first_promised_on, part.promised_on) == ("reserved", days(7), days(12))
    assert kinds(line_id)[-2:] == ["line.promise_changed", "line.quantity_changed"] or "line.promise_changed" in kinds(
        line_id
    )
    assert [event.data for event in events(line_id) if event.kind == "line.promise_changed"] == [
        {"from": None, "to": str(days(7))},
        {"from": str(days(7)), "to": str(days(12))},
    ]


def test_a_promise_that_cannot_be_kept_or_is_no_news_is_refused(desk: Desk) -> None:
    line_id = leaf(desk.place(1), "back_ordered").id
    with pytest.raises(Invalid):
        lines.promise(line_id=line_id, promised_on=days(-1), **TOLD)
    lines.promise(line_id=line_id, promised_on=days(3), **TOLD)
    with pytest.raises(NothingToDo):
        lines.promise(line_id=line_id, promised_on=days(3), **TOLD)
    with pytest.raises(ReasonRequired):
        lines.promise(line_id=line_id, promised_on=days(4), **TOLD)
    with pytest.raises(VersionConflict):
        lines.promise(line_id=line_id, promised_on=days(4), reason="x", expected_version=1, **TOLD)
    lines.cancel(line_id=line_id, reason="Not needed", **TOLD)
    with pytest.raises(Refused, match="nothing to promise"):
        lines.promise(line_id=line_id, promised_on=days(4), reason="x", **TOLD)


# --- The order as a whole --------------------------------------------------------------------------------------------


def test_an_order_is_held_and_let_go_once(desk: Desk) -> None:
    placed = desk.place(1)
    parts_orders.hold(order_id=placed.id, reason="Credit limit", **TOLD)
    assert (order(placed.id).on_hold, order(placed.id).hold_reason) == (True, "Credit limit")
    with pytest.raises(NothingToDo):
        parts_orders.hold(order_id=placed.id, reason="Credit limit", **TOLD)
    parts_orders.let_go(order_id=placed.id, **TOLD)
    assert (order(placed.id).on_hold, order(placed.id).hold_reason) == (False, "")
    with pytest.raises(NothingToDo):
        parts_orders.let_go(order_id=placed.id, **TOLD)
    with pytest.raises(ReasonRequired):
        parts_orders.hold(order_id=placed.id, reason=" ", **TOLD)
    with pytest.raises(Invalid):
        parts_orders.hold(order_id=placed.id, reason="x" * 201, **TOLD)


def test_where_nothing_stands_in_the_way_lines_leave_with_no_person(desk: Desk) -> None:
    desk.put(5)
    paper = WarehouseFactory.create(mode="paper")
    by_hand = PartFactory.create()
    desk.put(5, part=by_hand, at=paper)
    placed = desk.order([Wanted(d(1), desk.part.pk), Wanted(d(1), by_hand.pk)])
    held, waiting = desk.place(1), desk.place(5, complete_delivery_only=True)
    parts_orders.hold(order_id=held.id, reason="Credit limit", **TOLD)
    ready = parts_orders.ready_orders(limit=10)
    assert ready == [placed.id]
    every = [placed.id, held.id, waiting.id]
    assert parts_orders.release_ready(order_ids=every, **TOLD) == 1
    assert [status for _, status, _ in tree(placed.id)] == ["released", "reserved"]
    assert parts_orders.release_ready(order_ids=every, **TOLD) == 0
    assert parts_orders.release_ready(order_ids=every, to="shipped", **TOLD) == 1
    assert (order(held.id).status, order(waiting.id).status) == ("reserved", "back_ordered")


def test_nothing_of_a_complete_delivery_leaves_before_the_rest(desk: Desk) -> None:
    paper = WarehouseFactory.create(mode="paper")
    by_hand = PartFactory.create()
    desk.put(1)
    desk.put(1, part=by_hand, at=paper)
    placed = desk.order([Wanted(d(1), desk.part.pk), Wanted(d(1), by_hand.pk)], complete_delivery_only=True)
    assert parts_orders.release_ready(order_ids=[placed.id], to="shipped", **TOLD) == 0
    assert parts_orders.release_ready(order_ids=[placed.id], **TOLD) == 1


def test_lines_are_released_or_shipped_by_rule_and_nothing_else(desk: Desk) -> None:
    desk.put(1)
    placed = desk.place(1)
    with pytest.raises(Invalid):
        parts_orders.release_ready(order_ids=[placed.id], to="delivered", **TOLD)


def test_releasing_many_orders_is_as_many_statements_as_few(desk: Desk) -> None:
    desk.put(100)
    for to in ("released", "shipped"):
        counts = []
        for number in (2, 20):
            ids = [desk.place(1).id for _ in range(number)]
            with statements() as sent:
                assert parts_orders.release_ready(order_ids=ids, to=to, **TOLD) == number
            counts.append(len(sent))
        assert counts[0] == counts[1]
    assert PartsOrder.objects.filter(status="shipped").count() == 22
    assert Reservation.objects.filter(status="issued").count() == 22


def test_an_allocated_back_order_ends_with_its_line(desk: Desk) -> None:
    placed = desk.place(4)
    line_id = leaf(placed, "back_ordered").id
    desk.put(4)
    assert back_order(line_id).status == "allocated"
    desk.ship(line_id, 1)
    assert back_order(line_id).status == "allocated"
    desk.ship(line_id)
    assert (back_order(line_id).status, order(placed.id).status) == ("fulfilled", "shipped")
