"""The dates that customers are told. Trees always add up (see the desk)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from backorders.models import BackOrder
from orders.actions import lines
from orders.errors import NothingToDo, ReasonRequired
from orders.models import EventText, OrderEvent
from parts.errors import Invalid, Refused, VersionConflict
from tests.orders.desk import TOLD, Desk, back_order, child, days, events, leaf, line, statements


def promises(line_id: UUID) -> list[OrderEvent]:
    return [event for event in events(line_id) if event.kind.startswith("line.promise")]


def test_the_first_promise_never_moves(desk: Desk) -> None:
    placed = desk.place(5)
    line_id = leaf(placed, "back_ordered").id
    lines.promise(line_id=line_id, promised_on=days(7), **TOLD)
    lines.promise(line_id=line_id, promised_on=days(12), reason="Supplier slipped", **TOLD)
    assert (line(line_id).first_promised_on, line(line_id).promised_on) == (days(7), days(12))
    desk.put(2)
    part = child(placed, "1.2")
    assert (part.status, part.first_promised_on, part.promised_on) == ("reserved", days(7), days(12))
    assert [event.data for event in events(line_id) if event.kind == "line.promise_changed"] == [
        {"from": None, "to": str(days(7))},
        {"from": str(days(7)), "to": str(days(12))},
    ]


def test_a_promise_that_cannot_be_kept_or_is_no_news_is_refused(desk: Desk) -> None:
    line_id = leaf(desk.place(1), "back_ordered").id
    with pytest.raises(Invalid):
        lines.promise(line_id=line_id, promised_on=days(-2), **TOLD)
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


def test_a_promise_for_a_split_line_is_one_for_each_part_of_it_that_is_still_to_come(desk: Desk) -> None:
    desk.put(6)
    placed = desk.place(10)
    root, gone = placed.lines[0].id, child(placed, "1.1").pk
    desk.ship(gone, 4)
    lines.move(line_id=child(placed, "1.3").pk, to="delivered", **TOLD)
    lines.promise(line_id=root, promised_on=days(3), **TOLD)
    dates = {number: child(placed, number).promised_on for number in ("1", "1.1", "1.2", "1.3")}
    assert dates == {"1": days(3), "1.1": days(3), "1.2": days(3), "1.3": None}
    waiting = leaf(placed, "back_ordered").id
    assert line(waiting).first_promised_on == days(3)
    assert list(BackOrder.objects.all().promise_overdue(days(4))) == [back_order(waiting)]
    assert [(event.kind, event.visibility) for event in promises(root)] == [("line.promise_changed", "public")]
    assert [(event.kind, event.visibility) for event in promises(waiting)] == [("line.promise_derived", "internal")]


def test_a_split_line_is_promised_when_its_last_part_is(desk: Desk) -> None:
    desk.put(4)
    placed = desk.place(10)
    root, ready, waiting = placed.lines[0].id, leaf(placed).id, leaf(placed, "back_ordered").id
    lines.promise(line_id=waiting, promised_on=days(9), **TOLD)
    lines.promise(line_id=ready, promised_on=days(2), **TOLD)
    assert (line(root).first_promised_on, line(root).promised_on) == (days(9), days(9))
    lines.promise(line_id=waiting, promised_on=days(12), reason="Supplier slipped", **TOLD)
    assert (line(root).first_promised_on, line(root).promised_on) == (days(9), days(12))
    assert [event.data["to"] for event in promises(root)] == [str(days(9)), str(days(12))]
    lines.promise(line_id=root, promised_on=days(5), reason="By air", **TOLD)
    assert {line(key).promised_on for key in (root, ready, waiting)} == {days(5)}
    assert line(ready).first_promised_on == days(2)


def test_what_a_part_was_promised_is_changed_for_the_whole_with_a_reason_only(desk: Desk) -> None:
    desk.put(4)
    placed = desk.place(10)
    lines.promise(line_id=leaf(placed).id, promised_on=days(2), **TOLD)
    root = placed.lines[0].id
    with pytest.raises(ReasonRequired):
        lines.promise(line_id=root, promised_on=days(5), **TOLD)
    lines.promise(line_id=root, promised_on=days(2), reason="All of it", **TOLD)
    with pytest.raises(NothingToDo):
        lines.promise(line_id=root, promised_on=days(2), reason="All of it", **TOLD)


def test_a_promise_for_a_line_of_many_parts_is_as_many_statements_as_for_one_of_few(desk: Desk) -> None:
    counts = []
    for number in (2, 12):
        shelf = Desk(customer=desk.customer)
        placed = shelf.place(number + 1)
        for _ in range(number):
            shelf.put(1)
        with statements() as sent:
            lines.promise(line_id=placed.lines[0].id, promised_on=days(3), **TOLD)
        counts.append(len(sent))
    assert counts[0] == counts[1]


def test_why_a_promise_changed_is_for_staff_unless_it_is_said_to_be_public(desk: Desk) -> None:
    desk.put(4)
    key = desk.place(1).lines[0].id
    lines.promise(line_id=key, promised_on=days(3), **TOLD)
    lines.promise(line_id=key, promised_on=days(4), reason="Goes to another first", **TOLD)
    lines.promise(line_id=key, promised_on=days(5), reason="The road is closed", public=True, **TOLD)

    texts = dict(EventText.objects.values_list("event_id", "text"))
    told = [(event.kind, event.visibility, texts.get(event.pk, "")) for event in events(key)[-4:]]
    assert told == [
        ("line.promise_changed", "public", ""),
        ("line.promise_changed", "public", ""),
        ("note.added", "internal", "Goes to another first"),
        ("line.promise_changed", "public", "The road is closed"),
    ]


def test_today_can_be_promised_wherever_it_is_today(desk: Desk) -> None:
    key = desk.place(1).lines[0].id
    late_in_new_york = datetime(2026, 3, 3, 3, 30, tzinfo=UTC)  # 22:30 on the 2nd there
    lines.promise(line_id=key, promised_on=date(2026, 3, 2), **TOLD | {"at": late_in_new_york})

    with pytest.raises(Invalid):
        lines.promise(line_id=key, promised_on=date(2026, 3, 1), reason="x", **TOLD | {"at": late_in_new_york})
