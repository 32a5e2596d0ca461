"""What others are told: written down for three subscribers, told to two of them beside one that never answers."""

from __future__ import annotations

import math
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from uuid import UUID

from django.conf import settings

from config.bench import telling_world
from integrations.actions import publishing, subscribing
from integrations.actions.subscribing import Wish
from integrations.models import DeliveryAttempt, OutboundDelivery, Subscriber
from orders.models import OrderEvent
from reports.bench import serving, world
from reports.bench.measures import Effort, Measured
from reports.bench.world import BENCH

_BATCH, _EACH = 500, 10
#: How long all of it may take, in seconds.
_PATIENCE = 600.0
#: So many events a second, for how long, where it is measured how soon they arrive.
_A_SECOND, _SECONDS = 50, 10

#: A receiver of its own process: it takes everything, and keeps the line.
_RECEIVER = """
import socketserver, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response_only(204)
        self.end_headers()
        self.wfile.flush()
    def log_message(self, *_facts):
        pass
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_address[1], flush=True)
server.serve_forever()
"""


def outbound(effort: Effort) -> Iterator[Measured]:
    """Write down and tell as many events as the effort says; all have to arrive, and none later for the dead one."""
    count = effort.told_events
    house = telling_world.new_house(count // _EACH)
    prefix = telling_world.new_jobs(house, count // _EACH)
    telling_world.new_events(prefix, _EACH)
    rows = OrderEvent.objects.filter(reference__startswith=prefix).order_by("id")
    events = list(rows.values_list("pk", flat=True))
    world.analyze()
    settings.WEBHOOKS_TO_PRIVATE_HOSTS = True  # the receivers are on this machine
    Subscriber.objects.update(state="off", off_because="by_hand", off_since=datetime.now(UTC))
    unheard = _publish(events)
    with ExitStack() as stack:
        ports = [stack.enter_context(_receiver()) for _ in range(2)]
        quick = [_listener(port) for port in ports]
        half = len(events) // 2
        written = _publish(events[:half])
        before = _deliver(quick, half)
        deaf = stack.enter_context(_silence())
        dead = _listener(deaf)
        _publish(events[half:])
        beside = _deliver(quick, len(events))
        soon = _soon(house, quick)
        OutboundDelivery.objects.filter(subscriber=dead, state="waiting").delete()
    name = "write down who is told: two listen"
    yield Measured(name, written, unheard, "events/s", written / unheard, "shown", True)
    ratio = beside / before
    name = f"tell {len(events):,} events to two, a third never answers"
    yield Measured(name, beside, before, "deliveries/s", ratio, "≥ 0.80", ratio >= 0.8)
    name = f"seconds until told, {_A_SECOND} a second beside it (95 of 100)"
    yield Measured(name, soon, 2.0, "seconds", soon / 2.0, "≤ 1.00", soon <= 2.0)


def _publish(events: Sequence[UUID]) -> float:
    """Write down who is told of events, batch by batch as the consumer does; return how many a second."""
    start = time.perf_counter()
    for place in range(0, len(events), _BATCH):
        publishing.publish(events=events[place : place + _BATCH], at=datetime.now(UTC))
    return len(events) / (time.perf_counter() - start)


def _listener(port: int) -> UUID:
    wish = Wish(name="bench", address=f"http://127.0.0.1:{port}/", per_second=10_000, burst=10_000)
    row, _secret = subscribing.add(
        code=f"bench-{secrets.token_hex(4)}",
        account=serving.new_account().pk,
        wish=wish,
        by=BENCH,
        at=datetime(2000, 1, 1, tzinfo=UTC),
    )
    return row.pk


def _deliver(subscribers: Sequence[UUID], each: int) -> float:
    """Let the worker tell what waits; return how many deliveries a second arrived."""
    rows = OutboundDelivery.objects.filter(subscriber__in=subscribers, state="delivered")
    before = rows.count()
    with _worker():
        _wait_for(lambda: rows.count() > before)
        first, start = rows.count(), time.perf_counter()
        _wait_for(lambda: rows.count() >= each * len(subscribers))
        return (rows.count() - first) / (time.perf_counter() - start)


def _soon(house: telling_world.House, subscribers: Sequence[UUID]) -> float:
    """Return within how many seconds 95 of 100 events were told that came at an even pace."""
    prefix = telling_world.new_jobs(house, _A_SECOND * _SECONDS)
    telling_world.new_events(prefix, 1)
    events = list(OrderEvent.objects.filter(reference__startswith=prefix).values_list("pk", flat=True))
    rows = OutboundDelivery.objects.filter(subscriber__in=subscribers, event__in=events)
    step = _A_SECOND // 10
    with _worker():
        publishing.publish(events=events[:step], at=datetime.now(UTC))
        _wait_for(lambda: rows.filter(state="delivered").count() == step * len(subscribers))  # now it runs
        start, paced = time.monotonic(), datetime.now(UTC)
        for turn in range(1, _SECONDS * 10):
            time.sleep(max(start + turn / 10 - time.monotonic(), 0))
            publishing.publish(events=events[turn * step : (turn + 1) * step], at=datetime.now(UTC))
        _wait_for(lambda: rows.filter(state="delivered").count() == len(events) * len(subscribers))
    tries = DeliveryAttempt.objects.filter(delivery__in=rows.filter(created_at__gt=paced)).values_list(
        "at", "delivery__created_at"
    )
    waited = sorted((at - created).total_seconds() for at, created in tries)
    return waited[math.ceil(len(waited) * 0.95) - 1]


def _wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise RuntimeError(f"After {_PATIENCE:.0f} s not everything was told.")
        time.sleep(0.2)


@contextmanager
def _receiver() -> Iterator[int]:
    """Run a receiver; yield its port."""
    process = subprocess.Popen([sys.executable, "-c", _RECEIVER], stdout=subprocess.PIPE)  # noqa: S603 - written above
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


@contextmanager
def _silence() -> Iterator[int]:
    """Listen and never answer; yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@contextmanager
def _worker() -> Iterator[None]:
    """Run the worker on the measured database."""
    environment = {
        **os.environ,
        "DATABASE_URL": serving.database_url(),
        "WEBHOOKS_TO_PRIVATE_HOSTS": "true",
        "SEALING_KEYS": ",".join(settings.SEALING_KEYS),
    }
    process = subprocess.Popen(
        [sys.executable, "manage.py", "deliver_events"],
        cwd=settings.BASE_DIR,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)
