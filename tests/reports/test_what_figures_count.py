"""What a figure counts where the trade's words leave room: other parts sent instead, days where the customer is."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from orders.actions import lines, overriding
from orders.actions.substituting import substitute
from orders.models import Customer
from reports.figures.reading import Period, Sum, raw
from tests.factories.parts import PartFactory, WarehouseFactory
from tests.orders.desk import TODAY, TOLD, Desk, d, days, leaf, told
from tests.reports.test_rollups import assert_rolled_up_is_raw, roll_up_all

pytestmark = pytest.mark.django_db(transaction=True)

PERIOD = Period(TODAY - timedelta(days=1), TODAY + timedelta(days=20))


@pytest.fixture
def desk(transactional_db: None, ground: None) -> Desk:
    return Desk()


def total(name: str) -> Sum:
    return raw([name], PERIOD).total(name)


def sent_instead(desk: Desk, line_id: object, quantity: int) -> None:
    """Send another part instead, a week later."""
    part = PartFactory.create()
    desk.put(quantity, part=part)
    facts: dict[str, Any] = {"line_id": line_id, "replaces": d(quantity), "part_id": part.pk, "quantity": d(quantity)}
    substitute(**facts, warehouse_id=desk.warehouse.pk, reason="It fits", **told(hours=24 * 7))


@pytest.mark.parametrize("name", ["first_pass_fill_rate", "line_fill_rate"])
def test_another_part_sent_a_week_later_makes_no_hit_of_a_miss(desk: Desk, name: str) -> None:
    placed = desk.place(2)
    before = total(name)
    assert (before.facts, before.ratio) == (1, 0)
    roll_up_all()
    sent_instead(desk, leaf(placed, "back_ordered").id, 2)
    assert total(name) == before
    assert_rolled_up_is_raw()
    roll_up_all()
    assert_rolled_up_is_raw()


def test_of_what_was_filled_in_part_the_rest_stays_a_miss(desk: Desk) -> None:
    desk.put(3)
    placed = desk.place(5)
    sent_instead(desk, leaf(placed, "back_ordered").id, 2)
    assert total("first_pass_fill_rate").ratio == Decimal(3) / 5
    assert (total("line_fill_rate").facts, total("line_fill_rate").met) == (1, 0)


def test_a_line_that_was_cancelled_for_nothing_else_is_left_out(desk: Desk) -> None:
    placed = desk.place(2)
    lines.cancel(line_id=leaf(placed, "back_ordered").id, reason="Not needed", **TOLD)
    assert total("first_pass_fill_rate").facts == total("line_fill_rate").facts == 0


@pytest.mark.parametrize(
    ("zone", "hour", "after", "kept"),
    [
        ("America/Los_Angeles", 17, 0, 1),  # the next day in UTC
        ("America/Los_Angeles", 1, 1, 0),
        ("Asia/Tokyo", 1, 0, 1),  # the day before in UTC
        ("Asia/Tokyo", 1, 1, 0),  # the promised day in UTC
        ("UTC", 23, 0, 1),
        ("Middle/Earth", 12, 0, 1),  # a zone that nobody knows must not stop the others
    ],
)
def test_a_promise_is_kept_on_its_day_where_the_customer_is(
    desk: Desk, zone: str, hour: int, after: int, kept: int
) -> None:
    Customer.objects.filter(pk=desk.customer.pk).update(time_zone=zone)
    desk.put(1)
    held = leaf(desk.place(1))
    lines.promise(line_id=held.id, promised_on=days(2), **TOLD)
    desk.ship(held.id)
    there = UTC if zone == "Middle/Earth" else ZoneInfo(zone)
    at = datetime.combine(days(2 + after), time(hour), there)
    lines.move(line_id=held.id, to="delivered", **TOLD | {"at": at})
    assert (total("promises_kept").facts, total("promises_kept").met) == (1, kept)
    roll_up_all()
    assert_rolled_up_is_raw()


def test_back_order_days_by_warehouse_follow_an_override_of_the_line(desk: Desk) -> None:
    line = leaf(desk.place(2), "back_ordered")
    desk.put(2)
    desk.ship(line.id, **told(hours=30))
    other = WarehouseFactory.create()
    desk.put(5, at=other)
    roll_up_all()
    overriding.override(line_id=line.id, to="reserved", reason="x", reference="y", **told(hours=40))
    assert_rolled_up_is_raw()
    roll_up_all()
    assert_rolled_up_is_raw()
