"""The web server's settings for tests of slow clients: as they are, but with less patience."""

from __future__ import annotations

from config import web_worker
from config.web_server import *  # noqa: F403 - gunicorn reads its settings from a module's names

web_worker.ARRIVES_WITHIN = 2.0
web_worker.SILENCE = 1.0
web_worker.LARGE_ARRIVES_WITHIN = 6.0
web_worker.LARGE_WAITS = 2.0
web_worker.LARGEST_TOGETHER = 12 * 1024 * 1024
