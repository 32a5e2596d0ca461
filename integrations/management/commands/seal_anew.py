"""manage.py seal_anew"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from integrations.actions.subscribing import seal_all_anew
from parts.sealing import NoSealingKey


class Command(BaseCommand):
    help = "Seal every kept secret with the first of SEALING_KEYS; afterwards the other keys can be dropped."

    def handle(self, **_options: Any) -> None:
        try:
            count = seal_all_anew()
        except NoSealingKey as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{count} secrets sealed anew.")
