"""The rules of the replay that need no database: chance, plan, supply and replenishment."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.replay import layout
from reports.replay.course import course, expected_on
from reports.replay.demand import parse_demand
from reports.replay.dice import Dice
from reports.replay.plan import KINDS, SUNDAY, Itinerary, make_plan
from reports.replay.replenishment import RunningDemand, opening_stock, order_quantity, reorder_levels
from tests.reports.conftest import demand_text

RUN = UUID("5b0f7e64-5a3d-4c3e-9a53-0d3d1f7f6a11")
DEMAND = parse_demand(demand_text(parts=60, months=12), name="d", checksum="0" * 64)


def planned(seed: int = 1) -> Itinerary:
    dice = Dice(seed)
    return make_plan(DEMAND, dice, RUN, layout.customers(dice))


def test_the_same_words_give_the_same_draw_and_others_another() -> None:
    assert Dice(1).share("a", 1) == Dice(1).share("a", 1)
    assert len({Dice(1).share("a", 1), Dice(2).share("a", 1), Dice(1).share("a", 2), Dice(1).share("b", 1)}) == 4


def test_draws_keep_to_their_bounds_and_weights() -> None:
    dice = Dice(1)
    assert {dice.whole(2, 4, n) for n in range(200)} == {2, 3, 4}
    drawn = Counter(dice.choose("abc", n, weights=(70, 30, 0)) for n in range(1000))
    assert 640 < drawn["a"] < 760
    assert drawn["c"] == 0


def test_a_draw_is_the_same_on_every_machine() -> None:
    assert [Dice(1).whole(0, 999, "fixed", n) for n in range(5)] == [623, 366, 865, 462, 523]


def test_every_unit_of_the_demand_stands_in_exactly_one_order() -> None:
    asked: Counter[tuple[str, date]] = Counter()
    for day, orders in planned().orders.items():
        for order in orders:
            asked.update({(line.part, day.replace(day=1)): line.quantity for line in order.lines})
    assert dict(asked) == {key: units for key, units in DEMAND.units.items() if units}


def test_orders_have_keys_of_their_own_one_time_each_and_no_part_twice() -> None:
    orders = [order for orders in planned().orders.values() for order in orders]
    assert len({order.key for order in orders}) == len(orders)
    assert len({order.at for order in orders}) == len(orders)
    assert all(len({line.part for line in order.lines}) == len(order.lines) for order in orders)
    assert all((order.customer is None) != (order.destination is None) for order in orders)
    assert not [day for day in planned().orders if day.weekday() == SUNDAY]


def test_the_kinds_of_orders_come_in_the_stated_mix() -> None:
    kinds = Counter(order.kind for orders in planned().orders.values() for order in orders)
    for kind, percent in KINDS.items():
        assert kinds[kind] / kinds.total() == pytest.approx(percent / 100, abs=0.08)


def test_the_same_seed_makes_the_same_plan_and_another_seed_another() -> None:
    assert planned() == planned()
    assert planned(1) != planned(2)


def test_nothing_is_cancelled_before_it_is_ordered() -> None:
    plan = planned()
    ordered = {order.key: day for day, orders in plan.orders.items() for order in orders}
    cancelled = [(cancel.order_key, day) for day, cancels in plan.cancels.items() for cancel in cancels]
    assert cancelled
    assert all(day >= ordered[key] for key, day in cancelled)


@given(st.integers(0, 10_000), st.integers(1, 60), st.integers(3, 60), st.integers(0, 4))
def test_what_a_supplier_sends_adds_up_and_comes_after_it_was_ordered(
    number: int, quantity: int, lead_days: int, weekday: int
) -> None:
    ordered_on = date(2024, 1, 1) + timedelta(days=number % 300)
    expected = expected_on(ordered_on, lead_days, weekday)
    fate = course(Dice(3), f"PO-{number}", 1, quantity, ordered_on, expected)

    assert expected >= ordered_on + timedelta(days=lead_days)
    if fate.given_up_on:
        assert not fate.pieces
        assert fate.given_up_on > expected
        return
    assert sum(piece.quantity for piece in fate.pieces) == quantity
    assert all(0 <= piece.unfit <= piece.quantity and piece.quantity > 0 for piece in fate.pieces)
    days = [piece.day for piece in fate.pieces]
    assert days == sorted(set(days))
    assert ordered_on < fate.confirmed_on < days[0]
    assert all(day.weekday() != SUNDAY for day in [fate.confirmed_on, *days])
    for said_on, new_date in fate.notices:
        assert fate.confirmed_on < said_on < new_date <= days[-1]


def test_suppliers_are_late_send_pieces_and_give_up_now_and_then() -> None:
    dice, ordered_on = Dice(1), date(2024, 3, 4)
    expected = expected_on(ordered_on, 14, 2)
    fates = [course(dice, f"PO-{number}", 1, 5, ordered_on, expected) for number in range(2000)]
    late = sum(bool(fate.pieces) and fate.pieces[0].day > expected for fate in fates)
    assert 0.3 < late / 2000 < 0.46
    assert 0.13 < sum(len(fate.pieces) > 1 for fate in fates) / 2000 < 0.23
    assert 0 < sum(fate.given_up_on is not None for fate in fates) < 40
    assert any(fate.notices for fate in fates)


def test_more_demand_and_longer_ways_and_vital_parts_are_kept_more_of() -> None:
    assert reorder_levels(0.1, 10, "D") == (0, 1)
    assert reorder_levels(2, 30, "E") < reorder_levels(4, 30, "E") < reorder_levels(4, 60, "E")
    assert reorder_levels(2, 30, "D")[0] < reorder_levels(2, 30, "V")[0]
    assert opening_stock(2, 30, "E") > reorder_levels(2, 30, "E")[0]


@given(st.integers(-50, 50), st.integers(0, 50), st.integers(1, 20), st.integers(1, 12))
def test_an_order_reaches_its_level_in_multiples_and_never_less_than_the_minimum(
    position: int, up_to: int, minimum: int, multiple: int
) -> None:
    quantity = order_quantity(position, up_to, minimum, multiple)
    assert quantity % multiple == 0
    assert quantity >= minimum
    assert position + quantity >= up_to


def test_the_running_demand_knows_only_the_months_that_are_over_and_passes_by_unknown_ones() -> None:
    demand = parse_demand(
        "part_number,month,units\nA,2024-01,8\nA,2024-02,\nA,2024-03,16\n", name="d", checksum="0" * 64
    )
    running = RunningDemand(demand, {"A": 1.0})
    assert running.rates(date(2024, 1, 31)) == {"A": 1.0}
    assert running.rates(date(2024, 2, 1)) == {"A": pytest.approx((6 + 8) / 7)}
    assert running.rates(date(2024, 3, 9)) == {"A": pytest.approx((6 + 8) / 7)}
    assert running.rates(date(2024, 4, 9)) == {"A": pytest.approx((6 + 8 + 16) / 8)}


def test_the_world_of_a_seed_has_all_tiers_kinds_and_a_paper_warehouse() -> None:
    dice = Dice(1)
    customers, suppliers = layout.customers(dice), layout.suppliers(dice)
    assert {customer.tier for customer in customers} == {"platinum", "gold", "silver", "bronze"}
    assert {place.kind for place in layout.PLACES} >= {"central", "depot", "van"}
    assert any(place.mode == "paper" for place in layout.PLACES)
    parts = [layout.part(dice, f"P{number}", suppliers) for number in range(300)]
    assert {part.criticality for part in parts} == {"A", "B", "C"}
    assert {part.ved_class for part in parts} == {"V", "E", "D"}
    assert all(part.minimum % part.multiple == 0 and part.unit_cost > 0 and part.lead_days >= 3 for part in parts)
