"""Inventory snapshots: how fast one is compared, in how much memory, and what whoever orders beside it feels."""

from __future__ import annotations

import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil
from django.conf import settings
from django.db import connection

from integrations.models import ExternalSystem
from reports.bench import operations, world
from reports.bench.measures import Effort, Measured
from reports.bench.serving import database_url

_PLACES = 5
#: One stock of so many differs.
_DIFFERS = 1_000
_MEGABYTE = 1024 * 1024
#: How long the loader may take before this is given up, in seconds.
_LONGEST = 900.0

#: So many parts, each in five warehouses.
_LEVELS = """
WITH place AS (
    INSERT INTO parts_warehouse (id, code, name, region_id, kind, mode, allocatable, dock)
    SELECT gen_random_uuid(), %(name)s || '-' || number, %(name)s, %(region)s, 'depot', 'digital', true, ''
    FROM generate_series(1, %(places)s) AS number
    RETURNING id
),
made AS (
    INSERT INTO parts_part
    SELECT (jsonb_populate_record(like_it, jsonb_build_object(
        'id', gen_random_uuid(), 'number', %(name)s || '-' || to_char(item, 'FM0000000')))).*
    FROM parts_part AS like_it, generate_series(1, %(parts)s) AS item
    WHERE like_it.id = %(like)s
    RETURNING id
)
INSERT INTO parts_stocklevel (id, part_id, warehouse_id, condition, owner, on_hand, reserved, unfit)
SELECT gen_random_uuid(), made.id, place.id, 'new', 'own', 5, 0, 0 FROM made CROSS JOIN place
"""

_FILE = """
COPY (
    SELECT part.number AS part_number, place.code AS warehouse,
        level.on_hand + (row_number() OVER () %% {every} = 0)::integer AS on_hand
    FROM parts_stocklevel AS level
    JOIN parts_part AS part ON part.id = level.part_id
    JOIN parts_warehouse AS place ON place.id = level.warehouse_id
    WHERE place.name = '{name}'
) TO STDOUT WITH (FORMAT csv, HEADER true)
"""


def snapshots(effort: Effort) -> Iterator[Measured]:
    """Compare a whole night's file while orders of five lines are placed, and without anybody beside."""
    rows = effort.snapshot_rows
    place = world.new_place()
    parts = world.new_parts(place, 2000, on_hand=10_000_000, every_fifth=1)
    system = ExternalSystem.objects.create(code=f"bench-{place.region_id.hex[:8]}", name="bench", kind="wms")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "stock.csv"
        _new_stock(place, parts, rows, file)
        order = operations.place_by_action(place, parts)(0, random.Random(0))
        before = _median(order, lambda: False, effort.seconds * 5)
        loader = _Loader(file, system.code)
        beside = _median(order, loader.has_ended, _LONGEST)
        after = _median(order, lambda: False, effort.seconds * 5)
        found = loader.found()
    if found[:2] != (rows, rows // _DIFFERS):
        raise RuntimeError(f"{found} instead of {rows} rows: this would measure nothing.")
    alone = statistics.median((before, after))
    name = f"place 5 lines beside a snapshot of {rows:,} rows: median"
    yield Measured(name, beside * 1000, alone * 1000, "ms", beside / alone, "≤ 1.20", beside <= alone * 1.2)
    rate = rows / loader.seconds
    name = f"compare it: {loader.seconds:.0f} s, {rate:,.0f} rows/s; the loader's memory"
    yield Measured(name, loader.peak, 300, "MB", loader.peak / 300, "< 300 MB", loader.peak < 300)


def _new_stock(place: world.Place, parts: list, rows: int, file: Path) -> None:
    name = place.region_id.hex[:8]
    with connection.cursor() as cursor:
        cursor.execute(
            _LEVELS,
            {
                "name": name,
                "region": place.region_id,
                "places": _PLACES,
                "parts": rows // _PLACES,
                "like": parts[0],
            },
        )
        world.analyze()
        with file.open("wb") as target, cursor.copy(_FILE.format(every=_DIFFERS, name=name).replace("%%", "%")) as copy:
            for piece in copy:
                target.write(piece)


def _median(order: Callable[[], None], has_ended: Callable[[], bool], seconds: float) -> float:
    """Return the median seconds of placing an order, over and over until something has ended, or for so long."""
    took, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end and not has_ended():
        start = time.perf_counter()
        order()
        took.append(time.perf_counter() - start)
    return statistics.median(took)


class _Loader:
    """The command that loads a snapshot, in a process of its own on the measured database, and its peak of memory."""

    def __init__(self, file: Path, system: str) -> None:
        moment = datetime.now(UTC).isoformat()
        self._began = time.perf_counter()
        self.seconds, self.peak = 0.0, 0.0
        self._process = subprocess.Popen(  # noqa: S603 - a command written in this file
            [sys.executable, "manage.py", "load_snapshot", str(file), "--system", system, "--as-of", moment],
            cwd=settings.BASE_DIR,
            env={**os.environ, "DATABASE_URL": database_url()},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._watched = psutil.Process(self._process.pid)

    def has_ended(self) -> bool:
        """Look how much memory it has now; tell whether it is over."""
        if self._process.poll() is not None:
            self.seconds = self.seconds or time.perf_counter() - self._began
            return True
        with suppress(psutil.NoSuchProcess):  # it may end at this moment
            self.peak = max(self.peak, self._watched.memory_info().rss / _MEGABYTE)
        return False

    def found(self) -> tuple[int, int]:
        """Return the rows it read and how many stocks differed. Raises RuntimeError where it did not end well."""
        try:
            said, _nothing = self._process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise RuntimeError("The loader did not come to an end.") from None
        numbers = re.search(r"([\d,]+) rows, .*?([\d,]+) different", said)
        if numbers is None:
            raise RuntimeError(said[-2000:])
        return int(numbers[1].replace(",", "")), int(numbers[2].replace(",", ""))
