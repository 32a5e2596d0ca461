"""What a person takes back from release stays until a person says otherwise. All laws hold (see the desk)."""

from __future__ import annotations

from uuid import UUID

import pytest

from orders import tasks
from orders.actions import lines, overriding, parts_orders
from orders.actions.lines import ShipItem, Step
from orders.actions.placing import Placed
from orders.actions.reporting import Report, report_many
from orders.errors import NothingToDo
from orders.statuses import LINE_PATH
from parts.errors import Forbidden, NotFound, VersionConflict
from parts.keys import new_key
from tests.orders.desk import NOBODY, NOW, TOLD, Desk, child, d, events, kinds, leaf, line, order, told


def by_the_clock() -> int:
    """Let the rules do what they do every few minutes; return how many lines they moved."""
    return tasks.release_ready_orders(at=NOW)


def taken_back(desk: Desk, quantity: int = 2) -> tuple[Placed, UUID]:
    """Place an order, let a rule release it, and take its line back."""
    desk.put(quantity)
    placed = desk.place(quantity)
    assert by_the_clock() == 1
    lines.move(line_id=leaf(placed).id, to="reserved", note="Box is damaged", **TOLD)
    return placed, leaf(placed).id


def override(line_id: UUID, to: str) -> None:
    overriding.override(line_id=line_id, to=to, reason="Wrong shelf", reference="CASE-1", **TOLD)


def test_a_line_that_was_taken_back_stays_and_its_timeline_says_why(desk: Desk) -> None:
    placed, line_id = taken_back(desk)
    assert (by_the_clock(), parts_orders.ready_orders(limit=9)) == (0, [])
    for to in ("released", "shipped"):
        assert parts_orders.release_ready(order_ids=[placed.id], to=to, **TOLD) == 0
    assert (line(line_id).status, line(line_id).kept_back) == ("reserved", True)
    last = events(line_id)[-1]
    assert (last.text.text, last.data) == (
        "Box is damaged",
        {"rule": "kept back until a person releases it or lets it go"},
    )


def test_one_of_many_steps_back_is_kept_back_too(desk: Desk) -> None:
    desk.put(1)
    line_id = leaf(desk.place(1)).id
    lines.move_many(steps=[Step(line_id, "released"), Step(line_id, "reserved")], **TOLD)
    assert (by_the_clock(), line(line_id).kept_back) == (0, True)


def test_other_lines_of_its_order_go_on(desk: Desk) -> None:
    desk.put(2)
    placed = desk.place(1, 1)
    one, two = (each.id for each in placed.lines)
    lines.move(line_id=one, to="released", **TOLD)
    lines.move(line_id=one, to="reserved", **TOLD)
    assert by_the_clock() == 1
    assert (line(one).status, line(two).status) == ("reserved", "released")


def test_a_person_releases_it_and_from_then_on_it_is_a_line_like_any_other(desk: Desk) -> None:
    placed, line_id = taken_back(desk)
    lines.move(line_id=line_id, to="released", **TOLD)
    assert not line(line_id).kept_back
    assert parts_orders.release_ready(order_ids=[placed.id], to="shipped", **TOLD) == 1


def test_a_person_lets_it_go_and_the_rules_release_it(desk: Desk) -> None:
    _placed, line_id = taken_back(desk)
    answer = lines.let_go(line_id=line_id, **TOLD)
    assert (answer.status, answer.version, kinds(line_id)[-1]) == ("reserved", line(line_id).version, "line.let_go")
    with pytest.raises(NothingToDo, match="not kept back"):
        lines.let_go(line_id=line_id, **TOLD)
    assert (by_the_clock(), line(line_id).status) == (1, "released")


def test_letting_the_order_go_does_not_let_the_line_go(desk: Desk) -> None:
    placed, line_id = taken_back(desk)
    parts_orders.hold(order_id=placed.id, reason="Credit limit", **TOLD)
    parts_orders.let_go(order_id=placed.id, **TOLD)
    assert (by_the_clock(), line(line_id).status) == (0, "reserved")


def test_a_warehouse_that_reports_it_picked_knows_better(desk: Desk) -> None:
    _placed, line_id = taken_back(desk)
    assert report_many(reports=[Report("line", line_id, "picking", NOW)], **TOLD)[0].outcome == "moved"
    assert not line(line_id).kept_back


def test_it_is_kept_back_with_other_stock_too(desk: Desk) -> None:
    _placed, line_id = taken_back(desk)
    desk.place(2, kind="emergency")
    override(line_id, "back_ordered")
    lost = line(line_id).children.get()
    assert (lost.status, lost.kept_back) == ("back_ordered", True)
    desk.put(1)
    assert [(row.status, row.kept_back) for row in line(line_id).children.order_by("child_number")] == [
        ("back_ordered", True),
        ("reserved", True),
    ]
    desk.put(1)
    assert by_the_clock() == 1  # the emergency's alone


@pytest.mark.parametrize("status", LINE_PATH[1:])
def test_an_override_back_to_reserved_keeps_a_line_back(desk: Desk, status: str) -> None:
    desk.put(2)
    line_id = leaf(desk.place(2)).id
    override(line_id, status)
    desk.put(2)
    override(line_id, "reserved")
    assert (by_the_clock(), line(line_id).kept_back) == (0, True)
    assert "rule" in events(line_id)[-1].data
    override(line_id, "released")
    assert not line(line_id).kept_back


def test_an_override_of_what_waited_leaves_it_to_the_rules(desk: Desk) -> None:
    line_id = leaf(desk.place(2, complete_delivery_only=True), "back_ordered").id
    desk.put(1)
    desk.put(1)
    override(line_id, "cancelled")
    override(line_id, "reserved")
    assert (line(line_id).kept_back, by_the_clock()) == (False, 1)


def test_a_part_that_is_shipped_by_hand_leaves_the_rest_kept_back(desk: Desk) -> None:
    placed, line_id = taken_back(desk)
    lines.ship(order_id=placed.id, items=[ShipItem(line_id, d(1))], walk=True, **TOLD)
    assert (child(placed, "1.1").kept_back, child(placed, "1.2").kept_back) == (True, False)
    assert (by_the_clock(), order(placed.id).status) == (0, "reserved")


def test_letting_go_needs_right_and_the_present_version(desk: Desk) -> None:
    _placed, line_id = taken_back(desk)
    with pytest.raises(Forbidden):
        lines.let_go(line_id=line_id, **told(by=NOBODY))
    with pytest.raises(VersionConflict):
        lines.let_go(line_id=line_id, expected_version=1, **TOLD)
    with pytest.raises(NotFound):
        lines.let_go(line_id=new_key(), **TOLD)
    assert (line(line_id).kept_back, kinds(line_id).count("line.let_go")) == (True, 0)
