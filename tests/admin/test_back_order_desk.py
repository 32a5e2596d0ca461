"""The back-order desk: where the back office begins for the parts manager, with figures, lists and the why of each."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backorders.actions import moving, pegging
from backorders.models import BackOrder
from backorders.overview import LISTS, SOON, overview, page_of
from backorders.statuses import AGE_BUCKETS
from orders.actions import lines
from orders.models import OrderLine
from parts.models import Part, PurchaseOrderLine
from tests.admin.desk import desk_of, text
from tests.admin.world import World, cause
from tests.factories.parts import PartFactory

pytestmark = pytest.mark.django_db

DESK = "/admin/desk/"


def waits(row: BackOrder, days: int) -> BackOrder:
    """Let a back order have waited so many days and an hour."""
    BackOrder.objects.filter(pk=row.pk).update(opened_at=timezone.now() - timedelta(days=days, hours=1))
    return row


def costs(row: BackOrder, cost: str) -> None:
    Part.objects.filter(pk=row.part_id).update(unit_cost=Decimal(cost))


def references(found: Any) -> list[str]:
    return [row.reference for row in found.rows]


def test_the_back_office_begins_with_the_desk_for_the_parts_manager_alone(
    manager: User, dispatcher: User, administrator: User
) -> None:
    landed = desk_of(manager).get("/admin/")
    assert (landed.status_code, landed["Location"]) == (302, DESK)
    for other in (dispatcher, administrator):
        assert desk_of(other).get("/admin/").status_code == 200
        assert desk_of(other).get(DESK).status_code == 403


def test_who_checks_reads_the_desk_and_takes_nothing_there(world: World, manager: User, auditor: User) -> None:
    row = world.short()
    client = desk_of(auditor)
    shown = text(client.get(DESK, {"list": "no-supply"}))
    assert row.reference in shown
    assert "Ways out" not in shown
    assert client.post(DESK).status_code == 405
    assert "Ways out" in text(desk_of(manager).get(DESK, {"list": "no-supply"}))
    assert client.get("/admin/").status_code == 200  # the back office begins for them with what there is, and
    assert f'href="{DESK}"' in text(client.get("/admin/"))  # leads there


def test_the_buckets_hold_whole_days_and_add_up(world: World) -> None:
    for days in (0, 3, 4, 7, 8, 14, 15, 30, 31, 400):
        costs(waits(world.short(), days), "10")
    now = timezone.now()
    found = overview(now)
    assert {name: amount.count for name, amount in found.ages.items()} == dict.fromkeys(
        [name for name, _low, _high in AGE_BUCKETS], 2
    )
    assert {name: BackOrder.objects.aged(name, now).count() for name in found.ages} == {
        name: amount.count for name, amount in found.ages.items()
    }
    assert (found.all.count, found.all.money, found.all.unpriced) == (10, Decimal(300), 0)


def test_money_is_quantity_times_cost_and_an_unknown_cost_is_said_to_be_unknown(world: World, manager: User) -> None:
    known, unknown = world.short(), world.short()
    costs(known, "12.50")
    costs(unknown, "0")
    found = overview(timezone.now())
    assert (found.all.count, found.all.money, found.all.unpriced) == (2, Decimal("37.500"), 1)
    shown = text(desk_of(manager).get(DESK, {"list": "all"}))
    assert "37.50 EUR" in shown
    assert "cost unknown" in shown


def test_each_list_holds_what_its_name_says(world: World) -> None:
    broken, endangered, bare, critical, covered = (world.short() for _ in range(5))
    now = timezone.now()
    today = now.date()
    Part.objects.exclude(pk=critical.part_id).update(criticality="C")
    Part.objects.filter(pk=critical.part_id).update(criticality="A")
    for row in (endangered, covered):
        world.bought(row.part)  # in nine days
    pegging.repeg(part_ids=[endangered.part_id, covered.part_id], today=today)
    lines.promise(line_id=endangered.line_id, promised_on=today + timedelta(days=5), **cause())
    lines.promise(line_id=covered.line_id, promised_on=today + timedelta(days=20), **cause())
    lines.promise(line_id=broken.line_id, promised_on=today, **cause() | {"at": now - timedelta(days=2)})
    later = now + timedelta(days=1)
    assert references(page_of("promise", now=later)) == [broken.reference, endangered.reference]
    assert set(references(page_of("no-supply", now=later))) == {row.reference for row in (broken, bare, critical)}
    assert references(page_of("critical", now=later)) == [critical.reference]
    assert set(references(page_of("nearest", now=later))) == {endangered.reference, covered.reference}
    figures = overview(later)
    counts = (figures.broken.count, figures.in_danger.count, figures.no_supply.count, figures.critical.count)
    assert counts == (1, 1, 3, 1)


def test_what_is_opened_under_supply_is_never_listed_as_without_any(world: World) -> None:
    part = PartFactory.create()
    world.bought(part)
    world.placed(part, 3)
    row = BackOrder.objects.get(part=part)
    assert (row.expected_on is None, row.pegs.count()) == (False, 0)  # the day is known at once, the pegs come later
    for _ in range(2):
        now = timezone.now()
        assert (references(page_of("no-supply", now=now)), overview(now).no_supply.count) == ([], 0)
        assert (references(page_of("nearest", now=now)), overview(now).expected.count) == ([row.reference], 1)
        pegging.repeg(part_ids=[part.pk], today=now.date())
    assert row.pegs.count() == 1


def test_a_promise_without_a_day_of_supply_is_in_danger_only_when_it_is_near(world: World) -> None:
    near, far = world.short(), world.short()
    now = timezone.now()
    lines.promise(line_id=near.line_id, promised_on=now.date() + timedelta(days=7), **cause())
    lines.promise(line_id=far.line_id, promised_on=now.date() + timedelta(days=8), **cause())
    assert references(page_of("promise", now=now)) == [near.reference]
    assert overview(now).in_danger.count == 1


def test_the_figure_of_promises_at_risk_counts_just_what_its_list_shows(world: World) -> None:
    now = timezone.now()
    today, soon = now.date(), now.date() + SOON
    for promised in (None, today - timedelta(days=1), today, soon, soon + timedelta(days=1)):
        for expected in (None, today, soon, soon + timedelta(days=1), soon + timedelta(days=2)):
            row = world.short()
            BackOrder.objects.filter(pk=row.pk).update(expected_on=expected)
            if promised:
                costs(row, "0" if expected == soon else "3")
                OrderLine.objects.filter(pk=row.line_id).update(promised_on=promised, first_promised_on=promised)
    moving.cancel(back_order_id=row.pk, reason="Not needed", **cause())
    listed = page_of("promise", now=now, most=100).rows
    found = overview(now)
    broken = [each for each in listed if each.line.promised_on < today]
    assert 0 < len(broken) < len(listed) < 20
    for figure, rows in (
        (found.broken, broken),
        (found.in_danger, [each for each in listed if each not in broken]),
    ):
        assert figure.count == len(rows)
        assert figure.money == sum(each.quantity * each.part.unit_cost for each in rows)
        assert figure.unpriced == sum(each.part.unit_cost == 0 for each in rows) > 0


@pytest.mark.parametrize("which", LISTS)
def test_the_pages_of_a_list_hold_every_row_once(world: World, which: str) -> None:
    rows = [world.short() for _ in range(7)]
    now = timezone.now()
    Part.objects.update(criticality="A")
    BackOrder.objects.update(opened_at=now - timedelta(days=5), on_hold=which == "held")  # all at once: equals
    if which == "nearest":
        BackOrder.objects.update(expected_on=now.date())
    for row in rows:
        lines.promise(line_id=row.line_id, promised_on=now.date(), **cause())
    seen: list[str] = []
    after = ""
    for _page in range(4):
        found = page_of(which, after=after, now=now + timedelta(days=1), most=2)
        seen += references(found)
        after = found.after
    assert after == ""
    assert sorted(seen) == sorted(row.reference for row in rows)


def test_a_list_is_narrowed_by_age_in_the_address_and_nonsense_there_is_passed_by(world: World, manager: User) -> None:
    young, old = waits(world.short(), 1), waits(world.short(), 20)
    client = desk_of(manager)
    shown = text(client.get(DESK, {"list": "all", "age": "15-30"}))
    assert old.reference in shown
    assert young.reference not in shown
    for asked in (
        {"list": "nonsense"},
        {"age": "12"},
        {"list": "all", "after": "x_y"},
        {"after": f"2026-99-99_{uuid4()}"},
    ):
        assert client.get(DESK, asked).status_code == 200


def test_each_row_says_why(world: World, manager: User) -> None:
    first = world.short()
    world.placed(first.part, 2)
    shown = text(desk_of(manager).get(DESK, {"list": "no-supply"}))
    assert "No supply is ordered for it." in shown
    assert "Next in the queue." in shown
    assert "1 stands before it and gets 3 first." in shown


def test_the_figures_of_a_long_queue_are_kept_for_a_while_and_say_of_when_they_are(
    world: World, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = desk_of(manager)
    world.short()
    assert "Figures as of" not in text(client.get(DESK))
    monkeypatch.setattr("backorders.overview.LONG", 0)
    cache.clear()
    client.get(DESK)
    world.short()
    shown = client.get(DESK, {"list": "all"})
    assert shown.context["figures"].all.count == 1
    assert len(shown.context["rows"]) == 2
    assert "Figures as of" in text(shown)
    cache.clear()
    assert client.get(DESK).context["figures"].all.count == 2
    cache.clear()


def test_the_desk_is_as_many_queries_for_twenty_as_for_two(world: World, manager: User) -> None:
    client = desk_of(manager)
    counts = []
    for number in (2, 18):
        for _ in range(number):
            row = world.short()
            world.bought(row.part)
            pegging.repeg(part_ids=[row.part_id], today=timezone.now().date())
        client.get(DESK, {"list": "all"})
        with CaptureQueriesContext(connection) as sent:
            assert client.get(DESK, {"list": "all"}).status_code == 200
        counts.append(len(sent))
    assert PurchaseOrderLine.objects.count() == 20
    assert counts[0] == counts[1]
    assert counts[1] <= 10
