"""What readers answer to "was this clear?", by a link that each message carries. No log-in: who has it has the message.

The token names the notice and is signed, so that nobody answers for a message that they did not get. It opens nothing.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.core.signing import BadSignature, Signer

from notifications.models import Feedback, Notice
from notifications.statuses import NoticeState
from parts.errors import NotFound
from parts.sentences import sentence

LONGEST_COMMENT = 1000


def _signer() -> Signer:
    return Signer(sep=".", salt="notifications.feedback")


def token_of(notice_id: UUID) -> str:
    """Return the token by which a notice's reader answers."""
    return _signer().sign(notice_id.hex)


def notice_of(token: str) -> Notice:
    """Return the notice of a token. Raises NotFound."""
    try:
        notice = Notice.objects.filter(pk=UUID(_signer().unsign(token))).first()
    except (BadSignature, ValueError):
        notice = None
    if notice is None or notice.state not in (NoticeState.SENT, NoticeState.DELIVERED):
        raise NotFound(sentence("This link does not belong to any message."))
    return notice


def answer(*, token: str, is_clear: bool, comment: str, at: datetime) -> Feedback:
    """Write down whether a message was clear; an answer to the same message takes the place of the one before.

    Raises NotFound.
    """
    said = {"is_clear": is_clear, "comment": comment.strip()[:LONGEST_COMMENT], "answered_at": at}
    feedback, _created = Feedback.objects.update_or_create(notice=notice_of(token), defaults=said)
    return feedback
