"""manage.py make_sealing_key"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from parts.sealing import new_sealing_key


class Command(BaseCommand):
    help = "Make a key that seals secrets, and print it as a setting. It is kept nowhere."

    def handle(self, **_options: Any) -> None:
        self.stdout.write(f"SEALING_KEYS={new_sealing_key()}")
        self.stderr.write("Keep it secret, and keep it: without it no webhook is signed.")
