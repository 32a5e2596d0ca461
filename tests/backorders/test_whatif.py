"""What if the queue were ranked otherwise: who gains, who loses and by how many days, and that this is what happens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import transaction

from backorders.actions import moving, pegging, pinning, policy
from backorders.errors import PreviewIsOld
from backorders.models import AllocationPolicy, BackOrder
from backorders.whatif import Effect, effect, tell
from orders.actions import lines
from orders.errors import NothingToDo, ReasonRequired, TransitionRefused
from orders.statuses import Tier
from parts.actions.supply import PurchaseLine, place_purchase_order
from parts.errors import Forbidden, NotFound
from parts.keys import new_key
from tests.factories.orders import CustomerFactory
from tests.factories.parts import PartFactory, SupplierFactory
from tests.laws.checking import broken
from tests.orders.desk import NOBODY, NOW, TODAY, TOLD, Desk, back_order, d, days, kinds, leaf, queue, statements, told
from tests.racing import race

WHY: dict[str, Any] = {"reason": "Their line stands still"}


def waiting(desk: Desk, quantity: int = 2, **facts: Any) -> BackOrder:
    return back_order(leaf(desk.place(quantity, **facts), "back_ordered").id)


def ordered(desk: Desk, quantity: int, on: date) -> None:
    place_purchase_order(
        supplier_id=SupplierFactory.create().pk,
        warehouse_id=desk.warehouse.pk,
        lines=[PurchaseLine(desk.part.pk, d(quantity), expected_on=on)],
        ordered_at=NOW,
        **TOLD,
    )


def three(desk: Desk) -> list[BackOrder]:
    """Three wait for two each; two come in 5 days, two in 20, and two in 60."""
    rows = [waiting(desk) for _ in range(3)]
    for after in (5, 20, 60):
        ordered(desk, 2, days(after))
    return rows


def seen(found: Effect) -> list[tuple[Any, int, int, int | None]]:
    return [(shift.id, shift.place, shift.new_place, shift.days) for shift in found.shifts]


def expected(rows: list[BackOrder]) -> list[date | None]:
    return [BackOrder.objects.get(pk=row.pk).expected_on for row in rows]


# --- What would be ---------------------------------------------------------------------------------------------------


def test_a_pin_says_who_waits_longer_and_by_how_many_days(desk: Desk) -> None:
    first, second, third = three(desk)
    found = effect(pin=[third.pk], today=TODAY)
    assert seen(found) == [(second.pk, 2, 3, 40), (first.pk, 1, 2, 15), (third.pk, 3, 1, -55)]
    assert (found.days_lost, found.days_gained, found.moving) == (55, 55, 3)
    assert queue(desk.part)[0][0] == first.line.reference  # nothing has happened


def test_what_was_shown_is_what_happens(desk: Desk) -> None:
    rows = three(desk)
    found = effect(pin=[rows[2].pk], today=TODAY)
    pinning.pin(back_order_id=rows[2].pk, shown=found.fingerprint, **WHY, **TOLD)
    assert expected(rows) == [days(20), days(60), days(5)]
    assert {shift.id: shift.after for shift in found.shifts} == dict(
        zip([row.pk for row in rows], expected(rows), strict=True)
    )


def test_other_weights_say_the_same_as_they_do(desk: Desk) -> None:
    gold = waiting(desk, customer_id=CustomerFactory.create(tier=Tier.GOLD).pk)
    bronze = waiting(desk, customer_id=CustomerFactory.create(tier=Tier.BRONZE).pk)
    ordered(desk, 2, days(5))
    ordered(desk, 2, days(20))
    changes = {"bronze": d(500)}
    found = policy.preview(changes=changes, at=NOW)
    assert seen(found) == [(gold.pk, 1, 2, 15), (bronze.pk, 2, 1, -15)]
    policy.change_weights(changes=changes, reason="Storm", shown=found.fingerprint, **TOLD)
    assert expected([gold, bronze]) == [days(20), days(5)]


def test_without_supply_only_places_change_and_no_day_is_made_up(desk: Desk) -> None:
    first, second = waiting(desk), waiting(desk)
    found = effect(pin=[second.pk], today=TODAY)
    assert seen(found) == [(first.pk, 1, 2, None), (second.pk, 2, 1, None)]
    assert [shift.direction for shift in found.shifts] == [1, -1]


def test_who_loses_the_only_day_there_is_stands_first(desk: Desk) -> None:
    first, second = waiting(desk), waiting(desk)
    ordered(desk, 2, days(5))
    found = effect(pin=[second.pk], today=TODAY)
    assert [(shift.id, shift.before, shift.after) for shift in found.shifts] == [
        (first.pk, days(5), None),
        (second.pk, None, days(5)),
    ]


def test_it_is_told_with_order_customer_and_whether_a_promise_breaks(desk: Desk) -> None:
    rows = three(desk)
    lines.promise(line_id=rows[0].line_id, promised_on=days(10), **TOLD)
    told_of = {one.shift.id: one for one in tell(effect(pin=[rows[2].pk], today=TODAY).shifts)}
    loser = told_of[rows[0].pk]
    assert (loser.order, loser.customer) == (rows[0].line.order.reference, desk.customer.name)
    assert [told_of[row.pk].breaks_promise for row in rows] == [True, False, False]


def test_a_part_that_nobody_moves_in_is_left_out(desk: Desk) -> None:
    rows = three(desk)
    desk.part = PartFactory.create()
    waiting(desk)
    assert {shift.part_id for shift in effect(pin=[rows[2].pk], today=TODAY).shifts} == {rows[0].part_id}


def test_looking_is_as_many_statements_for_many_as_for_few(desk: Desk) -> None:
    counts = []
    for number in (2, 20):
        for _ in range(number):
            last = waiting(desk)
            ordered(desk, 2, days(5))
        with statements() as sent:
            found = effect(pin=[last.pk], today=TODAY)
            tell(found.shifts)
        counts.append(len(sent))
    assert counts[0] == counts[1] == 5


# --- The pin ---------------------------------------------------------------------------------------------------------


def test_a_pinned_one_is_served_first_and_stands_so_in_the_ledger(desk: Desk) -> None:
    first, second = waiting(desk), waiting(desk)
    pinning.pin(back_order_id=second.pk, **WHY, **TOLD)
    assert kinds(second.pk)[-1] == "back_order.pinned"
    desk.put(2)
    assert back_order(second.line_id).status == "allocated"
    assert back_order(first.line_id).status == "open"


def test_a_pin_outlives_new_weights_and_the_loss_of_its_stock(desk: Desk) -> None:
    first, second = waiting(desk), waiting(desk)
    pinning.pin(back_order_id=second.pk, **WHY, **TOLD)
    policy.change_weights(changes={"emergency": d(5)}, reason="Season", **TOLD)
    assert [key for key, _ in queue(desk.part)] == [second.line.reference, first.line.reference]


def test_an_unpinned_one_stands_where_its_rank_puts_it(desk: Desk) -> None:
    first, second = waiting(desk), waiting(desk)
    before = second.rank
    pinning.pin(back_order_id=second.pk, **WHY, **TOLD)
    found = effect(unpin=[second.pk], today=TODAY)
    pinning.unpin(back_order_id=second.pk, shown=found.fingerprint, **WHY, **TOLD)
    assert BackOrder.objects.get(pk=second.pk).rank == before
    assert [key for key, _ in queue(desk.part)] == [first.line.reference, second.line.reference]
    assert kinds(second.pk)[-2:] == ["back_order.pinned", "back_order.unpinned"]


def test_pinning_twice_is_refused_and_changes_nothing(desk: Desk) -> None:
    row = waiting(desk)
    pinning.pin(back_order_id=row.pk, **WHY, **TOLD)
    pinned = BackOrder.objects.get(pk=row.pk)
    with pytest.raises(NothingToDo):
        pinning.pin(back_order_id=row.pk, **WHY, **TOLD)
    assert BackOrder.objects.get(pk=row.pk).version == pinned.version


def test_a_pin_needs_right_reason_and_somebody_who_waits(desk: Desk) -> None:
    row = waiting(desk)
    refusals: list[tuple[type[Exception], dict[str, Any]]] = [
        (Forbidden, {"by": NOBODY}),
        (ReasonRequired, {"reason": " "}),
        (NotFound, {"back_order_id": new_key()}),
    ]
    for kind, facts in refusals:
        with pytest.raises(kind):
            pinning.pin(**{"back_order_id": row.pk} | WHY | TOLD | facts)
    desk.put(2)
    with pytest.raises(TransitionRefused):
        pinning.pin(back_order_id=row.pk, **WHY, **TOLD)
    assert BackOrder.objects.get(pk=row.pk).pinned_at is None


# --- Only if nothing has changed in between --------------------------------------------------------------------------

CHANGES: dict[str, Callable[[Desk, list[BackOrder]], object]] = {
    "somebody new waits before them": lambda desk, rows: waiting(desk, kind="emergency"),
    "one is held": lambda desk, rows: moving.hold(back_order_id=rows[1].pk, reason="Moves", **TOLD),
    "one waits for less": lambda desk, rows: lines.cancel(
        line_id=rows[0].line_id, reason="Found one", quantity=d(1), **TOLD
    ),
    "supply comes earlier": lambda desk, rows: ordered(desk, 2, days(1)),
    "the weights change": lambda desk, rows: policy.change_weights(changes={"silver": d(7)}, reason="x", **TOLD),
    "another is pinned": lambda desk, rows: pinning.pin(back_order_id=rows[1].pk, **WHY, **TOLD),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_pin_is_refused_where_something_changed_since_it_was_shown(desk: Desk, change: str) -> None:
    rows = three(desk)
    found = effect(pin=[rows[2].pk], today=TODAY)
    CHANGES[change](desk, rows)
    with pytest.raises(PreviewIsOld):
        pinning.pin(back_order_id=rows[2].pk, shown=found.fingerprint, **WHY, **TOLD)
    assert BackOrder.objects.get(pk=rows[2].pk).pinned_at is None
    again = effect(pin=[rows[2].pk], today=TODAY)
    pinning.pin(back_order_id=rows[2].pk, shown=again.fingerprint, **WHY, **TOLD)


@pytest.mark.parametrize("change", CHANGES)
def test_weights_are_refused_where_something_changed_since_they_were_shown(desk: Desk, change: str) -> None:
    rows = [waiting(desk, customer_id=CustomerFactory.create(tier=tier).pk) for tier in (Tier.GOLD, Tier.BRONZE)]
    rows.append(waiting(desk))
    for after in (5, 20, 60):
        ordered(desk, 2, days(after))
    changes = {"bronze": d(500)}
    found = policy.preview(changes=changes, at=NOW)
    CHANGES[change](desk, rows)
    revision = AllocationPolicy.objects.get().revision
    with pytest.raises(PreviewIsOld):
        policy.change_weights(changes=changes, reason="Storm", shown=found.fingerprint, **TOLD)
    weights = AllocationPolicy.objects.get()
    assert (weights.revision, weights.bronze) == (revision, 0)


def test_what_happens_to_another_part_does_not_stand_in_the_way(desk: Desk) -> None:
    rows = three(desk)
    found = effect(pin=[rows[2].pk], today=TODAY)
    mine, desk.part = desk.part, PartFactory.create()
    waiting(desk)
    desk.part = mine
    assert pinning.pin(back_order_id=rows[2].pk, shown=found.fingerprint, **WHY, **TOLD).status == "open"


def _two_pins_at_once() -> tuple[Any, Any, list[BackOrder]]:
    """Two managers look at the same queue and pin another one each."""
    desk = Desk()
    rows = three(desk)
    marks = [effect(pin=[row.pk], today=TODAY).fingerprint for row in rows]

    def pinned(number: int) -> Callable[[], object]:
        return lambda: pinning.pin(back_order_id=rows[number].pk, shown=marks[number], **WHY, **told())

    one, two = race(pinned(1), pinned(2))
    return one, two, rows


@pytest.mark.django_db(transaction=True)
def test_of_two_who_pin_at_once_the_second_is_shown_what_the_first_did() -> None:
    one, two, rows = _two_pins_at_once()
    assert one.error is None
    assert isinstance(two.error, PreviewIsOld)
    assert [BackOrder.objects.get(pk=row.pk).pinned_at is not None for row in rows] == [False, True, False]
    assert broken() == {}


@pytest.mark.django_db(transaction=True)
def test_without_the_hold_on_the_queue_both_pin_on_what_holds_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pinning, "hold_queue", lambda part_ids: None)
    one, two, rows = _two_pins_at_once()
    assert (one.error, two.error) == (None, None)
    assert [BackOrder.objects.get(pk=row.pk).pinned_at is not None for row in rows] == [False, True, True]


def test_dates_follow_in_the_same_call(desk: Desk) -> None:
    rows = three(desk)
    assert expected(rows) == [days(5), days(20), days(60)]
    with transaction.atomic():
        pinning.pin(back_order_id=rows[1].pk, **WHY, **TOLD)
    assert expected(rows) == [days(20), days(5), days(60)]
    assert pegging.repeg(part_ids=[desk.part.pk], today=TODAY) == []
