"""manage.py consume_events"""

from __future__ import annotations

import logging
import signal
from argparse import ArgumentParser
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.consumers import CONSUMERS
from config.consuming import consumers_of, run
from orders.cursors import LedgerAhead

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Hand the events of the ledger to their consumers until stopped. Several may run; each consumer works in one."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--only", action="append", choices=sorted(CONSUMERS), help="run only this one; repeatable")

    def handle(self, *, only: list[str] | None, **_options: Any) -> None:
        stopping = Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopping.set())
        chosen = {name: handler for name, handler in CONSUMERS.items() if not only or name in only}
        logger.info("consuming", extra={"consumers": ", ".join(chosen)})
        try:
            run(consumers_of(chosen), stopping)
        except LedgerAhead as error:
            raise CommandError(f"{error} See docs/ledger.md, 'After a restore'.") from error
        logger.info("stopped consuming")
