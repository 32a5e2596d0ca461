"""What Django needs to know about this app."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrdersConfig(AppConfig):
    """Customers, service orders, parts orders, returns and the event ledger."""

    name = "orders"
    verbose_name = _("Orders")

    def ready(self) -> None:
        """Register what `manage.py check` proves."""
        import_module("orders.checks")
