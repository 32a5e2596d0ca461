"""A surge of status updates: two systems at once report in batches, 15 % of it twice, some of it late."""

from __future__ import annotations

import http.client
import json
import random
import statistics
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from reports.bench.clients import CLIENTS, fork

BATCH = 200
REPEATED = 0.15
LATE = 0.10


def run(token: str, port: int, jobs: list[UUID], seconds: float) -> tuple[float, float, float]:
    """Send batches over HTTP for some seconds; return updates per second, and the median and 95th percentile of a
    batch's seconds. Raises RuntimeError where a batch is not answered 200 or the answers do not add up.
    """
    answers = fork.Queue()
    share = len(jobs) // CLIENTS
    senders = [
        fork.Process(
            target=_send, args=(token, port, jobs[number * share : (number + 1) * share], seconds, number, answers)
        )
        for number in range(CLIENTS)
    ]
    for sender in senders:
        sender.start()
    found = [answers.get(timeout=seconds + 60) for _sender in senders]
    for sender in senders:
        sender.join()
    if any(isinstance(item, str) for item in found):
        raise RuntimeError("; ".join(item for item in found if isinstance(item, str)))
    took = sorted(duration for durations in found for duration in durations)
    rate = sum(BATCH * len(durations) / sum(durations) for durations in found)
    return rate, statistics.median(took), took[int(len(took) * 0.95)]


def _send(token: str, port: int, jobs: list[UUID], seconds: float, number: int, answers: Any) -> None:
    chance, wire, took = random.Random(number), http.client.HTTPConnection("127.0.0.1", port), []
    stands = dict.fromkeys(jobs, "draft")
    sent: list[dict[str, str]] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        batch = [_update(chance, stands, sent) for _item in range(BATCH)]
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Idempotency-Key": str(uuid4()),
        }
        start = time.perf_counter()
        wire.request("POST", "/api/v1/status-updates/", json.dumps({"updates": batch}), headers)
        answer = wire.getresponse()
        body = answer.read()
        took.append(time.perf_counter() - start)
        if answer.status != 200 or len(json.loads(body)["results"]) != BATCH:
            answers.put(f"A batch was answered {answer.status}: {body[:300]!r}")
            return
    answers.put(took)


def _update(chance: random.Random, stands: dict[UUID, str], sent: list[dict[str, str]]) -> dict[str, str]:
    """Return the next report: a new one, or one that was sent before, or one that comes late."""
    if sent and chance.random() < REPEATED:
        return chance.choice(sent)
    job = chance.choice(list(stands))
    stands[job] = "scheduled" if stands[job] == "draft" else "draft"
    late = timedelta(hours=1) if chance.random() < LATE else timedelta()
    update = {
        "subject": "service_order",
        "id": str(job),
        "status": stands[job],
        "occurred_at": (datetime.now(UTC) - late).isoformat(),
        "message_id": str(uuid4()),
    }
    sent.append(update)
    return update
