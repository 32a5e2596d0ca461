"""The plan of an allocation: pure, and never more than there is, never more than was asked, in the order of ranks."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from backorders.allocation import Free, Plan, Waiting, plan

WAREHOUSES = [UUID(int=number) for number in range(1, 5)]
QUANTITIES = st.decimals("0.001", 50, places=3) | st.integers(1, 12).map(Decimal)


@st.composite
def queues(draw: st.DrawFn) -> list[Waiting]:
    rows = draw(
        st.lists(
            st.tuples(
                QUANTITIES, st.sampled_from([0, 0, 50, 100]), st.sampled_from([None, None, *WAREHOUSES]), st.booleans()
            ),
            max_size=8,
        )
    )
    return [
        Waiting(
            id=UUID(int=100 + place),
            line_id=UUID(int=200 + place),
            order_id=UUID(int=300 + place),
            part_id=UUID(int=9),
            quantity=quantity,
            minimum_fill=(quantity * share / 100).quantize(Decimal("0.001")),
            rank=Decimal(1000 - place),
            excluded_warehouse_id=besides,
            on_hold=on_hold and place % 2 == 0,
        )
        for place, (quantity, share, besides, on_hold) in enumerate(rows)
    ]


@st.composite
def supplies(draw: st.DrawFn) -> list[Free]:
    quantities = draw(st.lists(st.decimals(0, 40, places=3) | st.integers(0, 9).map(Decimal), max_size=4))
    return [Free(UUID(int=500 + place), WAREHOUSES[place], quantity) for place, quantity in enumerate(quantities)]


def reachable(supply: list[Free], taken: dict[UUID, Decimal], waiting: Waiting) -> Decimal:
    return sum(
        (free.quantity - taken[free.level_id] for free in supply if free.warehouse_id != waiting.excluded_warehouse_id),
        Decimal(0),
    )


@given(queue=queues(), supply=supplies())
def test_a_plan_gives_what_there_is_to_who_is_first(queue: list[Waiting], supply: list[Free]) -> None:
    """Replayed by the definition: each in turn takes all it can reach, unless that is less than it accepts."""
    made = plan(queue, supply)
    taken: dict[UUID, Decimal] = defaultdict(Decimal)
    decisions = iter(made.decisions)
    for place, waiting in enumerate(queue, start=1):
        left = sum((free.quantity for free in supply), Decimal(0)) - sum(taken.values(), Decimal(0))
        if left <= 0:
            break
        decision = next(decisions)
        there = reachable(supply, taken, waiting)
        wanted = min(there, waiting.quantity)
        accepts = not waiting.on_hold and wanted > 0 and wanted >= min(waiting.minimum_fill, waiting.quantity)
        assert decision.given == (wanted if accepts else 0)
        assert (decision.place, decision.free_before, decision.waiting) == (place, left, waiting)
        for gift in decision.gifts:
            assert gift.quantity > 0
            assert gift.warehouse_id != waiting.excluded_warehouse_id
            taken[gift.level_id] += gift.quantity
        assert sum((gift.quantity for gift in decision.gifts), Decimal(0)) == decision.given
    assert next(decisions, None) is None
    assert all(taken[free.level_id] <= free.quantity for free in supply)
    assert made.left == sum((free.quantity for free in supply), Decimal(0)) - sum(taken.values(), Decimal(0))


@given(queue=queues(), supply=supplies())
def test_nobody_is_left_who_could_take_what_is_left(queue: list[Waiting], supply: list[Free]) -> None:
    made = plan(queue, supply)
    taken: dict[UUID, Decimal] = defaultdict(Decimal)
    for decision in made.decisions:
        for gift in decision.gifts:
            taken[gift.level_id] += gift.quantity
    given_to = {decision.waiting.id: decision.given for decision in made.decisions}
    for waiting in queue:
        missing = waiting.quantity - given_to.get(waiting.id, Decimal(0))
        if missing and not waiting.on_hold and not given_to.get(waiting.id):
            there = reachable(supply, taken, waiting)
            assert there == 0 or min(there, missing) < waiting.minimum_fill


@given(queue=queues(), supply=supplies())
def test_the_same_plan_is_made_twice(queue: list[Waiting], supply: list[Free]) -> None:
    assert plan(queue, supply) == plan(list(queue), list(reversed(supply)))


def waiting(quantity: int, least: int = 0, number: int = 1, **facts: bool) -> Waiting:
    key = UUID(int=number)
    return Waiting(
        key, key, key, key, Decimal(quantity), Decimal(least), Decimal(-number), None, facts.get("held", False)
    )


def free(*quantities: int) -> list[Free]:
    return [Free(UUID(int=n), WAREHOUSES[n], Decimal(quantity)) for n, quantity in enumerate(quantities)]


def rules(made: Plan) -> list[tuple[str, str, Decimal]]:
    return [(decision.outcome, decision.rule, decision.given) for decision in made.decisions]


def test_each_decision_names_its_rule() -> None:
    queue = [waiting(9, 9), waiting(4, number=2), waiting(1, number=3, held=True), waiting(5, number=4), waiting(1)]
    assert rules(plan(queue, free(3, 4))) == [
        ("passed_over", "minimum_fill", 0),
        ("given", "whole", 4),
        ("passed_over", "on_hold", 0),
        ("given", "part", 3),
    ]


def test_a_quantity_comes_from_as_few_places_as_can_be() -> None:
    [one] = plan([waiting(3)], free(9, 3, 5)).decisions
    assert [gift.quantity for gift in one.gifts] == [3]
    assert one.gifts[0].level_id == UUID(int=1)
    [two] = plan([waiting(11)], free(5, 3, 9)).decisions
    assert [gift.quantity for gift in two.gifts] == [9, 2]
