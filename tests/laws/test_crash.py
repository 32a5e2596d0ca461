"""Processes and database backends are killed while orders are placed; each request is repeated until it is answered."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pytest
from django.conf import settings
from django.db import connection
from django.db.models import Sum

from orders.models import OrderLine, PartsOrder
from parts.models import StockLevel
from tests.factories.parts import PartFactory
from tests.laws.checking import broken
from tests.laws.nursery import order_of
from tests.orders.desk import Desk

#: How many orders are placed. Continuous integration asks for 2,000.
ORDERS = int(os.environ.get("BACKLINE_CRASH_ORDERS", "400"))
WORKERS = 4
#: How many orders are confirmed between two killings, on average.
BETWEEN_KILLINGS = 10
APPLICATION = "backline-crash-test"
ROOT = Path(__file__).resolve().parents[2]


class Nursery:
    """The process that raises and kills the workers, as seen from here."""

    def __init__(self, world: dict[str, Any]) -> None:
        self.world = world
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.laws.nursery", str(connection.settings_dict["NAME"])],
            cwd=ROOT,
            env={**os.environ, "PGAPPNAME": APPLICATION, "BACKLINE_VAR": str(settings.BACKLINE_VAR)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def tell(self, **command: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def raise_worker(self, name: str, keys: list[str]) -> None:
        self.tell(**{"raise": name, "keys": keys, "world": self.world})

    def kill(self, name: str) -> None:
        self.tell(kill=name)

    def lines(self) -> Iterator[list[str]]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            yield line.split()

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()


def kill_a_backend(dice: random.Random) -> int:
    """Terminate one of the workers' connections in the database; return how many that were."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name = %s AND datname = current_database()",
            [APPLICATION],
        )
        backends = [pid for (pid,) in cursor.fetchall()]
        if not backends:
            return 0
        cursor.execute("SELECT pg_terminate_backend(%s)", [dice.choice(backends)])
        return 1


def place_all(nursery: Nursery, keys: list[str], dice: random.Random) -> tuple[int, int]:
    """Have all orders placed by workers that are killed now and then; return how many of each were killed."""
    shares = {f"worker-{number}": keys[number::WORKERS] for number in range(WORKERS)}
    confirmed: set[str] = set()
    working = dict(shares)
    processes = backends = 0
    next_killing = dice.randint(1, 2 * BETWEEN_KILLINGS)
    for name, share in shares.items():
        nursery.raise_worker(name, share)
    for name, said in nursery.lines():
        if said == "done":
            if name in working:  # else it was killed when it had just done its work, and has a successor
                assert set(working.pop(name)) <= confirmed
            if not working:
                break
            continue
        confirmed.add(said)
        next_killing -= 1
        if next_killing <= 0 and working:
            next_killing = dice.randint(1, 2 * BETWEEN_KILLINGS)
            if dice.random() < 0.5:
                backends += kill_a_backend(dice)
                continue
            victim = dice.choice(sorted(working))
            nursery.kill(victim)
            processes += 1
            share = working.pop(victim)
            done = [key for key in share if key in confirmed]
            again = dice.sample(done, min(3, len(done)))  # a client that never got its answer asks once more
            successor = f"{victim.partition('.')[0]}.{processes}"
            working[successor] = share
            nursery.raise_worker(successor, again + [key for key in share if key not in confirmed])
    return processes, backends


@pytest.mark.race
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.django_db(transaction=True)
def test_whoever_is_killed_no_order_is_lost_doubled_or_oversold(desk: Desk) -> None:
    parts = [desk.part, *PartFactory.create_batch(3)]
    for part in parts:
        desk.put(ORDERS, part=part)  # about half of what will be asked for
    part_ids = [part.pk for part in parts]
    keys = [str(uuid5(desk.customer.pk, str(number))) for number in range(ORDERS)]
    nursery = Nursery({"parts": [str(key) for key in part_ids], "customer": str(desk.customer.pk)})
    try:
        processes, backends = place_all(nursery, keys, random.Random(ORDERS))
    finally:
        nursery.close()

    assert min(processes, backends) >= ORDERS / 80
    assert {str(key) for key in PartsOrder.objects.values_list("pk", flat=True)} == set(keys)
    asked: dict[UUID, int] = dict.fromkeys(part_ids, 0)
    roots: dict[UUID, list[tuple[UUID, int]]] = {}
    for row in OrderLine.objects.roots().order_by("position"):
        roots.setdefault(row.order_id, []).append((row.part_id, int(row.quantity)))
    for key in keys:
        wanted = order_of(UUID(key), part_ids)
        assert roots[UUID(key)] == wanted
        for part_id, quantity in wanted:
            asked[part_id] += quantity
    for part_id, quantity in asked.items():
        leaves = OrderLine.objects.leaves().filter(part_id=part_id).values_list("status").annotate(sum=Sum("quantity"))
        level = StockLevel.objects.get(part_id=part_id)
        got = dict(leaves.order_by())
        assert got["reserved"] == level.reserved == min(level.on_hand, Decimal(quantity))
        assert got.get("back_ordered", 0) == max(quantity - level.on_hand, 0)
    assert broken() == {}
