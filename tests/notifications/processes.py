"""Commands of manage.py as real processes on the tests' own database, to be killed at any step."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings
from django.db import connection

#: How long anything may take before a test fails, in seconds; most of it is a process that begins.
PATIENCE = 60.0


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a process that works on the tests' own database."""
    at = connection.settings_dict
    host = f"//{at['HOST'].lstrip('/')}" if at["HOST"].startswith("/") else f"{at['HOST']}:{at['PORT'] or 5432}"
    url = f"postgres://{at['USER']}:{at['PASSWORD']}@{host}/{at['NAME']}"
    return dict(os.environ) | {"DATABASE_URL": url} | more


@contextmanager
def started(*arguments: str, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a command; whatever happens, nothing of it is left."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=Path(settings.BASE_DIR),
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that we started, as nothing can be done about it."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(PATIENCE)


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds that another process brings about."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.02)
