"""What Django needs to know about this app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrdersConfig(AppConfig):
    """Customers, service orders, parts orders, returns and the event ledger."""

    name = "orders"
    verbose_name = _("Orders")
