"""`manage.py check_words`: prove that every status has words for customers in every language, now and from then on."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone, translation

from orders import wording


class Command(BaseCommand):
    """Looks through the words that are in force and those to come, changes nothing. Exits with 1 if any is missing."""

    help = "Check that every status has words for customers in every language, now and on every coming date."

    def handle(self, **options: Any) -> None:
        now = timezone.now()
        rows = wording.standing()
        moments = wording.moments(rows, now)
        gaps = wording.gaps(rows, now)
        with translation.override("en"):
            for gap in gaps:
                label = wording.label_of(gap.subject, gap.status)
                said = f"MISSING  {gap.subject} {label} in {gap.language}, from {gap.at.isoformat(timespec='minutes')}"
                self.stdout.write(self.style.ERROR(said))
        if gaps:
            raise CommandError(f"Words are missing for {len(gaps)} statuses.", returncode=1)
        statuses = sum(len(words) for words, _next_steps in wording.DEFAULTS.values())
        said = f"{statuses} statuses in {len(settings.LANGUAGES)} languages, at {len(moments)} moments: complete."
        self.stdout.write(self.style.SUCCESS(said))
