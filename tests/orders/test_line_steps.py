"""A line's steps: one at a time, each under the rules, many as cheaply as few. Trees always add up (see the desk)."""

from __future__ import annotations

import pytest

from orders.actions import lines, parts_orders
from orders.actions.lines import ShipItem, Step
from orders.errors import TransitionRefused
from orders.models import OrderEvent, Shipment
from orders.statuses import LINE_STEPS, LineStatus
from parts.errors import Forbidden, Refused, VersionConflict
from parts.keys import new_key
from tests.orders.desk import NOBODY, TOLD, Desk, balance, d, days, events, leaf, line, only, order, statements, told


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
    assert len([query for query in sent if "SAVEPOINT" not in query["sql"]]) == 2


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
