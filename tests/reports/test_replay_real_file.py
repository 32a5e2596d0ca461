"""The real demand of car parts, where it is at hand: it is not part of the project, and no other test needs it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.conf import settings
from django.db.models import Sum

from config.integrity import check_all
from orders.models import OrderLine
from reports.replay import layout
from reports.replay.demand import read_demand
from reports.replay.dice import Dice
from reports.replay.live import Replay, begin, run_key
from reports.replay.plan import make_plan

pytestmark = [pytest.mark.slow, pytest.mark.once]


@pytest.fixture
def file() -> Path:
    """The file that BACKLINE_DEMAND_FILE names, or the one beside the project."""
    beside = settings.BASE_DIR.parent / "shared" / "data" / "carparts-demand.csv"
    path = Path(os.environ.get("BACKLINE_DEMAND_FILE") or beside)
    if not path.is_file():
        pytest.skip(f"the real demand is not here: {path} (name it by BACKLINE_DEMAND_FILE)")
    return path


def test_all_its_units_are_planned_once(file: Path) -> None:
    demand = read_demand(file)
    assert (demand.total, len(demand.parts), len(demand.months)) == (53_638, 2_658, 39)
    assert str(demand.months[0]) == "1998-01-01"
    assert sum(units is None for units in demand.units.values()) == 4_142

    dice = Dice(1)
    plan = make_plan(demand, dice, run_key(demand, 1), layout.customers(dice))
    lines = [line for orders in plan.orders.values() for order in orders for line in order.lines]
    assert sum(line.quantity for line in lines) == 53_638
    assert {line.part for line in lines} == {part for (part, _), units in demand.units.items() if units}


@pytest.mark.django_db
@pytest.mark.usefixtures("ground")
def test_a_slice_of_it_is_lived_through_and_the_books_are_clean(file: Path) -> None:
    demand = read_demand(file)
    busiest = sorted(demand.parts, key=lambda part: -sum(demand.of(part, month) or 0 for month in demand.months[:2]))
    units = {key: value for key, value in demand.units.items() if key[0] in busiest[:60] and key[1] < demand.months[2]}
    part_of_it = type(demand)(demand.name, demand.checksum, demand.months[:2], tuple(busiest[:60]), units)
    run, _ = begin(part_of_it, 1)
    for _day in Replay(run, part_of_it).live():
        pass

    assert OrderLine.objects.roots().aggregate(n=Sum("quantity"))["n"] == part_of_it.total > 100
    assert not OrderLine.objects.leaves().open().exists()
    assert [verdict.law.name for verdict in check_all(5) if verdict.finding.total] == []
