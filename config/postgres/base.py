"""Django's PostgreSQL backend, which starts the embedded server when a connection is first wanted."""

import atexit
from functools import cache
from typing import Any

import psycopg
from django.conf import settings
from django.db import OperationalError, connections
from django.db.backends.postgresql import base

from config.postgres.server import Server, ServerFailed


@cache
def server() -> Server:
    """The server of this installation, joined when first used and left when this process ends."""
    embedded = Server(settings.BACKLINE_VAR)
    atexit.register(_leave, embedded)
    return embedded


def _leave(embedded: Server) -> None:
    connections.close_all()
    embedded.leave()


class DatabaseWrapper(base.DatabaseWrapper):
    """Connects as Django does; a server that is not running, or no longer, is started first."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> psycopg.Connection[Any]:
        """Return a new connection. Raises OperationalError, also where the server cannot be started."""
        try:
            server().join()
            try:
                return super().get_new_connection(conn_params)
            except psycopg.OperationalError:
                server().start()  # it was stopped or killed behind our back; if not, the same error comes again
                return super().get_new_connection(conn_params)
        except ServerFailed as error:
            raise OperationalError(str(error)) from error
