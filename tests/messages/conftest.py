"""A desk whose customer can be reached, as tests/notifications has it."""

from tests.notifications.conftest import desk, post

__all__ = ["desk", "post"]
