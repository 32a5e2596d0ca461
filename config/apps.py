"""What Django needs to know about the roof."""

import gc
from importlib import import_module
from typing import Any

from django.apps import AppConfig, apps
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.db.models.signals import post_migrate
from django.utils import timezone

from config.borrowed import name_relations


class ConfigConfig(AppConfig):
    """Settings, addresses, health, roles, schedules; no models."""

    name = "config"

    def ready(self) -> None:
        """Write roles, schedules, code lists and the rows of customers' words after the last app of a whole migrate.

        And let Python look for cycles of dead objects less often: work on thousands of rows makes hundreds of thousands
        of objects that live until it is done, and looking through them every 700 took a quarter of its processor time.
        """
        gc.set_threshold(50_000, 20, 50)
        name_relations()
        roles, schedules = import_module("config.roles"), import_module("config.schedules")
        import_module("config.messages.timely").bring()
        wording, shipped = import_module("orders.actions.wording"), import_module("notifications.shipped")
        codes = import_module("integrations.shipped")

        def write(using: str, **_: Any) -> None:
            executor = MigrationExecutor(connections[using])
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                return  # only some apps were migrated; the roles need the tables of all
            roles.write_groups()
            schedules.write_schedules(timezone.now())
            shipped.write_shipped(timezone.now())
            wording.write_rows()
            codes.write_code_lists(timezone.now())

        last = [app for app in apps.get_app_configs() if app.models_module is not None][-1]
        post_migrate.connect(write, sender=last, dispatch_uid="config.roles", weak=False)
