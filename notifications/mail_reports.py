"""What mail servers report of our mails: that one came back (RFC 3464), or that its reader complained (RFC 5965)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import EmailMessage, Message
from uuid import UUID

from notifications import replies

_KINDS = ("delivery-status", "feedback-report")
#: How a server says what it means (RFC 3463), such as 5.1.1.
_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
#: Headers of ours in which the address of the notice stands.
_OURS = ("return-path", "reply-to")


@dataclass(frozen=True, slots=True)
class Said:
    """What a report says. `is_dead`: there is no such mailbox. `notice_id` where it brings the mail itself along."""

    is_complaint: bool
    is_dead: bool
    why: str
    notice_id: UUID | None


def is_one(heads: Message) -> bool:
    """Tell whether a mail is a report of another."""
    kind = heads.get_param("report-type", "")
    return heads.get_content_type() == "multipart/report" and str(kind).lower() in _KINDS


def read(mail: EmailMessage) -> Said | None:
    """Return what a report says; None where it says nothing that is for good."""
    parts = list(mail.walk())
    original = next((part for part in parts if part.get("message-id") and part is not mail), None)
    notice_id = replies.notice_named(original, _OURS) if original is not None else None
    if any(part.get_content_type() == "message/feedback-report" for part in parts):
        return Said(is_complaint=True, is_dead=False, why="", notice_id=notice_id)
    for part in parts:
        action = str(part.get("action", "")).strip().lower()
        status = _STATUS.search(str(part.get("status", "")))
        if action == "failed" and status is not None and status[1] == "5":
            why = str(part.get("diagnostic-code", "") or part.get("status", ""))
            return Said(False, means_no_mailbox(status[0]), " ".join(why.split()), notice_id)
    return None


def means_no_mailbox(said: str) -> bool:
    """Tell whether a refusal is of the mailbox, as far as its server says more exactly what it means (RFC 3463).

    What it refuses for its policy, or because of us, says nothing of the mailbox.
    """
    status = _STATUS.search(said)
    return status is None or status[2] == "1" or (status[2], status[3]) == ("2", "1")
