"""Nobody rewrites a stock movement, not even by SQL."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from parts.models import StockMovement
from tests.parts.shelf import Shelf

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE parts_stockmovement SET on_hand_change = on_hand_change + 1",
        "DELETE FROM parts_stockmovement",
    ],
)
def test_sql_that_rewrites_a_movement_is_refused_by_name(shelf: Shelf, statement: str) -> None:
    shelf.put(10)
    before = list(StockMovement.objects.values())

    with pytest.raises(IntegrityError, match="stock_movement_append_only"), transaction.atomic():
        connection.cursor().execute(statement)

    assert list(StockMovement.objects.values()) == before


def test_emptying_the_movements_is_refused_by_name(shelf: Shelf) -> None:
    shelf.put(10)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE parts_stockmovement ENABLE TRIGGER stock_movement_no_truncate")

    with pytest.raises(IntegrityError, match="stock_movement_append_only"), transaction.atomic():
        connection.cursor().execute("TRUNCATE parts_stockmovement CASCADE")

    assert StockMovement.objects.count() == 1


def test_a_fresh_database_has_both_triggers_switched_on_for_everybody_but_the_tests() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = 'parts_stockmovement'::regclass AND NOT tgisinternal"
        )
        names = {name for (name,) in cursor.fetchall()}

    assert names == {"stock_movement_append_only", "stock_movement_no_truncate"}
