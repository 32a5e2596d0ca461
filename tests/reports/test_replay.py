"""`manage.py replay_demand`: months are lived through by the same actions as every door's, and the books are true."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction
from django.db.models import F, Sum

from backorders.models import Allocation, BackOrder
from orders.models import OrderEvent, OrderLine, PartsOrder, ServiceOrder, Shipment
from parts.errors import Refused
from parts.models import Delivery, DeliveryLine, Part, PurchaseOrder, StockMovement
from reports.models import ReplayRun
from reports.replay import floor, plan
from reports.replay.demand import read_demand
from reports.replay.live import Replay, begin
from reports.replay.summary import FIGURES, figures
from tests.factories.parts import PartFactory
from tests.reports.replay_state import end_state, live_through

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ground"), pytest.mark.slow]
#: The ledger is verified as of one moment, in a transaction of its own: such a test really commits.
commits = pytest.mark.django_db(transaction=True)


def replayed(file: Path, **options: Any) -> tuple[str, str]:
    """Run the command to its end; return what it printed and what it said meanwhile."""
    out, err = StringIO(), StringIO()
    call_command("replay_demand", file, stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


@commits
def test_all_units_of_the_file_are_ordered_shipped_and_the_books_are_clean(demand_file: Path) -> None:
    out, _ = replayed(demand_file)

    demand = read_demand(demand_file)
    found = ReplayRun.objects.get().figures
    assert found["units"] == demand.total == OrderLine.objects.roots().aggregate(n=Sum("quantity"))["n"]
    assert {"All", "hold."} <= set(out.split())  # check_integrity
    assert "No findings." in out  # verify_ledger
    assert found["back_orders_opened"] > 0
    assert found["back_orders_open"] == 0
    assert not OrderLine.objects.leaves().open().exists()
    assert found["unit_fill_rate"] == 1
    # What happened in simulated time was recorded in ours.
    first = OrderEvent.objects.order_by("occurred_at")[0]
    assert first.occurred_at.year == 2024
    assert first.recorded_at.date() >= ReplayRun.objects.get().started_at.date()


def test_the_world_it_lives_in_has_all_that_happens_to_service_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "CANCELLED", 0.2)  # so that a small file has what a large one has anyway
    monkeypatch.setattr(floor, "RETURNED", 0.2)
    path = tmp_path / "busy.csv"
    rows = [f"P-{part:02},2024-{month:02},{units}" for part in range(14) for month, units in ((1, 1), (2, 9))]
    path.write_text("part_number,month,units\n" + "\n".join(rows) + "\n")
    live_through(path)

    assert set(PartsOrder.objects.values_list("kind", flat=True)) == {"service", "emergency", "stock", "transfer"}
    assert set(ServiceOrder.objects.values_list("status", flat=True)) <= {"completed", "cancelled"}
    assert set(OrderLine.objects.leaves().values_list("status", flat=True)) == {"delivered", "cancelled", "returned"}
    assert Shipment.objects.exclude(delivered_at=None).exists()
    assert BackOrder.objects.filter(line__first_promised_on__isnull=False).exists()
    assert Allocation.objects.exclude(delivery_line=None).exists()
    assert OrderEvent.objects.filter(kind="service_order.status_changed", to_status="awaiting_parts").exists()
    assert DeliveryLine.objects.filter(quantity__lt=F("purchase_order_line__quantity")).exists()


@commits
def test_a_second_start_of_a_finished_replay_changes_nothing_and_prints_the_table_again(demand_file: Path) -> None:
    first, _ = replayed(demand_file, months=1)
    before, run = end_state(), ReplayRun.objects.get()

    second, said = replayed(demand_file, months=1)

    assert end_state() == before
    assert ReplayRun.objects.get().seconds == run.seconds
    assert first.split("Wall time")[0] == second.split("Wall time")[0]
    assert said == ""


def test_the_same_seed_lives_the_same_life_and_another_seed_another(demand_file: Path) -> None:
    lives = []
    for seed in (1, 1, 2):
        with transaction.atomic():
            live_through(demand_file, months=1, seed=seed)
            lives.append(end_state())
            transaction.set_rollback(True)
    assert lives[0] == lives[1]
    assert lives[0]["orders"] != lives[2]["orders"]


def test_a_database_that_holds_something_else_is_refused_and_left_alone(demand_file: Path) -> None:
    PartFactory()
    with pytest.raises(CommandError, match="this one holds 1 parts"):
        replayed(demand_file)
    assert Part.objects.count() == 1
    assert not ReplayRun.objects.exists()


def test_another_seed_in_the_same_database_is_refused(demand_file: Path) -> None:
    begin(read_demand(demand_file), 1)
    with pytest.raises(CommandError, match="database of its own"):
        replayed(demand_file, seed=2)


@commits
def test_a_replay_that_was_stopped_goes_on_only_if_it_may(demand_file: Path) -> None:
    demand = read_demand(demand_file)
    run, _ = begin(demand, 1)
    next(iter(Replay(run, demand).live()))

    with pytest.raises(CommandError, match="was stopped after 2024-01-01"):
        replayed(demand_file, resume=False)
    _, said = replayed(demand_file)
    assert "goes on after 2024-01-01" in said


def test_of_two_who_go_on_with_the_same_replay_one_is_refused_and_leaves_nothing(demand_file: Path) -> None:
    demand = read_demand(demand_file)
    run, _ = begin(demand, 1)
    first, second = Replay(run, demand), Replay(ReplayRun.objects.get(), demand)
    days = first.live()
    for _day in range(9):
        next(days)
    state = end_state()

    with pytest.raises(Refused, match="Another process"):
        next(second.live())
    assert end_state() == state


def test_a_day_that_fails_leaves_nothing_of_itself(demand_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    demand = read_demand(demand_file)
    run, _ = begin(demand, 1)
    state = end_state()
    replay = Replay(run, demand)

    def fail(**_: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("reports.replay.supply.place_purchase_orders", fail)
    with pytest.raises(RuntimeError, match="disk is full"):
        list(replay.live())
    assert end_state() == state
    assert ReplayRun.objects.get().lived_until is None


@commits
def test_the_figures_come_as_json_with_the_checks_beside_them(demand_file: Path) -> None:
    out, err = replayed(demand_file, months=1, json=True, no_progress=True)
    document = json.loads(out)
    assert document["units"] == document["units_in_file"]
    assert set(document) >= {figure.name for figure in FIGURES}
    assert "No findings." in err


@commits
def test_progress_is_a_line_per_month_where_nobody_watches(demand_file: Path) -> None:
    _, said = replayed(demand_file)
    months = [line[:7] for line in said.splitlines() if line.startswith("2024-")]
    assert months[:3] == ["2024-01", "2024-02", "2024-03"]


def test_supply_never_comes_from_nowhere(demand_file: Path) -> None:
    live_through(demand_file, months=2)
    assert PurchaseOrder.objects.exists()
    assert Delivery.objects.exists()
    assert not DeliveryLine.objects.filter(purchase_order_line=None).exists()
    assert set(StockMovement.objects.values_list("kind", flat=True)) >= {
        "receipt",
        "reservation",
        "issue",
        "correction",
    }


def test_every_figure_has_a_value_of_its_kind_even_where_nothing_happened() -> None:
    found = figures()
    assert set(found) == {figure.name for figure in FIGURES}
    for figure in FIGURES:
        assert found[figure.name] in (0, None)
        assert figure.definition.endswith(".")
