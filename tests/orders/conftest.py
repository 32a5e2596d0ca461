"""Whatever a test did with orders, all laws hold when it is over, and every chain of the ledger is whole."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.laws.checking import broken
from tests.orders.desk import Desk


@pytest.fixture
def desk(db: None) -> Iterator[Desk]:
    """A desk. Afterwards, all laws of all floors hold."""
    yield Desk()
    assert broken() == {}
