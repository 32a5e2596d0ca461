"""Workers that place orders and may be killed at any moment. Run as a process: `python -m tests.laws.nursery DATABASE`.

Reads commands from stdin, a JSON document per line: `{"raise": NAME, "keys": [...]}` forks a worker that places the
order of each key until it is confirmed, `{"kill": NAME}` kills one with SIGKILL. Writes what happens to stdout: `NAME
KEY` for an order that is confirmed, `NAME done` when a worker has done its work.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import django
from django.db import InterfaceError, OperationalError, connection

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
#: How often a worker tries one order before it gives up; each try fails only by a killed connection.
MOST_TRIES = 200


def order_of(key: UUID, parts: list[UUID]) -> list[tuple[UUID, int]]:
    """Return what the order of a key asks for: the same whenever it is asked."""
    dice = random.Random(key.int)
    return [(dice.choice(parts), dice.randint(1, 4)) for _ in range(dice.randint(1, 4))]


def place_until_confirmed(key: UUID, world: dict[str, Any]) -> None:
    """Place the order of a key, again and again with the same key, until an answer comes back."""
    from orders.actions import placing
    from parts.actors import Actor

    wanted = order_of(key, [UUID(part) for part in world["parts"]])
    for _try in range(MOST_TRIES):
        try:
            placing.place(
                kind="service",
                customer_id=UUID(world["customer"]),
                lines=[placing.Wanted(Decimal(quantity), part) for part, quantity in wanted],
                requested_on=NOW.date(),
                key=key,
                by=Actor.system("crash-test"),
                source="test",
                at=NOW,
            )
        except (OperationalError, InterfaceError):
            connection.close()
        else:
            return
    raise TimeoutError(f"{key} was never confirmed")


def work(name: str, keys: list[str], world: dict[str, Any]) -> None:
    for key in keys:
        place_until_confirmed(UUID(key), world)
        say(f"{name} {key}")
    say(f"{name} done")


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())  # in one piece, so that lines of several workers never mix


def main(database: str) -> None:
    django.setup()
    connection.settings_dict["NAME"] = database
    children: dict[str, int] = {}
    for line in sys.stdin:
        command = json.loads(line)
        if name := command.get("kill"):
            os.kill(children[name], signal.SIGKILL)  # ours and not yet waited for: nobody else can have its number
            os.waitpid(children.pop(name), 0)
            continue
        name = command["raise"]
        child = os.fork()
        if child == 0:
            status = 1
            try:
                work(name, command["keys"], command["world"])
                status = 0
            finally:
                os._exit(status)
        children[name] = child
    for child in children.values():
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(sys.argv[1])
