"""manage.py make_push_keys"""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from django.core.management.base import BaseCommand

from notifications.transports.push import encoded


class Command(BaseCommand):
    help = "Make the key by which push services know this installation, and print it as a setting. It is kept nowhere."

    def handle(self, **_options: Any) -> None:
        key = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
        self.stdout.write(f"VAPID_PRIVATE_KEY={encoded(key.to_bytes(32, 'big'))}")
        self.stderr.write("Keep it secret, and keep it: with another one every phone has to ask anew.")
