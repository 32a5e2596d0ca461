"""What the back office shows of messages, one file per noun."""

from notifications.admin import channels, rules

__all__ = ["channels", "rules"]
