"""Reading what one was told in the house: one's own, and nobody else's."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from notifications.inbox import MERGED, inbox_of, unread_of
from notifications.models import Notice
from parts.actors import Actor
from parts.errors import NotFound
from parts.sentences import sentence


def open_notice(*, notice_id: UUID, by: Actor, at: datetime) -> Notice:
    """Note that its reader has seen a notice, and with it what it overtook: the unread ones of its order before it.

    A repeat changes nothing. Raises NotFound for one that is not in this person's inbox, whyever.
    """
    with transaction.atomic():
        notice = inbox_of(_person(by)).filter(pk=notice_id).first()
        if notice is None:
            raise _not_theirs(notice_id)
        seen = Q(pk=notice.pk)
        if notice.thread_kind in MERGED:
            seen |= Q(thread_id=notice.thread_id, id__lt=notice.pk)
        unread_of(_person(by)).filter(seen).update(opened_at=at)
        notice.refresh_from_db(fields=["opened_at"])
    return notice


def open_all(*, until: UUID, by: Actor, at: datetime) -> int:
    """Note that somebody has seen all up to the newest notice that they were shown; return how many that were.

    What came in meanwhile stays unread. Raises NotFound.
    """
    return unread_of(_person(by)).filter(id__lte=until).update(opened_at=at)


def _person(by: Actor) -> int:
    """Return who reads. Raises NotFound for a machine: it has no inbox."""
    if by.user_id is None:
        raise NotFound(sentence("There is no such notice."))
    return by.user_id


def _not_theirs(notice_id: UUID) -> NotFound:
    return NotFound(sentence("There is no such notice."), id=str(notice_id))
