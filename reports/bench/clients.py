"""Two clients, each a process with its own connection, that repeat one operation for a while."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Callable
from typing import Any

import psycopg
from django.db import connection

#: Makes the operation inside the client's process: given the client's number, returns what is called again and again.
MakeOperation = Callable[[int, random.Random], Callable[[], None]]

CLIENTS = 2
#: Clients are forked: they begin with the code loaded and open connections of their own.
fork = multiprocessing.get_context("fork")


def plain_connection() -> psycopg.Connection[Any]:
    """Return a psycopg connection to the measured database, outside of Django: autocommit, prepared statements."""
    connection.ensure_connection()
    parameters = connection.get_connection_params()
    wanted = ("host", "port", "user", "password", "dbname")
    opened = psycopg.connect(**{name: parameters[name] for name in wanted if name in parameters}, autocommit=True)
    opened.prepare_threshold = 5
    return opened


def operations_per_second(make: MakeOperation, seconds: float) -> float:
    """Run two clients for some seconds (after 30 operations each to warm up); return their operations per second."""
    connection.close()
    barrier = fork.Barrier(CLIENTS)
    rates = fork.Queue()
    clients = [fork.Process(target=_client, args=(make, number, seconds, barrier, rates)) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    found = [rates.get(timeout=seconds + 60) for _client in clients]
    for client in clients:
        client.join()
    return sum(found)


def _client(make: MakeOperation, number: int, seconds: float, barrier: Any, rates: Any) -> None:
    operation = make(number, random.Random(number))
    for _warm_up in range(30):
        operation()
    barrier.wait(timeout=60)
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        operation()
        count += 1
    rates.put(count / (time.perf_counter() - start))
