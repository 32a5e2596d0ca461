"""Each law of the ground floor finds its breach, and nothing where there is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from parts.actions.stock import (
    Arrival,
    Issue,
    Reversal,
    book_arrivals,
    issue,
    pick,
    return_to_stock,
    take_back_arrivals,
    transfer,
    unreserve,
)
from parts.actions.supply import DeliveryItem, PurchaseLine, place_purchase_order, receive_delivery
from parts.integrity import LAWS
from parts.keys import new_key
from parts.models import DeliveryLine, PurchaseOrderLine
from tests.factories.parts import PartFactory, SupplierFactory, WarehouseFactory
from tests.parts.shelf import NOW, TOLD, Shelf, d

pytestmark = pytest.mark.django_db


@pytest.fixture
def busy_shelf(_demands_are_only_keys: None) -> Shelf:
    """A shelf on which everything that can happen has happened; the laws hold."""
    shelf = Shelf()
    supplier = SupplierFactory.create()
    for lines in (
        [PurchaseLine(shelf.part.pk, d(5)), PurchaseLine(shelf.part.pk, d(5))],
        [PurchaseLine(shelf.part.pk, d(3))],
    ):
        place_purchase_order(
            supplier_id=supplier.pk, warehouse_id=shelf.warehouse.pk, lines=lines, ordered_at=NOW, **TOLD
        )
    receive_delivery(
        supplier_id=supplier.pk,
        warehouse_id=shelf.warehouse.pk,
        note_number="DN-1",
        lines=[DeliveryItem(shelf.part.pk, d(12), unfit_quantity=d(1))],
        received_at=NOW,
        **TOLD,
    )
    shelf.put(8)
    transfer(
        part_id=shelf.part.pk,
        from_warehouse_id=shelf.warehouse.pk,
        to_warehouse_id=WarehouseFactory.create().pk,
        quantity=d(2),
        **TOLD,
    )
    shelf.hold(1)
    pick(demand_ids=[shelf.hold(1)], **TOLD)
    unreserve(demand_ids=[shelf.hold(1)], **TOLD)
    shipped = shelf.hold(3)
    issue(issues=[Issue(shipped)], **TOLD)
    return_to_stock(demand_id=shipped, quantity=d(2), **TOLD)
    depot = WarehouseFactory.create()
    book_arrivals(arrivals=[Arrival((shipped,), shelf.part.pk, depot.pk, d(1))], **TOLD)
    take_back_arrivals(reversals=[Reversal((shipped,), shelf.part.pk, d(1))], **TOLD)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    return shelf


def by_force(*statements: str) -> None:
    """Change rows past everything that would refuse it; the test's transaction takes it all back."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute("ALTER TABLE parts_stockmovement DISABLE TRIGGER stock_movement_append_only")
        for statement in statements:
            cursor.execute(statement)
            assert cursor.rowcount != 0, "nothing was broken"


def another(table: str, where: str, **changes: str) -> str:
    """Return the SQL that copies a row with some columns changed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND is_generated = 'NEVER'",
            [table],
        )
        columns = [name for (name,) in cursor.fetchall()]
    values = {"id": f"'{new_key()}'", **changes}
    return (
        f"INSERT INTO {table} ({', '.join(columns)})"
        f" SELECT {', '.join(values.get(name, name) for name in columns)} FROM {table} WHERE {where} LIMIT 1"
    )


def move_a_level() -> None:
    by_force("UPDATE parts_stocklevel SET on_hand = on_hand + 1 WHERE reserved > 0")


def promise_twice() -> None:
    by_force(
        "ALTER TABLE parts_stocklevel DROP CONSTRAINT stock_level_nothing_promised_twice",
        "UPDATE parts_stocklevel SET unfit = on_hand + 1 WHERE reserved > 0",
    )


def lose_a_reservation() -> None:
    by_force("UPDATE parts_reservation SET quantity = quantity + 1 WHERE status = 'picked'")


def hold_for_one_demand_twice() -> None:
    by_force(
        "DROP INDEX reservation_one_live_per_demand",
        "UPDATE parts_reservation SET demand_id = (SELECT demand_id FROM parts_reservation WHERE status = 'active')"
        " WHERE status = 'picked'",
    )


def end_without_a_movement() -> None:
    by_force("UPDATE parts_reservation SET status = 'released', closed_at = now() WHERE status = 'active'")


def bring_back_too_much() -> None:
    by_force(another("parts_stockmovement", "kind = 'return'"))


def correct_without_a_movement() -> None:
    by_force(another("parts_stockcorrection", "true"))


def lose_half_a_transfer() -> None:
    by_force("DELETE FROM parts_stockmovement WHERE kind = 'transfer' AND on_hand_change > 0")


def take_back_what_never_arrived() -> None:
    by_force("DELETE FROM parts_stockmovement WHERE kind = 'arrival'")


def receive_less_than_delivered() -> None:
    by_force(
        "UPDATE parts_stockmovement SET on_hand_change = on_hand_change + 1 WHERE unfit_change > 0 AND kind = 'receipt'"
    )


def receive_more_than_delivered() -> None:
    by_force("UPDATE parts_purchaseorderline SET received = received + 1 WHERE received = 2")


def deliver_for_another_part() -> None:
    by_force(f"UPDATE parts_purchaseorderline SET part_id = '{PartFactory.create().pk}' WHERE received = 2")


def name_more_serials_than_units() -> None:
    by_force(
        "INSERT INTO parts_deliveryserial (id, line_id, serial)"
        " SELECT gen_random_uuid(), line.id, 'SN-' || number"
        " FROM parts_deliveryline AS line, generate_series(1, ceil(line.quantity)::int + 1) AS number"
    )


def leave_an_order_open() -> None:
    by_force("UPDATE parts_purchaseorder SET status = 'ordered' WHERE status = 'closed'")


BREACHES: dict[str, Callable[[], None]] = {
    "level_is_the_sum_of_its_movements": move_a_level,
    "level_promises_nothing_twice": promise_twice,
    "reserved_is_the_sum_of_live_reservations": lose_a_reservation,
    "demand_holds_one_reservation": hold_for_one_demand_twice,
    "reservation_ends_by_one_movement": end_without_a_movement,
    "no_more_comes_back_than_was_issued": bring_back_too_much,
    "correction_has_one_movement": correct_without_a_movement,
    "transfer_cancels_out": lose_half_a_transfer,
    "no_more_is_taken_back_than_arrived": take_back_what_never_arrived,
    "delivery_line_is_its_receipt": receive_less_than_delivered,
    "purchase_order_line_received_what_was_delivered": receive_more_than_delivered,
    "delivery_line_is_of_its_order": deliver_for_another_part,
    "delivery_line_has_no_more_serials_than_units": name_more_serials_than_units,
    "purchase_order_is_closed_when_done": leave_an_order_open,
}


def test_every_law_has_a_breach_that_is_tried() -> None:
    assert set(BREACHES) == {law.name for law in LAWS}


def test_every_law_holds_where_everything_has_happened(busy_shelf: Shelf) -> None:
    assert PurchaseOrderLine.objects.filter(received__gt=0).count() == 3
    assert DeliveryLine.objects.count() == 3
    assert {law.name: law.check().breaches for law in LAWS if law.check().total} == {}


@pytest.mark.parametrize("name", BREACHES)
def test_a_broken_law_names_the_row_that_breaks_it(busy_shelf: Shelf, name: str) -> None:
    law = next(law for law in LAWS if law.name == name)

    BREACHES[name]()

    finding = law.check(limit=1)
    assert finding.total >= 1
    [breach] = finding.breaches
    assert breach.subject
    assert breach.what_is != breach.what_should_be


def test_a_limit_shortens_the_names_but_not_the_count(busy_shelf: Shelf) -> None:
    for part in busy_shelf.many(4):
        by_force(f"UPDATE parts_stocklevel SET on_hand = on_hand + 1 WHERE part_id = '{part.pk}'")
    law = LAWS[0]

    assert (law.check(limit=3).total, len(law.check(limit=3).breaches)) == (4, 3)
    assert (law.check(limit=0).total, len(law.check(limit=0).breaches)) == (4, 0)
    assert len(law.check().breaches) == 4


def test_the_command_says_that_all_laws_hold(busy_shelf: Shelf) -> None:
    out = StringIO()

    call_command("check_integrity", stdout=out)

    assert "holds   level_is_the_sum_of_its_movements" in out.getvalue()
    assert "laws hold." in out.getvalue()


def test_the_command_fails_and_names_what_is_broken(busy_shelf: Shelf) -> None:
    level = busy_shelf.level()
    move_a_level()
    out = StringIO()

    with pytest.raises(CommandError, match="laws are broken, by 1 rows") as failure:
        call_command("check_integrity", stdout=out)

    assert failure.value.returncode == 1
    assert "BROKEN  level_is_the_sum_of_its_movements: 1 rows." in out.getvalue()
    assert f"stock level {level.pk}: is on hand {level.on_hand + 1}" in out.getvalue()


def test_the_command_prints_json(busy_shelf: Shelf) -> None:
    for part in busy_shelf.many(2):
        by_force(f"UPDATE parts_stocklevel SET on_hand = on_hand + 1 WHERE part_id = '{part.pk}'")
    out = StringIO()

    with pytest.raises(CommandError):
        call_command("check_integrity", "--json", "--limit=1", stdout=out)

    first = json.loads(out.getvalue())[0]
    assert (first["law"], first["broken_by"], len(first["rows"])) == ("level_is_the_sum_of_its_movements", 2, 1)
    assert first["rows"][0]["is"] != first["rows"][0]["should_be"]


def test_the_command_refuses_a_limit_that_is_none() -> None:
    with pytest.raises(CommandError, match="must be a whole number"):
        call_command("check_integrity", "--limit=-1")
