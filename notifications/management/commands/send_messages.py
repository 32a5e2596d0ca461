"""manage.py send_messages"""

from __future__ import annotations

import logging
import signal
from argparse import ArgumentParser
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand

from notifications.sending import run
from notifications.statuses import Channel

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Send the notices that are due until stopped, each channel in a thread of its own. Several may run."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--only", action="append", choices=Channel.values, help="only this channel; repeatable")

    def handle(self, *, only: list[str] | None, **_options: Any) -> None:
        stopping = Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopping.set())
        channels = [channel for channel in Channel.values if not only or channel in only]
        logger.info("sending", extra={"channels": ", ".join(channels)})
        run(channels, stopping)
        logger.info("stopped sending")
