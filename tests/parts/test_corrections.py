"""Putting a stock level right."""

from __future__ import annotations

from typing import Any

import pytest

from parts.actions.stock import Correction, correct_stock, correct_stock_many, count_stock
from parts.errors import Forbidden, Invalid, NotEnoughStock, NotFound
from parts.keys import new_key
from parts.models import StockCorrection, StockLevel, StockMovement
from parts.signals import FreedStock
from tests.factories.parts import PartFactory, UnitOfMeasureFactory, WarehouseFactory
from tests.parts.shelf import NOBODY, NOW, TOLD, Ear, ReceiverFailed, Shelf, balance, d, only, statements

pytestmark = pytest.mark.django_db


def correct(shelf: Shelf, on_hand: int | str = 0, unfit: int | str = 0, **more: Any) -> Any:
    values: dict[str, Any] = {"reason": "found", **TOLD, **more}
    return correct_stock(
        part_id=shelf.part.pk,
        warehouse_id=shelf.warehouse.pk,
        on_hand_change=d(on_hand),
        unfit_change=d(unfit),
        **values,
    )


def test_a_correction_adds_the_level_keeps_its_reason_and_tells_whoever_waits(shelf: Shelf, ear: Ear) -> None:
    corrected = correct(shelf, 10, 2, reason="other", note="behind the rack", reference="CC-17")

    level = shelf.level()
    assert shelf.balance() == balance(10, unfit=2)
    assert (corrected.level_id, corrected.on_hand, corrected.unfit) == (level.pk, d(10), d(2))
    correction = StockCorrection.objects.get()
    assert (correction.reason, correction.note, correction.reference) == ("other", "behind the rack", "CC-17")
    assert (correction.pk, correction.level_id, correction.actor, correction.created_at) == (
        corrected.correction_id,
        level.pk,
        "system:test",
        NOW,
    )
    movement = StockMovement.objects.get()
    assert (movement.kind, movement.on_hand_change, movement.unfit_change) == ("correction", d(10), d(2))
    assert ear.freed == [FreedStock(shelf.part.pk, level.pk, d(8), "correction")]


def test_less_available_stock_is_nothing_for_whoever_waits(shelf: Shelf, ear: Ear) -> None:
    shelf.put(10)
    ear.freed.clear()

    correct(shelf, -3, reason="scrap")
    correct(shelf, 0, 2, reason="damage")
    correct(shelf, 1, 1)

    assert shelf.balance() == balance(8, unfit=3)
    assert ear.freed == []


def test_units_found_fit_after_all_are_available_again(shelf: Shelf, ear: Ear) -> None:
    shelf.put(10, unfit=4)
    ear.freed.clear()

    correct(shelf, 0, -3)

    assert shelf.balance() == balance(10, unfit=1)
    assert [freed.quantity for freed in ear.freed] == [d(3)]


@pytest.mark.parametrize(("on_hand", "unfit"), [(-4, 0), (0, 4), (-1, 3), (0, -3)])
def test_what_is_reserved_or_unfit_is_not_corrected_away(shelf: Shelf, on_hand: int, unfit: int) -> None:
    shelf.put(10, unfit=2)
    shelf.hold(5)

    with pytest.raises(NotEnoughStock) as refusal:
        correct(shelf, on_hand, unfit)

    assert {name: refusal.value.extra[name] for name in ("on_hand", "reserved", "unfit")} == {
        "on_hand": "10.000",
        "reserved": "5.000",
        "unfit": "2.000",
    }
    assert shelf.balance() == balance(10, reserved=5, unfit=2)


def test_many_corrections_are_all_or_nothing_and_every_refused_one_is_named(shelf: Shelf) -> None:
    other = shelf.many(1)[0]
    shelf.put(10)
    corrections = [
        Correction(part.pk, shelf.warehouse.pk, "count", on_hand_change=d(change))
        for part, change in ((shelf.part, 5), (other, -11), (shelf.part, -3), (shelf.part, -13))
    ]

    with pytest.raises(NotEnoughStock) as refusal:
        correct_stock_many(corrections=corrections, **TOLD)

    assert [(row["place"], row["on_hand"]) for row in refusal.value.extra["refused"]] == [(1, "10.000"), (3, "12.000")]
    assert shelf.balance() == balance(10)


def test_corrections_of_one_level_follow_each_other(shelf: Shelf) -> None:
    steps = [Correction(shelf.part.pk, shelf.warehouse.pk, "found", on_hand_change=d(change)) for change in (5, -5, 3)]

    corrected = correct_stock_many(corrections=steps, **TOLD)

    assert [row.on_hand for row in corrected] == [d(5), d(0), d(3)]
    assert shelf.balance() == balance(3)
    assert StockMovement.objects.count() == 3


def test_a_count_sets_the_level_and_a_repeat_changes_nothing(shelf: Shelf, ear: Ear) -> None:
    shelf.put(10)
    shelf.hold(2)
    ear.freed.clear()

    def count() -> Any:
        return count_stock(
            part_id=shelf.part.pk, warehouse_id=shelf.warehouse.pk, counted=d(12), counted_unfit=d(1), **TOLD
        )

    first, again = count(), count()

    assert shelf.balance() == balance(12, reserved=2, unfit=1)
    assert (first.on_hand_change, first.unfit_change) == (d(2), d(1))
    assert (again.correction_id, again.on_hand_change, again.level_id) == (None, d(0), first.level_id)
    assert StockCorrection.objects.filter(reason="count").count() == 1
    assert [freed.quantity for freed in ear.freed] == [d(1)]


def test_a_count_of_nothing_where_nothing_is_adds_no_level(shelf: Shelf) -> None:
    counted = count_stock(part_id=shelf.part.pk, warehouse_id=shelf.warehouse.pk, counted=d(0), **TOLD)

    assert (counted.level_id, counted.correction_id) == (None, None)
    assert not StockLevel.objects.exists()


def test_a_count_below_what_is_reserved_is_refused(shelf: Shelf) -> None:
    shelf.put(10)
    shelf.hold(6)

    with pytest.raises(NotEnoughStock):
        count_stock(part_id=shelf.part.pk, warehouse_id=shelf.warehouse.pk, counted=d(5), **TOLD)


def test_condition_and_owner_make_levels_of_their_own(shelf: Shelf) -> None:
    correct(shelf, 1)
    correct(shelf, 2, condition="refurbished")
    correct(shelf, 3, owner="SUP-9")

    levels = StockLevel.objects.order_by("on_hand").values_list("condition", "owner", "on_hand")
    assert list(levels) == [("new", "own", d(1)), ("refurbished", "own", d(2)), ("new", "SUP-9", d(3))]


def test_a_correction_is_undone_when_whoever_waits_cannot_take_it(shelf: Shelf, ear: Ear) -> None:
    ear.fails = True

    with pytest.raises(ReceiverFailed):
        correct(shelf, 10)

    assert not StockLevel.objects.exists()
    assert not StockCorrection.objects.exists()


def test_correcting_needs_its_permission(shelf: Shelf) -> None:
    with pytest.raises(Forbidden) as refusal:
        correct(shelf, 1, by=NOBODY)
    assert refusal.value.extra["permission"] == "parts.correct_stock"

    assert correct(shelf, 1, by=only("parts.correct_stock")).on_hand == d(1)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"on_hand": "0.5"}, "on_hand_change"),
        ({"on_hand": "NaN"}, "on_hand_change"),
        ({"on_hand": "Infinity"}, "on_hand_change"),
        ({"on_hand": "100000000000"}, "on_hand_change"),
        ({"on_hand": 1, "unfit": "0.1"}, "unfit_change"),
        ({"on_hand": 0}, "on_hand_change"),
        ({"on_hand": 1, "reason": "because"}, "reason"),
        ({"on_hand": 1, "reason": "other"}, "note"),
        ({"on_hand": 1, "note": "x" * 301}, "note"),
        ({"on_hand": 1, "note": "a\x00b"}, "note"),
        ({"on_hand": 1, "reference": "x" * 81}, "reference"),
        ({"on_hand": 1, "condition": "shiny"}, "condition"),
        ({"on_hand": 1, "owner": ""}, "owner"),
    ],
)
def test_a_malformed_correction_is_refused_by_field(shelf: Shelf, wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        correct(shelf, **wrong)

    assert list(refusal.value.extra["fields"]) == [f"corrections.0.{field}"]
    assert not StockLevel.objects.exists()


def test_everything_that_is_wrong_is_said_at_once(shelf: Shelf) -> None:
    wrong = Correction(shelf.part.pk, shelf.warehouse.pk, "because", condition="shiny")

    with pytest.raises(Invalid) as refusal:
        correct_stock_many(corrections=[wrong, wrong], **TOLD)

    assert list(refusal.value.extra["fields"]) == [
        "corrections.0.condition",
        "corrections.0.reason",
        "corrections.1.condition",
        "corrections.1.reason",
    ]


def test_a_unit_with_decimals_takes_as_many_as_it_has(shelf: Shelf) -> None:
    hose = PartFactory.create(unit=UnitOfMeasureFactory.create(code="X2D", name="Reel of hose", decimals=2))

    shelf.put("12.25", part=hose)

    assert shelf.balance(hose) == balance("12.25")
    with pytest.raises(Invalid):
        shelf.put("0.125", part=hose)


def test_an_unknown_part_or_warehouse_is_not_found(shelf: Shelf) -> None:
    for part_id, warehouse_id in ((new_key(), shelf.warehouse.pk), (shelf.part.pk, new_key())):
        with pytest.raises(NotFound):
            correct_stock(part_id=part_id, warehouse_id=warehouse_id, on_hand_change=d(1), reason="found", **TOLD)


@pytest.mark.parametrize("levels_exist", [False, True])
def test_correcting_takes_as_many_statements_for_twenty_as_for_two(shelf: Shelf, levels_exist: bool) -> None:
    parts = shelf.many(22) if levels_exist else PartFactory.create_batch(22)
    corrections = [Correction(part.pk, shelf.warehouse.pk, "found", on_hand_change=d(1)) for part in parts]

    with statements() as for_two:
        correct_stock_many(corrections=corrections[:2], **TOLD)
    with statements() as for_twenty:
        correct_stock_many(corrections=corrections[2:], **TOLD)

    assert len(for_two) == len(for_twenty) <= (5 if levels_exist else 6)


def test_more_corrections_than_fit_into_one_statement_are_one_correction_each(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parts.actions.stock.corrections.CHUNK", 2)
    other = WarehouseFactory.create()
    corrections = [
        Correction(shelf.part.pk, warehouse.pk, "found", on_hand_change=d(change))
        for warehouse, change in ((shelf.warehouse, 1), (other, 2), (shelf.warehouse, 3), (other, 4), (other, 5))
    ]

    correct_stock_many(corrections=corrections, **TOLD)

    assert shelf.balance() == balance(4)
    assert shelf.balance(at=other) == balance(11)
    assert StockMovement.objects.count() == 5
