"""Measure speed as ratios to hand-written SQL, in a database of its own beside the working one."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, connections

from config.bench.groups import GROUPS
from reports.bench.measures import Effort, Measured

DATABASE = "backline_bench"


class Command(BaseCommand):
    help = "Measure each hot path against one hand-written SQL statement with the same effect, in one run."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--only", choices=list(GROUPS), action="append", help="measure only this group (repeatable)"
        )
        parser.add_argument("--quick", action="store_true", help="smaller sizes and shorter runs, for a first look")
        parser.add_argument("--seconds", type=float, default=4.0, help="how long each client runs in each round")
        parser.add_argument("--rounds", type=int, default=3, help="how often both sides take turns")
        parser.add_argument("--json", type=Path, help="also write the rows to this file")

    def handle(self, *_args: Any, **options: Any) -> None:
        if not (0.1 <= options["seconds"] <= 60 and 1 <= options["rounds"] <= 20):
            raise CommandError("--seconds lies between 0.1 and 60, --rounds between 1 and 20.")
        effort = Effort(seconds=options["seconds"], rounds=options["rounds"])
        if options["quick"]:
            effort = Effort(
                seconds=1.0,
                rounds=1,
                largest_queue=10_000,
                largest_list=10_000,
                largest_ledger=50_000,
                told_events=10_000,
                told_seconds=10,
                snapshot_rows=100_000,
            )
        logging.disable(logging.INFO)  # a line per call would be measured too
        rows: list[Measured] = []
        with _database_of_its_own():
            self.stdout.write(_settings())
            self.stdout.write(_line("operation", "ours", "yardstick", "ratio", "wanted", "statements"))
            for name in options["only"] or GROUPS:
                for row in GROUPS[name](effort):
                    rows.append(row)
                    self.stdout.write(_shown(row))
                    self.stdout.flush()
        if options["json"]:
            options["json"].write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")
        missed = [row.name for row in rows if not row.met]
        if missed:
            raise CommandError(f"{len(missed)} of {len(rows)} are not what is wanted: {'; '.join(missed)}")
        self.stdout.write(f"All {len(rows)} are as wanted.")


@contextmanager
def _database_of_its_own() -> Iterator[None]:
    """Work on a fresh database and drop it at the end; the installation's own rows are neither read nor written."""
    settings = connections["default"].settings_dict
    name = settings["NAME"]
    _recreate()
    connection.close()
    settings["NAME"] = DATABASE
    try:
        call_command("migrate", verbosity=0)
        yield
    finally:
        connection.close()
        settings["NAME"] = name
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")


def _recreate() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {DATABASE}")


def _settings() -> str:
    """Say what the server is and that it is durable."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', 'server_version')"
        )
        found = dict(cursor.fetchall())
    if found["fsync"] != "on" or found["synchronous_commit"] != "on":
        raise CommandError("fsync and synchronous_commit must be on: only durable writes are measured.")
    load = ", ".join(f"{average:.1f}" for average in os.getloadavg())
    server = f"PostgreSQL {found['server_version']}, fsync and synchronous_commit on"
    return f"{server}, 2 clients; {os.cpu_count()} cores, load {load}"


def _shown(row: Measured) -> str:
    statements = "" if row.statements is None else str(row.statements)
    mark = "" if row.met else "  <- missed"
    return (
        _line(
            row.name,
            f"{row.ours:,.3g} {row.unit}" if row.ours < 100 else f"{row.ours:,.0f} {row.unit}",
            f"{row.yardstick:,.3g}" if row.yardstick < 100 else f"{row.yardstick:,.0f}",
            f"{row.ratio:.2f}",
            row.wanted,
            statements,
        )
        + mark
    )


def _line(*columns: str) -> str:
    widths = (66, 20, 12, 8, 24, 10)
    return "".join(column.ljust(width) for column, width in zip(columns, widths, strict=True)).rstrip()
