"""The world that the pages of cases show."""

from __future__ import annotations

import pytest

from tests.admin.world import World


@pytest.fixture
def world(db: None) -> World:
    """Two warehouses and a customer, and the means to bring more."""
    return World()
