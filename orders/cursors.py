"""Read the ledger as a consumer: every event once, none missed, however transactions overlap.

A cursor is a place in (transaction id, event id). Only what lies below the oldest transaction still running is read, so
nothing can appear later at a place that was passed. The cursor advances in the transaction in which the handler works:
what the handler does in our database happens exactly once; what it sends elsewhere needs a key of its own.

What a consumer may rely on: it gets every event once, and within a batch a subject's events come by version. Across
batches a subject's later version may come before an earlier one: transactions are read in the order in which they
began to write, and one that began first can be the second to get at a subject. So a consumer to whom order matters
goes by `version`, which has no gaps, and never by the order of arrival, by time or by id.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from orders.models import EventCursor, OrderEvent

#: What a consumer does with some events, inside the transaction that moves its cursor past them.
Handler = Callable[[Sequence[OrderEvent]], None]


class LedgerAhead(Exception):
    """The ledger holds transaction numbers that this server has not reached: it was restored by dump and reload.

    New events would be numbered below the cursors and never be read. docs/ledger.md says what to do.
    """


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass of a consumer did; `is_busy` tells that another process has its cursor."""

    read: int
    is_busy: bool = False


def process(*, name: str, handler: Handler, limit: int = 500) -> Pass:
    """Hand the next events to a consumer and move its cursor past them, in one transaction.

    Nobody waits: where another process has the cursor, nothing is read. An error of the handler rolls all of it back,
    so the same events come again. A cursor that does not exist begins at the ledger's first event.
    """
    cursor, _made = EventCursor.objects.get_or_create(name=name)
    if not OrderEvent.objects.after(cursor.transaction_id, cursor.event_id).exists():
        return Pass(0)  # before the lock: locking a row twice a second for nothing would write to the disk each time
    with transaction.atomic():
        mine = EventCursor.objects.select_for_update(skip_locked=True).filter(name=name).first()
        if mine is None:
            return Pass(0, is_busy=True)
        events = read_batch(mine.transaction_id, mine.event_id, limit)
        if not events:
            return Pass(0)
        handler(in_version_order(events))
        EventCursor.objects.filter(name=name).update(
            transaction_id=events[-1].transaction_id,
            event_id=events[-1].pk,
            events_read=F("events_read") + len(events),
            updated_at=timezone.now(),
        )
    return Pass(len(events))


def read_batch(transaction_id: int, event_id: UUID, limit: int) -> list[OrderEvent]:
    """Return the next events after a place, in the order of the cursor."""
    return list(OrderEvent.objects.after(transaction_id, event_id)[:limit])


def in_version_order(events: Sequence[OrderEvent]) -> list[OrderEvent]:
    """Return the events with those of each subject sorted by version, on the places that they had among the others.

    Within a transaction they mostly are already (see orders.ledger.new_event_id); not where the version passes a
    multiple of 4096, the clock is set back, or two transactions overlapped.
    """
    versions: defaultdict[UUID, list[OrderEvent]] = defaultdict(list)
    for event in events:
        versions[event.subject_id].append(event)
    for members in versions.values():
        members.sort(key=lambda event: event.version, reverse=True)
    return [versions[event.subject_id].pop() for event in events]


def begin_here(*, name: str) -> None:
    """Let a consumer begin after what the ledger holds now: what was loaded into it is none of its business.

    Events that other transactions are writing right now may be passed over too. A cursor never goes back.
    """
    last = OrderEvent.objects.order_by("-transaction_id", "-id").first()
    if last is None:
        return
    with transaction.atomic():
        EventCursor.objects.get_or_create(name=name)
        cursor = EventCursor.objects.select_for_update().get(name=name)
        if (cursor.transaction_id, cursor.event_id) < (last.transaction_id, last.pk):
            cursor.transaction_id, cursor.event_id, cursor.updated_at = last.transaction_id, last.pk, timezone.now()
            cursor.save(update_fields=["transaction_id", "event_id", "updated_at"])


def waiting(name: str) -> int:
    """Return how many events lie after a consumer's cursor, those not yet below the horizon too; for people to see."""
    cursor = EventCursor.objects.filter(name=name).first() or EventCursor(name=name)
    place = (cursor.transaction_id, cursor.event_id)
    with connection.cursor() as database:
        database.execute("SELECT count(*) FROM orders_orderevent WHERE (transaction_id, id) > (%s, %s::uuid)", place)
        return int(database.fetchone()[0])


def check_numbering() -> None:
    """Raise LedgerAhead where new events could be numbered below old ones."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT greatest((SELECT max(transaction_id) FROM orders_orderevent),"
            " (SELECT max(transaction_id) FROM orders_eventcursor)),"
            " pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
        )
        highest, upcoming = cursor.fetchone()
    if highest is not None and highest >= upcoming:
        raise LedgerAhead(f"The ledger ends at transaction {highest}; this server is at {upcoming}.")
