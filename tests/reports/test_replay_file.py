"""The file of demand: read whole or refused whole, each bad row named with its line and the reason."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from parts.errors import Invalid
from parts.models import Part
from reports.models import ReplayRun
from reports.replay.demand import BadRows, Demand, parse_demand, read_demand

HEADER = "part_number,month,units\n"


def parsed(text: str) -> Demand:
    return parse_demand(text, name="file.csv", checksum="0" * 64)


def test_empty_units_are_not_known_and_months_that_are_not_listed_are_zero() -> None:
    demand = parsed(HEADER + "A,2024-01,3\nA,2024-02,\nB,2024-04,1\n")

    assert demand.of("A", date(2024, 1, 1)) == 3
    assert demand.of("A", date(2024, 2, 1)) is None
    assert demand.of("A", date(2024, 3, 1)) == 0
    assert demand.months == tuple(date(2024, month, 1) for month in (1, 2, 3, 4))
    assert demand.parts == ("A", "B")
    assert demand.total == 4


def test_columns_may_stand_in_any_order_beside_others() -> None:
    assert parsed("note,units,part_number,month\nx,2,A,2024-01\n").total == 2


def test_a_file_is_narrowed_to_its_first_months_and_parts() -> None:
    demand = parsed(HEADER + "A,2024-01,3\nA,2024-02,4\nB,2024-01,5\n").narrowed(months=1, parts=1)
    assert (demand.total, demand.months, demand.parts) == (3, (date(2024, 1, 1),), ("A",))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("A,2024-01,-1", "units is '-1'; it must be a whole number, not below zero, or empty"),
        ("A,2024-01,1.5", "units is '1.5'; it must be a whole number, not below zero, or empty"),
        ("A,2024-01,1e3", "units is '1e3'; it must be a whole number, not below zero, or empty"),
        ("A,2024-01,many", "units is 'many'; it must be a whole number, not below zero, or empty"),
        ("A,2024-01,²", "units is '²'; it must be a whole number, not below zero, or empty"),
        ("A,2024-01,10000", "units is 10000; more than 9999 in a month is taken for a mistake"),
        ("A,2024-01," + "9" * 5000, "more than 9999 in a month is taken for a mistake"),
        ("A,2024-13,1", "month is '2024-13'; it must look like 1998-01"),
        ("A,2024-1,1", "month is '2024-1'; it must look like 1998-01"),
        ("A,0001-01,1", "month is '0001-01'; it must look like 1998-01"),
        ("A,,1", "month is ''; it must look like 1998-01"),
        (",2024-01,1", "part_number is empty"),
        ("A" * 61 + ",2024-01,1", "part_number has more than 60 characters"),
        ("A,2024-01", "has another number of cells than the first line"),
        ("A,2024-01,1,2", "has another number of cells than the first line"),
        ("GOOD,2024-01,7", "GOOD in 2024-01 stands in line 2 already"),
    ],
)
def test_a_bad_row_is_named_with_its_line_and_the_reason(row: str, reason: str) -> None:
    with pytest.raises(BadRows) as refusal:
        parsed(HEADER + "GOOD,2024-01,1\n" + row + "\n")
    [(line, said)] = refusal.value.extra["rows"]
    assert line == 3
    assert reason in said
    assert "line 3: " in refusal.value.detail


def test_every_bad_row_is_named_with_everything_that_is_wrong_with_it() -> None:
    with pytest.raises(BadRows) as refusal:
        parsed(HEADER + "A,2024-01,1\n\n,2024-99,-4\nB,2024-01,x\n")
    lines = [line for line, _reason in refusal.value.extra["rows"]]
    assert lines == [4, 5]
    assert refusal.value.extra["rows"][0][1].count(";") >= 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "missing: part_number, month, units"),
        ("part_number,units\nA,1\n", "missing: month"),
        (HEADER, "there is no row in it"),
        (HEADER + "A,1901-01,1\nA,2024-01,1\n", "at most 600"),
        (HEADER + 'A,2024-01,"1\n', "is not CSV"),
        (HEADER + "A,2024-01,1\x00\n", "null characters"),
    ],
)
def test_what_is_no_file_of_demand_is_refused(text: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        parsed(text)


def test_a_file_that_is_missing_or_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "picture.csv").write_bytes(b"\x89PNG\xff\xfe")
    for name, said in (("nowhere.csv", "No such file"), ("picture.csv", "is not UTF-8"), ("", "Is a directory")):
        with pytest.raises(Invalid, match=said):
            read_demand(tmp_path / name)


@pytest.mark.django_db
def test_of_a_file_with_one_bad_row_nothing_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "demand.csv"
    path.write_text(HEADER + "A,2024-01,1\nB,2024-01,-1\n")
    with pytest.raises(CommandError, match="line 3: units is '-1'"):
        call_command("replay_demand", path)
    assert not ReplayRun.objects.exists()
    assert not Part.objects.exists()
