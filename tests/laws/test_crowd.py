"""A crowd of people and systems at work at once: nobody locks anybody out, and every law holds when they go home."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from threading import Thread
from traceback import extract_tb
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from orders.statuses import LineStatus, ServiceOrderStatus
from parts.errors import Refused
from parts.statuses import Purpose
from tests.laws.checking import broken
from tests.laws.world import World

PEOPLE = 4
EACH_DOES = int(os.environ.get("BACKLINE_CROWD", "60"))
LINE_STATUSES = LineStatus.values
JOB_STATUSES = ServiceOrderStatus.values


@dataclass(frozen=True)
class Alone:
    """Something that is a transaction of its own, or several."""

    action: Callable[[], Any]

    def __call__(self) -> Any:
        return self.action()


def one_thing(world: World, dice: random.Random) -> Callable[[], Any]:
    """Choose something that may happen."""
    n, q = dice.randrange(60), dice.randint(1, 12)
    part, warehouse = dice.randrange(3), dice.randrange(3)
    wanted = [(dice.randrange(3), dice.randint(1, 12)) for _ in range(dice.randint(1, 3))]
    kind = dice.choice(Purpose.values)
    things: list[Callable[[], Any]] = [
        lambda: world.place(kind, wanted, n % 6, n % 3 == 0, n % 4 == 0),
        lambda: world.place(kind, wanted, n % 6, False, False),
        lambda: world.deliver(part, warehouse, q, n % 2),
        lambda: world.deliver(part, warehouse, q, 0),
        lambda: world.correct(part, warehouse, q - 4),
        lambda: world.move_stock(part, warehouse, (warehouse + 1) % 3, q),
        lambda: world.buy(part, warehouse, q, n),
        lambda: world.cancel(n, q if n % 2 else None, n % 3 == 0),
        lambda: world.cancel_order(n),
        lambda: world.step(n, q),
        lambda: world.ship(n, q if n % 2 else None),
        lambda: world.return_to_stock(n, q, 0),
        lambda: world.override(n, LINE_STATUSES[q % len(LINE_STATUSES)]),
        lambda: world.report([(n, LINE_STATUSES[q % len(LINE_STATUSES)], -q, q), (-1, JOB_STATUSES[q % 9], q, 0)]),
        lambda: world.release("shipped" if n % 2 else "released"),
        world.allocate,
        lambda: world.expire(in_days=8),
        world.repeg,
        lambda: world.hold_back_order(n),
        lambda: world.override_back_order(n, "open" if n % 2 else "allocated"),
        Alone(lambda: world.weigh(n, q * 50)),
    ]
    return dice.choice(things)


class Person(Thread):
    def __init__(self, world: World, seed: int) -> None:
        super().__init__(daemon=True)
        self.world, self.dice = world, random.Random(seed)
        self.faults: list[str] = []
        self.done = 0

    def run(self) -> None:
        try:
            for _ in range(EACH_DOES):
                action = one_thing(self.world, self.dice)
                try:
                    with nullcontext() if isinstance(action, Alone) else transaction.atomic():
                        action()
                    self.done += 1
                except Refused:
                    continue
                except DatabaseError as error:
                    where = [f"{frame.filename}:{frame.lineno}" for frame in extract_tb(error.__traceback__)]
                    ours = [place for place in where if "/.venv/" not in place]
                    self.faults.append(f"{type(error).__name__}: {error} at {' < '.join(reversed(ours))}")
        finally:
            connection.close()


@pytest.mark.race
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", range(int(os.environ.get("BACKLINE_CROWDS", "2"))))
def test_a_crowd_at_work_keeps_every_law_and_nobody_waits_for_ever(seed: int) -> None:
    world = World()
    people = [Person(world, seed * 100 + number) for number in range(PEOPLE)]
    for number, person in enumerate(people):
        person.world = World.__new__(World)
        person.world.__dict__ = world.__dict__ | {"notes": number * 1_000_000}
        person.start()
    for person in people:
        person.join(120)
        assert not person.is_alive()
    assert [fault for person in people for fault in person.faults] == []
    assert broken() == {}
    assert sum(person.done for person in people) > PEOPLE * EACH_DOES / 4
