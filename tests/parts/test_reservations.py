"""What happens to a reservation after it was made."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from parts.actions.stock import (
    Issue,
    Move,
    Split,
    issue,
    pick,
    reassign_reservation,
    split_reservations,
    unreserve,
)
from parts.errors import AlreadyReserved, Invalid, NothingReserved, PartialIssue
from parts.keys import new_key
from parts.models import Reservation, StockMovement
from parts.signals import FreedStock
from parts.statuses import RESERVATION_LIVE
from tests.parts.shelf import NOW, TOLD, Ear, ReceiverFailed, Shelf, balance, d, statements

pytestmark = pytest.mark.django_db


def reservation(demand_id: UUID) -> Reservation:
    return Reservation.objects.get(demand_id=demand_id)


# --- Giving back -----------------------------------------------------------------------------------------------------


def test_what_is_given_back_is_available_again_and_told_to_whoever_waits(shelf: Shelf, ear: Ear) -> None:
    shelf.put(10)
    demand_id = shelf.hold(4)
    ear.freed.clear()

    [released] = unreserve(demand_ids=[demand_id], **TOLD)

    level = shelf.level()
    assert shelf.balance() == balance(10)
    assert (released.demand_id, released.level_id, released.part_id, released.quantity) == (
        demand_id,
        level.pk,
        shelf.part.pk,
        d(4),
    )
    held = reservation(demand_id)
    assert (held.status, held.closed_at) == ("released", NOW)
    movement = StockMovement.objects.latest("id")
    assert (movement.kind, movement.reserved_change, movement.reservation_id) == ("release", d(-4), held.pk)
    assert (movement.actor, movement.source, movement.occurred_at) == ("system:test", "test", NOW)
    assert ear.freed == [FreedStock(shelf.part.pk, level.pk, d(4), "reservation_cancelled")]


def test_giving_back_twice_changes_nothing_the_second_time(shelf: Shelf, ear: Ear) -> None:
    shelf.put(10)
    demand_id = shelf.hold(4)
    unreserve(demand_ids=[demand_id], **TOLD)
    ear.freed.clear()
    movements = StockMovement.objects.count()

    assert unreserve(demand_ids=[demand_id, new_key()], **TOLD) == []

    assert StockMovement.objects.count() == movements
    assert ear.freed == []


def test_the_cause_of_giving_back_reaches_whoever_waits(shelf: Shelf, ear: Ear) -> None:
    shelf.put(10)
    demand_id = shelf.hold(4)
    ear.freed.clear()

    unreserve(demand_ids=[demand_id], cause="reservation_expired", **TOLD)

    assert [freed.cause for freed in ear.freed] == ["reservation_expired"]


def test_stock_that_is_taken_by_another_demand_at_once_is_not_offered_to_the_queue(shelf: Shelf, ear: Ear) -> None:
    shelf.put(10)
    demand_id = shelf.hold(4)
    ear.freed.clear()

    unreserve(demand_ids=[demand_id], announce=False, **TOLD)

    assert shelf.balance() == balance(10)
    assert ear.freed == []


def test_giving_back_is_undone_when_whoever_waits_cannot_take_it(shelf: Shelf, ear: Ear) -> None:
    shelf.put(10)
    demand_id = shelf.hold(4)
    ear.fails = True

    with pytest.raises(ReceiverFailed):
        unreserve(demand_ids=[demand_id], **TOLD)

    assert shelf.balance() == balance(10, reserved=4)
    assert reservation(demand_id).status == "active"


def test_giving_back_takes_as_many_statements_for_twenty_as_for_two(shelf: Shelf) -> None:
    demands = [shelf.hold(3, part=part) for part in shelf.many(22)]

    with statements() as for_two:
        assert len(unreserve(demand_ids=demands[:2], **TOLD)) == 2
    with statements() as for_twenty:
        assert len(unreserve(demand_ids=demands[2:], **TOLD)) == 20

    assert len(for_two) == len(for_twenty) <= 5


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"at": NOW.replace(tzinfo=None)}, "at"), ({"source": ""}, "source"), ({"source": "x" * 41}, "source")],
)
def test_an_action_wants_to_know_when_and_from_where(shelf: Shelf, wrong: dict[str, object], field: str) -> None:
    told = {**TOLD, **wrong}
    for action in (unreserve, pick):
        with pytest.raises(Invalid) as refusal:
            action(demand_ids=[new_key()], **told)
        assert list(refusal.value.extra["fields"]) == [field]
    with pytest.raises(Invalid):
        issue(issues=[Issue(new_key())], **told)


# --- Picking ---------------------------------------------------------------------------------------------------------


def test_what_was_picked_is_hard_and_never_lapses(shelf: Shelf) -> None:
    shelf.put(10)
    demand_id = shelf.hold(4, strength="soft", expires_at=NOW + timedelta(days=1))

    [held] = pick(demand_ids=[demand_id], **TOLD)

    row = reservation(demand_id)
    assert (row.status, row.strength, row.expires_at) == ("picked", "hard", None)
    assert (held.demand_id, held.status, held.quantity) == (demand_id, "picked", d(4))
    assert shelf.balance() == balance(10, reserved=4)


def test_picking_twice_gives_the_same_answer(shelf: Shelf) -> None:
    shelf.put(10)
    demand_id = shelf.hold(4)

    assert pick(demand_ids=[demand_id], **TOLD) == pick(demand_ids=[demand_id], **TOLD)


def test_picking_what_is_not_reserved_is_refused_by_name_and_nothing_is_picked(shelf: Shelf) -> None:
    shelf.put(10)
    demand_id, stranger = shelf.hold(4), new_key()

    with pytest.raises(NothingReserved) as refusal:
        pick(demand_ids=[demand_id, stranger], **TOLD)

    assert refusal.value.extra["demand_ids"] == [str(stranger)]
    assert reservation(demand_id).status == "active"


def test_picking_takes_as_many_statements_for_twenty_as_for_two(shelf: Shelf) -> None:
    demands = [shelf.hold(3, part=part) for part in shelf.many(22)]

    with statements() as for_two:
        pick(demand_ids=demands[:2], **TOLD)
    with statements() as for_twenty:
        pick(demand_ids=demands[2:], **TOLD)

    assert len(for_two) == len(for_twenty) <= 4


# --- Goods issue -----------------------------------------------------------------------------------------------------


def test_issued_goods_leave_on_hand_and_reserved(shelf: Shelf, ear: Ear) -> None:
    shelf.put(10)
    demand_id = shelf.hold(4)
    ear.freed.clear()

    [held] = issue(issues=[Issue(demand_id, d(4))], **TOLD)

    assert shelf.balance() == balance(6)
    row = reservation(demand_id)
    assert (row.status, row.closed_at, held.status) == ("issued", NOW, "issued")
    movement = StockMovement.objects.latest("id")
    assert (movement.kind, movement.on_hand_change, movement.reserved_change) == ("issue", d(-4), d(-4))
    assert ear.freed == []


def test_picked_goods_can_be_issued_whole_without_naming_the_quantity(shelf: Shelf) -> None:
    shelf.put(10)
    demand_id = shelf.hold(4)
    pick(demand_ids=[demand_id], **TOLD)

    issue(issues=[Issue(demand_id)], **TOLD)

    assert shelf.balance() == balance(6)


def test_issuing_twice_is_refused_and_takes_nothing_more(shelf: Shelf) -> None:
    shelf.put(10)
    demand_id = shelf.hold(4)
    issue(issues=[Issue(demand_id)], **TOLD)

    with pytest.raises(NothingReserved):
        issue(issues=[Issue(demand_id)], **TOLD)

    assert shelf.balance() == balance(6)


@pytest.mark.parametrize("quantity", [3, 5])
def test_another_quantity_than_is_reserved_is_not_issued(shelf: Shelf, quantity: int) -> None:
    shelf.put(10)
    demand_id = shelf.hold(4)

    with pytest.raises(PartialIssue) as refusal:
        issue(issues=[Issue(demand_id, d(quantity))], **TOLD)

    assert refusal.value.extra["reserved"] == "4.000"
    assert shelf.balance() == balance(10, reserved=4)


def test_one_demand_cannot_be_issued_twice_in_one_call(shelf: Shelf) -> None:
    shelf.put(10)
    demand_id = shelf.hold(4)

    with pytest.raises(Invalid):
        issue(issues=[Issue(demand_id), Issue(demand_id)], **TOLD)


def test_an_issue_is_all_or_nothing(shelf: Shelf) -> None:
    shelf.put(10)
    demand_id = shelf.hold(4)

    with pytest.raises(NothingReserved):
        issue(issues=[Issue(demand_id), Issue(new_key())], **TOLD)

    assert shelf.balance() == balance(10, reserved=4)


def test_two_demands_of_one_level_are_issued_together(shelf: Shelf) -> None:
    shelf.put(10)
    issue(issues=[Issue(shelf.hold(4)), Issue(shelf.hold(3))], **TOLD)

    assert shelf.balance() == balance(3)


def test_an_issue_takes_as_many_statements_for_twenty_as_for_two(shelf: Shelf) -> None:
    demands = [shelf.hold(3, part=part) for part in shelf.many(22)]

    with statements() as for_two:
        issue(issues=[Issue(demand_id) for demand_id in demands[:2]], **TOLD)
    with statements() as for_twenty:
        issue(issues=[Issue(demand_id) for demand_id in demands[2:]], **TOLD)

    assert len(for_two) == len(for_twenty) <= 4


# --- Splitting and passing on ----------------------------------------------------------------------------------------


def test_a_split_leaves_level_and_terms_as_they_were(shelf: Shelf) -> None:
    shelf.put(10)
    expires_at = NOW + timedelta(days=1)
    demand_id, first, second = shelf.hold(6, strength="soft", expires_at=expires_at), new_key(), new_key()
    movements = StockMovement.objects.count()

    made = split_reservations(splits=[Split(demand_id, d(1), first), Split(demand_id, d(2), second)], at=NOW)

    assert [(held.demand_id, held.quantity) for held in made] == [(first, d(1)), (second, d(2))]
    assert shelf.balance() == balance(10, reserved=6)
    assert StockMovement.objects.count() == movements
    origin = reservation(demand_id)
    assert origin.quantity == d(3)
    for new in (reservation(first), reservation(second)):
        assert (new.level_id, new.status, new.strength, new.purpose, new.expires_at, new.created_at) == (
            origin.level_id,
            "active",
            "soft",
            "service",
            expires_at,
            NOW,
        )


def test_each_part_of_a_split_goes_its_own_way(shelf: Shelf) -> None:
    shelf.put(10)
    demand_id, other = shelf.hold(6), new_key()
    split_reservations(splits=[Split(demand_id, d(2), other)], at=NOW)

    issue(issues=[Issue(other, d(2))], **TOLD)
    unreserve(demand_ids=[demand_id], **TOLD)

    assert shelf.balance() == balance(8)


@pytest.mark.parametrize("quantity", ["6", "7", "0", "-1", "NaN", "1.0001"])
def test_a_split_must_take_some_and_leave_some(shelf: Shelf, quantity: str) -> None:
    shelf.put(10)
    demand_id = shelf.hold(6)

    with pytest.raises(Invalid) as refusal:
        split_reservations(splits=[Split(demand_id, d(quantity), new_key())], at=NOW)

    assert list(refusal.value.extra["fields"]) == ["splits.0.quantity"]
    assert reservation(demand_id).quantity == d(6)


def test_splits_of_one_reservation_are_added_up(shelf: Shelf) -> None:
    shelf.put(10)
    demand_id = shelf.hold(6)

    with pytest.raises(Invalid) as refusal:
        split_reservations(splits=[Split(demand_id, d(3), new_key()), Split(demand_id, d(3), new_key())], at=NOW)

    assert list(refusal.value.extra["fields"]) == ["splits.1.quantity"]


def test_a_split_to_a_demand_that_holds_something_is_refused(shelf: Shelf) -> None:
    shelf.put(10)
    demand_id, other = shelf.hold(6), shelf.hold(1)

    with pytest.raises(AlreadyReserved) as refusal:
        split_reservations(splits=[Split(demand_id, d(2), other)], at=NOW)

    assert refusal.value.extra["demand_ids"] == [str(other)]


def test_nothing_is_split_from_a_demand_that_holds_nothing(shelf: Shelf) -> None:
    with pytest.raises(NothingReserved):
        split_reservations(splits=[Split(new_key(), d(2), new_key())], at=NOW)


def test_splitting_takes_as_many_statements_for_twenty_as_for_two(shelf: Shelf) -> None:
    splits = [Split(shelf.hold(3, part=part), d(1), new_key()) for part in shelf.many(22)]

    with statements() as for_two:
        split_reservations(splits=splits[:2], at=NOW)
    with statements() as for_twenty:
        split_reservations(splits=splits[2:], at=NOW)

    assert len(for_two) == len(for_twenty) <= 4


def test_a_reservation_is_passed_on_whole(shelf: Shelf) -> None:
    shelf.put(10)
    demand_id, heir = shelf.hold(6), new_key()

    [held] = reassign_reservation(moves=[Move(demand_id, heir)])

    assert (held.demand_id, held.quantity) == (heir, d(6))
    assert list(Reservation.objects.values_list("demand_id", flat=True)) == [heir]
    assert shelf.balance() == balance(10, reserved=6)
    with pytest.raises(NothingReserved):
        reassign_reservation(moves=[Move(demand_id, new_key())])


def test_a_reservation_is_not_passed_on_to_a_demand_that_holds_something(shelf: Shelf) -> None:
    shelf.put(10)
    demand_id, other = shelf.hold(6), shelf.hold(1)

    with pytest.raises(AlreadyReserved):
        reassign_reservation(moves=[Move(demand_id, other)])

    assert Reservation.objects.filter(demand_id=demand_id, status__in=RESERVATION_LIVE).exists()


def test_passing_on_takes_as_many_statements_for_twenty_as_for_two(shelf: Shelf) -> None:
    moves = [Move(shelf.hold(3, part=part), new_key()) for part in shelf.many(22)]

    with statements() as for_two:
        reassign_reservation(moves=moves[:2])
    with statements() as for_twenty:
        reassign_reservation(moves=moves[2:])

    assert len(for_two) == len(for_twenty) <= 4


# --- Lapsing ---------------------------------------------------------------------------------------------------------


def test_only_soft_reservations_past_their_time_are_due(shelf: Shelf) -> None:
    shelf.put(10)
    longest = shelf.hold(1, strength="soft", expires_at=NOW - timedelta(hours=2))
    now = shelf.hold(1, strength="soft", expires_at=NOW)
    shelf.hold(1, strength="soft", expires_at=NOW + timedelta(seconds=1))
    shelf.hold(1)
    picked = shelf.hold(1, strength="soft", expires_at=NOW - timedelta(hours=1))
    pick(demand_ids=[picked], **TOLD)

    assert list(Reservation.objects.lapsed(NOW).values_list("demand_id", flat=True)) == [longest, now]
