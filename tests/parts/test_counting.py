"""Counting a van: the books follow, both figures stay, and what cannot follow waits for a person."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction

from parts.actions.stock import CountOutdated, Found, count_van
from parts.actors import Actor
from parts.errors import Forbidden, Invalid, NotFound
from parts.models import StockCount, StockCountLine, StockMovement, Warehouse
from tests.factories.parts import PartFactory, WarehouseFactory
from tests.parts.shelf import NOW, Shelf, balance, d

pytestmark = pytest.mark.django_db


@pytest.fixture
def van(shelf: Shelf, technician: User) -> Shelf:
    """The technician's van with ten of a part in it."""
    shelf = Shelf(warehouse=WarehouseFactory.create(kind="van", technician=technician, code="VAN-1"))
    shelf.put(10)
    return shelf


def count(van: Shelf, person: User, *found: Found, **more: Any) -> StockCount:
    told: dict[str, Any] = {"by": Actor.user(person), "source": "phone", "at": NOW, **more}
    return count_van(warehouse_id=van.warehouse.pk, found=found, **told)


def test_a_count_puts_the_books_right_and_keeps_both_figures(van: Shelf, technician: User) -> None:
    other = PartFactory.create()
    done = count(van, technician, Found(van.part.pk, d(8), d(10)), Found(other.pk, d(1), d(0)), note="left bin")

    assert van.balance() == balance(8)
    assert van.level(other).on_hand == 1
    lines = {line.level.part_id: line for line in done.lines.all()}
    assert (lines[van.part.pk].expected, lines[van.part.pk].counted, lines[van.part.pk].difference) == (10, 8, -2)
    correction = lines[van.part.pk].correction
    assert correction is not None
    assert (correction.reason, correction.reference) == ("count", "VAN-1")
    assert lines[other.pk].difference == 1
    assert (done.note, done.actor, done.counted_at) == ("left bin", f"user:{technician.pk}", NOW)


def test_a_count_that_finds_everything_is_kept_and_moves_nothing(van: Shelf, technician: User) -> None:
    before = StockMovement.objects.count()
    done = count(van, technician, Found(van.part.pk, d(10), d(10)))

    [line] = done.lines.all()
    assert (line.difference, line.correction) == (0, None)
    assert StockMovement.objects.count() == before


def test_what_is_held_for_an_order_stays_in_the_books_and_the_difference_on_record(
    van: Shelf, technician: User
) -> None:
    van.hold(6)
    other = PartFactory.create()
    van.put(4, part=other)
    done = count(van, technician, Found(van.part.pk, d(2), d(10)), Found(other.pk, d(3), d(4)))

    assert van.balance() == balance(10, reserved=6)
    assert van.level(other).on_hand == 3
    open_line = done.lines.get(correction=None)
    assert (open_line.level_id, open_line.expected, open_line.counted) == (van.level().pk, 10, 2)


def test_books_that_changed_since_are_not_overwritten_unseen(van: Shelf, technician: User) -> None:
    van.put(1)
    with pytest.raises(CountOutdated) as refusal, transaction.atomic():
        count(van, technician, Found(van.part.pk, d(8), d(10)))
    assert refusal.value.extra["changed"] == [
        {"part": van.part.number, "part_id": str(van.part.pk), "expected": "10", "now": "11.000"}
    ]
    assert van.balance() == balance(11)
    assert not StockCount.objects.exists()

    count(van, technician, Found(van.part.pk, d(8), d(10)), despite_changes=True)
    assert van.balance() == balance(8)


def test_only_ones_own_van_is_counted(van: Shelf, technician: User, manager: User) -> None:
    found = Found(van.part.pk, d(1))
    with pytest.raises(Forbidden):
        count(van, manager, found)
    depot = Shelf(warehouse=WarehouseFactory.create())
    nobodys = Shelf(warehouse=WarehouseFactory.create(kind="van"))
    colleague = User.objects.create_user("colleague")
    theirs = Shelf(warehouse=WarehouseFactory.create(kind="van", technician=colleague))
    for shelf in (depot, nobodys, theirs):
        with pytest.raises(NotFound):
            count(shelf, technician, found)
    with pytest.raises(NotFound):
        count(nobodys, technician, found, by=Actor.system("rule"))
    assert van.balance() == balance(10)


@pytest.mark.parametrize("counted", ["-1", "1.5", "NaN", "99999999999999"])
def test_a_quantity_that_cannot_be_is_refused(van: Shelf, technician: User, counted: str) -> None:
    with pytest.raises(Invalid), transaction.atomic():
        count(van, technician, Found(van.part.pk, d(counted), d(10)))
    assert van.balance() == balance(10)


def test_nothing_counted_or_a_part_twice_is_refused(van: Shelf, technician: User) -> None:
    with pytest.raises(Invalid):
        count(van, technician)
    with pytest.raises(Invalid):
        count(van, technician, Found(van.part.pk, d(1)), Found(van.part.pk, d(2)))


def test_a_technician_has_one_van_and_it_is_a_van(van: Shelf, technician: User) -> None:
    with pytest.raises(IntegrityError, match="technician"), transaction.atomic():
        WarehouseFactory.create(kind="van", technician=technician)
    Warehouse.objects.filter(pk=van.warehouse.pk).update(technician=None)
    with pytest.raises(IntegrityError, match="warehouse_of_a_technician_is_a_van"), transaction.atomic():
        WarehouseFactory.create(kind="depot", technician=technician)


@pytest.mark.parametrize("table", ["parts_stockcount", "parts_stockcountline"])
def test_what_was_counted_is_not_rewritten(van: Shelf, technician: User, table: str) -> None:
    count(van, technician, Found(van.part.pk, d(8)))
    for statement in (f"UPDATE {table} SET id = id", f"DELETE FROM {table}"):
        with pytest.raises(IntegrityError, match="stock_count_append_only"), transaction.atomic():
            connection.cursor().execute(statement)
    assert StockCountLine.objects.count() == 1
