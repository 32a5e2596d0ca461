"""manage.py deliver_events"""

from __future__ import annotations

import logging
import signal
from argparse import ArgumentParser
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand

from integrations.outbound.deliverer import QUICK, SLOW, run

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Tell partners and systems what is due until stopped. Several may run."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--quick", type=int, default=QUICK, help="threads for those that answer")
        parser.add_argument("--slow", type=int, default=SLOW, help="threads for those that fail or answer slowly")

    def handle(self, *, quick: int, slow: int, **_options: Any) -> None:
        stopping = Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopping.set())
        logger.info("delivering events")
        run(stopping, max(quick, 1), max(slow, 1))
        logger.info("stopped delivering events")
