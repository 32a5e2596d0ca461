"""What Django needs to know about the roof."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Settings, addresses, health; no models."""

    name = "config"
