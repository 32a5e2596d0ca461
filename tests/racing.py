"""Two people at once, on real connections: the second acts while the first has not committed yet."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import replace
from threading import Event, Thread, current_thread

import pytest
from django.db import DatabaseError, connection, transaction

from parts.errors import Refused
from parts.sql import Statement

#: How long anything here may take before the test fails, in seconds; all of it takes milliseconds.
PATIENCE = 20.0


class Racer(Thread):
    """One who does something in a transaction of their own, and may be told to wait before committing."""

    def __init__(self, action: Callable[[], object], may_commit: Event | None = None) -> None:
        super().__init__(daemon=True)
        self.action = action
        self.may_commit = may_commit
        self.connected = Event()
        self.acted = Event()
        self.backend = 0
        self.result: object = None
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                self.backend = cursor.fetchone()[0]
            self.connected.set()
            with transaction.atomic():
                self.result = self.action()
                self.acted.set()
                if self.may_commit and not self.may_commit.wait(PATIENCE):
                    raise TimeoutError("nobody let the first one commit")
        except (Refused, DatabaseError, TimeoutError) as error:
            self.error = error
        finally:
            self.connected.set()
            self.acted.set()
            connection.close()


def race(first: Callable[[], object], second: Callable[[], object]) -> tuple[Racer, Racer]:
    """Let the first act, then the second until it waits for the first (or is done), then the first commit.

    Returns both with their result or error. Needs `pytest.mark.django_db(transaction=True)`.
    """
    may_commit = Event()
    one, two = Racer(first, may_commit), Racer(second)
    one.start()
    assert one.acted.wait(PATIENCE), "the first one never came to an end"
    two.start()
    assert two.connected.wait(PATIENCE)
    _wait_until_blocked_or_done(two)
    may_commit.set()
    for racer in (one, two):
        racer.join(PATIENCE)
        assert not racer.is_alive(), "the race never came to an end"
    return one, two


class Halt:
    """A place within the first one's action where it waits until the second has come as far as it can."""

    def __init__(self) -> None:
        self.reached, self.go_on = Event(), Event()

    def __call__(self) -> None:
        if self.reached.is_set():
            return  # only the first time
        self.reached.set()
        if not self.go_on.wait(PATIENCE):
            raise TimeoutError("nobody let the first one go on")


def overtake(halt: Halt, first: Callable[[], object], second: Callable[[], object]) -> tuple[Racer, Racer]:
    """Let the first act until it calls `halt`, then the second until it waits for the first (or is done), then both.

    Returns both with their result or error.
    """
    one, two = Racer(first), Racer(second)
    one.start()
    assert halt.reached.wait(PATIENCE), "the first one never came to the halt"
    two.start()
    assert two.connected.wait(PATIENCE)
    _wait_until_blocked_or_done(two)
    halt.go_on.set()
    for racer in (one, two):
        racer.join(PATIENCE)
        assert not racer.is_alive(), "the two never came to an end"
    return one, two


def collide(
    monkeypatch: pytest.MonkeyPatch,
    where: tuple[object, str],
    first: Callable[[], object],
    second: Callable[[], object],
) -> tuple[Racer, Racer]:
    """Let both act at once and meet where a function (a module and its name) is called for the first time.

    There each waits until the other is there too, or is waiting for a lock, or is done. Returns both.
    """
    module, name = where
    original = getattr(module, name)
    go = Event()
    arrived: set[Thread] = set()

    def meet(*args: object, **facts: object) -> object:
        arrived.add(current_thread())
        if not go.wait(PATIENCE):
            raise TimeoutError("the other one never came")
        return original(*args, **facts)

    monkeypatch.setattr(module, name, meet)
    racers = Racer(first), Racer(second)
    for racer in racers:
        racer.start()
    for racer in racers:
        _wait_until_blocked_or_done(racer, arrived)
    go.set()
    for racer in racers:
        racer.join(PATIENCE)
        assert not racer.is_alive(), "the two never came to an end"
    return racers


def _wait_until_blocked_or_done(racer: Racer, arrived: Collection[Thread] = ()) -> None:
    for _ in range(int(PATIENCE / 0.01)):
        if racer.acted.wait(0.01) or racer in arrived:
            return
        with connection.cursor() as cursor:
            cursor.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", [racer.backend])
            if cursor.fetchone()[0]:
                return
    raise AssertionError("the second one neither ended nor waited")


def without_lock(monkeypatch: pytest.MonkeyPatch, module: object, name: str) -> None:
    """Take the row locks out of one of our statements, to show what they are for."""
    statement: Statement = getattr(module, name)
    text = re.sub(r"FOR (NO KEY UPDATE|KEY SHARE|UPDATE)( OF [\w, ]+)?", "", statement.text)
    assert text != statement.text, "there was no lock to take out"
    monkeypatch.setattr(module, name, replace(statement, text=text))
