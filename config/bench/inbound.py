"""What other systems send: one message a call, a thousand a call, and a surge that comes shuffled and repeated."""

from __future__ import annotations

import json
import random
import secrets
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial

from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.bench.yardsticks import TAKE_IN
from integrations.models import ExternalSystem, Interface
from orders.models import ServiceOrder
from reports.bench import operations, serving, world
from reports.bench.clients import MakeOperation, plain_connection
from reports.bench.measures import Effort, Measured, at_least
from reports.bench.world import Place

#: So many messages come in one call.
_MANY = 1000
_STATUSES = ("scheduled", "draft")


def inbound(effort: Effort) -> Iterator[Measured]:
    """Take statuses in beside one statement that keeps the same messages, moves the same jobs and writes the events."""
    place = world.new_place()
    system, token = _new_system()
    yardstick = _one_by_yardstick(place, system)
    post = partial(operations.in_process, token)
    ours = _one_by_door(place, system, post)
    yield at_least("take in one message: REST in process", 0.25, yardstick, ours, effort)
    yield _many(place, system, post, effort)


def _new_system() -> tuple[ExternalSystem, str]:
    account = serving.new_account()
    code = f"bench-{secrets.token_hex(4)}"
    system = ExternalSystem.objects.create(code=code, name=code, kind="wms", account=account)
    Interface.objects.create(system=system, code="statuses", name="Statuses", format="status-json")
    return system, serving.new_token(account)


def _references(place: Place, count: int) -> list[str]:
    keys = operations.new_jobs(place, count)
    return list(ServiceOrder.objects.filter(pk__in=keys).order_by("pk").values_list("reference", flat=True))


def _letters(references: Sequence[str], turn: int) -> list[dict[str, str]]:
    """Return a message for each job: to scheduled, back to draft, and so on."""
    now, status = datetime.now(UTC).isoformat(), _STATUSES[turn % 2]
    return [
        {
            "id": secrets.token_hex(12),
            "subject": "service_order",
            "reference": reference,
            "status": status,
            "occurred_at": now,
        }
        for reference in references
    ]


def _turning(place: Place, chance: random.Random) -> Callable[[], bytes]:
    """Return what yields a message about one of many jobs, each time the step that is possible."""
    references = _references(place, operations.JOBS_PER_CLIENT)
    turns = dict.fromkeys(references, 0)

    def letter() -> bytes:
        reference = chance.choice(references)
        [one] = _letters([reference], turns[reference])
        turns[reference] += 1
        return json.dumps(one).encode()

    return letter


def _one_by_yardstick(place: Place, system: ExternalSystem) -> MakeOperation:
    interface = system.interfaces.get().pk

    def make(_number: int, chance: random.Random) -> Callable[[], None]:
        letter = _turning(place, chance)
        cursor = plain_connection().cursor()

        def operation() -> None:
            cursor.execute(TAKE_IN, {"body": f"[{letter().decode()}]", "system": system.pk, "interface": interface})
            _check(cursor.fetchone(), 1)

        return operation

    return make


def _one_by_door(place: Place, system: ExternalSystem, open_post: Callable[[], operations.Post]) -> MakeOperation:
    def make(_number: int, chance: random.Random) -> Callable[[], None]:
        letter, post, address = _turning(place, chance), open_post(), f"/api/v1/inbound/{system.code}/"

        def operation() -> None:
            if post(address, letter()) != 200:
                raise RuntimeError("The message was not taken in: this would measure nothing.")

        return operation

    return make


def _many(place: Place, system: ExternalSystem, open_post: Callable[[], operations.Post], effort: Effort) -> Measured:
    """Send a thousand messages in one call, in turns with one statement for a thousand."""
    address, post = f"/api/v1/inbound/{system.code}/", open_post()
    cursor = plain_connection().cursor()
    interface = system.interfaces.get().pk
    mine, theirs = _references(place, _MANY), _references(place, _MANY)
    world.analyze()
    ours, base, ratios, count = [], [], [], 0
    for turn in range(effort.rounds * 2 + 2):
        body = json.dumps(_letters(theirs, turn))
        start = time.perf_counter()
        cursor.execute(TAKE_IN, {"body": body, "system": system.pk, "interface": interface})
        _check(cursor.fetchone(), _MANY)
        base.append(_MANY / (time.perf_counter() - start))
        body = json.dumps(_letters(mine, turn))
        if turn == 0:
            with CaptureQueriesContext(connection) as seen:
                _check((post(address, body.encode()),), 200)
            count = len(seen)
        start = time.perf_counter()
        if turn:
            _check((post(address, body.encode()),), 200)
            ours.append(_MANY / (time.perf_counter() - start))
            ratios.append(ours[-1] / base[-1])
    ratio = statistics.median(ratios[1:])
    name = f"take in {_MANY:,} messages of one call: REST in process"
    mine_rate, base_rate = statistics.median(ours[1:]), statistics.median(base[2:])
    return Measured(name, mine_rate, base_rate, "messages/s", ratio, "≥ 0.40", ratio >= 0.4, count)


def _check(found: tuple[int, ...] | None, wanted: int) -> None:
    if found is None or found[0] != wanted:
        raise RuntimeError(f"{found} instead of {wanted}: this would measure nothing.")
