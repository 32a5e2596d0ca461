"""`manage.py load_demo`: a small world that has lived until last night, and the people of the demo."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.demo import loading, people
from parts.errors import Refused


class Command(BaseCommand):
    """Needs BACKLINE_DEMO, which production refuses. A second run adds what is missing; the demo is loaded once."""

    help = "Load the demo: people with a public password, and months of invented orders up to now."

    def handle(self, **options: Any) -> None:
        if not settings.BACKLINE_DEMO:
            raise CommandError("The demo's people have a public password; set BACKLINE_DEMO=true to load them.")
        try:
            loaded = loading.load()
        except Refused as refusal:
            raise CommandError(refusal.detail) from refusal
        client = people.register_client()
        if loaded:
            self.stdout.write(f"  {loaded}")
        self.stdout.write(f"  API client of the partner: {client.id}\n  and its secret:            {client.secret}")
