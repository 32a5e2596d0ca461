"""Who reads the ledger: each consumer's name (that of its cursor) and what it does with a batch of events.

A handler runs inside the transaction that moves its cursor (orders.cursors), loads what it needs in one query and calls
one action.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

from django.utils import timezone

from backorders.actions import pegging as pegs
from backorders.models import BackOrder
from integrations.actions import publishing as outbound
from integrations.actions import working_off
from notifications.actions import writing
from orders.actions import parts_orders
from orders.cursors import Handler
from orders.models import OrderEvent, OrderLine
from orders.statuses import LineStatus, SubjectKind
from parts.actors import Actor

#: After these a line may leave: it has its stock, or what an order for complete delivery waited for is cancelled.
_MAY_LEAVE = (LineStatus.RESERVED.value, LineStatus.CANCELLED.value)


def pegging(events: Sequence[OrderEvent]) -> None:
    """Peg the queues in which something changed to what is on order."""
    changes = [event for event in events if event.subject_kind == SubjectKind.BACK_ORDER]
    if changes:
        changed = {event.subject_id for event in changes}
        parts = BackOrder.objects.filter(pk__in=changed).order_by().values_list("part_id", flat=True).distinct()
        newest = max(event.occurred_at for event in changes)
        pegs.repeg(part_ids=list(parts), today=newest.astimezone(UTC).date())


def releasing(events: Sequence[OrderEvent]) -> None:
    """Release the lines of orders that may leave with no person.

    A line that somebody called back from `released` is kept back: it starts nothing before somebody lets it go.
    """
    lines = {
        event.subject_id
        for event in events
        if event.subject_kind == SubjectKind.LINE and (event.to_status in _MAY_LEAVE or event.kind == "line.let_go")
    }
    orders = {event.subject_id for event in events if event.kind == "parts_order.let_go"}
    if lines:
        orders |= set(OrderLine.objects.filter(pk__in=lines).values_list("order_id", flat=True))
    if orders:
        newest = max(event.recorded_at for event in events)
        parts_orders.release_ready(order_ids=sorted(orders), by=Actor.system("release"), source="backline", at=newest)


def telling(events: Sequence[OrderEvent]) -> None:
    """Write down who is to hear of what happened."""
    writing.write_messages(events=events, at=timezone.now())


def waking(events: Sequence[OrderEvent]) -> None:
    """Let messages of other systems be worked on again that waited for these subjects to come, or to come further."""
    names = {f"{event.subject_kind}:{event.subject_id}" for event in events}
    for event in events:
        if event.version == 1:
            names.add(f"{event.subject_kind}:reference:{event.reference}")
            names.add(f"{event.subject_kind}:id:{event.subject_id}")
    working_off.wake(at=max(event.recorded_at for event in events), waits_for=sorted(names))


def publishing(events: Sequence[OrderEvent]) -> None:
    """Write down which partners and systems are to be told."""
    outbound.publish(events=[event.pk for event in events], at=timezone.now())


CONSUMERS: dict[str, Handler] = {
    "pegging": pegging,
    "releasing": releasing,
    "telling": telling,
    "waking": waking,
    "publishing": publishing,
}
