"""What Django needs to know about this app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NotificationsConfig(AppConfig):
    """What people are told, when, how and in which language."""

    name = "notifications"
    verbose_name = _("Notifications")
