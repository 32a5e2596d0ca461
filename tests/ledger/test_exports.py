"""An export holds what was asked for, whole or not at all, and shows nobody what they may not see."""

from __future__ import annotations

import csv
import hashlib
import json
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from orders.actions import service_orders
from orders.exports import Filter
from orders.models import OrderEvent
from orders.sheets import neutral
from parts.actors import Actor
from parts.errors import Forbidden, Invalid
from tests.ledger.tampering import a_life, exported, verified_offline
from tests.orders.desk import NOBODY, TOLD, Desk, only


def events_in(path: Path) -> list[dict[str, Any]]:
    """Return the events of an export."""
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    return [line for line in lines if line["type"] == "event"]


def test_the_manifest_says_what_is_in_the_file(committed_desk: Desk, tmp_path: Path) -> None:
    a_life(committed_desk)
    path = tmp_path / "ledger.jsonl"
    exported(path)
    manifest = json.loads((tmp_path / "ledger.jsonl.manifest.json").read_text())
    assert manifest["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert manifest["bytes"] == path.stat().st_size
    assert manifest["events"] == len(events_in(path)) == OrderEvent.objects.count()
    assert (manifest["complete"], manifest["filter"], manifest["anchors"]) == (True, {}, 1)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["ledger.jsonl", "ledger.jsonl.manifest.json"]


def test_a_reference_brings_its_lines_and_their_back_orders_and_can_be_proved_alone(
    committed_desk: Desk, tmp_path: Path
) -> None:
    a_life(committed_desk)
    placed = committed_desk.place(4)
    path = tmp_path / "part.jsonl"
    exported(path, wanted=Filter(references=(placed.reference,)))
    found = {event["reference"].split("/")[0] for event in events_in(path)}
    assert found == {placed.reference, f"B{placed.reference[1:]}"}
    status, output = verified_offline(path)
    assert status == 0, output
    assert "only a part of the ledger" in output


def test_a_part_by_time_has_no_gaps_even_where_clocks_disagree(committed_desk: Desk, tmp_path: Path) -> None:
    a_life(committed_desk)
    job = committed_desk.job()
    middle = OrderEvent.objects.filter(subject_id=job.pk).latest("version").recorded_at
    for text in ("one", "two", "three"):
        service_orders.add_note(service_order_id=job.pk, text=text, **TOLD)
    path = tmp_path / "part.jsonl"
    exported(path, wanted=Filter(since=middle + timedelta(microseconds=1)))
    versions = [event["version"] for event in events_in(path) if event["subject_id"] == str(job.pk)]
    assert versions == ["2", "3", "4"]
    assert verified_offline(path)[0] == 0


def test_notes_are_exported_only_to_those_who_may_read_them(committed_desk: Desk, tmp_path: Path) -> None:
    a_life(committed_desk)
    may_export = only("orders.export_orderevent")
    with pytest.raises(Forbidden):
        exported(tmp_path / "a.jsonl", by=may_export)
    with pytest.raises(Forbidden):
        exported(tmp_path / "a.jsonl", by=NOBODY, with_notes=False)
    exported(tmp_path / "a.jsonl", by=may_export, with_notes=False)
    assert "Pumpe" not in (tmp_path / "a.jsonl").read_text()
    assert verified_offline(tmp_path / "a.jsonl")[0] == 0
    exported(tmp_path / "b.jsonl", by=only("orders.export_orderevent", "orders.view_eventtext"))
    assert "große Pumpe" in (tmp_path / "b.jsonl").read_text()


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+49 30 1234", "'+49 30 1234"),
        ("-5", "'-5"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ("1=1", "1=1"),
        (None, ""),
    ],
)
def test_a_cell_is_never_a_formula(cell: str | None, written: str) -> None:
    assert neutral(cell) == written


def test_a_csv_has_a_row_for_each_event_and_runs_nothing(committed_desk: Desk, tmp_path: Path) -> None:
    job = committed_desk.job()
    formula = '=HYPERLINK("https://example.org";"open")'
    service_orders.add_note(service_order_id=job.pk, text=formula, **TOLD)
    path = tmp_path / "ledger.csv"
    manifest = exported(path)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == manifest.events == OrderEvent.objects.count()
    assert [row["note"] for row in rows if row["note"]] == [f"'{formula}"]
    assert [row["version"] for row in rows] == ["1", "2"]


def test_an_export_that_fails_leaves_no_file_of_that_name(committed_desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="must end in"):
        exported(tmp_path / "ledger.txt")
    with pytest.raises(Invalid, match="zone"):
        exported(tmp_path / "ledger.jsonl", wanted=Filter(since=datetime(2026, 1, 1)))  # noqa: DTZ001 - that is the fault
    assert list(tmp_path.iterdir()) == []


def test_the_command_exports_and_refuses_plainly(committed_desk: Desk, tmp_path: Path) -> None:
    a_life(committed_desk)
    printed = StringIO()
    path = tmp_path / "ledger.jsonl"
    call_command("export_ledger", str(path), "--since", "2026-01-01", stdout=printed)
    assert f"{OrderEvent.objects.count()} events" in printed.getvalue()
    assert verified_offline(path)[0] == 0
    with pytest.raises(CommandError, match="neither a day"):
        call_command("export_ledger", str(path), "--since", "yesterday")
    with pytest.raises(CommandError, match=r"must end in"):
        call_command("export_ledger", str(tmp_path / "ledger.xls"))
    with pytest.raises(CommandError, match="No such file or directory"):
        call_command("export_ledger", str(tmp_path / "nowhere" / "ledger.jsonl"))


def test_what_is_exported_is_named_by_who_did_it(committed_desk: Desk, tmp_path: Path) -> None:
    manifest = exported(tmp_path / "ledger.jsonl", by=Actor.system("auditor"))
    assert manifest.made_by == "system:auditor"
