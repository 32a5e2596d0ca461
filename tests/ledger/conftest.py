"""The ledger is tried from the same desk as orders, with what real commits need."""

from __future__ import annotations

import pytest

from backorders.models import AllocationPolicy
from tests.orders.conftest import desk
from tests.orders.desk import Desk

__all__ = ["desk"]


@pytest.fixture
def committed_desk(transactional_db: None) -> Desk:
    """A desk whose orders are really committed. The cleaning after such a test takes away the default policy, too."""
    AllocationPolicy.objects.get_or_create(name="default")
    return Desk()
