"""Words for customers as tests publish them."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from orders import wording
from orders.actions.wording import Words, publish
from orders.models import CustomerWord
from parts.actors import Actor


def say(subject: str, status: str, language: str, word: str, *, from_on: datetime | None = None) -> CustomerWord:
    """Publish a word for a status in one language, in force from now or a moment on; its sentence stays."""
    at = timezone.now()
    [row] = publish(
        subject=subject,
        status=status,
        words={language: Words(word, wording.read(language).next_step(subject, status))},
        effective_from=from_on,
        why="a test says so",
        by=Actor.system("test"),
        source="test",
        at=at,
    )
    return row
