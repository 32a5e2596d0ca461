"""The ground floor on its own: nobody above listens, and every law still holds when a test is over."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from django.dispatch import Signal

from parts.integrity import LAWS
from parts.signals import stock_freed, supply_changed
from tests.parts.shelf import Ear, Shelf


def _silence(signal: Signal) -> list[object]:
    receivers = list(signal.receivers)
    signal.receivers = []
    signal.sender_receivers_cache.clear()
    return receivers


@pytest.fixture(autouse=True)
def _ground_floor_alone() -> Iterator[None]:
    """Keep the floors above from answering: what they do is tested with them."""
    kept = {signal: _silence(signal) for signal in (stock_freed, supply_changed)}
    yield
    for signal, receivers in kept.items():
        signal.receivers = receivers
        signal.sender_receivers_cache.clear()


@pytest.fixture
def ear() -> Ear:
    """Somebody above who listens."""
    listener = Ear()
    stock_freed.connect(listener.hear_freed, weak=False)
    supply_changed.connect(listener.hear_changed, weak=False)
    return listener


@pytest.fixture
def _demands_are_only_keys(db: None) -> Iterator[None]:
    """Take away the floor above's promise that every demand is one of its lines: here a demand is a key and no more."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conname IN ('reservation_demand_is_a_line', 'stock_movement_demand_is_a_line')"
        )
        promises = cursor.fetchall()
        for table, name, _ in promises:
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    yield
    if not connection.in_atomic_block:  # a test that commits: nobody will roll this back
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE parts_reservation, parts_stockmovement CASCADE")
            for table, name, definition in promises:
                cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


@pytest.fixture
def shelf(_demands_are_only_keys: None) -> Iterator[Shelf]:
    """A part in a warehouse. Whatever a test did with it, all laws of the ground floor hold afterwards."""
    yield Shelf()
    broken = {law.name: breaches for law in LAWS if (breaches := law.check(limit=5).breaches)}
    assert not broken
