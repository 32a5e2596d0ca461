"""Floor 2's rooms in the back office."""

from backorders.admin import allocation, policy, queue

__all__ = ["allocation", "policy", "queue"]
