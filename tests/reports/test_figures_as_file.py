"""The figures as a file say what the pages say, in plain numbers."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from parts.models import Region
from reports.figures.definitions import FIGURES
from reports.figures.reading import Reading
from tests.orders.desk import Desk
from tests.reports.test_figures import ROUND, ROUND_TEXT, desk

pytestmark = pytest.mark.django_db
ADDRESS = f"/figures/figures.csv?{ROUND_TEXT}"
__all__ = ["desk"]


def rows_of(client: Client, address: str = ADDRESS) -> list[dict[str, Any]]:
    answer = client.get(address)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert 'attachment; filename="figures-' in answer["Content-Disposition"]
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


def test_what_it_adds_up_to_is_what_the_figures_are(desk: Desk, client: Client, manager: User) -> None:
    client.force_login(manager)
    rows = rows_of(client)
    reading = Reading([*FIGURES], ROUND)
    assert {row["measure"] for row in rows} >= {name for name in FIGURES if reading.total(name).facts}
    for name in FIGURES:
        total = reading.total(name)
        for told_apart in (
            [row for row in rows if row["measure"] == name and row["from"] and not row["by"]],
            [row for row in rows if row["measure"] == name and row["by"] == "region"],
        ):
            assert sum(int(row["rows"]) for row in told_apart) == total.facts
            assert sum(Decimal(row["value"]) for row in told_apart) == total.value
    one = next(row for row in rows if row["unit"] == "share" and row["by"] == "region")
    assert abs(Decimal(one["figure"]) - Decimal(one["value"]) / Decimal(one["weight"])) < Decimal("0.000001")


def test_numbers_are_plain_in_every_language_and_names_run_nothing(desk: Desk, client: Client, manager: User) -> None:
    client.force_login(manager)
    Region.objects.update(name="=1+1")
    client.cookies["django_language"] = "de"
    rows = rows_of(client)
    assert {row["of"] for row in rows if row["by"] == "region"} == {"'=1+1"}
    for row in rows:
        for name in ("weight", "value", "figure"):
            assert "," not in row[name]


def test_only_who_may_see_figures_gets_the_file_and_it_costs_the_same_for_a_year(
    desk: Desk, client: Client, manager: User, technician: User
) -> None:
    assert client.get(ADDRESS).status_code == 302
    client.force_login(technician)
    assert client.get(ADDRESS).status_code == 403
    client.force_login(manager)

    def cost(address: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            rows_of(client, address)
        return len(seen)

    cost(ADDRESS)
    assert cost(ADDRESS) == cost("/figures/figures.csv?period=365&bucket=day&by=warehouse") <= 16
