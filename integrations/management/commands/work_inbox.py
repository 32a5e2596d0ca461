"""manage.py work_inbox"""

from __future__ import annotations

import logging
import signal
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand

from integrations.inbox import run

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Work off what other systems sent until stopped. Several may run."

    def handle(self, **_options: Any) -> None:
        stopping = Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopping.set())
        logger.info("working off the inbox")
        run(stopping)
        logger.info("stopped working off the inbox")
