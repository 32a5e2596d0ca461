"""Each row of the table: what is compared with what, how often, and what the ratio must be."""

from __future__ import annotations

import base64
import random
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backorders.actions import allocating
from orders.actions import reporting
from orders.models import PartsOrder
from reports.actions import rollups
from reports.bench import figures_world, operations, surge, world, yardsticks
from reports.bench import pages as living
from reports.bench.clients import MakeOperation, operations_per_second
from reports.bench.house import new_house
from reports.bench.serving import new_token, web_server
from reports.bench.world import BENCH, Place
from reports.figures.definitions import FIGURES, STEPS
from reports.figures.reading import Period, Reading, raw


@dataclass(frozen=True, slots=True)
class Measured:
    """A row: our figure, the yardstick's, their ratio, and whether that is good enough.

    `statements` is how many ours sent to PostgreSQL, BEGIN and COMMIT among them; None where it says nothing.
    """

    name: str
    ours: float
    yardstick: float
    unit: str
    ratio: float
    wanted: str
    met: bool
    statements: int | None = None


@dataclass(frozen=True, slots=True)
class Effort:
    """How long and how large a run measures."""

    seconds: float = 4.0
    rounds: int = 3
    largest_queue: int = 100_000
    largest_list: int = 1_000_000
    largest_ledger: int = 1_000_000
    told_events: int = 50_000
    told_seconds: int = 20
    snapshot_rows: int = 2_000_000


def _alternate(yardstick: MakeOperation, ours: MakeOperation, effort: Effort) -> tuple[float, float, float]:
    """Run both in turns; return our rate, the yardstick's, and the median of the rounds' ratios."""
    pairs = []
    for _round in range(effort.rounds):
        base = operations_per_second(yardstick, effort.seconds)
        pairs.append((operations_per_second(ours, effort.seconds), base))
    ratio = statistics.median(mine / base for mine, base in pairs)
    return statistics.median(p[0] for p in pairs), statistics.median(p[1] for p in pairs), ratio


def _statements(make: MakeOperation) -> int:
    operation = make(0, random.Random(0))
    operation()
    with CaptureQueriesContext(connection) as seen:
        operation()
    return len(seen)


def at_least(
    name: str, least: float, yardstick: MakeOperation, ours: MakeOperation, effort: Effort, counted: bool = True
) -> Measured:
    """Compare rates of two clients each, in turns; good where ours is at least that share of the yardstick's."""
    statements = _statements(ours) if counted else None
    mine, base, ratio = _alternate(yardstick, ours, effort)
    return Measured(name, mine, base, "/s", ratio, f"≥ {least:.2f}", ratio >= least, statements)


def placing(effort: Effort) -> Iterator[Measured]:
    """Place an order of five lines, one of them short: by the action, through the API, over HTTP."""
    place = world.new_place()
    parts = world.new_parts(place, 2000, on_hand=10_000_000, every_fifth=1)
    world.analyze()
    yardstick = operations.place_by_yardstick(place, parts)
    yield at_least("place 5 lines, 1 short: action", 0.35, yardstick, operations.place_by_action(place, parts), effort)
    token = new_token()
    api = operations.place_by_api(place, parts, partial(operations.in_process, token))
    yield at_least("place 5 lines, 1 short: API in process", 0.18, yardstick, api, effort)
    with web_server() as port:
        wire = operations.place_by_api(place, parts, partial(operations.over_http, token, port))
        yield at_least("place 5 lines, 1 short: API over HTTP", 0.13, yardstick, wire, effort, counted=False)


def moving(effort: Effort) -> Iterator[Measured]:
    """Take one step of a service order: by the action, through the API, over HTTP; and a thousand in one call."""
    place = world.new_place()
    yardstick = operations.move_by_yardstick(place)
    single = at_least("one status move: action", 0.40, yardstick, operations.move_by_action(place), effort)
    yield single
    token = new_token()
    api = operations.move_by_api(place, partial(operations.in_process, token))
    yield at_least("one status move: API in process", 0.18, yardstick, api, effort)
    with web_server() as port:
        wire = operations.move_by_api(place, partial(operations.over_http, token, port))
        yield at_least("one status move: API over HTTP", 0.12, yardstick, wire, effort, counted=False)
    yield _batch(place, effort)


def _batch(place: Place, effort: Effort) -> Measured:
    """Compare a thousand reports in one call with single moves through the API, each by one client, in turns."""
    jobs = operations.new_jobs(place, reporting.MOST_REPORTS)
    single = operations.move_by_api(place, partial(operations.in_process, new_token()))(0, random.Random(0))
    ratios, rates, singles, count = [], [], [], 0
    for turn in range(effort.rounds * 2):
        moved, start = 0, time.perf_counter()
        while time.perf_counter() - start < effort.seconds / 2:
            single()
            moved += 1
        singles.append(moved / (time.perf_counter() - start))
        to = "scheduled" if turn % 2 == 0 else "draft"
        reports = [reporting.Report("service_order", job, to, datetime.now(UTC)) for job in jobs]
        with CaptureQueriesContext(connection) as seen:
            start = time.perf_counter()
            results = reporting.report_many(reports=reports, by=BENCH, source="bench", at=datetime.now(UTC))
            rates.append(len(jobs) / (time.perf_counter() - start))
        _check(sum(result.outcome == "moved" for result in results), len(jobs))
        count = len(seen)
        ratios.append(rates[-1] / singles[-1])
    ratio = statistics.median(ratios)
    mine, base = statistics.median(rates), statistics.median(singles)
    name = "1,000 status updates in one call"
    return Measured(name, mine, base, "moves/s", ratio, "≥ 15 × single by API", ratio >= 15, count)


def allocating_half(effort: Effort) -> Iterator[Measured]:
    """Give stock to half of a queue: of one part with 1k, 10k, 100k waiting, and of 500 parts."""
    for waiting, parts in ((1_000, 1), (10_000, 1), (effort.largest_queue, 1), (10_000, 500)):
        ours, base, count = _allocate(waiting, parts, waiting // parts // 2, effort)
        name = f"allocate half of {waiting:,} waiting, {parts} part{'s' if parts > 1 else ''}"
        yield Measured(name, ours, base, "seconds", ours / base, "≤ 2", ours <= 2 * base, count)


def allocating_few(effort: Effort) -> Iterator[Measured]:
    """Give 100 units to a short and to a long queue."""
    few, _base, _count = _allocate(1_000, 1, 100, effort)
    many, _base, count = _allocate(effort.largest_queue, 1, 100, effort)
    name = f"allocate 100 units: {effort.largest_queue:,} waiting against 1,000"
    yield Measured(name, many, few, "seconds", many / few, "≤ 2", many <= 2 * few, count)


def _allocate(waiting: int, parts: int, units: int, effort: Effort) -> tuple[float, float, int]:
    """Return the median seconds of the allocation and of its yardstick on equal queues, and our statements."""
    mine: list[float] = []
    base: list[float] = []
    count = 0
    for _round in range(1 if waiting * 2 > effort.largest_queue else effort.rounds):
        for takes, seconds in ((_by_yardstick, base), (_by_action, mine)):
            place = world.new_place()
            part_ids = world.new_parts(place, parts, on_hand=0)
            world.new_waiting(place, part_ids, waiting)
            world.new_stock_unseen(place, part_ids, units)
            world.analyze()
            elapsed, statements = takes(part_ids, units * parts)
            seconds.append(elapsed)
            count = statements or count
    return statistics.median(mine), statistics.median(base), count


def _by_yardstick(part_ids: list[UUID], units: int) -> tuple[float, int]:
    with connection.cursor() as cursor:
        start = time.perf_counter()
        cursor.execute(yardsticks.ALLOCATE, {"parts": part_ids, "at": datetime.now(UTC)})
        _check(cursor.fetchone()[0], units)
        return time.perf_counter() - start, 0


def _by_action(part_ids: list[UUID], units: int) -> tuple[float, int]:
    statements: list[str] = []

    def count(execute: Callable[..., object], sql: str, params: object, many: bool, context: object) -> object:
        statements.append(sql[:80])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count):
        start = time.perf_counter()
        done = allocating.allocate_parts(part_ids=part_ids, by=BENCH, source="bench", at=datetime.now(UTC))
        elapsed = time.perf_counter() - start
    _check(len(done.given), units)
    return elapsed, len(statements) + 2


def _check(given: int, wanted: int) -> None:
    if given != wanted:
        raise RuntimeError(f"{given} instead of {wanted} rows were changed: this would measure nothing.")


def listing(effort: Effort) -> Iterator[Measured]:
    """List 50 orders with their lines out of ever more, the first page and one in the middle, beside plain SQL."""
    place = world.new_place()
    parts = world.new_parts(place, 3, on_hand=0)
    client = Client(headers={"authorization": f"Bearer {new_token()}", "host": "localhost"})
    times: dict[str, float] = {}
    have = PartsOrder.objects.count()
    for size in (1_000, 100_000, effort.largest_list):
        if size > have:
            world.new_listed(place, parts, size - have)
            have = size
            world.analyze()
        for page, path in (("first", "/api/v1/parts-orders/?page_size=50"), ("middle", _middle(size))):
            mine, base = _page_times(client, path, effort)
            times[f"{size} {page}"] = mine
            name = f"list 50 of {size:,} orders with lines, {page} page"
            yield Measured(name, mine * 1000, base * 1000, "ms", base / mine, "≥ 0.40", base / mine >= 0.4)
    slowest, fastest = max(times.values()), min(times.values())
    yield Measured(
        "list 50 orders: slowest against fastest of these",
        slowest * 1000,
        fastest * 1000,
        "ms",
        slowest / fastest,
        "≤ 1.5",
        slowest <= 1.5 * fastest,
    )


def _middle(size: int) -> str:
    """Return the address of a page that begins in the middle: a cursor as the API makes them."""
    middle = PartsOrder.objects.order_by("-id").values_list("id", flat=True)[size // 2]
    cursor = base64.urlsafe_b64encode(f'[0,"{middle}"]'.encode()).rstrip(b"=").decode()
    return f"/api/v1/parts-orders/?page_size=50&cursor={cursor}"


def _page_times(client: Client, path: str, effort: Effort) -> tuple[float, float]:
    """Return the median seconds of a page through the API and of SQL that returns the same JSON."""
    with CaptureQueriesContext(connection) as seen:
        answer = client.get(path)
    if answer.status_code != 200:
        raise RuntimeError(f"The list was answered {answer.status_code}: this would measure nothing.")
    statement = max((query["sql"] for query in seen.captured_queries), key=len)
    mine, base = [], []
    for _turn in range(20 * effort.rounds):
        start = time.perf_counter()
        client.get(path)
        mine.append(time.perf_counter() - start)
        start = time.perf_counter()
        with connection.cursor() as cursor:
            cursor.execute(statement.replace("%", "%%"), ())
            cursor.fetchall()
        base.append(time.perf_counter() - start)
    return statistics.median(mine), statistics.median(base)


def surging(effort: Effort) -> Iterator[Measured]:
    """Take in a surge of status updates over HTTP, repeats and late ones among them."""
    place = world.new_place()
    jobs = operations.new_jobs(place, 1_000)
    base = operations_per_second(operations.move_by_yardstick(place), effort.seconds)
    with web_server() as port:
        rate, median, high = surge.run(new_token(), port, jobs, effort.seconds * 2)
    name = f"surge over HTTP, {surge.BATCH} a call: {median * 1000:.0f} ms median, {high * 1000:.0f} ms p95"
    yield Measured(name, rate, base, "updates/s", rate / base, "> 0", rate > 0)


def figures(effort: Effort) -> Iterator[Measured]:
    """Read all figures of a year from the roll-up, and the whole page, beside the raw query over the ledger."""
    figures_world.new_year(effort.largest_ledger)
    world.analyze()
    rollups.roll_up(by=BENCH, at=datetime.now(UTC))
    world.analyze()
    today = datetime.now(UTC).date()
    year = Period(today - timedelta(days=364), today)
    events = f"{effort.largest_ledger:,} events"
    base = _seconds(lambda: _read(raw([*FIGURES, *STEPS], year)), 1)
    mine = _seconds(lambda: _read(Reading([*FIGURES, *STEPS], year)), 5 * effort.rounds)
    yield _at_most(f"figures of a year, {events}: roll-up against raw", mine, base, 0.1)
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.create_superuser("figures-bench"))
    for name, path in (("all figures", "/figures/?period=365"), ("a figure and its rows", "/figures/line_steps/")):
        page = _seconds(partial(_page, client, path), 5 * effort.rounds)
        yield _at_most(f"page of {name}, {events}, against 0.2 s", page, living.MOST, 1)
    spent = _seconds(lambda: rollups.roll_up(by=BENCH, at=datetime.now(UTC)), effort.rounds)
    yield _at_most(f"roll up with nothing new, {events}", spent, base, 0.05)


def pages(effort: Effort) -> Iterator[Measured]:
    """Open every page that people live in, in a house with a year of jobs and orders and a long queue."""
    house = new_house(jobs=effort.largest_queue + 1_000, waiting=effort.largest_queue)
    for page in living.pages(house):
        took = living.measure(house, page, 5 * effort.rounds)
        wanted = f"< {page.most * 1000:,.0f} ms"
        ratio = took.median / page.most
        yield Measured(
            f"page: {page.name}", took.median * 1000, page.most * 1000, "ms", ratio, wanted, ratio < 1, took.statements
        )


def _at_most(name: str, ours: float, base: float, most: float) -> Measured:
    ratio = ours / base
    return Measured(name, ours, base, "seconds", ratio, f"≤ {most:g}", ratio <= most)


def _read(reading: Reading) -> None:
    if not reading.sums(bucket="week") or not reading.sums(by="region", edges=True):
        raise RuntimeError("There is no figure: this would measure nothing.")


def _page(client: Client, path: str) -> None:
    if client.get(path).status_code != 200:
        raise RuntimeError(f"{path} is not shown: this would measure nothing.")


def _seconds(operation: Callable[[], object], times: int) -> float:
    """Return the median seconds of so many times, after one to warm up where there are several."""
    found = []
    for _turn in range(times + (times > 1)):
        start = time.perf_counter()
        operation()
        found.append(time.perf_counter() - start)
    return statistics.median(found[1:] or found)


GROUPS: dict[str, Callable[[Effort], Iterator[Measured]]] = {
    "place": placing,
    "move": moving,
    "allocate": allocating_half,
    "few": allocating_few,
    "list": listing,
    "surge": surging,
    "figures": figures,
    "pages": pages,
}
