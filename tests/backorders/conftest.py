"""The queue is tried from the same desk as orders."""

from tests.orders.conftest import desk

__all__ = ["desk"]
