"""What Django needs to know about the back office."""

from django.contrib.admin.apps import AdminConfig


class OfficeConfig(AdminConfig):
    """Django's back office with our site, which stands on the theme's."""

    default_site = "config.office.site.OfficeSite"
