"""Who may be told, and over which channels, read for a batch at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Q

from notifications import sql
from notifications.models import Recipient, Watch
from notifications.statuses import Channel
from parts.keys import new_key

#: (recipient, customer or order): who watches what.
Watched = Mapping[UUID, Collection[UUID]]


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader as rules see one."""

    id: UUID
    user_id: int | None
    customer_id: UUID | None
    zone: str
    digest_hour: int
    muted_until: datetime | None
    regions: frozenset[UUID]
    channels: frozenset[str]
    #: Over these there is a confirmed address that the reader unticked: only for what cannot be muted, as a last way.
    unticked: frozenset[str] = frozenset()
    unwanted_kinds: frozenset[str] = frozenset()

    def is_muted(self, at: datetime) -> bool:
        """Whether the reader wants nothing now but what cannot be muted."""
        return self.muted_until is not None and at < self.muted_until


@dataclass(slots=True)
class Readers:
    """The readers that a batch may need, by how rules name them."""

    by_user: dict[int, Reader] = field(default_factory=dict)
    by_customer: dict[UUID, list[Reader]] = field(default_factory=lambda: defaultdict(list))
    by_role: dict[str, list[Reader]] = field(default_factory=lambda: defaultdict(list))
    #: An order, or a customer → who watches it.
    watching: dict[UUID, list[Reader]] = field(default_factory=lambda: defaultdict(list))


def read(
    *,
    customers: Collection[UUID] = (),
    users: Collection[int] = (),
    roles: Collection[str] = (),
    watched: Collection[UUID] = (),
    at: datetime,
) -> Readers:
    """Return the readers of these customers, these people, those who have these roles, and who watches these orders.

    A reader that is missing is made, and one whose master data changed is brought up to date. Five statements at most
    where nothing is to be done.
    """
    watches = _watches(watched)
    people = {*users, *_people_with(roles), *(user_id for _thing, user_id in watches)}
    found = Readers()
    with connection.cursor() as cursor:
        keys: dict[str, Any] = {"customers": list(customers), "users": list(people), "roles": list(roles)}
        cursor.execute(sql.OUTDATED, keys)
        if cursor.fetchone()[0]:
            bring_up_to_date(customers=customers, users=people, at=at)
        cursor.execute(sql.READERS, keys)
        rows = cursor.fetchall()
    for key, user_id, customer_id, zone, digest_hour, muted_until, regions, kinds, channels, unticked, names in rows:
        inside = (Channel.INBOX.value,) if user_id is not None else ()
        reached = frozenset((*channels, *inside))
        wishes = (frozenset(regions), reached, frozenset(unticked), frozenset(kinds))
        reader = Reader(key, user_id, customer_id, zone, digest_hour, muted_until, *wishes)
        if user_id is None:
            found.by_customer[customer_id].append(reader)
            continue
        found.by_user[user_id] = reader
        for name in names:
            found.by_role[name].append(reader)
    for thing, user_id in watches:
        if user_id in found.by_user:
            found.watching[thing].append(found.by_user[user_id])
    return found


def _people_with(roles: Collection[str]) -> list[int]:
    """Return the people who have one of these roles. One statement, none without roles."""
    if not roles:
        return []
    return list(User.objects.filter(groups__name__in=roles, is_active=True).values_list("pk", flat=True).distinct())


def _watches(watched: Collection[UUID]) -> list[tuple[UUID, int]]:
    """Return which people watch these orders and customers. One statement."""
    if not watched:
        return []
    wanted = Q(service_order__in=watched) | Q(parts_order__in=watched) | Q(customer__in=watched)
    rows = Watch.objects.filter(wanted, recipient__user__isnull=False).order_by("id")
    return [
        (job or order or customer, user)
        for job, order, customer, user in rows.values_list(
            "service_order", "parts_order", "customer", "recipient__user"
        )
    ]


def bring_up_to_date(*, customers: Collection[UUID], users: Collection[int], at: datetime) -> None:
    """Make the readers that are missing and let their addresses follow the master data. Three statements."""
    keys: dict[str, Any] = {"customers": list(customers), "users": list(users), "at": at}
    made = [new_key() for _ in range(len(customers) + len(users))]
    with connection.cursor() as cursor:
        cursor.execute(sql.ADD_READERS, {**keys, "made": made})
        cursor.execute(sql.REPLACE_ADDRESSES, keys)
        cursor.execute(sql.ADD_ADDRESSES, keys)


def of_person(user_id: int, at: datetime) -> Recipient:
    """Return the reader that somebody of the house is, brought up to date."""
    bring_up_to_date(customers=[], users=[user_id], at=at)
    return Recipient.objects.get(user=user_id)


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo:
    """Return a time zone by its name; UTC where there is none of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")
