"""What Django needs to know about the roof."""

from importlib import import_module
from typing import Any

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.utils import timezone


class ConfigConfig(AppConfig):
    """Settings, addresses, health, roles, schedules; no models."""

    name = "config"

    def ready(self) -> None:
        """Write the roles and schedules once the last app's permissions and tables exist."""
        roles, schedules = import_module("config.roles"), import_module("config.schedules")

        def write(**_: Any) -> None:
            roles.write_groups()
            schedules.write_schedules(timezone.now())

        last = [app for app in apps.get_app_configs() if app.models_module is not None][-1]
        post_migrate.connect(write, sender=last, dispatch_uid="config.roles", weak=False)
