"""manage.py receive_mail"""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from notifications.actions import receiving
from parts.errors import Refused

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Take one mail (RFC 5322) on stdin, as a mail server pipes it, and put a customer's answer on their order. "
        "Exit 0: done or ignored; 65: refused, tell who wrote it; 75: try again later."
    )

    def handle(self, **_options: Any) -> None:
        raw = sys.stdin.buffer.read(receiving.MOST_BYTES + 1)
        try:
            came = receiving.receive(raw=raw, at=timezone.now())
        except Refused as refusal:
            raise CommandError(str(refusal), returncode=os.EX_DATAERR) from refusal
        except (OperationalError, InterfaceError) as error:
            raise CommandError("The database is away.", returncode=os.EX_TEMPFAIL) from error
        logger.info("mail received: %s", came.value, extra={"came": came.value})
        self.stdout.write(came.value)
