"""The web server that `make run` starts, for as long as a measurement lasts, on the measured database."""

from __future__ import annotations

import http.client
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from django.contrib.auth.models import Permission, User
from django.db import connection
from oauth2_provider.models import AccessToken, Application

SCOPES = "orders:read orders:write stock:read backorders:read status:write inbound:write"


def new_account() -> User:
    """Make an account with all rights."""
    account = User.objects.create(username=f"bench-{secrets.token_hex(4)}", is_staff=True)
    account.user_permissions.set(Permission.objects.all())
    return account


def new_token(account: User | None = None) -> str:
    """Make a client with all rights, or those of an account, and return its access token, valid for a day."""
    account = account or new_account()
    name = account.username
    application = Application.objects.create(
        name=name,
        user=account,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
    )
    token = secrets.token_urlsafe(32)
    AccessToken.objects.create(
        application=application, token=token, scope=SCOPES, expires=datetime.now(UTC) + timedelta(days=1)
    )
    return token


def database_url() -> str:
    """Return the URL of the database this process works on."""
    at = connection.get_connection_params()
    credentials = quote(str(at.get("user", "")), safe="")
    if at.get("password"):
        credentials += f":{quote(str(at['password']), safe='')}"
    host = quote(str(at.get("host", "localhost")), safe="")
    return f"postgres://{credentials}@/{at['dbname']}?host={host}&port={at.get('port') or 5432}"


@contextmanager
def web_server() -> Iterator[int]:
    """Serve as `make run` does and give the port. Raises RuntimeError where it does not answer within a minute."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "PORT": str(port),
        "API_WRITES_PER_MINUTE": "100000000",
        "API_READS_PER_MINUTE": "100000000",
    }
    command = [sys.executable, "-m", "gunicorn", "-c", "python:config.web_server", "config.wsgi:application"]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    try:
        _wait_for(port, server)
        yield port
    finally:
        server.terminate()
        server.wait(timeout=30)


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        wire = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            wire.request("GET", "/readyz")
            if wire.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.2)
        finally:
            wire.close()
    raise RuntimeError("The web server did not get ready within a minute.")
