"""How long readers wait: jobs move, the real consumers and senders run beside, and each notice tells its own times."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID

from django.conf import settings
from django.db.models import F

from config.bench import telling_world
from config.bench.telling_world import House
from notifications.models import Notice
from orders.actions import service_orders
from orders.models import ServiceOrder
from reports.bench import world
from reports.bench.serving import database_url
from reports.bench.world import BENCH

#: How long the processes may take to begin, and what is late may take to arrive.
_BEGIN, _ARRIVE = 60.0, 30.0


def seconds_until_handed_over(house: House, a_second: int, lasting: int) -> list[float]:
    """Return how long after its event each notice was handed over, while so many events a second come in.

    Raises RuntimeError where the processes do not begin, or a notice does not arrive.
    """
    Notice.objects.filter(state="waiting").update(state="dropped", ended_at=datetime.now(UTC))
    telling_world.cursor_to_the_end("telling")
    prefix = telling_world.new_jobs(house, a_second * lasting + 1)
    jobs = list(ServiceOrder.objects.filter(reference__startswith=prefix).order_by("id").values_list("pk", flat=True))
    world.analyze()
    with _running(["consume_events", "--only", "telling"]), _running(["send_messages"]):
        _move(jobs[-1])
        _wait_for([jobs[-1]], _BEGIN)
        start = time.monotonic()
        for number, job in enumerate(jobs[:-1]):
            time.sleep(max(start + number / a_second - time.monotonic(), 0))
            _move(job)
        spent = time.monotonic() - start
        if spent > lasting * 1.1:
            raise RuntimeError(f"{len(jobs) - 1} events took {spent:.0f} s instead of {lasting}: too few came in.")
        _wait_for(jobs, _ARRIVE)
    rows = Notice.objects.filter(thread_id__in=jobs[:-1])
    return [span.total_seconds() for span in rows.values_list(F("handed_over_at") - F("caused_at"), flat=True)]


def _move(job: UUID) -> None:
    service_orders.move(service_order_id=job, to="new", by=BENCH, source="bench", at=datetime.now(UTC))


def _wait_for(jobs: list[UUID], seconds: float) -> None:
    """Wait until all of the jobs' readers were told."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        rows = Notice.objects.filter(thread_id__in=jobs)
        told = rows.filter(handed_over_at__isnull=False).values("thread_id").distinct().count()
        if told == len(jobs) and not rows.filter(handed_over_at__isnull=True).exists():
            return
        time.sleep(0.2)
    raise RuntimeError(f"After {seconds:.0f} s not all readers were told.")


@contextmanager
def _running(command: list[str]) -> Iterator[None]:
    """Run a command of manage.py on the measured database, in the house: nothing leaves."""
    environment = {**os.environ, "DATABASE_URL": database_url(), "MESSAGES_LEAVE": "false"}
    process = subprocess.Popen(  # noqa: S603 - commands written in this file
        [sys.executable, "manage.py", *command],
        cwd=settings.BASE_DIR,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)
