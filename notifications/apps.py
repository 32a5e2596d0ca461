"""What Django needs to know about this app."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NotificationsConfig(AppConfig):
    """What people are told, when, how and in which language."""

    name = "notifications"
    verbose_name = _("Notifications")

    def ready(self) -> None:
        """Begin to listen to providers of email, and to look at their settings."""
        import_module("notifications.checks")
        import_module("notifications.receivers")
