"""What comes back: a customer's answer to a notice becomes their message to the workshop on the order."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.parser import BytesHeaderParser
from enum import StrEnum

from notifications import links, mail_reports, replies
from notifications.actions import reporting
from notifications.actions.reporting import Fate, Report
from notifications.models import Notice
from notifications.statuses import Channel
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
    REPORTED = "a report of a mail of ours, taken in"


def receive(*, raw: bytes, at: datetime) -> Came:
    """Put the words of a mail on the order of the notice that it answers, as its customer's message; once.

    Mails that nobody wrote are ignored. Raises Invalid for one that is too large, has no words, or answers nothing that
    a customer got, LinkEnded, TooMuch.
    """
    if len(raw) > MOST_BYTES:
        raise Invalid(sentence("The mail is too large."), {"raw": [sentence("The mail is too large.")]})
    heads = BytesHeaderParser(policy=policy.compat32).parsebytes(raw)  # it takes headers as they are, broken or not
    return _take(heads, lambda: _parsed(raw), hashlib.sha256(raw).hexdigest(), at)


def take(*, mail: EmailMessage, delivered_to: str, at: datetime) -> Came:
    """Do what `receive` does with a mail that a provider took apart; `delivered_to` is where its envelope named."""
    heads = Message(policy=policy.compat32)
    if delivered_to:
        heads["Delivered-To"] = " ".join(delivered_to.split())
    for name, value in mail.raw_items():
        heads.set_raw(name, str(value))
    return _take(heads, lambda: mail, hashlib.sha256(str(list(mail.raw_items())).encode()).hexdigest(), at)


def _take(heads: Message, mail: Callable[[], EmailMessage], otherwise: str, at: datetime) -> Came:
    if mail_reports.is_one(heads):
        return _reported(heads, mail(), at)
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
    words = replies.own_words(mail())
    by = tracking.holder(link)
    if replies.wants_none(words):
        tracking.want_messages(link_id=link.pk, wanted=False, by=by, source=SOURCE, at=at)
        return Came.STOPPED
    identity = str(heads.get("message-id", "")).strip() or otherwise
    name = hashlib.sha256(identity.encode("utf-8", "replace")).hexdigest()[:32]
    is_new = tracking.write_message(link_id=link.pk, text=shortened(words), key=name, by=by, source=SOURCE, at=at)
    return Came.WRITTEN if is_new else Came.KNOWN


def _reported(heads: Message, mail: EmailMessage, at: datetime) -> Came:
    """Take in what a mail server says became of a mail of ours. It comes to an address that only that mail named."""
    said = mail_reports.read(mail)
    key = said and (replies.notice_answered(heads) or said.notice_id)
    notice = Notice.objects.filter(pk=key, channel=Channel.EMAIL).exclude(provider_id="").first() if key else None
    if said is None or notice is None:
        return Came.IGNORED
    fate = Fate.COMPLAINED if said.is_complaint else Fate.BOUNCED if said.is_dead else Fate.FAILED
    report = Report(fate, notice.provider_id, notice.channel, notice.address, why=said.why)
    reporting.take(report=report, at=at)
    return Came.REPORTED


def shortened(words: str) -> str:
    """Return words as long as a message of a customer may be, and a sign where some are missing."""
    return words if len(words) <= tracking.LONGEST_MESSAGE else words[: tracking.LONGEST_MESSAGE - len(_CUT)] + _CUT


def _parsed(raw: bytes) -> EmailMessage:
    """Return a mail taken apart. Raises Invalid for one that is no mail."""
    try:
        return message_from_bytes(raw, policy=policy.default)
    except RecursionError as error:  # parts within parts within parts
        said = sentence("This mail cannot be read.")
        raise Invalid(said, {"raw": [said]}) from error
