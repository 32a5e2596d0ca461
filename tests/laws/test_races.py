"""Two at once on real connections. Each race has a twin with the lock taken out, which must show what it is for."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, OperationalError

from backorders.actions import allocating
from backorders.models import Allocation, BackOrder
from orders import sql as orders_sql
from orders.actions import lines, messages, placing, service_orders, work
from orders.actions.reporting import Report, Result, report_many
from orders.errors import ConcurrentChange, TransitionRefused
from orders.models import OrderEvent, PartsOrder, ServiceOrder
from parts import sql as parts_sql
from parts import sql_reserve
from parts.actions.supply import DeliveryItem, receive_delivery
from parts.errors import Refused
from parts.keys import new_key
from parts.models import Reservation, Warehouse
from tests.factories.parts import PartFactory, SupplierFactory, WarehouseFactory
from tests.laws.checking import broken_laws
from tests.orders.desk import NOW, TOLD, Desk, balance, d, kinds, leaf, line, order, tree
from tests.racing import Racer, collide, race

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]

LOCK = re.compile(r"FOR (NO KEY UPDATE|KEY SHARE|UPDATE)( OF [\w, ]+)?")
#: What a writer meets who decided on what is no longer true: the ledger, the books or the version refuse it.
TOO_LATE = (IntegrityError, ConcurrentChange)


@pytest.fixture
def twin_desk(db: None) -> Desk:
    """A desk for twins: what happens at it without a lock need not be lawful."""
    return Desk()


def without_locks(monkeypatch: pytest.MonkeyPatch, *statements: tuple[object, str]) -> None:
    """Take the row locks out of statements, named by their module and name."""
    for module, name in statements:
        statement = getattr(module, name)
        text = statement if isinstance(statement, str) else statement.text
        assert LOCK.search(text), f"there is no lock in {name}"
        bare = LOCK.sub("", text)
        monkeypatch.setattr(module, name, bare if isinstance(statement, str) else replace(statement, text=bare))


LEVELS = (sql_reserve, "LOCK_LEVELS")
LEVELS_OF_PARTS = (parts_sql.stock, "LOCK_LEVELS_OF_PARTS")
LEVELS_OF_DEMANDS = (parts_sql.stock, "LOCK_LEVELS_OF_DEMANDS")
PARTS = (parts_sql.stock, "LOCK_PARTS")
PARTS_HELD = (parts_sql.stock, "HOLD_PARTS")
PARTS_FOR_PLACING = (orders_sql, "READ_FOR_PLACING")
ORDERS = (orders_sql, "LOCK_TREES")
JOBS = (orders_sql, "LOCK_SERVICE_ORDERS")


def without_errors(*racers: Racer) -> list[Any]:
    assert [racer.error for racer in racers] == [None] * len(racers)
    return [racer.result for racer in racers]


def deliver(desk: Desk, quantity: int, note: str, to: Warehouse | None = None) -> object:
    return receive_delivery(
        supplier_id=SupplierFactory.create().pk,
        warehouse_id=(to or desk.warehouse).pk,
        note_number=note,
        lines=[DeliveryItem(desk.part.pk, d(quantity))],
        received_at=NOW,
        **TOLD,
    )


# --- Two orders for the last unit ------------------------------------------------------------------------------------


def test_the_last_unit_goes_to_one_of_two_orders(desk: Desk) -> None:
    desk.put(1)
    first, second = without_errors(*race(lambda: desk.place(1), lambda: desk.place(1)))
    assert (first.status, second.status) == ("reserved", "back_ordered")


def test_without_its_lock_the_last_unit_is_promised_to_both(twin_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    twin_desk.put(1)
    without_locks(monkeypatch, LEVELS)
    _first, second = race(lambda: twin_desk.place(1), lambda: twin_desk.place(1))
    assert isinstance(second.error, IntegrityError)
    assert "stock_level_nothing_promised_twice" in str(second.error)


def test_the_same_order_placed_twice_at_once_is_one(desk: Desk) -> None:
    desk.put(5)
    key = new_key()
    first, second = without_errors(*race(lambda: desk.place(2, 9, key=key), lambda: desk.place(2, 9, key=key)))
    assert (first.replayed, second.replayed, first.reference) == (False, True, second.reference)
    assert PartsOrder.objects.count() == 1


def test_the_same_order_of_another_part_twice_at_once_is_one(desk: Desk) -> None:
    """With nothing in common to lock, they meet only where they are written."""
    key, other = new_key(), PartFactory.create()
    wanted = [placing.Wanted(d(1), other.pk)]
    first, second = without_errors(*race(lambda: desk.place(1, key=key), lambda: desk.order(wanted, key=key)))
    assert (second.replayed, PartsOrder.objects.count()) == (True, 1)
    assert second.lines[0].part_id == desk.part.pk == first.lines[0].part_id


def test_the_same_message_at_once_places_one_order(desk: Desk) -> None:
    facts: dict[str, Any] = {"message_id": "M-1"}
    first, second = without_errors(*race(lambda: desk.place(1, **facts), lambda: desk.place(1, **facts)))
    assert (second.replayed, second.id, PartsOrder.objects.count()) == (True, first.id, 1)


def test_without_its_lock_the_same_message_at_once_places_two(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "_WAIT", "SELECT %s::text")
    facts: dict[str, Any] = {"message_id": "M-1"}
    without_errors(*race(lambda: desk.place(1, **facts), lambda: desk.place(1, **facts)))
    assert PartsOrder.objects.count() == 2


# --- Two transfers arrive where the part never lay -------------------------------------------------------------------


def sent_to(desk: Desk, depot: Warehouse) -> UUID:
    """Ship a piece to a depot and return the line."""
    desk.put(1)
    line_id = leaf(desk.transfer(1, to=depot)).id
    desk.ship(line_id)
    return line_id


def test_two_arrivals_where_the_part_never_lay_add_one_level(desk: Desk) -> None:
    depot = WarehouseFactory.create()
    one, two = sent_to(desk, depot), sent_to(desk, depot)
    without_errors(
        *race(
            lambda: lines.move(line_id=one, to="delivered", **TOLD),
            lambda: lines.move(line_id=two, to="delivered", **TOLD),
        )
    )
    assert desk.balance(at=depot) == balance(2)


def test_without_its_locks_the_second_arrival_adds_the_level_again(
    twin_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    depot = WarehouseFactory.create()
    one, two = sent_to(twin_desk, depot), sent_to(twin_desk, depot)
    without_locks(monkeypatch, PARTS, LEVELS_OF_PARTS)
    _first, second = race(
        lambda: lines.move(line_id=one, to="delivered", **TOLD), lambda: lines.move(line_id=two, to="delivered", **TOLD)
    )
    assert "stock_level_unique" in str(second.error)


def test_an_order_sees_what_arrives_while_it_is_placed(desk: Desk) -> None:
    depot = WarehouseFactory.create()
    one = sent_to(desk, depot)
    _delivered, placed = without_errors(
        *race(lambda: lines.move(line_id=one, to="delivered", **TOLD), lambda: desk.place(1))
    )
    assert (placed.status, desk.balance(at=depot)) == ("reserved", balance(1, 1))


# --- A delivery against a cancellation -------------------------------------------------------------------------------


def test_a_line_that_is_cancelled_while_it_is_served_gives_its_stock_on(desk: Desk) -> None:
    served, next_one = desk.place(3), desk.place(3)
    line_id = leaf(served, "back_ordered").id
    without_errors(
        *race(lambda: deliver(desk, 3, "DN-1"), lambda: lines.cancel(line_id=line_id, reason="Not needed", **TOLD))
    )
    assert (order(served.id).status, order(next_one.id).status) == ("cancelled", "reserved")


def test_a_delivery_finds_nobody_who_was_just_cancelled(desk: Desk) -> None:
    waiting = desk.place(3)
    line_id = leaf(waiting, "back_ordered").id
    without_errors(
        *race(lambda: lines.cancel(line_id=line_id, reason="Not needed", **TOLD), lambda: deliver(desk, 3, "DN-1"))
    )
    assert (order(waiting.id).status, desk.balance()) == ("cancelled", balance(3))


def test_without_its_locks_a_delivery_serves_who_was_just_cancelled(
    twin_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    line_id = leaf(twin_desk.place(3), "back_ordered").id
    without_locks(monkeypatch, ORDERS, LEVELS, LEVELS_OF_PARTS, PARTS, PARTS_HELD)
    _first, second = race(
        lambda: lines.cancel(line_id=line_id, reason="Not needed", **TOLD), lambda: deliver(twin_desk, 3, "DN-1")
    )
    assert isinstance(second.error, TOO_LATE)


# --- Two allocations of the same part --------------------------------------------------------------------------------


def free_beside_the_queue(desk: Desk, quantity: int = 5) -> None:
    """Put stock where it may not be promised from, and then allow it: nobody is told."""
    place = WarehouseFactory.create(allocatable=False)
    desk.put(quantity, at=place)
    Warehouse.objects.filter(pk=place.pk).update(allocatable=True)


def allocate(desk: Desk) -> allocating.Allocated:
    return allocating.allocate_parts(part_ids=[desk.part.pk], **TOLD)


def test_of_two_allocations_one_gives_and_the_other_finds_nothing(desk: Desk) -> None:
    desk.place(3)
    desk.place(3)
    free_beside_the_queue(desk)
    first, second = without_errors(*race(lambda: allocate(desk), lambda: allocate(desk)))
    assert ([given.quantity for given in first.given], second.given) == ([3, 2], [])
    assert Allocation.objects.count() == 2


def test_without_their_locks_two_allocations_give_the_same_stock(
    twin_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    twin_desk.place(3)
    twin_desk.place(3)
    free_beside_the_queue(twin_desk)
    without_locks(monkeypatch, LEVELS, LEVELS_OF_PARTS, ORDERS)
    _first, second = race(lambda: allocate(twin_desk), lambda: allocate(twin_desk))
    assert isinstance(second.error, TOO_LATE)


# --- A move against a move -------------------------------------------------------------------------------------------


def move_job(job: ServiceOrder, to: str) -> service_orders.Moved:
    return service_orders.move(service_order_id=job.pk, to=to, note="Not needed", **TOLD)


def test_of_two_moves_of_a_job_the_second_starts_where_the_first_ended(desk: Desk) -> None:
    job = desk.job("new")
    first, second = race(lambda: move_job(job, "in_progress"), lambda: move_job(job, "scheduled"))
    assert first.error is None
    assert isinstance(second.error, TransitionRefused)
    assert second.error.extra["current"] == "in_progress"
    assert kinds(job.pk)[-1] == "service_order.status_changed in_progress"


def test_without_its_lock_a_second_move_starts_where_nobody_stands(
    twin_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = twin_desk.job("new")
    without_locks(monkeypatch, JOBS)
    _first, second = race(lambda: move_job(job, "in_progress"), lambda: move_job(job, "scheduled"))
    assert isinstance(second.error, TOO_LATE)


def test_of_two_moves_of_a_line_the_second_starts_where_the_first_ended(desk: Desk) -> None:
    desk.put(1)
    line_id = leaf(desk.place(1)).id
    first, second = race(
        lambda: lines.move(line_id=line_id, to="released", **TOLD),
        lambda: lines.move(line_id=line_id, to="released", **TOLD),
    )
    assert first.error is None
    assert isinstance(second.error, TransitionRefused)


def test_without_its_lock_a_line_is_released_twice(twin_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    twin_desk.put(1)
    line_id = leaf(twin_desk.place(1)).id
    without_locks(monkeypatch, ORDERS)
    _first, second = race(
        lambda: lines.move(line_id=line_id, to="released", **TOLD),
        lambda: lines.move(line_id=line_id, to="released", **TOLD),
    )
    assert isinstance(second.error, TOO_LATE)


def test_two_lines_of_one_order_moved_at_once_leave_it_where_its_last_line_stands(desk: Desk) -> None:
    desk.put(2)
    placed = desk.place(1, 1)
    without_errors(
        *race(
            lambda: lines.move(line_id=placed.lines[0].id, to="released", **TOLD),
            lambda: lines.move(line_id=placed.lines[1].id, to="released", **TOLD),
        )
    )
    assert order(placed.id).status == "released"


def test_without_its_lock_an_order_does_not_see_its_other_line_move(
    twin_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    twin_desk.put(2)
    placed = twin_desk.place(1, 1)
    without_locks(monkeypatch, ORDERS)
    _first, second = race(
        lambda: lines.move(line_id=placed.lines[0].id, to="released", **TOLD),
        lambda: lines.move(line_id=placed.lines[1].id, to="released", **TOLD),
    )
    assert isinstance(second.error, TOO_LATE) or "order_status_is_derived" in broken_laws()


# --- The same report twice at once -----------------------------------------------------------------------------------


def reported(line_id: UUID) -> list[Result]:
    return report_many(reports=[Report("line", line_id, "picking", NOW, message_id="M1")], **TOLD)


def test_a_message_that_arrives_twice_at_once_has_one_effect(desk: Desk) -> None:
    desk.put(1)
    line_id = leaf(desk.place(1)).id
    first, second = without_errors(*race(lambda: reported(line_id), lambda: reported(line_id)))
    assert (first[0].outcome, second[0].outcome) == ("moved", "repeated")
    assert OrderEvent.objects.filter(message_id="M1").count() == 2  # released, passed through, and picking


def test_without_its_locks_a_message_that_arrives_twice_is_taken_twice(
    twin_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    twin_desk.put(1)
    line_id = leaf(twin_desk.place(1)).id
    without_locks(monkeypatch, ORDERS, LEVELS_OF_PARTS)
    _first, second = race(lambda: reported(line_id), lambda: reported(line_id))
    assert isinstance(second.error, TOO_LATE)


# --- Two orders of one job, filled at once ---------------------------------------------------------------------------


def a_job_that_waits_for_two_orders(desk: Desk) -> tuple[ServiceOrder, Desk]:
    job, other = desk.job("in_progress"), Desk(customer=desk.customer)
    desk.put(1)
    other.put(1)
    desk.place(2, service_order_id=job.pk)
    other.place(2, service_order_id=job.pk)
    return job, other


def test_a_job_whose_two_orders_are_filled_at_once_goes_on(desk: Desk) -> None:
    job, other = a_job_that_waits_for_two_orders(desk)
    without_errors(*race(lambda: desk.put(1), lambda: other.put(1)))
    assert ServiceOrder.objects.get(pk=job.pk).status == "in_progress"


def test_without_its_lock_a_job_whose_orders_are_filled_at_once_waits_for_ever(
    twin_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, other = a_job_that_waits_for_two_orders(twin_desk)
    without_locks(monkeypatch, JOBS)
    without_errors(*race(lambda: twin_desk.put(1), lambda: other.put(1)))
    assert ServiceOrder.objects.get(pk=job.pk).status == "awaiting_parts"


# --- A brand-new level -----------------------------------------------------------------------------------------------


def test_an_order_sees_the_level_that_was_just_being_added(desk: Desk) -> None:
    _put, placed = without_errors(*race(lambda: desk.put(2), lambda: desk.place(2)))
    assert placed.status == "reserved"


def test_a_level_that_is_added_serves_the_order_that_was_just_being_placed(desk: Desk) -> None:
    placed, _put = without_errors(*race(lambda: desk.place(2), lambda: desk.put(2)))
    assert order(placed.id).status == "reserved"


@pytest.mark.parametrize("level_first", [True, False])
def test_without_its_lock_somebody_waits_beside_a_new_level(
    twin_desk: Desk, monkeypatch: pytest.MonkeyPatch, level_first: bool
) -> None:
    without_locks(monkeypatch, PARTS_FOR_PLACING, PARTS)
    both = (lambda: twin_desk.put(2), lambda: twin_desk.place(2))
    without_errors(*race(*(both if level_first else both[::-1])))
    assert "nobody_waits_beside_free_stock" in broken_laws()


# --- Taking back against picking -------------------------------------------------------------------------------------


def test_what_is_just_being_picked_is_not_taken_back(desk: Desk) -> None:
    desk.put(2)
    soft = desk.transfer(2, to=WarehouseFactory.create())
    desk.pack(leaf(soft).id, "released")
    _picked, placed = without_errors(
        *race(lambda: lines.move(line_id=leaf(soft).id, to="picking", **TOLD), lambda: desk.place(2))
    )
    assert (order(soft.id).status, placed.status) == ("picking", "back_ordered")


def test_what_is_just_being_taken_back_is_not_picked(desk: Desk) -> None:
    desk.put(2)
    soft = desk.transfer(2, to=WarehouseFactory.create())
    desk.pack(leaf(soft).id, "released")
    placed, picked = race(lambda: desk.place(2), lambda: lines.move(line_id=leaf(soft).id, to="picking", **TOLD))
    assert placed.error is None
    assert isinstance(picked.error, Refused)
    assert (order(soft.id).status, Reservation.objects.filter(status="picked").count()) == ("back_ordered", 0)


def test_without_their_locks_what_is_taken_back_is_picked_too(twin_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    twin_desk.put(2)
    soft = twin_desk.transfer(2, to=WarehouseFactory.create())
    twin_desk.pack(leaf(soft).id, "released")
    without_locks(monkeypatch, LEVELS, LEVELS_OF_PARTS, ORDERS)
    _placed, picked = race(lambda: twin_desk.place(2), lambda: lines.move(line_id=leaf(soft).id, to="picking", **TOLD))
    assert isinstance(picked.error, TOO_LATE)
    assert not isinstance(picked.error, TransitionRefused)


# --- Two cancellations that serve each other's orders ----------------------------------------------------------------


def each_holds_what_the_other_waits_for(desk: Desk) -> tuple[UUID, UUID]:
    """Place two orders of two parts: each holds one of them, and waits for the one that the other holds."""
    other = PartFactory.create()
    desk.put(1, part=other)
    two = desk.order([placing.Wanted(d(1), other.pk), placing.Wanted(d(1), desk.part.pk)])
    free_beside_the_queue(desk, 1)
    one = desk.order([placing.Wanted(d(1), desk.part.pk), placing.Wanted(d(1), other.pk)])
    return one.lines[0].id, two.lines[0].id


def cancel_both_at_once(monkeypatch: pytest.MonkeyPatch, one: UUID, two: UUID) -> tuple[Racer, Racer]:
    return collide(
        monkeypatch,
        (allocating, "lock_trees"),
        lambda: lines.cancel(line_id=one, reason="Not needed", **TOLD),
        lambda: lines.cancel(line_id=two, reason="Not needed", **TOLD),
    )


def test_two_cancellations_that_serve_each_other_s_orders_both_end(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = each_holds_what_the_other_waits_for(desk)
    without_errors(*cancel_both_at_once(monkeypatch, one, two))
    assert not BackOrder.objects.waiting().exists()


def test_with_only_its_own_line_s_stock_locked_one_of_two_cancellations_is_lost(
    twin_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = each_holds_what_the_other_waits_for(twin_desk)
    part_of = {line_id: [line(line_id).part_id] for line_id in (one, two)}
    order_of = {line(line_id).order_id: line_id for line_id in (one, two)}
    monkeypatch.setattr(
        work, "_parts_of", lambda _lines, order_ids, *, whole_orders: part_of[order_of[next(iter(order_ids))]]
    )
    racers = cancel_both_at_once(monkeypatch, one, two)
    [error] = [racer.error for racer in racers if racer.error]
    assert isinstance(error, OperationalError)
    assert "deadlock detected" in str(error)


# --- Two deliveries into two warehouses ------------------------------------------------------------------------------


def test_two_deliveries_of_one_part_into_two_warehouses_both_serve_the_queue(desk: Desk) -> None:
    other = WarehouseFactory.create()
    waiting = desk.place(5)
    without_errors(*race(lambda: deliver(desk, 3, "DN-1"), lambda: deliver(desk, 3, "DN-2", other)))
    assert [status for _, status, _ in tree(waiting.id)] == ["reserved"] * 3
    assert line(leaf(waiting, "back_ordered").id).quantity == 2
