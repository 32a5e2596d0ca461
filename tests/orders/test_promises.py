"""The dates that customers are told. Trees always add up (see the desk)."""

from __future__ import annotations

import pytest

from orders.actions import lines
from orders.errors import NothingToDo, ReasonRequired
from parts.errors import Invalid, Refused, VersionConflict
from tests.orders.desk import TOLD, Desk, child, days, events, leaf, line


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
