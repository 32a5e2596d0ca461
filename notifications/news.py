"""What of the news of a notice is worth saying when it goes out: what a later piece of news overtook is left out.

The reader is told where things stand now; of three promises of one line the last one counts, and who is told that a
part has left the house needs no telling that it came in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from notifications.models import Message
from notifications.standing import Item
from orders.statuses import SubjectKind

LINE, BACK_ORDER = SubjectKind.LINE.value, SubjectKind.BACK_ORDER.value
#: News that a later one of the same kind about the same thing makes untrue.
_REPLACED = frozenset(
    {
        "line.promise_changed",
        "line.promise_derived",
        "line.quantity_changed",
        "back_order.quantity_changed",
        "service_order.assigned",
        "service_order.completion_estimated",
        "service_order.rescheduled",
    }
)
#: What of a line is over once it has left: when it was to come, and that it was waited for.
_OVER_ONCE_SHIPPED = frozenset({"line.promise_changed", "line.promise_derived"})
_SHIPPED = frozenset({"shipped", "delivered"})


def still_true(messages: Sequence[Message], items: Mapping[UUID, Item]) -> list[Message]:
    """Leave out what later messages overtook, in the order they come in, which is that of what happened.

    `items` tells of lines and back orders which line they are of. Alerts stay: somebody acknowledges them.
    """
    last = _last_of_each(messages)
    left = _left_at(messages, items)
    return [
        message
        for place, message in enumerate(messages)
        if message.alert_id
        or ((last.get(_sameness(message)) in (None, place)) and not _has_left_since(message, place, items, left))
    ]


def _sameness(message: Message) -> tuple[UUID, str] | None:
    """Return what later news of the same overtakes; None for what stays, such as a note."""
    event = message.event
    if event.to_status:
        return event.subject_id, "status"
    return (event.subject_id, event.kind) if event.kind in _REPLACED else None


def _last_of_each(messages: Sequence[Message]) -> dict[tuple[UUID, str] | None, int]:
    last = {_sameness(message): place for place, message in enumerate(messages) if not message.alert_id}
    last.pop(None, None)
    return last


def _left_at(messages: Sequence[Message], items: Mapping[UUID, Item]) -> dict[UUID, int]:
    """Return after which place of the news a line has left, by its key."""
    return {
        items[message.event.subject_id].line: place
        for place, message in enumerate(messages)
        if message.event.subject_kind == LINE
        and message.event.to_status in _SHIPPED
        and message.event.subject_id in items
    }


def _has_left_since(message: Message, place: int, items: Mapping[UUID, Item], left: Mapping[UUID, int]) -> bool:
    event = message.event
    item = items.get(event.subject_id)
    if item is None or left.get(item.line, -1) <= place:
        return False
    return event.subject_kind == BACK_ORDER or event.kind in _OVER_ONCE_SHIPPED
