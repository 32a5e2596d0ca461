"""The pages of figures: what they say, the rows behind it, who may see them, and what they cost."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backorders.models import BackOrder
from orders.actions import lines
from reports.figures.definitions import ALL, FIGURES, STEPS
from reports.figures.forms import Filters
from reports.figures.reading import BUCKETS, Period, Reading, Sum, buckets
from reports.figures.rows import Asked, page_of
from reports.figures.standing import STANDING, Standing
from tests.desk.orders_words import desk_of, text
from tests.orders.desk import NOW, TODAY, Desk, leaf, told

pytestmark = pytest.mark.django_db

ROUND = Period(TODAY - timedelta(days=40), TODAY + timedelta(days=40))
ROUND_TEXT = f"since={ROUND.since}&until={ROUND.until}"
OVERVIEW = f"/figures/?{ROUND_TEXT}"


@pytest.fixture
def desk(db: None) -> Desk:
    """Orders filled and not, shipped, delivered late and in time, waiting, cancelled, and for training."""
    desk = Desk()
    desk.put(6)
    for hours, quantities in ((0, (2,)), (30, (1, 1)), (60, (4, 3)), (80, (2,))):
        placed = desk.place(*quantities, **told(hours=hours))
        for line in placed.lines:
            held = next((each for each in (line.children or (line,)) if each.status == "reserved"), None)
            if held:
                lines.promise(line_id=held.id, promised_on=TODAY + timedelta(days=3), **told(hours=hours))
                desk.ship(held.id, **told(hours=hours + 5))
                lines.move(line_id=held.id, to="delivered", **told(hours=hours + 30))
    desk.put(3)
    waiting = BackOrder.objects.filter(status="allocated").order_by("id")
    for back_order in waiting:
        desk.ship(back_order.line_id, **told(hours=200))
    desk.place(1, is_test=True)
    desk.job("in_progress", begins="new")
    desk.job("awaiting_parts", begins="new", is_test=True)
    return desk


def all_rows(asked: Asked, size: int, standing: Standing | None = None) -> list[Any]:
    """Turn page after page to the end."""
    rows: list[Any] = []
    after: str | None = ""
    while after is not None:
        page = page_of(asked, after, standing=standing, size=size)
        rows += page.rows
        after = page.next
    return rows


# --- A figure and the rows behind it ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_the_rows_behind_a_figure_are_as_many_and_add_up_to_it(name: str, desk: Desk) -> None:
    total = Reading([name], ROUND).total(name)
    rows = all_rows(Asked(name, ROUND, {}), size=2)
    assert total.facts > 0
    assert len({(row.subject.pk, row.edge, row.day) for row in rows}) == len(rows) == total.facts
    assert sum((Sum(1, row.is_met, row.weight, row.value) for row in rows), Sum()) == total
    assert [row.day for row in rows] == sorted((row.day for row in rows), reverse=True)
    missed = all_rows(Asked(name, ROUND, {}, met=False), size=50)
    assert len(missed) == total.facts - total.met


@pytest.mark.parametrize("name", STEPS)
def test_the_rows_of_one_transition_are_those_of_that_transition(name: str, desk: Desk) -> None:
    sums = Reading([name], ROUND).sums(edges=True)
    assert sum(total.facts for total in sums.values()) > 0
    for key, total in sums.items():
        rows = all_rows(Asked(name, ROUND, {}, edge=key.edge), size=50)
        assert len(rows) == total.facts
        assert {row.edge for row in rows} == {key.edge}


def test_the_rows_are_narrowed_as_the_figure_is(desk: Desk) -> None:
    for where in ({"tier": desk.customer.tier}, {"warehouse": None}, {"region": desk.customer.region_id}):
        total = Reading(["unit_fill_rate"], ROUND, where).total("unit_fill_rate")
        assert len(all_rows(Asked("unit_fill_rate", ROUND, where), size=50)) == total.facts


@pytest.mark.parametrize("name", STANDING)
def test_what_stands_now_is_as_much_as_its_rows(name: str, desk: Desk) -> None:
    standing = Standing(NOW + timedelta(days=30))
    sums = standing.sums([name])
    assert sums
    rows = all_rows(Asked(name, None, {}), size=1, standing=standing)
    assert len(rows) == sum(total.facts for total in sums.values())
    assert [row.day for row in rows] == sorted(row.day for row in rows)
    for key, total in sums.items():
        assert len(all_rows(Asked(name, None, {}, edge=key.edge), 50, standing)) == total.facts


def test_open_back_orders_are_told_by_whole_days_since_they_were_opened(db: None) -> None:
    desk = Desk()
    desk.place(2)
    ages = {
        days: next(iter(Standing(NOW + timedelta(days=days)).sums(["open_back_orders"]))).edge
        for days in (0, 3.99, 4, 7.99, 14, 30.99, 31, 400)
    }
    assert list(ages.values()) == ["0-3", "0-3", "4-7", "4-7", "8-14", "15-30", ">30", ">30"]


def test_stuck_is_longer_than_three_days_and_twice_the_usual(db: None) -> None:
    desk = Desk()
    desk.put(2)
    desk.place(1)
    assert not Standing(NOW + timedelta(days=2.9)).sums(["stuck_lines"])
    assert Standing(NOW + timedelta(days=3.1)).sums(["stuck_lines"])
    slow = leaf(desk.place(1))
    lines.move(line_id=slow.id, to="released", **told(hours=24 * 2))  # two days in reserved are usual now
    now = Standing(NOW + timedelta(days=3.5))
    assert now.limits["stuck_lines"]["reserved"].after == timedelta(days=4)
    assert not now.sums(["stuck_lines"])
    assert [key.edge for key in Standing(NOW + timedelta(days=4.5)).sums(["stuck_lines"])] == ["reserved"]


# --- The pages -------------------------------------------------------------------------------------------------------


def test_the_first_page_says_each_figure_and_leads_to_its_definition_and_rows(desk: Desk, manager: User) -> None:
    page = desk_of(manager).get(OVERVIEW)
    shown = text(page)
    for figure in (*FIGURES.values(), *STEPS.values()):
        assert str(figure.title) in shown
        assert f'href="/figures/{figure.name}/?' in page.content.decode()
    assert "New → to In Progress" in shown.replace("  ", " ")
    line_fill = Reading(["line_fill_rate"], ROUND).total("line_fill_rate")
    assert line_fill.ratio is not None
    assert f"{line_fill.ratio * 100:.1f} %" in shown


@pytest.mark.parametrize("name", ALL)
def test_each_figure_shows_its_definition_formula_source_course_and_rows(name: str, desk: Desk, manager: User) -> None:
    page = desk_of(manager).get(f"/figures/{name}/?{ROUND_TEXT}")
    shown, figure = text(page), ALL[name]
    for words in (figure.title, figure.definition, figure.formula, figure.source):
        assert str(words) in shown.replace("&#x27;", "'")
    body = page.content.decode()
    assert '<svg class="chart-drawing"' in body
    assert "<desc" in body
    total = Reading([name], ROUND).total(name)
    assert f"The rows behind it: {total.facts}" in shown
    assert len(re.findall(r'<th scope="row"><a href="/desk/', body)) == total.facts


@pytest.mark.parametrize("name", STANDING)
def test_what_stands_now_shows_its_definition_and_rows(name: str, desk: Desk, manager: User) -> None:
    page = desk_of(manager).get(f"/figures/{name}/")
    found = Standing(timezone.now()).sums([name])
    assert f"The rows behind it: {sum(total.facts for total in found.values())}" in text(page)
    assert "Definition" in text(page)


def test_filters_live_in_the_address_and_nonsense_is_said_and_left_out(desk: Desk, manager: User) -> None:
    client = desk_of(manager)
    one = client.get(f"/figures/line_fill_rate/?{ROUND_TEXT}&tier={desk.customer.tier}&bucket=week&met=no")
    assert f'<option value="{desk.customer.tier}" selected>' in one.content.decode()
    assert "Filled" in text(one)
    odd = client.get("/figures/?since=nonsense&tier=iron&region=Atlantis&by=moon&bucket=year&period=-1")
    assert odd.status_code == 200
    assert "Enter a valid date" in text(odd)
    assert client.get("/figures/line_fill_rate/?after=%21nonsense&edge=x&met=maybe").status_code == 200
    assert client.get("/figures/no_such_figure/").status_code == 404
    assert client.post("/figures/").status_code == 405


@pytest.mark.parametrize(
    "days", ["until=0001-01-01", "since=0001-01-01&until=0001-03-01", "since=9999-12-31", "until=9999-12-31"]
)
def test_days_before_or_after_all_that_is_kept_are_said_to_be_none(days: str, manager: User) -> None:
    page = desk_of(manager).get(f"/figures/?{days}")
    assert page.status_code == 200
    assert "Ensure this value is" in text(page)


def test_a_tier_without_anything_shows_dashes_and_says_what_to_do(desk: Desk, manager: User) -> None:
    other = next(tier for tier in ("platinum", "bronze") if tier != desk.customer.tier)
    shown = text(desk_of(manager).get(f"/figures/line_fill_rate/?{ROUND_TEXT}&tier={other}"))
    assert "There is no such row" in shown


def test_who_may_not_see_figures_is_refused_and_strangers_sign_in(
    technician: User, partner: User, nobody: User, auditor: User, dispatcher: User, administrator: User
) -> None:
    for address in ("/figures/", "/figures/line_fill_rate/", "/figures/open_back_orders/"):
        for person in (technician, partner, nobody):
            assert desk_of(person).get(address).status_code == 403
        for person in (auditor, dispatcher, administrator):
            assert desk_of(person).get(address).status_code == 200
        assert Client().get(address).headers["Location"].startswith("/accounts/login/")


def test_a_page_costs_the_same_number_of_queries_however_much_there_is(manager: User) -> None:
    desk = Desk()
    client = desk_of(manager)

    def cost() -> list[int]:
        found = []
        for address in (OVERVIEW, f"/figures/line_fill_rate/?{ROUND_TEXT}", "/figures/open_back_orders/"):
            with CaptureQueriesContext(connection) as seen:
                assert client.get(address).status_code == 200
            found.append(len(seen))
        return found

    desk.place(1, 1)
    desk.job("in_progress", begins="new")
    few = cost()
    for _number in range(20):
        desk.place(1, 1)
        desk.job("in_progress", begins="new")
    assert cost() == few
    assert max(few) <= 22  # four of them for the timeliness of messages


def test_steps_of_time_cover_the_period_and_no_more(rf: Any) -> None:
    for bucket in BUCKETS:
        for days in (1, 2, 7, 31, 365):
            period = Period(TODAY - timedelta(days=days - 1), TODAY)
            found = buckets(period, bucket)
            assert found == sorted(set(found))
            assert found[0] <= period.since
            assert found[-1] <= period.until
            assert all((found[number + 1] - found[number]).days <= 31 for number in range(len(found) - 1))
    with pytest.raises(ValueError, match="begins before it ends"):
        Period(TODAY, TODAY - timedelta(days=1))
    wide = Filters(rf.get("/?since=1990-01-01").GET, TODAY)
    assert wide.period.days == 3 * 366
    turned = Filters(rf.get(f"/?since={TODAY}&until={TODAY - timedelta(days=5)}").GET, TODAY)
    assert turned.period.days == 1


def test_a_share_is_what_it_is_said_to_be() -> None:
    assert Sum(2, 1, Decimal(4), Decimal(3)).ratio == Decimal("0.75")
    assert Sum().ratio is None
