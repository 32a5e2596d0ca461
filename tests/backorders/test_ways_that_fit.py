"""Each way that is listed can be taken as shown: factors turned round, relations twice, what lies there already."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from backorders import ways as finding
from backorders import whatif
from backorders.models import BackOrder
from backorders.ways import Way, ways
from orders.actions.placing import Wanted
from parts.errors import Invalid
from parts.models import Part, PartRelation, PurchaseOrderLine
from tests.backorders.test_ways import offered, ordered, stand_in, taken, van, waiting, way
from tests.factories.parts import PartFactory
from tests.orders.desk import NOW, TODAY, Desk, back_order, balance, d, days, leaf

# --- A factor that is turned round -----------------------------------------------------------------------------------


def pack(desk: Desk, on_hand: int, factor: int) -> Part:
    """A pack stands for so many of the missing part, since the relation holds both ways."""
    part: Part = PartFactory.create(unit_cost=d("70.00"))
    facts = {"part": desk.part, "other": part, "both_ways": True, "quantity_factor": d(factor)}
    PartRelation.objects.create(kind="substitutes", **facts)
    desk.put(on_hand, part=part)
    return part


@pytest.mark.parametrize("on_hand", [1, 5])
@pytest.mark.parametrize("factor", [3, 6, 7, 9, 11, 12, 13])
def test_one_pack_covers_exactly_what_is_in_it(desk: Desk, factor: int, on_hand: int) -> None:
    part, row = pack(desk, on_hand, factor), waiting(desk, factor)
    one = way(row, "substitute")
    assert (one.gets, one.facts["quantity"], one.facts["rest"]) == (factor, 1, 0)
    taken(row, one)
    assert back_order(row.line_id).status == "substituted"
    assert desk.balance(part) == balance(on_hand, 1)


def test_a_pack_is_opened_for_less_than_is_in_it(desk: Desk) -> None:
    pack(desk, 1, 7)
    one = way(waiting(desk, 5), "substitute")
    assert (one.gets, one.facts["quantity"]) == (5, 1)


# --- Relations -------------------------------------------------------------------------------------------------------


def test_two_relations_of_the_same_parts_are_two_ways_and_each_can_be_taken(desk: Desk) -> None:
    part = stand_in(desk, 10)
    PartRelation.objects.create(kind="supersedes", part=part, other=desk.part, quantity_factor=d(2))
    listed: list[Way] = []
    for kind in ("substitutes", "supersedes"):
        row = waiting(desk, 2)
        found = ways(row.pk, NOW)
        assert found is not None
        listed = [each for each in found.ways if each.kind == "substitute"]
        assert len({each.key for each in listed}) == 2
        [one] = [each for each in listed if each.facts["relation"] == kind]
        taken(row, one)
        assert back_order(row.line_id).status == "substituted"


def test_relations_that_hold_no_more_or_for_other_machines_do_not_hide_one_that_holds(desk: Desk) -> None:
    past, to_come = TODAY - timedelta(days=400), TODAY + timedelta(days=400)
    for facts in ({"effective_until": past}, {"effective_from": to_come}, {"equipment_models": ["Other"]}):
        for _ in range(finding.MOST_RELATIONS // 2):
            PartRelation.objects.create(kind="supersedes", part=PartFactory.create(), other=desk.part, **facts)
    stand_in(desk, 10)
    assert "substitute" in offered(waiting(desk))


# --- What lies there already -----------------------------------------------------------------------------------------


def test_what_is_brought_counts_together_with_what_lies_there(desk: Desk) -> None:
    placed = desk.order([Wanted(d(5), part_id=desk.part.pk, minimum_fill=d(5))])
    row = back_order(leaf(placed, "back_ordered").id)
    desk.put(3)  # less than it accepts: stays free
    van(desk, 2)
    one = way(row, "transfer")
    assert (one.gets, one.now, one.facts["rest"]) == (5, True, 0)
    taken(row, one)
    assert back_order(row.line_id).status == "allocated"
    assert desk.balance() == balance(5, 5)


# --- Days ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["expedite", "promise"])
def test_a_day_that_has_passed_is_refused(desk: Desk, kind: str) -> None:
    row, past = waiting(desk), days(-30)
    ordered(desk, 5, days(5))
    with pytest.raises(Invalid, match="has passed"):
        taken(row, way(row, kind, past), day=past)
    assert PurchaseOrderLine.objects.get().expected_on == days(5)
    row.line.refresh_from_db()
    assert row.line.promised_on is None


# --- What it costs ---------------------------------------------------------------------------------------------------


def pegged(monkeypatch: pytest.MonkeyPatch, row: BackOrder, **facts: Any) -> tuple[int, tuple[Way, ...]]:
    """Return how many times the queue was laid over its supply, and the ways."""
    pegs, times = whatif.pegs, []

    def counted(*args: Any) -> Any:
        times.append(1)
        return pegs(*args)

    with monkeypatch.context() as patched:
        patched.setattr(whatif, "pegs", counted)
        found = ways(row.pk, NOW, **facts)
    assert found is not None
    return len(times), found.ways


def test_the_queue_is_worked_out_once_for_each_way_and_only_for_the_one_that_is_taken(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for after in range(4):
        ordered(desk, 5, days(5 + after))
    for _ in range(3):
        row = waiting(desk)
    stand_in(desk, 10)
    van(desk, 3)
    times, listed = pegged(monkeypatch, row)
    assert len(listed) == 9
    assert times <= 1 + len(listed)
    for each in listed:
        times, [alone] = pegged(monkeypatch, row, only=each.key)
        assert times <= 2
        assert alone == each
