"""Floor 2's rooms in the back office."""

from backorders.admin import allocation, deliveries, policy, queue

__all__ = ["allocation", "deliveries", "policy", "queue"]
