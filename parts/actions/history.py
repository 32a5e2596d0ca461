"""Who, when and from where, as the history of what people edit wants to be told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from parts.actors import Actor


def history_facts(by: Actor, source: str, at: datetime) -> dict[str, Any]:
    """Return the keywords for the bulk functions of django-simple-history; one of our own rules is no user there."""
    return {
        "default_user": User(pk=by.user_id) if by.user_id else None,
        "default_change_reason": source,
        "default_date": at,
    }
