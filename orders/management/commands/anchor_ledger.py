"""manage.py anchor_ledger"""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from orders.actions.anchoring import anchor_day
from parts.actors import Actor
from parts.errors import Refused


class Command(BaseCommand):
    help = "Sign where all chains of the ledger stand. Once per day (UTC); a repeat shows the anchor that is there."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--day", type=date.fromisoformat, help="the last whole day in it (default: yesterday, UTC)")

    def handle(self, *, day: date | None, **_options: Any) -> None:
        try:
            anchored = anchor_day(by=Actor.system("anchor_ledger"), at=timezone.now(), day=day)
        except Refused as refusal:
            raise CommandError(refusal.detail) from refusal
        anchor = anchored.anchor
        self.stdout.write(
            f"{anchor.day}: {'anchored' if anchored.made else 'was anchored before'},"
            f" {anchor.events:,} events of {anchor.subjects:,} subjects\n"
            f"Digest {bytes(anchor.head_digest).hex()}\nPublic key {bytes(anchor.public_key).hex()}"
        )
