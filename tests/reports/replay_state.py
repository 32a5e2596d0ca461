"""What a replay left in the database, without what differs from run to run (keys by time, numbers from sequences)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.db import connection
from django.db.models import F

from backorders.models import BackOrder, Peg
from orders.models import OrderEvent, OrderLine, PartsOrder, ServiceOrder
from parts.models import Delivery, PurchaseOrderLine, StockLevel
from reports.models import ReplayRun
from reports.replay.demand import read_demand
from reports.replay.live import Replay, begin


def end_state() -> dict[str, list[Any]]:
    """Return everything that must be the same after an undisturbed run and after one that was killed and resumed."""
    of_line = ("line__order_id", "line__position", "line__child_number")
    events = OrderEvent.objects.exclude(subject_kind="back_order").order_by("occurred_at", "subject_kind", "version")
    queries: dict[str, Any] = {
        "orders": PartsOrder.objects.order_by("id").values_list("id", "kind", "status", "progress", "version"),
        "lines": OrderLine.objects.order_by("order", "position", "child_number").values_list(
            "order_id", "position", "child_number", "part__number", "quantity", "status", "warehouse__code",
            "first_promised_on", "promised_on", "status_since", "version",
        ),
        "back orders": BackOrder.objects.order_by(*of_line).values_list(
            *of_line, "status", "quantity", "opened_quantity", "opened_at", "closed_at", "expected_on", "rank",
            "version",
        ),
        "pegs": Peg.objects.order_by("purchase_order_line__purchase_order__number", "quantity").values_list(
            "purchase_order_line__purchase_order__number", "quantity", "expected_on"
        ),
        "jobs": ServiceOrder.objects.order_by("id").values_list("id", "status", "status_since", "version"),
        "levels": StockLevel.objects.order_by("part__number", "warehouse__code").values_list(
            "part__number", "warehouse__code", "on_hand", "reserved", "unfit"
        ),
        "supply": PurchaseOrderLine.objects.order_by("purchase_order__number", "position").values_list(
            "purchase_order__number", "position", "part__number", "quantity", "received", "cancelled", "expected_on",
            "first_confirmed_on", "purchase_order__status",
        ),
        "deliveries": Delivery.objects.order_by("note_number").values_list("note_number", "received_at"),
        "events": events.values_list("subject_kind", "version", "kind", "to_status", "occurred_at", "passed_through"),
    }  # fmt: skip
    found = {name: list(query) for name, query in queries.items()}
    found["events"].sort(key=str)
    found["back orders"].sort(key=str)
    return found


def differences(one: dict[str, list[Any]], other: dict[str, list[Any]]) -> dict[str, tuple[Any, Any]]:
    """Return, per kind of row, the first ones that only one side has."""
    return {
        name: (
            sorted(set(one[name]) - set(other[name]), key=str)[:3],
            sorted(set(other[name]) - set(one[name]), key=str)[:3],
        )
        for name in one
        if one[name] != other[name]
    }


def live_through(file: Path, *, months: int | None = None, seed: int = 1) -> ReplayRun:
    """Live through a file in this process; may run inside a transaction, as the checks of the command may not."""
    demand = read_demand(file).narrowed(months=months)
    run, _ = begin(demand, seed)
    for _day in Replay(run, demand).live():
        pass
    return run


def asked_twice() -> int:
    """Return how many lines there are more than different (order, position, part)."""
    roots = OrderLine.objects.roots()
    return roots.count() - roots.values("order", "position", "part").annotate(n=F("position")).distinct().count()


def start(*arguments: str | Path) -> subprocess.Popen[str]:
    """Start `manage.py replay_demand` in a process of its own, on the database of this test."""
    database = connection.settings_dict
    login = quote(database["USER"] or "", safe="")
    if database["PASSWORD"]:
        login += ":" + quote(database["PASSWORD"], safe="")
    environment = os.environ | {
        "DATABASE_URL": f"postgres://{login}@/{database['NAME']}",
        "PGHOST": str(database["HOST"] or ""),
        "PGPORT": str(database["PORT"] or ""),
        "BACKLINE_VAR": str(settings.BACKLINE_VAR),
    }
    return subprocess.Popen(
        [sys.executable, "manage.py", "replay_demand", *map(str, arguments)],
        cwd=settings.BASE_DIR,
        env={name: value for name, value in environment.items() if value},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
