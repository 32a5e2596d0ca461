"""Two questions of the machine that runs us: is the process alive, and may it be sent requests?"""

import logging
from functools import cache

from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

logger = logging.getLogger(__name__)

SHOWN = 10


@require_safe
@never_cache
def livez(request: HttpRequest) -> JsonResponse:
    """Say that the process answers. Asks nobody else: a sick database must not get every process restarted."""
    return JsonResponse({"status": "alive"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Say whether requests can be served: 200, or 503 with the reasons."""
    reasons = reasons_not_ready(connections[DEFAULT_DB_ALIAS])
    if reasons:
        return JsonResponse({"status": "not ready", "reasons": reasons}, status=503)
    return JsonResponse({"status": "ready"})


def reasons_not_ready(connection: BaseDatabaseWrapper) -> list[str]:
    """What keeps requests from being served; empty where nothing does. Never raises for a database that is away."""
    try:
        applied = set(MigrationRecorder(connection).applied_migrations())
    except Error:
        logger.warning("the database does not answer", exc_info=True)
        return ["The database does not answer."]
    missing = sorted(".".join(migration) for migration in _migrations_on_disk() - applied)
    if not missing:
        return []
    more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
    return [f"Migrations are not applied: {', '.join(missing[:SHOWN])}{more}. Run manage.py migrate."]


@cache
def _migrations_on_disk() -> frozenset[tuple[str, str]]:
    """Read once per process: the files of a running process do not change."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return frozenset((app, name) for app, name in loader.graph.nodes)
