"""How each interface stands now: when it was last heard, whether that is too long ago, and what of its news waits."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import orjson

from integrations import sql
from integrations.models import Interface
from integrations.statuses import Direction, Freshness, MessageStatus

#: Over how long messages are counted, and up to how many of an interface.
COUNTED_OVER = timedelta(hours=24)
MOST_COUNTED = 10_000
NEEDS_SOMEBODY = (MessageStatus.PARKED, MessageStatus.REJECTED, MessageStatus.DEAD)


@dataclass(frozen=True, slots=True)
class Standing:
    """An interface as it stands: when it was last heard (None: never) and how many of its messages of the last day
    stand how (at most `MOST_COUNTED` are counted). `oldest_unworked` is when the oldest came that nobody worked on yet.
    """

    freshness: Freshness
    last_at: datetime | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    oldest_unworked: datetime | None = None

    @property
    def total(self) -> int:
        """How many messages of the last day were counted."""
        return sum(self.counts.values())

    @property
    def is_more(self) -> bool:
        """Whether there were more than were counted."""
        return self.total >= MOST_COUNTED

    @property
    def needing(self) -> int:
        """How many of them need somebody."""
        return sum(self.counts.get(status, 0) for status in NEEDS_SOMEBODY)


def standings(interfaces: Collection[Interface], at: datetime) -> dict[UUID, Standing]:
    """Return how interfaces stand, by their keys. One statement, an index walk for each."""
    if not interfaces:
        return {}
    rows = sql.INTERFACES_HEARD.rows(
        interfaces=[interface.pk for interface in interfaces], since=at - COUNTED_OVER, most=MOST_COUNTED
    )
    heard = {key: (last_at, orjson.loads(counts) if counts else {}, oldest) for key, last_at, counts, oldest in rows}
    return {interface.pk: _standing(interface, *heard[interface.pk], at) for interface in interfaces}


def _standing(
    interface: Interface, last_at: datetime | None, counts: Mapping[str, int], oldest: datetime | None, at: datetime
) -> Standing:
    return Standing(freshness_of(interface, last_at, at), last_at, counts, oldest)


def freshness_of(interface: Interface, last_at: datetime | None, at: datetime) -> Freshness:
    """Tell whether an interface that was last heard at a moment is still fresh."""
    if interface.direction != Direction.IN or not interface.is_active or not interface.system.is_active:
        return Freshness.NOT_EXPECTED
    if last_at is None:
        return Freshness.NEVER
    if interface.fresh_for is None:
        return Freshness.ON_NEWS
    return Freshness.FRESH if at - last_at <= interface.fresh_for else Freshness.SILENT
