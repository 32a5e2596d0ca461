"""The laws are tried from the same desk as orders."""

from tests.orders.conftest import desk

__all__ = ["desk"]
