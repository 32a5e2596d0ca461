"""The tabs over the pages of messages."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

#: Who may look into the mailbox.
SEES_MAILBOX = "notifications.view_notice"


def has_mailbox(request: HttpRequest) -> bool:
    """Tell whether there is a mailbox, and for this person: where messages leave the house, there is none."""
    return not settings.MESSAGES_LEAVE and request.user.has_perm(SEES_MAILBOX)


def tabs(request: HttpRequest, here: str) -> dict[str, Any]:
    """Return what the tabs show; `here` is the present one."""
    return {"tab": here, "has_mailbox": has_mailbox(request)}
