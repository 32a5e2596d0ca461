"""What `manage.py check` proves of this floor before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.utils import translation

from orders import wording
from orders.actions.wording import LONGEST_NEXT_STEP, LONGEST_WORD

_LONGEST = {"word": LONGEST_WORD, "next_step": LONGEST_NEXT_STEP}


@register()
def words_are_complete(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Every status has a word and a sentence of Backline's own in every language, and they fit into the table."""
    found: list[CheckMessage] = []
    for subject, labels in wording.LABELS.items():
        for place, name in enumerate(("word", "next_step")):
            texts = wording.DEFAULTS[subject][place]
            most = _LONGEST[name]
            for language, _name in settings.LANGUAGES:
                with translation.override(language):
                    said = {status: str(texts.get(status, "")) for status in labels}
                found += [
                    Error(f"{subject} {status}: no {name} in {language}, or one that is too long", id="orders.E001")
                    for status, text in said.items()
                    if not 0 < len(text) <= most
                ]
    return found
