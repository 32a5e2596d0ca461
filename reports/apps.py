"""What Django needs to know about this app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReportsConfig(AppConfig):
    """Figures and exports."""

    name = "reports"
    verbose_name = _("Reports")
