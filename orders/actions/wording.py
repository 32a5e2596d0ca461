"""Keep the table of customers' words complete: a row for every status and language, empty until somebody fills it."""

from __future__ import annotations

from django.conf import settings

from orders.models import CustomerWord
from orders.wording import DEFAULTS


def write_rows() -> int:
    """Add the rows that are missing; return how many. What people wrote stays. A repeat adds nothing."""
    known = set(CustomerWord.objects.values_list("subject", "status", "language"))
    missing = [
        CustomerWord(subject=subject, status=status, language=language)
        for subject, (words, _next_steps) in DEFAULTS.items()
        for status in words
        for language, _name in settings.LANGUAGES
        if (subject, status, language) not in known
    ]
    return len(CustomerWord.objects.bulk_create(missing, ignore_conflicts=True))
