"""What Django needs to know about this app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BackordersConfig(AppConfig):
    """The queue for what we do not have: priority, allocation, promises."""

    name = "backorders"
    verbose_name = _("Back orders")
