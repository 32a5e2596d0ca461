"""What Django needs to know about this app."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BackordersConfig(AppConfig):
    """The queue for what we do not have: priority, allocation, promises."""

    name = "backorders"
    verbose_name = _("Back orders")

    def ready(self) -> None:
        """Begin to listen to the floors below."""
        import_module("backorders.receivers")
