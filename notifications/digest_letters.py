"""Digests in words: what is stuck at the moment at which a digest goes out, as its reader may see it then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications import links, rendering, stuck
from notifications.models import DigestSubscription, Notice
from notifications.readers import zone_of
from notifications.stuck import Asked, Found
from orders.models import PartsOrder
from parts.sentences import Says

#: The kind of thread that such a digest has; its key is the subscription's. And the code of its wording.
STUCK, WORDING = "stuck", "stuck_orders"


@dataclass(frozen=True, slots=True)
class Digest:
    """A digest as it is now, and what it found; `silent_because` says why it is of no use any more."""

    subscription: DigestSubscription
    found: Found
    silent_because: Says = ""


def asked_by(subscription: DigestSubscription) -> Asked:
    """Return what a digest asks for. It comes with its reader and their account."""
    reader = subscription.reader
    assert reader.user is not None
    return Asked(subscription.filters, subscription.days, reader.user, tuple(reader.regions))


def read(notices: Iterable[Notice], at: datetime) -> dict[UUID, Digest]:
    """Return the digests that notices are, by their key. Six statements; none without such notices."""
    wanted = {notice.thread_id for notice in notices if notice.thread_kind == STUCK}
    if not wanted:
        return {}
    rows = DigestSubscription.objects.select_related("reader__user").in_bulk(wanted)
    allowed = stuck.who_may_see([one.reader.user_id for one in rows.values() if one.reader.user_id is not None])
    speaking = {key: one for key, one in rows.items() if one.is_active and one.reader.user_id in allowed}
    found = stuck.read({key: asked_by(one) for key, one in speaking.items()}, at)
    return {key: Digest(one, found.get(key, stuck.NOTHING), _silence(one, allowed, found)) for key, one in rows.items()}


def _silence(one: DigestSubscription, allowed: set[int], found: Mapping[UUID, Found]) -> Says:
    if not one.is_active:
        return _("Its reader stopped the digest.")
    if one.reader.user_id not in allowed:
        return _("Its reader may not see orders any more.")
    if not one.says_nothing and not found[one.pk].count:
        return _("There is nothing to say.")
    return ""


def language_of(one: DigestSubscription, otherwise: str) -> str:
    """Return the language of a digest: its own, or that of its reader."""
    return one.language if one.language in dict(settings.LANGUAGES) else otherwise


def zone_of_digest(one: DigestSubscription) -> ZoneInfo:
    """Return the zone of a digest: its own, or that of its reader."""
    return zone_of(one.time_zone or one.reader.time_zone or "UTC")


def values(digest: Digest, feedback: str, at: datetime) -> dict[str, Any]:
    """Return what the wording of a digest may name, in the language and zone that are active."""
    one, found = digest.subscription, digest.found
    return {
        "reader": {"name": one.reader.name},
        "order": dict.fromkeys(rendering.FIELDS["order"], "") | {"is_late": False, "days_late": 0},
        "parts": {"waiting": 0, "lines": 0},
        "news": [_line(order, at) for order in found.orders],
        "more": found.more,
        "count": found.count,
        "links": {
            "order": links.site(full_list(one)),
            "stop": links.site(reverse("messages:digest", args=[one.pk])) if not one._state.adding else "",
            "feedback": feedback,
            "confirm": "",
        },
        "house": {"name": settings.HOUSE_NAME},
        "why": _("“%(name)s”: %(days)s") % {"name": one.name, "days": days_said(one.days)},
    }


def days_said(days: int) -> str:
    """Return a threshold in words."""
    said = ngettext(
        "orders in one status for more than %(count)s day", "orders in one status for more than %(count)s days", days
    )
    return said % {"count": days}


def _line(order: stuck.Order, at: datetime) -> dict[str, str]:
    days = stuck.days_in_status(order, at)
    since = date_format(timezone.localtime(order.status_since), "SHORT_DATE_FORMAT")
    return {
        "order": order.reference,
        "about": stuck.whose(order),
        "what": stuck.status_said(order),
        "at": ngettext("%(count)s day", "%(count)s days", days) % {"count": days},
        "by": stuck.who_acts(order),
        "note": _("since %(day)s") % {"day": since},
        "link": links.site(address_of(order)),
    }


def address_of(order: stuck.Order) -> str:
    """Return the address of an order's page."""
    name = "desk:parts-order" if isinstance(order, PartsOrder) else "desk:service-order"
    return reverse(name, args=[order.reference])


def full_list(one: DigestSubscription) -> str:
    """Return the address of the list of all orders that a digest speaks of."""
    return on_board(one) if one._state.adding else reverse("messages:digest-orders", args=[one.pk])


def speaks_of_jobs(one: DigestSubscription) -> bool:
    """Tell whether a digest speaks of jobs at all."""
    return QueryDict(one.filters).get(stuck.ABOUT) != stuck.PARTS_ORDERS


def on_board(one: DigestSubscription) -> str:
    """Return the address of the board with the jobs that a digest speaks of."""
    query = QueryDict(one.filters)
    pairs: Sequence[tuple[str, str]] = [
        (name, value)
        for name in query
        if name not in ("as", "days_in_status", "after", "column", stuck.ABOUT, stuck.PARTS_STATUS)
        for value in query.getlist(name)
    ]
    return f"{reverse('desk:board')}?{urlencode([('as', 'table'), *pairs, ('days_in_status', str(one.days))])}"
