"""A soft reservation that nobody picked lapses: others are served, and the line waits again."""

from __future__ import annotations

import pytest

from orders import tasks
from orders.actions import lines, overriding
from orders.actions.expiring import expire, expired_lines
from orders.actions.holding import SOFT_FOR
from parts.errors import Forbidden
from parts.models import Reservation
from tests.factories.parts import WarehouseFactory
from tests.orders.desk import NOBODY, NOW, TOLD, Desk, back_order, balance, d, leaf, line, queue, statements, told

LATER = NOW + SOFT_FOR


def test_a_lapsed_reservation_goes_to_the_one_who_waits(desk: Desk) -> None:
    first, second = WarehouseFactory.create(), WarehouseFactory.create()
    desk.put(5)
    soft = desk.transfer(5, to=first)
    waiting = desk.transfer(3, to=second)
    assert [missing for _reference, missing in queue(desk.part)] == [d(3)]

    expire(line_ids=[leaf(soft).id], by=TOLD["by"], source="test", at=LATER)

    served = Reservation.objects.live().get(demand_id=leaf(waiting, "back_ordered").id)
    assert served.quantity == d(3)
    assert desk.balance() == balance(5, 5)
    assert [missing for _reference, missing in queue(desk.part)] == [d(3)]  # the first, which got the other two


def test_where_nobody_waits_the_line_gets_it_again_for_another_time(desk: Desk) -> None:
    desk.put(5)
    soft = desk.transfer(5, to=WarehouseFactory.create())
    expire(line_ids=[leaf(soft).id], by=TOLD["by"], source="test", at=LATER)
    held = Reservation.objects.live().get()
    assert (held.quantity, held.expires_at) == (d(5), LATER + SOFT_FOR)
    assert desk.balance() == balance(5, 5)
    assert expired_lines(at=LATER, limit=10) == []


def test_a_repeat_does_nothing_and_neither_does_a_moment_too_early(desk: Desk) -> None:
    desk.put(5)
    soft = leaf(desk.transfer(5, to=WarehouseFactory.create())).id
    early = LATER - (LATER - NOW) / 2
    assert expired_lines(at=early, limit=10) == []
    assert expire(line_ids=[soft], by=TOLD["by"], source="test", at=early) == 0
    assert expire(line_ids=[soft], by=TOLD["by"], source="test", at=LATER) == 1
    assert expire(line_ids=[soft], by=TOLD["by"], source="test", at=LATER) == 0
    assert expire(line_ids=[], by=TOLD["by"], source="test", at=LATER) == 0


def test_what_was_picked_does_not_lapse(desk: Desk) -> None:
    desk.put(5)
    soft = leaf(desk.transfer(5, to=WarehouseFactory.create())).id
    for status in ("released", "picking"):
        lines.move(line_id=soft, to=status, **told(hours=1))
    assert expired_lines(at=LATER, limit=10) == []
    assert expire(line_ids=[soft], by=TOLD["by"], source="test", at=LATER) == 0
    assert line(soft).status == "picking"


def test_hard_reservations_never_lapse(desk: Desk) -> None:
    desk.put(5)
    desk.place(5)
    assert expired_lines(at=LATER, limit=10) == []


def test_the_task_takes_all_that_has_lapsed(desk: Desk) -> None:
    van = WarehouseFactory.create()
    desk.put(9)
    for _ in range(3):
        desk.transfer(3, to=van)
    assert tasks.expire_reservations(at=NOW) == 0
    assert tasks.expire_reservations(at=LATER) == 3
    assert tasks.expire_reservations(at=LATER) == 0


def test_expiring_takes_as_many_statements_for_many_lines_as_for_two(desk: Desk) -> None:
    van, counts = WarehouseFactory.create(), []
    for number in (2, 12):
        desk.put(number)
        ids = [leaf(desk.transfer(1, to=van)).id for _ in range(number)]
        with statements() as sent:
            assert expire(line_ids=ids, by=TOLD["by"], source="test", at=LATER) == number
        counts.append(len(sent))
    assert counts[0] == counts[1]


def test_nobody_takes_back_what_lapsed_without_the_right_to_move_lines(desk: Desk) -> None:
    desk.put(5)
    soft = desk.transfer(5, to=WarehouseFactory.create())

    with pytest.raises(Forbidden):
        expire(line_ids=[leaf(soft).id], by=NOBODY, source="test", at=LATER)

    assert line(leaf(soft).id).status == "reserved"


def test_several_lines_that_lapse_after_an_override_all_wait_again(desk: Desk) -> None:
    """Their back orders were cancelled with them, and come back although the flow leads nowhere from there."""
    lapsing = []
    for _number in range(2):
        soft = desk.transfer(5, to=WarehouseFactory.create())
        key = leaf(soft, "back_ordered").id
        for status in ("cancelled", "reserved"):
            if status == "reserved":
                desk.put(5)
            overriding.override(line_id=key, to=status, reason="By hand", reference="CASE-1", **TOLD)
        lapsing.append(key)
    desk.place(10, kind="emergency", complete_delivery_only=True, **told(hours=1))

    expire(line_ids=lapsing, by=TOLD["by"], source="test", at=LATER)

    assert {line(key).status for key in lapsing} <= {"back_ordered", "reserved"}
    assert {back_order(key).status for key in lapsing} <= {"open", "allocated"}
