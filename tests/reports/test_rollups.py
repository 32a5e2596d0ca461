"""The daily roll-up: it says what the ledger says, whatever came late, was corrected, or was written meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from threading import Event
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError, connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orders.actions import lines, overriding, parts_orders, service_orders
from orders.models import EventCursor, OrderLine
from parts.actions.stock import correct_stock
from parts.actors import Actor
from parts.errors import Forbidden, Refused
from reports import tasks
from reports.actions import rollups
from reports.figures.facts import MEASURES
from reports.figures.laws import LAWS
from reports.figures.reading import DIMENSIONS, Key, Period, Reading, Sum, raw
from reports.models import DailyFigure
from tests.laws.checking import broken_laws
from tests.ledger.horizon import all_is_over
from tests.orders.desk import NOW, TODAY, Desk, d, leaf, only, told
from tests.racing import PATIENCE, Racer, race, without_lock

pytestmark = pytest.mark.django_db(transaction=True)

ROUND = Period(TODAY - timedelta(days=40), TODAY + timedelta(days=40))


def roll_up(**facts: Any) -> rollups.RolledUp:
    told_so: dict[str, Any] = {"by": Actor.system("figures"), "at": NOW}
    return rollups.roll_up(**told_so | facts)


def roll_up_all() -> None:
    """Roll up when all that was written can be read: tests beside this one hold the horizon as long as they last."""
    all_is_over()
    roll_up()


def read(measure: str, period: Period = ROUND, **where: Any) -> Sum:
    return Reading([measure], period, where).total(measure)


def assert_rolled_up_is_raw() -> None:
    """Everything that can be read is the same from the roll-up and from the ledger, and both laws hold."""
    rolled, ledger = Reading(MEASURES, ROUND), raw(MEASURES, ROUND)
    for by in (None, *DIMENSIONS):
        asked: dict[str, Any] = {"bucket": "day", "by": by, "edges": True}
        assert rolled.sums(**asked) == ledger.sums(**asked)
    assert broken_laws(tuple(LAWS)) == {}


def pending() -> dict[str, list[date]]:
    return Reading(MEASURES, ROUND).pending


def put(desk: Desk, quantity: int, **facts: Any) -> None:
    """Put stock on the shelf, at another time than now."""
    correct_stock(
        part_id=desk.part.pk, warehouse_id=desk.warehouse.pk, on_hand_change=d(quantity), reason="opening", **facts
    )


def busy_day() -> Desk:
    """One order filled whole, one filled in part, shipped and delivered, and a job."""
    desk = Desk()
    desk.put(5)
    desk.place(2)
    short = desk.place(4, 1)
    held = leaf(short)
    lines.promise(line_id=held.id, promised_on=TODAY + timedelta(days=1), **told())
    desk.ship(held.id)
    lines.move(line_id=held.id, to="delivered", **told(hours=50))
    desk.job("in_progress", begins="new")
    return desk


def test_the_fill_rates_say_what_they_are_defined_to_say() -> None:
    busy_day()
    roll_up_all()
    assert read("order_fill_rate") == Sum(2, 1, d(2), d(1))
    assert read("line_fill_rate") == Sum(3, 1, d(3), d(1))
    assert read("first_pass_fill_rate") == Sum(3, 1, d(7), d(5))
    assert read("unit_fill_rate") == Sum(4, 1, d(7), d(3))
    assert read("back_orders_opened") == Sum(2, 2, d(2), d(2))
    assert read("promises_kept") == Sum(1, 0, d(1), d(0))  # it came a day late
    assert read("back_order_days").ratio is None
    assert_rolled_up_is_raw()


def test_a_back_order_counts_from_opened_to_fulfilled_on_the_day_it_left() -> None:
    desk = Desk()
    waiting = desk.place(1)
    put(desk, 1, **told(hours=36))
    desk.ship(leaf(waiting, "back_ordered").id, **told(hours=48))
    roll_up_all()
    assert read("back_order_days") == Sum(1, 1, d(1), d(2))
    assert read("back_order_days", Period(TODAY, TODAY + timedelta(days=1))) == Sum()
    [(key, step)] = [
        (key, total)
        for key, total in Reading(["back_order_steps"], ROUND).sums(edges=True).items()
        if key.edge == "open>allocated"
    ]
    assert step == Sum(1, 1, d(1), d(36 * 3600))
    assert key == Key("back_order_steps", None, None, "open>allocated")


def test_test_and_training_orders_are_in_no_figure() -> None:
    desk = Desk()
    desk.place(1, is_test=True)
    desk.job("in_progress", begins="new", is_test=True)
    roll_up_all()
    assert not DailyFigure.objects.exists()
    assert Reading(MEASURES, ROUND).sums() == {}


def test_figures_are_told_apart_and_narrowed_by_every_dimension() -> None:
    desk = busy_day()
    roll_up_all()
    tier, region = desk.customer.tier, desk.customer.region_id
    wheres: tuple[dict[str, Any], ...] = (
        {"tier": tier},
        {"tier": tier, "region": region},
        {"warehouse": None},
        {"criticality": "A"},
    )
    for where in wheres:
        assert Reading(MEASURES, ROUND, where).sums(by="tier") == raw(MEASURES, ROUND, where).sums(by="tier")
    assert read("line_fill_rate", tier=tier) == read("line_fill_rate")
    assert read("line_fill_rate", tier="no such").facts == 0


def test_what_happened_since_is_in_the_figures_at_once() -> None:
    desk = busy_day()
    roll_up_all()
    assert pending() == {}
    before = read("line_fill_rate")
    desk.place(1)
    assert pending()["line_fill_rate"] == [TODAY]
    assert read("line_fill_rate").facts == before.facts + 1
    assert_rolled_up_is_raw()


def test_a_second_pass_changes_nothing_and_finds_nothing_to_do() -> None:
    busy_day()
    roll_up_all()
    first = list(DailyFigure.objects.order_by("id").values())
    assert roll_up() == rollups.RolledUp(0, 0)
    assert list(DailyFigure.objects.order_by("id").values()) == first


def test_adding_up_all_days_anew_gives_the_same_and_takes_over_a_new_tier() -> None:
    desk = busy_day()
    roll_up_all()
    columns = [name for name in (field.attname for field in DailyFigure._meta.fields) if name != "id"]
    before = set(DailyFigure.objects.values_list(*columns))
    roll_up(everything=True)
    assert set(DailyFigure.objects.values_list(*columns)) == before
    desk.customer.tier = "platinum"
    desk.customer.save()
    roll_up(everything=True)
    assert read("line_fill_rate", tier="platinum") == read("line_fill_rate")


def test_a_pass_over_all_days_that_is_broken_off_is_gone_on_with_and_misses_nothing() -> None:
    desk = busy_day()
    all_is_over()
    assert not roll_up(seconds=0).is_done  # the first time of all
    assert_rolled_up_is_raw()  # what is not added up yet is read raw
    passes = 1
    while not roll_up(seconds=0).is_done:
        passes += 1
        desk.place(1)  # comes while it is under way
        assert_rolled_up_is_raw()
        assert passes < 100
    assert passes >= len(MEASURES) - 1
    roll_up_all()
    assert pending() == {}
    assert_rolled_up_is_raw()


def test_a_nightly_pass_that_is_broken_off_is_gone_on_with_by_the_minute() -> None:
    desk = busy_day()
    roll_up_all()
    desk.customer.tier = "platinum"
    desk.customer.save()
    assert not roll_up(everything=True, seconds=0).is_done
    assert not roll_up(everything=True, seconds=0).is_done  # asked for twice, it goes on and does not begin again
    done = EventCursor.objects.get(name=rollups.ANEW).events_read
    assert done == 2
    while not roll_up(seconds=0).is_done:
        done += 1
    assert done == len(MEASURES) - 1
    assert EventCursor.objects.get(name=rollups.ANEW).transaction_id == 0
    assert read("line_fill_rate", tier="platinum") == read("line_fill_rate")
    assert_rolled_up_is_raw()


def test_a_late_message_is_counted_on_the_day_it_speaks_of() -> None:
    desk = Desk()
    desk.put(1)
    order = desk.place(1)
    desk.ship(leaf(order).id, **told(hours=1))
    roll_up_all()
    lines.move(line_id=leaf(order).id, to="delivered", **told(hours=30))
    roll_up(at=NOW + timedelta(days=20))
    [row] = DailyFigure.objects.filter(measure="line_steps", edge="shipped>delivered", grain=15)
    assert row.day == TODAY + timedelta(days=1)
    assert_rolled_up_is_raw()


def test_a_correction_changes_the_day_it_is_about_and_not_the_day_it_was_made() -> None:
    desk = Desk()
    desk.put(1)
    order = desk.place(1)
    roll_up_all()
    assert read("line_fill_rate") == Sum(1, 1, d(1), d(1))
    lines.cancel(line_id=leaf(order).id, reason="Not needed", **told(hours=24 * 9))
    assert read("line_fill_rate") == Sum()
    roll_up_all()
    assert not DailyFigure.objects.filter(measure="line_fill_rate").exists()
    assert_rolled_up_is_raw()


def test_what_a_slow_transaction_commits_late_is_not_missed() -> None:
    desk = busy_day()
    roll_up_all()
    seen: dict[str, Any] = {}

    def meanwhile() -> None:
        seen["first"] = desk.place(1, is_test=False)

    one, two = race(meanwhile, lambda: roll_up())
    assert (one.error, two.error) == (None, None)
    assert "line_fill_rate" in pending()  # the cursor did not pass the transaction that was still open
    assert_rolled_up_is_raw()
    roll_up_all()
    assert pending() == {}
    assert_rolled_up_is_raw()


def two_roll_ups() -> tuple[Racer, Racer]:
    roll_up()  # the cursor is there: its row is what they meet at
    busy_day()
    return race(roll_up, roll_up)


def test_of_two_roll_ups_at_once_the_second_waits_and_all_is_counted_once() -> None:
    one, two = two_roll_ups()
    assert (one.error, two.error) == (None, None)
    assert_rolled_up_is_raw()


def test_without_the_lock_two_roll_ups_at_once_count_the_same_day_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    without_lock(monkeypatch, rollups, "LOCK_CURSOR")
    _one, two = two_roll_ups()
    assert isinstance(two.error, IntegrityError)
    assert "daily_figure_counted_once" in str(two.error)


def test_the_task_of_the_minute_does_not_wait_in_its_worker_while_another_adds_up() -> None:
    roll_up_all()
    busy_day()
    may_commit = Event()
    one, two = Racer(roll_up, may_commit), Racer(tasks.roll_up_figures)
    one.start()
    assert one.acted.wait(PATIENCE)
    two.start()
    two.join(PATIENCE)
    is_free = not two.is_alive()
    may_commit.set()
    one.join(PATIENCE)
    assert is_free
    assert (one.error, two.error, two.result) == (None, None, 0)
    assert_rolled_up_is_raw()


def test_only_who_may_see_figures_adds_them_up() -> None:
    with pytest.raises(Forbidden):
        roll_up(by=only())
    assert not EventCursor.objects.filter(name=rollups.CURSOR).exists()


def test_the_clock_adds_up_what_was_touched_and_nightly_everything() -> None:
    busy_day()
    all_is_over()
    assert tasks.roll_up_figures(NOW) > 0
    all_is_over()
    assert tasks.roll_up_figures(NOW) == 0
    assert tasks.roll_up_all_figures(NOW) > 0
    assert_rolled_up_is_raw()


@pytest.mark.parametrize(
    ("breach", "law"),
    [
        ("UPDATE reports_dailyfigure SET value = value + 1", "rolled_up_figures_are_the_ledgers"),
        ("UPDATE reports_dailyfigure SET value = value + 1 WHERE grain = 15", "figures_by_part_add_up_to_the_whole"),
        ("DELETE FROM reports_dailyfigure", "rolled_up_figures_are_the_ledgers"),
        ("UPDATE reports_dailyfigure SET weight = weight + 1 WHERE grain = 7", "figures_by_part_add_up_to_the_whole"),
    ],
)
def test_the_laws_and_the_command_catch_a_wrong_row(breach: str, law: str) -> None:
    busy_day()
    roll_up_all()
    span = {"since": ROUND.since, "until": ROUND.until}
    out = StringIO()
    call_command("compare_figures", **span, stdout=out)
    assert "Every figure is what the ledger and the orders say." in out.getvalue()
    with connection.cursor() as cursor:
        cursor.execute(breach)
    assert law in broken_laws(tuple(LAWS))
    with pytest.raises(CommandError, match="differ from the ledger"):
        call_command("compare_figures", **span, stdout=StringIO())


def test_the_command_refuses_a_period_that_ends_before_it_begins() -> None:
    with pytest.raises(CommandError, match="--since lies after"):
        call_command("compare_figures", since=TODAY, until=TODAY - timedelta(days=1))


# --- Anything, in any order, with clocks that are days apart ---------------------------------------------------------

Deed = Callable[[Desk, int, dict[str, Any]], object]


def _some_line(number: int) -> OrderLine:
    found = OrderLine.objects.filter(is_split=False).order_by("-id")[: number + 1]
    return found[len(found) - 1]


DEEDS: dict[str, Deed] = {
    "place": lambda desk, n, at: desk.place(1 + n % 3, 1 + n % 2, is_test=n == 7, **at),
    "put": lambda desk, n, at: put(desk, 1 + n, **at),
    "ship": lambda desk, n, at: desk.ship(_some_line(n).pk, **at),
    "deliver": lambda desk, n, at: lines.move(line_id=_some_line(n).pk, to="delivered", **at),
    "cancel": lambda desk, n, at: lines.cancel(line_id=_some_line(n).pk, reason="Not needed", **at),
    "cancel order": lambda desk, n, at: parts_orders.cancel(order_id=_some_line(n).order_id, reason="No", **at),
    "promise": lambda desk, n, at: lines.promise(
        line_id=_some_line(n).pk, promised_on=TODAY + timedelta(days=n), reason="Moved", **at
    ),
    "override": lambda desk, n, at: overriding.override(
        line_id=_some_line(n).pk,
        to=("delivered", "back_ordered", "shipped", "cancelled")[n % 4],
        reason="Seen",
        reference="R-1",
        **at,
    ),
    "job": lambda desk, n, at: service_orders.create(
        customer_id=desk.customer.pk, title="Pump", status="new", is_test=n == 7, **at
    ),
    "roll up": lambda desk, n, at: roll_up(everything=n == 7),
}


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(sorted(DEEDS)), st.integers(0, 7), st.integers(-12, 12)), max_size=25))
def test_whatever_happens_in_any_order_the_roll_up_is_the_ledger(db: None, deeds: list[tuple[str, int, int]]) -> None:
    desk = Desk()
    desk.place(1)
    for name, number, days_apart in deeds:
        try:
            DEEDS[name](desk, number, told(hours=24 * days_apart))
        except Refused:
            continue
    assert_rolled_up_is_raw()
    roll_up_all()
    assert pending() == {}
    assert_rolled_up_is_raw()


def test_days_are_those_of_utc() -> None:
    desk = Desk()
    desk.place(1, at=datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC))
    desk.place(1, at=datetime(2026, 3, 3, 0, 0, tzinfo=UTC))
    roll_up_all()
    days = DailyFigure.objects.filter(measure="order_fill_rate", grain=15).order_by("day").values_list("day", flat=True)
    assert list(days) == [date(2026, 3, 2), date(2026, 3, 3)]
