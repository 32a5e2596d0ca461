"""What Django needs to know about this app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PartsConfig(AppConfig):
    """Catalogue, stock, suppliers, deliveries and planning."""

    name = "parts"
    verbose_name = _("Parts and stock")
