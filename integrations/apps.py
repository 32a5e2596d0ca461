"""What Django needs to know about this app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IntegrationsConfig(AppConfig):
    """Machines that send us facts and receive ours."""

    name = "integrations"
    verbose_name = _("Integrations")
