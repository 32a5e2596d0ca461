"""What the back office shows of messages, one file per noun."""

from notifications.admin import rules

__all__ = ["rules"]
