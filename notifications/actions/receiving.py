"""What comes back: a customer's answer to a notice becomes their message to the workshop on the order."""

from __future__ import annotations

import hashlib
from datetime import datetime
from email import message_from_bytes, policy
from email.parser import BytesHeaderParser
from enum import StrEnum

from notifications import links, replies
from notifications.models import Notice
from orders.actions import tracking
from parts.errors import Invalid
from parts.sentences import sentence

SOURCE = "email"
#: The largest mail that is read, in bytes; attachments are not taken.
MOST_BYTES = 10_000_000
_CUT = "\n[…]"


class Came(StrEnum):
    """What became of a mail."""

    WRITTEN = "written on the order"
    KNOWN = "known already"
    STOPPED = "messages stopped"
    IGNORED = "ignored: nobody wrote it"


def receive(*, raw: bytes, at: datetime) -> Came:
    """Put the words of a mail on the order of the notice that it answers, as its customer's message; once.

    Mails that nobody wrote are ignored. Raises Invalid for one that is too large, has no words, or answers nothing that
    a customer got, LinkEnded, TooMuch.
    """
    if len(raw) > MOST_BYTES:
        raise Invalid(sentence("The mail is too large."), {"raw": [sentence("The mail is too large.")]})
    heads = BytesHeaderParser(policy=policy.compat32).parsebytes(raw)  # it takes headers as they are, broken or not
    if replies.is_by_a_machine(heads):
        return Came.IGNORED
    key = replies.notice_answered(heads)
    notices = Notice.objects.select_related("recipient__customer", "recipient__user")
    notice = notices.filter(pk=key).first() if key else None
    if notice is None or notice.recipient.customer_id is None:
        said = sentence("This mail answers no message of ours.")
        raise Invalid(said, {"to": [said]})
    link = links.link_of(notice, at)
    if link is None:
        raise tracking.LinkEnded
    words = _words(raw)
    by = tracking.holder(link)
    if replies.wants_none(words):
        tracking.want_messages(link_id=link.pk, wanted=False, by=by, source=SOURCE, at=at)
        return Came.STOPPED
    if len(words) > tracking.LONGEST_MESSAGE:
        words = words[: tracking.LONGEST_MESSAGE - len(_CUT)] + _CUT
    identity = str(heads.get("message-id", "")).strip() or hashlib.sha256(raw).hexdigest()
    name = hashlib.sha256(identity.encode()).hexdigest()[:32]
    is_new = tracking.write_message(link_id=link.pk, text=words, key=name, by=by, source=SOURCE, at=at)
    return Came.WRITTEN if is_new else Came.KNOWN


def _words(raw: bytes) -> str:
    """Return what somebody wrote. Raises Invalid for a mail that is no mail."""
    try:
        return replies.own_words(message_from_bytes(raw, policy=policy.default))
    except RecursionError as error:  # parts within parts within parts
        said = sentence("This mail cannot be read.")
        raise Invalid(said, {"raw": [said]}) from error
