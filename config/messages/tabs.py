"""The tabs over the pages of messages."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

#: Who may look into the mailbox.
SEES_MAILBOX = "notifications.view_notice"


def keeps_mailbox() -> bool:
    """Tell whether there is a mailbox: neither where messages leave the house, nor in production.

    It shows what only its readers are to see, such as customers' links and the links that confirm an address.
    """
    return not (settings.MESSAGES_LEAVE or settings.PRODUCTION)


def has_mailbox(request: HttpRequest) -> bool:
    """Tell whether there is a mailbox for this person."""
    return keeps_mailbox() and request.user.has_perm(SEES_MAILBOX)


def tabs(request: HttpRequest, here: str) -> dict[str, Any]:
    """Return what the tabs show; `here` is the present one."""
    return {"tab": here, "has_mailbox": has_mailbox(request)}
