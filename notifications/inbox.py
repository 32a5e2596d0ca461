"""What people of the house were told in the house, as they read it: unread first, and of an order the latest only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from notifications.models import Notice
from notifications.statuses import HANDED_OVER, Channel
from orders.statuses import SubjectKind

#: Of these threads the latest notice says where all stands; the unread ones before it are old news.
MERGED = (SubjectKind.SERVICE_ORDER.value, SubjectKind.PARTS_ORDER.value)
#: More than this are not counted: "99+".
MOST_COUNTED = 99
#: How many stand on a page.
PAGE = 20


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of the inbox begins: after a notice, among the unread or among those that were read."""

    is_unread: bool
    after: UUID

    @classmethod
    def of(cls, text: str) -> Place | None:
        """Return a place as addresses name it (`u` or `r` and a key); None for what names none."""
        try:
            return cls(text[:1] == "u", UUID(text[1:])) if text[:1] in ("u", "r") else None
        except ValueError:
            return None

    def __str__(self) -> str:
        return f"{'u' if self.is_unread else 'r'}{self.after}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A notice in the inbox, and the unread ones of the same order that it overtook."""

    notice: Notice
    overtaken: Sequence[Notice] = ()

    @property
    def is_unread(self) -> bool:
        """Whether its reader has not seen it yet."""
        return self.notice.opened_at is None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of an inbox. `older` is where the next one begins."""

    entries: Sequence[Entry]
    older: Place | None


def inbox_of(user_id: int) -> QuerySet[Notice]:
    """Return what somebody was told in the house."""
    return Notice.objects.filter(recipient__user=user_id, channel=Channel.INBOX, state__in=HANDED_OVER)


def unread_of(user_id: int) -> QuerySet[Notice]:
    """Return what somebody was told and has not seen, by an index of its own."""
    return inbox_of(user_id).filter(opened_at=None, handed_over_at__isnull=False)


def latest_unread_of(user_id: int) -> QuerySet[Notice]:
    """Return what somebody has not seen, without what a later one of the same order overtook."""
    later = Notice.objects.filter(
        thread_id=OuterRef("thread_id"),
        id__gt=OuterRef("id"),
        recipient=OuterRef("recipient"),
        channel=Channel.INBOX,
        state__in=HANDED_OVER,
        opened_at=None,
        thread_kind__in=MERGED,
    )
    return unread_of(user_id).exclude(Exists(later))


def count_unread(user_id: int) -> int:
    """Return how many entries somebody has not seen; one above MOST_COUNTED means more than these. One statement."""
    return latest_unread_of(user_id).order_by()[: MOST_COUNTED + 1].count()


def read_page(user_id: int, place: Place | None = None) -> Page:
    """Return a page of somebody's inbox, the unread first, the latest first in each. Three statements at most."""
    unread: list[Notice] = []
    if place is None or place.is_unread:
        rows = latest_unread_of(user_id)
        unread = list((rows.filter(id__lt=place.after) if place else rows).order_by("-id")[: PAGE + 1])
        if len(unread) > PAGE:
            return Page(_entries(unread[:PAGE], user_id), Place(True, unread[PAGE - 1].pk))
    seen = inbox_of(user_id).filter(opened_at__isnull=False)
    if place is not None and not place.is_unread:
        seen = seen.filter(id__lt=place.after)
    room = PAGE - len(unread)
    read = list(seen.order_by("-id")[: room + 1])
    entries = [*_entries(unread, user_id), *(Entry(notice) for notice in read[:room])]
    if len(read) <= room:
        return Page(entries, None)
    # A page full of unread ones leads to all that were read: no key is above this one.
    return Page(entries, Place(False, read[room - 1].pk if room else UUID(int=2**128 - 1)))


def _entries(unread: Sequence[Notice], user_id: int) -> list[Entry]:
    if not unread:
        return []
    shown = {notice.pk for notice in unread}
    overtaken: defaultdict[UUID, list[Notice]] = defaultdict(list)
    threads = {notice.thread_id for notice in unread if notice.thread_kind in MERGED}
    for notice in unread_of(user_id).filter(thread_id__in=threads).exclude(pk__in=shown).order_by("-id"):
        overtaken[notice.thread_id].append(notice)
    return [Entry(notice, overtaken[notice.thread_id] if notice.thread_kind in MERGED else ()) for notice in unread]
