"""What the back office shows of messages, one file per noun."""

from notifications.admin import channels, people, rules

__all__ = ["channels", "people", "rules"]
