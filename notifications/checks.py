"""What is wrong with the settings of messages, told when the installation starts and not when the first one is sent."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import get_connection


@checks.register("messages")
def email_provider_is_complete(**_facts: Any) -> list[checks.CheckMessage]:
    """Name what the provider of email lacks, such as its key."""
    if not settings.EMAIL_PROVIDER:
        return []
    try:
        get_connection(fail_silently=False)
    except ImproperlyConfigured as error:
        return [checks.Error(str(error), hint="docs/messages.md names the settings.", id="messages.E001")]
    return []
