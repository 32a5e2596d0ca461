"""What stands now is what the orders say, although the queue is counted without them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.db.models import Count, Sum

from backorders.models import BackOrder
from orders.actions import lines, overriding
from reports.figures.standing import OPEN_BACK_ORDERS, OPEN_BACK_ORDERS_RAW, Standing
from tests.factories.orders import CustomerFactory
from tests.factories.parts import PartFactory, RegionFactory
from tests.orders.desk import NOW, Desk, leaf, told

pytestmark = pytest.mark.django_db

NAME = OPEN_BACK_ORDERS.name
FIELDS = {
    "region": "line__order__region",
    "criticality": "line__part__criticality",
    "tier": "line__order__customer__tier",
}


def counted(now_in_days: int, by: str) -> dict[str, tuple[int, Decimal]]:
    found: dict[str, tuple[int, Decimal]] = {}
    for key, total in Standing(NOW + timedelta(days=now_in_days)).sums([NAME], by=by).items():
        facts, units = found.get(str(key.of), (0, Decimal(0)))
        found[str(key.of)] = (facts + total.facts, units + total.value)
    return found


def busy_desks() -> None:
    """Two customers of two regions and tiers: waiting, filled in part, for training, cancelled, waiting again."""
    customer = CustomerFactory.create(tier="gold", region=RegionFactory.create(code="ELSEWHERE"))
    first, second = Desk(), Desk(part=PartFactory.create(criticality="A"), customer=customer)
    for number, desk in enumerate((first, second)):
        desk.place(2, **told(hours=24 * number))
        desk.place(3, 1, **told(hours=24 * 9 * number))
        desk.place(5, is_test=True)
        gone = desk.place(1, **told(hours=3))
        lines.cancel(line_id=leaf(gone, "back_ordered").id, reason="Not needed", **told(hours=4))
        desk.put(3)
    given = BackOrder.objects.filter(status="allocated").order_by("pk")[0]
    overriding.override(line_id=given.line_id, to="back_ordered", reason="Broken", reference="R-1", **told(hours=300))


def test_the_queue_is_counted_as_its_lines_and_orders_say() -> None:
    busy_desks()
    assert BackOrder.objects.filter(is_test=True).count() == 2
    waiting = BackOrder.objects.filter(status__in=["open", "sourcing", "supply_confirmed"], line__order__is_test=False)
    for by, field in FIELDS.items():
        rows = waiting.values_list(field).annotate(Count("pk"), Sum("quantity")).order_by()
        assert counted(20, by) == {str(value or ""): (facts, units) for value, facts, units in rows}
        assert len(counted(20, by)) == 2


@pytest.mark.parametrize("days", [0, 3, 9, 20, 400])
def test_each_narrowing_says_the_same_of_the_queue_and_of_the_orders(days: int) -> None:
    busy_desks()
    region = BackOrder.objects.order_by("pk")[0].region_id
    for where in ({}, {"tier": "gold"}, {"criticality": "A"}, {"region": region}, {"warehouse": None}):
        standing = Standing(NOW + timedelta(days=days), where)
        for by in (None, *FIELDS):
            assert standing.sums([NAME], by=by) == standing.sums([NAME], by=by, of={NAME: OPEN_BACK_ORDERS_RAW})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "breach",
    [
        "UPDATE backorders_backorder SET is_test = NOT is_test",
        "UPDATE backorders_backorder SET region_id = (SELECT id FROM parts_region WHERE code = 'ELSEWHERE')",
    ],
)
def test_the_command_catches_a_back_order_that_does_not_know_its_order(breach: str) -> None:
    RegionFactory.create(code="ELSEWHERE")
    Desk().place(2)
    call_command("compare_figures", stdout=StringIO())
    with connection.cursor() as cursor:
        cursor.execute(breach)
    with pytest.raises(CommandError, match="differ from the ledger or the orders"):
        call_command("compare_figures", stdout=StringIO())


def test_the_queue_is_counted_without_the_lines_orders_and_parts_that_are_not_asked_for() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"EXPLAIN SELECT region_id, edge, count(*), sum(value) FROM ({OPEN_BACK_ORDERS.sql}) AS fact GROUP BY 1, 2",
            Standing(NOW).parameters,
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "backorders_backorder" in plan
    for table in ("orders_orderline", "orders_partsorder", "orders_customer", "parts_part"):
        assert table not in plan
