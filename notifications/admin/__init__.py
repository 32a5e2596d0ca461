"""What the back office shows of messages, one file per noun."""

from notifications.admin import causes, channels, numbers, people, rules

__all__ = ["causes", "channels", "numbers", "people", "rules"]
