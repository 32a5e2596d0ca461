"""What people do to the queue: weigh it, look at what other weights would do, hold, note, override, and ask why."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from backorders.actions import moving, policy
from backorders.explaining import explain
from backorders.models import AllocationPolicy, BackOrder
from backorders.statuses import BackOrderStatus
from orders.errors import NothingToDo, ReasonRequired, TransitionRefused
from orders.statuses import Tier
from parts.actions.supply import PurchaseLine, place_purchase_order
from parts.errors import Forbidden, Invalid, NotFound, VersionConflict
from parts.keys import new_key
from tests.factories.orders import CustomerFactory
from tests.factories.parts import SupplierFactory
from tests.orders.desk import (
    NOBODY,
    NOW,
    TOLD,
    Desk,
    back_order,
    d,
    days,
    events,
    kinds,
    leaf,
    order,
    queue,
    statements,
    told,
    tree,
)


def waiting(desk: Desk, quantity: int = 2, **facts: Any) -> BackOrder:
    return back_order(leaf(desk.place(quantity, **facts), "back_ordered").id)


# --- Weights ---------------------------------------------------------------------------------------------------------


def test_new_weights_change_who_is_next_and_the_preview_says_so_before(desk: Desk) -> None:
    bronze, gold = CustomerFactory.create(tier=Tier.BRONZE), CustomerFactory.create(tier=Tier.GOLD)
    first = waiting(desk, customer_id=gold.pk)
    second = waiting(desk, customer_id=bronze.pk)
    changes = {"bronze": Decimal(500)}
    rows = {row.id: row for row in policy.preview(changes=changes, at=NOW).shifts}
    assert (rows[first.pk].place, rows[first.pk].new_place) == (1, 2)
    assert (rows[second.pk].place, rows[second.pk].new_place) == (2, 1)
    assert [key for key, _ in queue(desk.part)][0] == first.line.reference
    assert policy.change_weights(changes=changes, reason="Storm season", **TOLD) == 1
    assert [key for key, _ in queue(desk.part)][0] == second.line.reference
    assert policy.preview(changes=changes, at=NOW).shifts == ()
    weights = AllocationPolicy.objects.get()
    assert (weights.revision, weights.history.first().history_change_reason) == (2, "Storm season (system:test, test)")


def test_weights_are_only_changed_with_right_reason_and_sense(desk: Desk) -> None:
    refusals: list[tuple[type[Exception], dict[str, Any]]] = [
        (Forbidden, {"by": NOBODY}),
        (ReasonRequired, {"reason": " "}),
        (NothingToDo, {"changes": {"gold": Decimal(200)}}),
        (Invalid, {"changes": {"gold": Decimal("NaN")}}),
        (Invalid, {"changes": {"gold": Decimal("0.0001")}}),
        (Invalid, {"changes": {"gold": Decimal("1E+9")}}),
        (Invalid, {"changes": {"diamond": Decimal(1)}}),
        (Invalid, {"changes": {"revision": Decimal(1)}}),
        (Invalid, {"changes": {"ageing_per_day": Decimal(-1)}}),
    ]
    for kind, facts in refusals:
        with pytest.raises(kind):
            policy.change_weights(**{"changes": {"gold": Decimal(7)}, "reason": "x"} | TOLD | facts)
    assert AllocationPolicy.objects.get().revision == 1


def test_weighing_many_anew_is_as_many_statements_as_few(desk: Desk) -> None:
    counts = []
    for number in (2, 20):
        for _ in range(number):
            waiting(desk)
        with statements() as sent:
            policy.change_weights(changes={"silver": Decimal(number)}, reason="Season", **TOLD)
        counts.append(len(sent))
    assert counts[0] == counts[1]


# --- Steps -----------------------------------------------------------------------------------------------------------


def test_a_person_notes_how_supply_goes(desk: Desk) -> None:
    row = waiting(desk)
    moving.move(back_order_id=row.pk, to="sourcing", note="Asked the other maker", **TOLD)
    moving.move(back_order_id=row.pk, to="supply_confirmed", **TOLD)
    assert [event.to_status for event in events(row.pk)] == ["open", "sourcing", "supply_confirmed"]
    desk.put(2)
    assert back_order(row.line_id).status == "allocated"


@pytest.mark.parametrize("to", [*BackOrderStatus.values, "lost"])
def test_what_follows_from_stock_is_not_set_by_hand(desk: Desk, to: str) -> None:
    row = waiting(desk)
    if to in ("sourcing", "supply_confirmed"):
        assert moving.move(back_order_id=row.pk, to=to, **TOLD).status == to
        return
    with pytest.raises(TransitionRefused) as refusal:
        moving.move(back_order_id=row.pk, to=to, **TOLD)
    assert refusal.value.extra["allowed"] == ["sourcing", "supply_confirmed"]


def test_the_queue_is_only_touched_with_the_right_and_on_the_present_version(desk: Desk) -> None:
    row = waiting(desk)
    nobody = told(by=NOBODY)
    why: dict[str, Any] = {"reason": "x", "reference": "CASE-1"}
    attempts = [
        lambda: moving.move(back_order_id=row.pk, to="sourcing", **nobody),
        lambda: moving.hold(back_order_id=row.pk, reason="x", **nobody),
        lambda: moving.let_go(back_order_id=row.pk, **nobody),
        lambda: moving.override(back_order_id=row.pk, to="cancelled", **why, **nobody),
        lambda: moving.cancel(back_order_id=row.pk, reason="x", **nobody),
    ]
    for attempt in attempts:
        with pytest.raises(Forbidden):
            attempt()
    with pytest.raises(VersionConflict):
        moving.move(back_order_id=row.pk, to="sourcing", expected_version=9, **TOLD)
    with pytest.raises(NotFound):
        moving.move(back_order_id=new_key(), to="sourcing", **TOLD)
    assert kinds(row.pk) == ["back_order.opened open"]


def test_a_hold_is_set_once_with_a_reason_and_let_go_once(desk: Desk) -> None:
    row = waiting(desk)
    with pytest.raises(ReasonRequired):
        moving.hold(back_order_id=row.pk, reason=" ", **TOLD)
    moving.hold(back_order_id=row.pk, reason="Credit limit", **TOLD)
    with pytest.raises(NothingToDo):
        moving.hold(back_order_id=row.pk, reason="Credit limit", **TOLD)
    moving.let_go(back_order_id=row.pk, **TOLD)
    with pytest.raises(NothingToDo):
        moving.let_go(back_order_id=row.pk, **TOLD)


def test_cancelling_a_back_order_cancels_what_its_line_waits_for(desk: Desk) -> None:
    desk.put(1)
    placed = desk.place(5)
    row = back_order(leaf(placed, "back_ordered").id)
    assert moving.cancel(back_order_id=row.pk, reason="Fewer will do", quantity=d(1), **TOLD).status == "open"
    assert moving.cancel(back_order_id=row.pk, reason="Enough", **TOLD).status == "cancelled"
    assert tree(placed.id)[1:] == [("1.1", "reserved", 1), ("1.2", "cancelled", 3), ("1.3", "cancelled", 1)]


@pytest.mark.parametrize(("to", "line_status"), [("fulfilled", "shipped"), ("cancelled", "cancelled")])
def test_an_override_of_a_back_order_takes_its_line_along(desk: Desk, to: str, line_status: str) -> None:
    placed = desk.place(2)
    row = back_order(leaf(placed, "back_ordered").id)
    moved = moving.override(back_order_id=row.pk, to=to, reason="x", reference="CASE-1", **TOLD)
    assert (moved.status, order(placed.id).status) == (to, line_status)


# --- Why -------------------------------------------------------------------------------------------------------------


def test_explain_says_where_it_stands_what_it_got_and_what_it_waits_for(desk: Desk) -> None:
    urgent = waiting(desk, 3, kind="emergency")
    row = waiting(desk, 4, at=told(hours=1)["at"])
    place_purchase_order(
        supplier_id=SupplierFactory.create().pk,
        warehouse_id=desk.warehouse.pk,
        lines=[PurchaseLine(part_id=desk.part.pk, quantity=d(9), expected_on=days(9))],
        ordered_at=NOW,
        **TOLD,
    )
    before = explain(row.pk)
    assert (before.place, before.quantity_ahead, [ahead.id for ahead in before.ahead]) == (2, 3, [urgent.pk])
    assert sum(before.rank_terms.values()) == before.rank
    assert (before.expected_on, [(supply.quantity, supply.expected_on) for supply in before.supply]) == (
        days(9),
        [(4, days(9))],
    )
    desk.put(5)
    after = explain(row.pk)
    assert (after.place, after.missing, after.free_now) == (1, 2, 0)
    [turn] = after.turns
    assert (turn.cause, turn.rule, turn.place, turn.asked, turn.free_before, turn.given) == (
        "correction",
        "part",
        2,
        4,
        2,
        2,
    )
    desk.put(2)
    done = explain(row.pk)
    assert (done.status, done.place, done.ahead, done.supply, done.missing) == ("allocated", None, (), (), 0)
    with pytest.raises(NotFound):
        explain(new_key())


def test_explaining_in_a_long_queue_is_as_many_statements_as_in_a_short_one(desk: Desk) -> None:
    counts = []
    for number in (2, 20):
        rows = [waiting(desk) for _ in range(number)]
        with statements() as sent:
            explain(rows[-1].pk)
        counts.append(len(sent))
    assert counts[0] == counts[1]
