"""What went out over all channels, for whoever looks at it as its readers would get it while nothing leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from notifications.models import Notice
from notifications.statuses import HANDED_OVER

#: How many stand on a page.
PAGE = 30


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; empty means any. `reader` is a part of a name or of an address, `order` a reference."""

    channel: str = ""
    reader: str = ""
    order: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the mailbox, the latest first. `older` is where the next one begins."""

    notices: Sequence[Notice]
    older: UUID | None


def handed_over() -> QuerySet[Notice]:
    """Return what went out, with its readers."""
    return Notice.objects.filter(state__in=HANDED_OVER).select_related("recipient__customer", "recipient__user")


def read_page(wanted: Wanted, before: UUID | None = None) -> Page:
    """Return a page of what is looked for. One statement."""
    rows = handed_over()
    if wanted.channel:
        rows = rows.filter(channel=wanted.channel)
    if wanted.reader:
        text = wanted.reader
        rows = rows.filter(
            Q(recipient__name__icontains=text)
            | Q(address__icontains=text)
            | Q(recipient__user__username__iexact=text)
            | Q(recipient__customer__name__icontains=text)
        )
    if wanted.order:
        rows = rows.filter(reference__iexact=wanted.order)
    if before is not None:
        rows = rows.filter(id__lt=before)
    found = list(rows.order_by("-id")[: PAGE + 1])
    return Page(found[:PAGE], found[PAGE - 1].pk if len(found) > PAGE else None)
