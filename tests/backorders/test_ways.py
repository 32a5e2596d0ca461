"""The ways there are for a back order: when each serves it, what it takes from whom; and taking one as it was shown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from backorders.actions import moving
from backorders.actions.taking import take
from backorders.admin import saying
from backorders.errors import PreviewIsOld
from backorders.models import BackOrder
from backorders.ways import RIGHTS, Way, ways
from orders.actions import lines
from orders.actions.placing import Wanted
from orders.errors import ReasonRequired
from parts.actions.supply import PurchaseLine, place_purchase_order
from parts.errors import Forbidden, Invalid, NotFound
from parts.models import Part, PartRelation, PurchaseOrder, PurchaseOrderLine, Warehouse
from tests.factories.parts import PartFactory, SupplierFactory, SupplierPartFactory, WarehouseFactory
from tests.laws.checking import broken
from tests.orders.desk import (
    NOW,
    TOLD,
    Desk,
    back_order,
    balance,
    d,
    days,
    events,
    kinds,
    leaf,
    only,
    queue,
    statements,
)
from tests.racing import race

WHY = "Their line stands still"


def waiting(desk: Desk, quantity: int = 2, **facts: Any) -> BackOrder:
    return back_order(leaf(desk.place(quantity, **facts), "back_ordered").id)


def ordered(desk: Desk, quantity: int, on: date | None) -> None:
    place_purchase_order(
        supplier_id=SupplierFactory.create().pk,
        warehouse_id=desk.warehouse.pk,
        lines=[PurchaseLine(desk.part.pk, d(quantity), expected_on=on)],
        ordered_at=NOW,
        **TOLD,
    )


def way(row: BackOrder, kind: str, day: date | None = None) -> Way:
    """Return the one way of a kind."""
    found = ways(row.pk, NOW, day)
    assert found is not None
    [one] = [each for each in found.ways if each.kind == kind]
    return one


def offered(row: BackOrder) -> list[str]:
    found = ways(row.pk, NOW)
    assert found is not None
    return [each.kind for each in found.ways]


def taken(row: BackOrder, one: Way, **facts: Any) -> Any:
    told = {"reason": WHY, "shown": one.fingerprint} | TOLD | facts
    return take(back_order_id=row.pk, key=one.key, **told)


def van(desk: Desk, quantity: int) -> Warehouse:
    place: Warehouse = WarehouseFactory.create(kind="van", allocatable=False)
    desk.put(quantity, at=place)
    return place


def stand_in(desk: Desk, on_hand: int, **facts: Any) -> Part:
    part: Part = PartFactory.create(unit_cost=d("200.00"))
    PartRelation.objects.create(kind="substitutes", part=part, other=desk.part, **facts)
    desk.put(on_hand, part=part)
    return part


# --- Stock that lies elsewhere ---------------------------------------------------------------------------------------


def test_what_lies_in_a_van_is_brought_and_serves_it_at_once(desk: Desk) -> None:
    place, row = van(desk, 5), waiting(desk)
    one = way(row, "transfer")
    assert (one.gets, one.now, one.losers, one.facts["quantity"]) == (2, True, (), 2)
    assert (one.facts["origin"], one.facts["available"]) == (place.code, 5)
    taken(row, one)
    assert back_order(row.line_id).status == "allocated"
    assert desk.balance(at=place) == balance(3)
    assert kinds(row.pk)[-1] == "back_order.way_taken"


def test_what_is_brought_goes_by_rank_and_the_way_says_who_gets_it_first(desk: Desk) -> None:
    first, second = waiting(desk), waiting(desk)
    place = van(desk, 3)
    one = way(second, "transfer")
    assert (one.facts["quantity"], one.facts["others"], one.gets, one.facts["rest"]) == (3, 2, 1, 1)
    taken(second, one)
    assert back_order(first.line_id).status == "allocated"
    assert back_order(second.line_id).quantity == 1
    assert desk.balance(at=place) == balance(0)


def test_what_is_less_than_it_accepts_is_taken_by_a_persons_word(desk: Desk) -> None:
    placed = desk.order([Wanted(d(5), part_id=desk.part.pk, minimum_fill=d(4))])
    row = back_order(leaf(placed, "back_ordered").id)
    desk.put(3)
    one = way(row, "take-now")
    assert (one.gets, one.now, one.facts["rest"]) == (3, True, 2)
    with pytest.raises(ReasonRequired):
        taken(row, one, reason="")
    taken(row, one)
    assert (back_order(row.line_id).quantity, desk.balance().reserved) == (2, 3)
    assert "back_order.minimum_fill_changed" in kinds(row.pk)


# --- Another part ----------------------------------------------------------------------------------------------------


def test_a_part_that_may_stand_in_is_put_aside_with_its_factor(desk: Desk) -> None:
    row, part = waiting(desk), stand_in(desk, 10, quantity_factor=d(2))
    one = way(row, "substitute")
    assert (one.gets, one.now, one.facts["quantity"], one.facts["number"]) == (2, True, 4, part.number)
    assert one.cost == d("4") * 200 - 2 * d("149.90")
    taken(row, one)
    assert back_order(row.line_id).status == "substituted"
    assert desk.balance(part) == balance(10, 4)


def test_of_too_few_that_stand_in_the_rest_waits(desk: Desk) -> None:
    row = waiting(desk, 5)
    stand_in(desk, 3)
    one = way(row, "substitute")
    assert (one.gets, one.facts["rest"]) == (3, 2)
    taken(row, one)
    assert (back_order(row.line_id).status, back_order(row.line_id).quantity) == ("open", 2)


@pytest.mark.parametrize(
    "facts",
    [
        {"effective_from": days(1)},
        {"effective_until": days(-1)},
        {"equipment_models": ["Another model"]},
    ],
)
def test_a_part_that_may_not_stand_in_here_and_today_is_not_offered(desk: Desk, facts: dict[str, Any]) -> None:
    row = waiting(desk)
    stand_in(desk, 10, **facts)
    assert "substitute" not in offered(row)


def test_a_relation_of_one_direction_is_not_turned_round(desk: Desk) -> None:
    row = waiting(desk)
    other = PartFactory.create()
    relation = PartRelation.objects.create(kind="substitutes", part=desk.part, other=other)
    desk.put(5, part=other)
    assert "substitute" not in offered(row)
    PartRelation.objects.filter(pk=relation.pk).update(both_ways=True)
    assert way(row, "substitute").facts["number"] == other.number


# --- Supply ----------------------------------------------------------------------------------------------------------


def test_going_first_takes_from_those_who_wait_longer_by_it(desk: Desk) -> None:
    first, second = waiting(desk), waiting(desk)
    ordered(desk, 2, days(5))
    ordered(desk, 2, days(20))
    one = way(second, "pin")
    assert (one.on, one.days_lost) == (days(5), 15)
    assert [(shift.id, shift.days) for shift in one.losers] == [(first.pk, 15)]
    taken(second, one)
    assert (back_order(first.line_id).expected_on, back_order(second.line_id).expected_on) == (days(20), days(5))


def test_a_purchase_reaches_it_behind_those_who_stand_before(desk: Desk) -> None:
    first, second = waiting(desk), waiting(desk)
    offer = SupplierPartFactory.create(part=desk.part, lead_time_days=7, order_multiple=d(5), unit_cost=d(112))
    one = way(second, "purchase")
    assert (one.facts["quantity"], one.on, one.cost) == (5, days(7), 560)
    assert [(shift.id, shift.after) for shift in one.gainers] == [(first.pk, days(7))]
    done = taken(second, one)
    line = PurchaseOrderLine.objects.get(purchase_order__number=done.reference)
    assert (line.quantity, line.expected_on, line.purchase_order.supplier_id) == (5, days(7), offer.supplier_id)
    assert back_order(second.line_id).expected_on == days(7)


def test_a_cost_that_is_not_known_is_not_made_up(desk: Desk) -> None:
    row = waiting(desk)
    SupplierPartFactory.create(part=desk.part, unit_cost=0)
    assert way(row, "purchase").cost is None


def test_a_supplier_who_delivers_earlier_is_noted_with_their_day(desk: Desk) -> None:
    row = waiting(desk)
    ordered(desk, 2, days(20))
    assert way(row, "expedite").on is None
    one = way(row, "expedite", days(4))
    assert (one.on, one.facts["said"]) == (days(4), days(20))
    with pytest.raises(Invalid):
        taken(row, one)
    taken(row, one, day=days(4))
    assert back_order(row.line_id).expected_on == days(4)


# --- Saying another day, giving it up --------------------------------------------------------------------------------


def test_a_new_promise_is_one_of_the_ways(desk: Desk) -> None:
    row = waiting(desk)
    one = way(row, "promise", days(30))
    taken(row, one, day=days(30))
    row.line.refresh_from_db()
    assert row.line.promised_on == days(30)


def test_giving_it_up_lets_others_go_ahead(desk: Desk) -> None:
    first, second = waiting(desk), waiting(desk)
    ordered(desk, 2, days(5))
    one = way(first, "cancel")
    assert [(shift.id, shift.before, shift.after) for shift in one.gainers] == [(second.pk, None, days(5))]
    taken(first, one)
    assert back_order(first.line_id).status == "cancelled"
    assert back_order(second.line_id).expected_on == days(5)


# --- The list --------------------------------------------------------------------------------------------------------


def test_the_best_way_comes_first(desk: Desk) -> None:
    row = waiting(desk)
    ordered(desk, 2, days(20))
    SupplierPartFactory.create(part=desk.part, lead_time_days=7)
    van(desk, 5)
    assert offered(row) == ["transfer", "purchase", "expedite", "promise", "cancel"]


def test_what_brings_it_no_sooner_comes_behind_what_may(desk: Desk) -> None:
    row = waiting(desk)
    ordered(desk, 2, days(3))
    SupplierPartFactory.create(part=desk.part, lead_time_days=7)
    assert offered(row) == ["expedite", "purchase", "promise", "cancel"]
    bought = way(row, "purchase")
    assert (bought.on, bought.sooner) == (days(3), False)
    assert way(row, "expedite", days(2)).sooner
    assert not way(row, "expedite", days(4)).sooner
    assert saying.when(bought).endswith(", no sooner than without it")


def test_of_two_offers_for_one_day_the_cheaper_comes_first(desk: Desk) -> None:
    row = waiting(desk)
    for cost in (120, 90):
        SupplierPartFactory.create(part=desk.part, lead_time_days=7, unit_cost=cost)
    found = ways(row.pk, NOW)
    assert found is not None
    assert [each.cost for each in found.ways if each.kind == "purchase"] == [180, 240]


def test_who_is_held_is_offered_only_what_needs_no_queue(desk: Desk) -> None:
    row = waiting(desk)
    van(desk, 5)
    stand_in(desk, 5)
    moving.hold(back_order_id=row.pk, reason="Moves", **TOLD)
    assert offered(row) == ["substitute", "promise", "cancel"]


def test_who_waits_no_more_has_no_ways(desk: Desk) -> None:
    row = waiting(desk)
    desk.put(2)
    assert ways(row.pk, NOW) is None
    with pytest.raises(PreviewIsOld):
        take(back_order_id=row.pk, key="cancel", shown="", reason=WHY, **TOLD)


def test_the_ways_are_as_many_statements_for_many_as_for_few(desk: Desk) -> None:
    row = waiting(desk)
    counts = []
    for number in (2, 12):
        for _ in range(number):
            waiting(desk)
            ordered(desk, 2, days(20))
            van(desk, 1)
            stand_in(desk, 1)
            SupplierPartFactory.create(part=desk.part)
        row = waiting(desk)
        with statements() as sent:
            ways(row.pk, NOW)
        counts.append(len(sent))
    assert counts[0] == counts[1] <= 11


# --- Only as shown, and only with the rights -------------------------------------------------------------------------

CHANGES: dict[str, Callable[[Desk, BackOrder], object]] = {
    "somebody takes of the stock": lambda desk, row: desk.put(-4, at=Warehouse.objects.get(kind="van")),
    "somebody more urgent waits": lambda desk, row: waiting(desk, kind="emergency"),
    "it waits for less": lambda desk, row: lines.cancel(line_id=row.line_id, reason="x", quantity=d(1), **TOLD),
    "it is held": lambda desk, row: moving.hold(back_order_id=row.pk, reason="x", **TOLD),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_way_is_refused_where_what_was_shown_holds_no_more(desk: Desk, change: str) -> None:
    van(desk, 5)
    row = waiting(desk)
    one = way(row, "transfer")
    CHANGES[change](desk, row)
    before = [event.pk for event in events(row.pk)]
    with pytest.raises(PreviewIsOld):
        taken(row, one)
    assert [event.pk for event in events(row.pk)] == before


def test_a_repeat_is_refused_and_changes_nothing(desk: Desk) -> None:
    row = waiting(desk)
    SupplierPartFactory.create(part=desk.part)
    one = way(row, "purchase")
    taken(row, one)
    with pytest.raises(PreviewIsOld):
        taken(row, one)
    assert PurchaseOrder.objects.count() == 1


def test_each_way_needs_its_own_right_and_the_right_to_choose(desk: Desk) -> None:
    van(desk, 5)
    stand_in(desk, 5)
    SupplierPartFactory.create(part=desk.part)
    waiting(desk)
    row = waiting(desk)
    ordered(desk, 1, days(5))
    found = ways(row.pk, NOW, days(3))
    assert found is not None
    for one in found.ways:
        for held in (RIGHTS[one.kind], ("backorders.source_backorder",)):
            with pytest.raises(Forbidden):
                taken(row, one, day=days(3), by=only(*held))
    assert kinds(row.pk) == ["back_order.opened open"]
    assert {one.kind for one in found.ways} == set(RIGHTS) - {"take-now"}


@pytest.mark.parametrize(
    ("kind", "missing"),
    [(kind, right) for kind, rights in RIGHTS.items() for right in (*rights, "backorders.source_backorder")],
)
def test_of_all_rights_that_a_way_needs_none_may_be_missing(desk: Desk, kind: str, missing: str) -> None:
    stand_in(desk, 5)
    row = waiting(desk)
    held = {*RIGHTS[kind], "backorders.source_backorder"} - {missing}
    with pytest.raises(Forbidden) as refused:
        take(back_order_id=row.pk, key=kind, shown="", reason=WHY, day=days(3), **TOLD | {"by": only(*held)})
    assert refused.value.extra["permission"] == missing
    assert kinds(row.pk) == ["back_order.opened open"]


@pytest.mark.parametrize("key", ["", "steal", "transfer:", "transfer:x", "substitute:x", "purchase:1"])
def test_a_way_that_is_none_is_refused(desk: Desk, key: str) -> None:
    row = waiting(desk)
    with pytest.raises((NotFound, PreviewIsOld)):
        take(back_order_id=row.pk, key=key, shown="", reason=WHY, **TOLD)


def _two_at_once() -> tuple[Any, Any, Desk]:
    """Two managers order the same shortage at the same time."""
    desk = Desk()
    row = waiting(desk)
    SupplierPartFactory.create(part=desk.part)
    one = way(row, "purchase")
    return *race(lambda: taken(row, one), lambda: taken(row, one)), desk


@pytest.mark.django_db(transaction=True)
def test_of_two_who_order_the_same_at_once_one_does() -> None:
    one, two, _desk = _two_at_once()
    assert one.error is None
    assert isinstance(two.error, PreviewIsOld)
    assert PurchaseOrder.objects.count() == 1
    assert broken() == {}


@pytest.mark.django_db(transaction=True)
def test_without_the_hold_on_the_queue_it_is_ordered_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backorders.actions.pinning.hold_queue", lambda part_ids, adding=False: None)
    one, two, desk = _two_at_once()
    assert (one.error, two.error) == (None, None)
    assert PurchaseOrder.objects.count() == 2
    assert [quantity for _, quantity in queue(desk.part)] == [2]
