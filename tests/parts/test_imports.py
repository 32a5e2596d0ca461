"""Importing catalogue, stock and purchase orders: what would change first, then all of it or nothing."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from parts.actions import imports
from parts.actions.imports import KINDS, apply_import, plan_import
from parts.actions.stock import correct_stock
from parts.actions.supply import cancel_purchase_order_line
from parts.actors import Actor
from parts.errors import Forbidden, Invalid
from parts.importing import FieldChange, ImportPlan, ImportRefused, ImportResult
from parts.models import Category, Part, PurchaseOrder, PurchaseOrderLine, StockCorrection, StockLevel, Supplier
from tests.factories.parts import CategoryFactory, PartFactory, SupplierFactory, WarehouseFactory
from tests.parts.shelf import NOBODY, NOW, OURSELVES, TOLD, Ear, ReceiverFailed, Shelf, balance, d, only, statements
from tests.racing import race

pytestmark = pytest.mark.django_db


def plan(kind: str, content: str, by: Actor = OURSELVES) -> ImportPlan:
    return plan_import(kind=kind, file=io.BytesIO(content.encode()), name="file.csv", by=by)


def load(kind: str, content: str, **more: Any) -> ImportResult:
    return apply_import(plan=plan(kind, content), **{**TOLD, **more})


def errors(kind: str, content: str) -> list[str]:
    return [str(error) for error in plan(kind, content).difference.errors]


# --- Any kind --------------------------------------------------------------------------------------------------------


def test_a_kind_that_is_none_is_refused() -> None:
    with pytest.raises(Invalid):
        plan("customers", "a\nb\n")


@pytest.mark.parametrize(
    ("kind", "permission"),
    [
        ("catalogue", "parts.import_catalogue"),
        ("stock", "parts.correct_stock"),
        ("purchase-orders", "parts.manage_purchase_orders"),
    ],
)
def test_each_kind_needs_its_permission_for_looking_and_for_doing(shelf: Shelf, kind: str, permission: str) -> None:
    content = {
        "catalogue": "part_number,description\nHP-1,Pump\n",
        "stock": f"part_number,warehouse,counted\n{shelf.part.number},{shelf.warehouse.code},5\n",
        "purchase-orders": "number,supplier,warehouse,ordered_on,part_number,quantity\n"
        f"E-1,{SupplierFactory.create().code},{shelf.warehouse.code},2026-03-01,{shelf.part.number},5\n",
    }[kind]

    with pytest.raises(Forbidden) as refusal:
        plan(kind, content, by=NOBODY)
    assert refusal.value.extra["permission"] == permission
    with pytest.raises(Forbidden):
        load(kind, content, by=NOBODY)

    assert apply_import(plan=plan(kind, content, by=only(permission)), **{**TOLD, "by": only(permission)}).created == 1


def test_a_plan_with_errors_is_not_applied(shelf: Shelf) -> None:
    with pytest.raises(ImportRefused) as refusal:
        load("catalogue", "part_number,description,criticality\nHP-1,Pump,A\nHP-2,Pump,Z\n")

    assert refusal.value.extra["errors"] == ["line 3, criticality: must be one of A, B, C, not 'Z'"]
    assert refusal.value.extra["error_count"] == 1
    assert not Part.objects.filter(number="HP-1").exists()


def test_every_kind_has_its_columns_in_the_documentation() -> None:
    with open("docs/imports.md", encoding="utf-8") as opened:
        documented = opened.read()

    for kind in KINDS.values():
        section = documented.split(f"## `{kind.name}`")[1].split("\n## ")[0]
        rows = [line for line in section.splitlines() if line.startswith("| `")]
        assert [row.split("`")[1] for row in rows] == [column.name for column in kind.columns]
        assert [row.split("`")[1] for row in rows if row.split("|")[2].strip() == "needed"] == [
            column.name for column in kind.columns if column.is_needed
        ]


def test_a_large_import_tells_the_planner(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "CHUNK", 2)

    with statements() as small:
        load("catalogue", "part_number,description\nHP-1,Pump\n")
    with statements() as large:
        load("catalogue", "part_number,description\nHP-2,Pump\nHP-3,Pump\n")

    assert not any("ANALYZE" in query["sql"] for query in small.captured_queries)
    assert any("ANALYZE parts_part" in query["sql"] for query in large.captured_queries)


# --- Catalogue -------------------------------------------------------------------------------------------------------

CATALOGUE = """part_number;description;category;criticality;ved_class;unit;unit_cost;core_charge;can_be_ordered
HP-1;Pump;hydraulics/pumps;A;V;C62;149,90;20;yes
HP-2;Hose;hydraulics/hoses;;;MTR;;;no
"""


def test_the_catalogue_is_shown_then_written_with_its_history(shelf: Shelf) -> None:
    CategoryFactory.create(path="hydraulics", name="Hydraulics")
    person = User.objects.create(username="buyer")
    buyer = Actor(f"user:{person.pk}", frozenset({"parts.import_catalogue"}), user_id=person.pk)

    planned = plan("catalogue", CATALOGUE)

    assert [change.subject for change in planned.difference.created] == ["HP-1", "HP-2"]
    assert planned.difference.along == ["category hydraulics/hoses", "category hydraulics/pumps"]
    assert not Part.objects.filter(number="HP-1").exists()

    assert apply_import(plan=planned, by=buyer, source="admin", at=NOW) == ImportResult(2, 0, 0)

    pump, hose = Part.objects.get(number="HP-1"), Part.objects.get(number="HP-2")
    assert (pump.description, str(pump.category), pump.criticality, pump.ved_class, pump.unit_id) == (
        "Pump",
        "hydraulics/pumps",
        "A",
        "V",
        "C62",
    )
    assert (pump.unit_cost, pump.core_charge, pump.is_active) == (d("149.90"), d(20), True)
    assert (hose.criticality, hose.ved_class, hose.unit_id) == ("C", "D", "MTR")
    assert (hose.unit_cost, hose.is_active) == (d(0), False)
    assert Category.objects.get(path="hydraulics").name == "Hydraulics"
    history = pump.history.get()
    assert (history.history_type, history.history_user, history.history_change_reason) == ("+", person, "admin")
    assert history.history_date == NOW


def test_only_what_differs_is_changed_and_shown_old_and_new(shelf: Shelf) -> None:
    load("catalogue", CATALOGUE)
    change = "part_number,description,criticality,can_be_ordered\nHP-1,,b,no\nHP-2,Hose,,\n"

    planned = plan("catalogue", change)

    [changed] = planned.difference.changed
    assert (changed.line, changed.subject) == (2, "HP-1")
    assert changed.fields == (FieldChange("criticality", "A", "B"), FieldChange("can_be_ordered", "yes", "no"))
    assert planned.difference.unchanged == 1
    assert apply_import(plan=planned, **TOLD) == ImportResult(0, 1, 1)
    pump = Part.objects.get(number="HP-1")
    assert (pump.criticality, pump.is_active, pump.description, pump.unit_cost) == ("B", False, "Pump", d("149.90"))
    assert list(pump.history.order_by("history_id").values_list("history_type", "criticality")) == [
        ("+", "A"),
        ("~", "B"),
    ]
    assert Part.objects.get(number="HP-2").history.count() == 1


def test_the_same_catalogue_again_changes_nothing(shelf: Shelf) -> None:
    load("catalogue", CATALOGUE)

    assert load("catalogue", CATALOGUE) == ImportResult(0, 0, 2)
    assert Part.objects.get(number="HP-1").history.count() == 1


def test_bad_rows_of_the_catalogue_are_all_named(shelf: Shelf) -> None:
    content = """part_number,description,unit,category,unit_cost
HP-1,Pump,C62,,
HP-1,Pump,C62,,
HP-2,,C62,,
HP-3,Hose,XYZ,,
HP-4,Hose,,a//b,
HP-5,Hose,,,1.999
"""
    assert errors("catalogue", content + f"{shelf.part.number},,MTR,,\n") == [
        "line 3, part_number: is on line 2 already",
        "line 4, description: must not be empty for a new part",
        "line 5, unit: there is no unit XYZ",
        "line 6, category: must be names with single slashes between, like hydraulics/pumps",
        "line 7, unit_cost: must have at most 2 decimals",
        "line 8, unit: is C62 and cannot be changed: quantities are counted in it",
    ]


def test_a_part_that_was_added_in_between_is_compared_again(shelf: Shelf) -> None:
    planned = plan("catalogue", "part_number,description\nHP-1,Pump\n")
    PartFactory.create(number="HP-1", description="Old pump")

    assert apply_import(plan=planned, **TOLD) == ImportResult(0, 1, 0)


def test_a_catalogue_takes_as_many_statements_for_twenty_rows_as_for_two(shelf: Shelf) -> None:
    def content(start: int, count: int, cost: int) -> str:
        rows = [f"HP-{number},Pump,pumps-{start},{cost}" for number in range(start, start + count)]
        return "part_number,description,category,unit_cost\n" + "\n".join(rows)

    counts = []
    for start, count in ((0, 2), (100, 20)):
        for cost in (1, 2):
            with statements() as sent:
                load("catalogue", content(start, count, cost))
            counts.append(len(sent))
    assert counts[:2] == counts[2:]


def test_several_chunks_are_one_import(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parts.actions.imports.catalogue.CHUNK", 2)
    told: list[tuple[str, int, int | None]] = []
    rows = "".join(f"HP-{number},Pump\n" for number in range(5))
    planned = plan("catalogue", "part_number,description\n" + rows)

    apply_import(plan=planned, progress=lambda *word: told.append(word), **TOLD)

    assert Part.objects.filter(number__startswith="HP-", description="Pump").count() == 5
    assert [word for word in told if word[0] == "writing"] == [("writing", 2, 5), ("writing", 4, 5), ("writing", 5, 5)]


# --- Stock -----------------------------------------------------------------------------------------------------------


def counts(shelf: Shelf, *rows: str) -> str:
    """Return a file of counts; P and W stand for the shelf's part and warehouse."""
    text = "part_number,warehouse,condition,owner,counted,unfit,note,reference\n" + "\n".join(rows)
    return text.replace("P,W", f"{shelf.part.number},{shelf.warehouse.code}")


def test_counted_stock_is_shown_then_set(shelf: Shelf, ear: Ear) -> None:
    shelf.put(10)
    shelf.hold(2)
    ear.freed.clear()
    content = counts(shelf, "P,W,,,12,1,rack 4,CC-1", "P,W,Used,,3,,,", "P,W,refurbished,,0,,,")

    planned = plan("stock", content)

    [changed], [created] = planned.difference.changed, planned.difference.created
    assert changed.fields == (FieldChange("on_hand", "10.000", "12"), FieldChange("unfit", "0.000", "1"))
    assert (created.line, planned.difference.unchanged) == (3, 1)
    assert apply_import(plan=planned, **TOLD) == ImportResult(1, 1, 1)
    levels = StockLevel.objects.order_by("condition").values_list("condition", "on_hand", "reserved", "unfit")
    assert list(levels) == [("new", d(12), d(2), d(1)), ("used", d(3), d(0), d(0))]
    correction = StockCorrection.objects.get(reference="CC-1")
    assert (correction.reason, correction.note, correction.actor) == ("import", "rack 4", "system:test")
    assert sorted(freed.quantity for freed in ear.freed) == [d(1), d(3)]


def test_the_same_count_again_changes_nothing(shelf: Shelf) -> None:
    content = counts(shelf, "P,W,,,12,1,,")
    load("stock", content)

    assert load("stock", content) == ImportResult(0, 0, 1)
    assert StockCorrection.objects.count() == 1


def test_bad_rows_of_stock_are_all_named(shelf: Shelf) -> None:
    shelf.put(10, unfit=1)
    shelf.hold(4)
    code = shelf.warehouse.code

    assert errors(
        "stock",
        counts(
            shelf,
            "P,W,,,4,,,",
            "P,W,new,own,20,,,",
            f"nothing,{code},,,5,,,",
            f"{shelf.part.number},nowhere,,,5,,,",
            "P,W,used,,1.5,,,",
            "P,W,shiny,,1,,,",
            "P,W,in_repair,,1,2,,",
        ),
    ) == [
        "line 2, counted: is less than what is reserved (4.000) and unfit (1.000)",
        "line 3: the same stock is on line 2 already",
        "line 4, part_number: there is no part nothing",
        "line 5, warehouse: there is no warehouse nowhere",
        "line 6, counted: must be a whole number",
        "line 7, condition: must be one of in_repair, loaner, new, refurbished, used, not 'shiny'",
        "line 8, counted: is less than what is reserved (0) and unfit (2)",
    ]


def test_a_count_is_a_count_even_if_stock_moved_since_the_plan(shelf: Shelf) -> None:
    shelf.put(10)
    planned = plan("stock", counts(shelf, "P,W,,,12,,,"))
    shelf.put(-3)

    apply_import(plan=planned, **TOLD)

    assert shelf.balance() == balance(12)


def test_a_count_is_undone_whole_when_a_receiver_fails(shelf: Shelf, ear: Ear) -> None:
    ear.fails = True

    with pytest.raises(ReceiverFailed):
        load("stock", counts(shelf, "P,W,,,12,,,"))

    assert not StockLevel.objects.exists()


def test_stock_takes_as_many_statements_for_twenty_rows_as_for_two(shelf: Shelf) -> None:
    parts: list[Part] = PartFactory.create_batch(22)
    rows = [f"{part.number},{shelf.warehouse.code},,,5,,," for part in parts]

    with statements() as for_two:
        load("stock", counts(shelf, *rows[:2]))
    with statements() as for_twenty:
        load("stock", counts(shelf, *rows[2:]))

    assert len(for_two) == len(for_twenty) <= 10


# --- Purchase orders -------------------------------------------------------------------------------------------------


@pytest.fixture
def supplier(db: None) -> Supplier:
    return SupplierFactory.create()


def ordered(shelf: Shelf, supplier: Supplier, *rows: str) -> str:
    """Return a file of purchase order lines; S, W and P stand for the supplier and the shelf's warehouse and part."""
    text = "number,supplier,warehouse,ordered_on,part_number,quantity,unit_cost,expected_on\n" + "\n".join(rows)
    text = text.replace(",S,W,", f",{supplier.code},{shelf.warehouse.code},")
    return text.replace(",P,", f",{shelf.part.number},")


def test_purchase_orders_are_shown_then_placed(shelf: Shelf, supplier: Supplier, ear: Ear) -> None:
    content = ordered(
        shelf,
        supplier,
        "E-1,S,W,2026-03-01,P,5,9.90,2026-04-01",
        "E-2,S,W,2026-03-01,P,7,,",
        "E-1,S,W,2026-03-01,P,3,,",
    )

    planned = plan("purchase-orders", content)

    assert [change.line for change in planned.difference.created] == [2, 4, 3]
    assert apply_import(plan=planned, **TOLD) == ImportResult(3, 0, 0)
    order = PurchaseOrder.objects.get(number="E-1")
    assert (order.supplier, order.warehouse, order.ordered_at) == (
        supplier,
        shelf.warehouse,
        datetime(2026, 3, 1, tzinfo=UTC),
    )
    assert list(order.lines.order_by("position").values_list("quantity", "unit_cost", "expected_on")) == [
        (d(5), d("9.90"), date(2026, 4, 1)),
        (d(3), d(0), None),
    ]
    assert ear.changed == [shelf.part.pk]


def test_an_order_that_is_there_takes_only_a_new_date(shelf: Shelf, supplier: Supplier) -> None:
    load(
        "purchase-orders",
        ordered(shelf, supplier, "E-1,S,W,2026-03-01,P,5,9.90,2026-04-01", "E-1,S,W,2026-03-01,P,3,,"),
    )
    content = ordered(shelf, supplier, "E-1,S,W,2026-03-01,P,5,,2026-05-01", "E-1,S,W,2026-03-01,P,3,,")

    planned = plan("purchase-orders", content)

    [changed] = planned.difference.changed
    assert changed.fields == (FieldChange("expected_on", "2026-04-01", "2026-05-01"),)
    assert apply_import(plan=planned, **TOLD) == ImportResult(0, 1, 1)
    line = PurchaseOrderLine.objects.get(quantity=5)
    assert (line.expected_on, line.first_confirmed_on) == (date(2026, 5, 1), date(2026, 5, 1))
    assert load("purchase-orders", content) == ImportResult(0, 0, 2)


def test_what_a_file_orders_and_what_it_dates_is_told_at_once(shelf: Shelf, supplier: Supplier, ear: Ear) -> None:
    load("purchase-orders", ordered(shelf, supplier, "E-1,S,W,2026-03-01,P,5,,2026-04-01"))
    ear.changed.clear()

    load("purchase-orders", ordered(shelf, supplier, "E-1,S,W,2026-03-01,P,5,,2026-05-01", "E-2,S,W,2026-03-01,P,7,,"))

    assert ear.changed == [shelf.part.pk]  # told twice, it would be there twice


def test_an_order_of_ours_can_be_given_dates_by_its_number(shelf: Shelf, supplier: Supplier) -> None:
    load("purchase-orders", ordered(shelf, supplier, "E-1,S,W,2026-03-01,P,5,,"))
    PurchaseOrder.objects.update(number="PUR-000123")

    assert load("purchase-orders", ordered(shelf, supplier, "PUR-000123,S,W,2026-03-01,P,5,,2026-05-01")).changed == 1


def test_bad_rows_of_purchase_orders_are_all_named(shelf: Shelf, supplier: Supplier) -> None:
    load("purchase-orders", ordered(shelf, supplier, "E-0,S,W,2026-03-01,P,5,9.90,"))
    load("purchase-orders", ordered(shelf, supplier, "E-9,S,W,2026-03-01,P,5,,"))
    cancel_purchase_order_line(line_id=PurchaseOrderLine.objects.get(purchase_order__number="E-9").pk, **TOLD)
    retired = SupplierFactory.create(is_active=False)

    assert errors(
        "purchase-orders",
        ordered(
            shelf,
            supplier,
            "E-1,S,W,2026-03-01,P,0,,",
            "E-2,S,W,2026-03-01,P,1.5,,",
            "E-3,nobody,nowhere,2026-03-01,nothing,1,,",
            "E-4,S,W,2026-03-01,P,1,,",
            "E-4,S,W,2026-03-02,P,1,,",
            "PUR-000001,S,W,2026-03-01,P,1,,",
            f"E-5,{retired.code},{shelf.warehouse.code},2026-03-01,P,1,,",
            "E-0,S,W,2026-03-01,P,6,,",
            "E-9,S,W,2026-03-01,P,5,,2026-05-01",
        ),
    ) == [
        "line 2, quantity: must be above zero",
        "line 3, quantity: must be a whole number",
        "line 4, part_number: there is no part nothing",
        "line 4, warehouse: there is no warehouse nowhere",
        "line 4, supplier: there is no supplier nobody",
        "line 6: supplier, warehouse and date must be those of line 5, the same order",
        "line 7, number: looks like one of ours, but there is none",
        "line 8, supplier: is no longer ordered from",
        "line 9: E-0 is there with another part or quantity here",
        "line 10, expected_on: nothing of this line is to come any more",
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (["E-0,S,W,2026-03-02,P,5,,"], "line 2, number: E-0 is there with another supplier, warehouse or date"),
        (["E-0,S,W,2026-03-01,P,5,,"] * 2, "line 2, number: E-0 is there with 1 lines, not 2"),
        (["E-0,S,W,2026-03-01,P,5,9.91,"], "line 2, unit_cost: was ordered at 9.90"),
    ],
)
def test_what_was_ordered_is_not_changed_by_a_file(
    shelf: Shelf, supplier: Supplier, row: list[str], reason: str
) -> None:
    load("purchase-orders", ordered(shelf, supplier, "E-0,S,W,2026-03-01,P,5,9.90,"))

    assert errors("purchase-orders", ordered(shelf, supplier, *row)) == [reason]


def test_purchase_orders_are_undone_whole_when_a_receiver_fails(shelf: Shelf, supplier: Supplier, ear: Ear) -> None:
    ear.fails = True

    with pytest.raises(ReceiverFailed):
        load("purchase-orders", ordered(shelf, supplier, "E-1,S,W,2026-03-01,P,5,,"))

    assert not PurchaseOrder.objects.exists()


def test_purchase_orders_take_as_many_statements_for_twenty_rows_as_for_two(shelf: Shelf, supplier: Supplier) -> None:
    def content(start: int, count: int, month: int) -> str:
        numbers = range(start, start + count)
        return ordered(shelf, supplier, *(f"E-{number},S,W,2026-03-01,P,5,,2026-0{month}-01" for number in numbers))

    sent_counts = []
    for start, count in ((0, 2), (100, 20)):
        for month in (4, 5):
            with statements() as sent:
                load("purchase-orders", content(start, count, month))
            sent_counts.append(len(sent))
    assert sent_counts[:2] == sent_counts[2:]


# --- Two at once -----------------------------------------------------------------------------------------------------


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_of_two_who_import_the_same_new_part_the_second_is_told_to_try_again(shelf: Shelf) -> None:
    content = "part_number,description\nHP-1,Pump\n"

    first, second = race(lambda: load("catalogue", content), lambda: load("catalogue", content))

    assert first.result == ImportResult(1, 0, 0)
    assert isinstance(second.error, ImportRefused)
    assert Part.objects.filter(number="HP-1").count() == 1
    assert load("catalogue", content) == ImportResult(0, 0, 1)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_a_count_that_what_is_reserved_has_overtaken_is_named_by_its_line(shelf: Shelf) -> None:
    shelf.put(10)
    other = WarehouseFactory.create()
    planned = plan("stock", counts(shelf, f"{shelf.part.number},{other.code},,,1,,,", "P,W,,,5,,,"))

    def damage() -> object:
        return correct_stock(
            part_id=shelf.part.pk, warehouse_id=shelf.warehouse.pk, unfit_change=d(6), reason="damage", **TOLD
        )

    _, second = race(damage, lambda: apply_import(plan=planned, **TOLD))

    assert isinstance(second.error, ImportRefused)
    assert second.error.extra["errors"] == ["line 3, counted: is less than what is reserved (0.000) and unfit (6.000)"]
    assert not StockLevel.objects.filter(warehouse=other).exists()
    assert connection.in_atomic_block is False
